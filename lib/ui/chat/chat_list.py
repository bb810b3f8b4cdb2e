"""The sidebar's list of chats: new, search, open, rename, delete."""

import streamlit as st

from lib.chat import repository as chats
from lib.chat.repository import Chat
from lib.core.rich_text import literal
from lib.services import Services
from lib.ui.chat import model_actions
from lib.ui.chat.files import import_chat, save_buttons
from lib.ui.shared.state import LISTED, state
from lib.ui.shared.texts import _
from lib.ui.shared.visitor import Visitor

TITLE = "chat_title"


def chat_list(services: Services, visitor: Visitor) -> None:
    """New chat, and the old ones, the newest first."""
    words = st.session_state.get("chat_search") or ""
    limit = state.listed_chats
    found = services.store.read(lambda db: chats.chats_of(db, visitor.owner, words, limit + 1))
    with st.sidebar:
        with st.container(horizontal=True, wrap=False, gap="xsmall"):
            st.button(_("New chat"), key="chat_new", icon=":material/add:", on_click=model_actions.new, width="stretch")
            st.button(
                "",
                key="chat_new_temporary",
                icon=":material/timer:",
                help=_("A temporary chat: its texts are not saved, only its numbers."),
                on_click=model_actions.new,
                args=(True,),
            )
        if found or words:
            st.text_input(
                _("Search"), key="chat_search", placeholder=_("Search all chats"), label_visibility="collapsed"
            )
        if state.deleted_chat is not None:
            _undo()
        for chat in found[:limit]:
            with st.container(horizontal=True, wrap=False, gap="xsmall"):
                _open_button(chat)
                if chat.id == state.chat_id:
                    _menu(chat)
        if len(found) > limit:
            st.button(_("More"), key="chat_list_more", type="tertiary", icon=":material/expand_more:", on_click=_more)
        if words and not found:
            st.caption(_("No chat has these words."))
        import_chat()


def _more() -> None:
    state.listed_chats += LISTED


def _open_button(chat: Chat) -> None:
    st.button(
        literal(chat.title) or _("Untitled"),
        key=f"chat_open_{chat.id}",
        type="secondary" if chat.id == state.chat_id else "tertiary",
        on_click=model_actions.open_chat,
        args=(chat.id,),
        width="stretch",
    )


def _menu(chat: Chat) -> None:
    with st.popover("", icon=":material/more_vert:", key="chat_menu", help=_("Rename, save or delete")):
        # Its own key for each title, so that it always begins with the present one.
        st.text_input(_("Title"), chat.title, key=f"{TITLE}_{chat.id}", on_change=_rename, args=(chat.id,))
        save_buttons(chat)
        st.button(_("Delete"), key="chat_delete", icon=":material/delete:", on_click=_delete, args=(chat.id,))


def _undo() -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(_("The chat is deleted."))
        st.button(_("Undo"), key="chat_undelete", type="tertiary", icon=":material/undo:", on_click=_undelete)


def _rename(chat_id: str) -> None:
    owned, title = model_actions.current(), st.session_state[f"{TITLE}_{chat_id}"]
    owned.dispatcher.store.write(lambda db: chats.rename(db, owned.owner, chat_id, title)).result()


def _delete(chat_id: str) -> None:
    model_actions.stop()
    owned = model_actions.current()
    owned.dispatcher.store.write(lambda db: chats.delete(db, owned.owner, chat_id)).result()
    state.deleted_chat, state.chat_id = chat_id, None


def _undelete() -> None:
    owned, chat_id = model_actions.current(), state.deleted_chat
    if chat_id is not None:
        owned.dispatcher.store.write(lambda db: chats.undelete(db, owned.owner, chat_id)).result()
        state.deleted_chat, state.chat_id = None, chat_id
