"""What the chat page keeps over a reload: the open chat, the settings, and a message that waited to be sent."""

import streamlit as st

from lib.chat import repository as chats
from lib.services import Services
from lib.ui.shared import controls, session_restore
from lib.ui.shared.session_restore import PageMemory
from lib.ui.shared.state import state
from lib.ui.shared.visitor import Visitor

WAITING = "waiting_message"


def _exists(services: Services, owner: str, chat_id: str) -> bool:
    """Whether there is such a chat; a temporary one is found as long as the process lives."""
    state.temporary = chat_id in services.temporary_chats(owner)
    store = services.dispatcher.memory.open() if state.temporary else services.store
    return bool(store.read(lambda db: chats.open_branch(db, owner, chat_id)))


def _private() -> tuple[str, ...]:
    """The texts of a temporary chat never reach the disk."""
    return (WAITING,) if state.temporary else ()


CHAT = PageMemory("chat", "chat_model", ("chat_model", WAITING, *controls.keys("chat")), _exists, _private)


def restore_chat(services: Services, visitor: Visitor) -> None:
    """Bring back what was open and set."""
    first_run = session_restore.restore(services, visitor, CHAT)
    if first_run and state.waiting is not None:
        # Nobody saw it go: it is for the visitor to send.
        st.session_state["chat_input"], state.waiting = state.waiting, None
