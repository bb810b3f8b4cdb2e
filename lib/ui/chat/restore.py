"""What the chat page keeps over a reload: the open chat, the settings, and a message that waited to be sent."""

from functools import partial

import streamlit as st

from lib.chat import repository as chats
from lib.services import Services
from lib.ui.chat import chat_settings, links, open_chat
from lib.ui.chat.chat_state import chat_state
from lib.ui.shared import controls, session_restore
from lib.ui.shared.session_restore import PageMemory
from lib.ui.shared.state import state
from lib.ui.shared.visitor import Visitor

WAITING = "waiting_message"


def _exists(services: Services, owner: str, chat_id: str) -> bool:
    """Whether there is such a chat; a temporary one is found as long as the process lives. Sets whether what is opened
    is temporary, which is how the page knows the store to read it from."""
    chat_state.temporary = chat_id in services.temporary_chats(owner)
    store = services.dispatcher.memory.open() if chat_state.temporary else services.store
    return bool(store.read(lambda db: chats.open_branch(db, owner, chat_id)))


def _private() -> tuple[str, ...]:
    """The texts of a temporary chat never reach the disk."""
    return (WAITING, "chat_system", "chat_json") if chat_state.temporary else ()


CHAT = PageMemory(
    "chat",
    "chat_model",
    ("chat_model", "chat_models_beside", WAITING, *controls.keys("chat")),
    _exists,
    links.FIELDS,
    _private,
)


def restore_chat(services: Services, visitor: Visitor) -> None:
    """Bring back what was open and set, or follow the browser to another chat of its history."""
    if chat_state.to_open is not None:
        open_chat.switch_to(chat_state.to_open)
        chat_state.to_open = None
    restored = session_restore.restore(services, visitor, CHAT)
    linked = links.is_link()
    if restored:
        _settings(new_session=restored == "new" or linked)
    elif not linked:
        session_restore.follow_browser(CHAT, partial(_open, services, visitor))


def _settings(new_session: bool) -> None:
    """At a tab's first run: the open chat's settings; of a new chat those it was begun with before a reload."""
    if state.chat_id is not None:
        chat_settings.take_up(open_chat.current())
    elif new_session:
        chat_settings.begin()
    if chat_state.waiting is not None:
        # Nobody saw it go: it is for the visitor to send.
        st.session_state["chat_input"], chat_state.waiting = chat_state.waiting, None


def _open(services: Services, visitor: Visitor, chat_id: str) -> None:
    """Open a chat of the browser's history, a new one for ""."""
    if chat_id == (state.chat_id or ""):
        return
    open_chat.new()
    if chat_id and _exists(services, visitor.owner, chat_id):
        state.chat_id = chat_id
        chat_settings.take_up(open_chat.current())
    chat_state.missing_chat = bool(chat_id) and state.chat_id is None
