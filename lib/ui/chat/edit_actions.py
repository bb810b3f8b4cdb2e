"""Callbacks that change a conversation without asking a model: edit, delete, add by hand, show another version."""

import streamlit as st

from lib.chat.repository import Turn
from lib.core.request import Role
from lib.ui.chat import model_actions, open_chat
from lib.ui.chat.chat_state import chat_state
from lib.ui.shared.refusals import refusals_told
from lib.ui.shared.state import state

WRITTEN_ROLE = "written_role"


def edit(turn: Turn) -> None:
    """Open a turn for editing."""
    chat_state.editing = turn.id


def leave_as_it_was() -> None:
    """Close the editor of a turn, which stays as it was."""
    chat_state.editing = None


def rewrite(turn: Turn) -> None:
    """Keep an edited answer as a version of it; nobody is asked."""
    with refusals_told():
        open_chat.current().write(turn.role, st.session_state[model_actions.EDITED], instead_of=turn)
        chat_state.editing = None


def begin_writing() -> None:
    """Open the editor for a turn written by hand."""
    chat_state.writing = True


def stop_writing() -> None:
    """Close the editor for a turn written by hand."""
    chat_state.writing = False


def add_written(continue_answer: bool = False) -> None:
    """Add the turn that was written by hand, and let the other one say the next; with `continue_answer` the model
    continues it."""
    role: Role = st.session_state[WRITTEN_ROLE]
    with refusals_told():
        state.chat_id = open_chat.current().write(role, st.session_state[model_actions.WRITTEN])
        chat_state.writing = not continue_answer
        st.session_state[model_actions.WRITTEN] = ""
        st.session_state[WRITTEN_ROLE] = "user" if role == "assistant" else "assistant"
        if continue_answer:
            model_actions.continue_answer(open_chat.current().branch()[-1])


def delete(turn: Turn) -> None:
    """Take a turn out of the chat; it can be brought back."""
    with refusals_told():
        chat_state.deleted_turn = (turn.id, open_chat.current().delete(turn))


def undelete() -> None:
    """Bring back the turn that was deleted last."""
    if chat_state.deleted_turn is not None:
        with refusals_told():
            open_chat.current().undelete(*chat_state.deleted_turn)
    chat_state.deleted_turn = None


def choose_version(message_id: str) -> None:
    """Show another version of a turn."""
    with refusals_told():
        open_chat.current().choose(message_id)


def keep_waiting(call_id: str) -> None:
    """Wait for the first word of a call without asking again."""
    chat_state.patient.add(call_id)
