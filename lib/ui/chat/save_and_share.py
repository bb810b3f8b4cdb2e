"""A chat is saved as a file, or shared under a link: from the list of chats, and above the open one."""

import streamlit as st

from lib.chat import repository as chats
from lib.chat.repository import Chat
from lib.core.rich_text import literal
from lib.ui.chat.chat_state import chat_state
from lib.ui.chat.files import file_of, save_buttons
from lib.ui.chat.open_chat import ChatView
from lib.ui.shared import resources
from lib.ui.shared.save_and_share import menu_of_ways, ways
from lib.ui.shared.share_link import open_share
from lib.ui.shared.state import Shareable, state
from lib.ui.shared.texts import _
from lib.ui.shared.visitor import visitor

MENU = "chat_hand_on"


def hand_on(chat: Chat, way: str) -> None:
    """Open the dialog for it; a callback."""
    if way == "share":
        _share(chat)
    else:
        chat_state.saving = chat


def hand_on_menu(view: ChatView) -> None:
    """The open chat's own menu, once there is something in it. One that is in memory only is not handed on."""
    if view.turns and not chat_state.temporary:
        menu_of_ways(_("Save or share this chat"), MENU, _do)


def save_dialog() -> None:
    """The dialog of the chat that is being saved, while it is open."""
    if chat_state.saving is not None:
        st.dialog(_("Save as a file"), width="small", on_dismiss=state.close_dialogs)(_body)(chat_state.saving)


def _body(chat: Chat) -> None:
    if chat_state.saving is None:
        st.rerun()  # saved: a press in a dialog runs the dialog alone
    st.markdown(f"**{literal(chat.title) or _('Untitled')}**")
    save_buttons(chat)


def _do() -> None:
    owner, chat_id, way = visitor().owner, state.chat_id, st.session_state[MENU]
    if chat_id is not None and way in ways():
        hand_on(resources.services().store.read(lambda db: chats.find(db, owner, chat_id)), way)


def _share(chat: Chat) -> None:
    shows = (
        _("the messages that you see in this chat, with their files and images"),
        _("which models answered, the system prompt and the settings"),
        _("how long each answer took, how many tokens it has and what it cost"),
    )
    open_share(Shareable("chat", chat.id, chat.title, shows, file_of(chat, "html")))
