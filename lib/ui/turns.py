"""What the visitor does to turns without asking a model: edit, delete, write one by hand, show another version."""

import streamlit as st

from lib.chats import Turn
from lib.models import Role
from lib.ui import talk
from lib.ui.state import SHOWN_TURNS, state

WRITTEN = "written_turn"
WRITTEN_ROLE = "written_role"


def edit(turn: Turn) -> None:
    """Open a turn for editing."""
    state.editing = turn.id


def leave_as_it_was() -> None:
    """Close the editor."""
    state.editing = None


def rewrite(turn: Turn) -> None:
    """Keep an edited answer as a version of it; nobody is asked."""
    with talk.refusals_said():
        talk.current().write(turn.role, st.session_state[talk.EDITED], instead_of=turn)
        state.editing = None


def begin_writing() -> None:
    """Open the editor for a turn written by hand."""
    state.writing = True


def stop_writing() -> None:
    """Close it."""
    state.writing = False


def add_written(go_on: bool = False) -> None:
    """Add the turn that was written by hand; with `go_on` the model continues it."""
    role: Role = st.session_state[WRITTEN_ROLE]
    with talk.refusals_said():
        state.chat_id = talk.current().write(role, st.session_state[WRITTEN])
        state.writing = False
        if go_on:
            talk.go_on(talk.current().branch()[-1])


def delete(turn: Turn) -> None:
    """Take a turn out of the chat; it can be brought back."""
    with talk.refusals_said():
        state.deleted_turn = (turn.id, talk.current().delete(turn))


def undelete() -> None:
    """Bring back the turn that was deleted last."""
    if state.deleted_turn is not None:
        with talk.refusals_said():
            talk.current().undelete(*state.deleted_turn)
    state.deleted_turn = None


def choose_version(message_id: str) -> None:
    """Show another version of a turn."""
    with talk.refusals_said():
        talk.current().choose(message_id)


def go_on_with(turn: Turn, index: int) -> None:
    """Let the conversation go on with another alternative of the same call."""
    choose_version(turn.alternatives[index])


def show_earlier() -> None:
    """Draw more of a long chat."""
    state.shown_turns += SHOWN_TURNS


def keep_waiting(call_id: str) -> None:
    """Wait for the first word of a call without asking again."""
    state.patient.add(call_id)
