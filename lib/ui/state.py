"""What a browser tab remembers between two script runs: ids and plain values, never a key."""

from dataclasses import dataclass

import streamlit as st

SHOWN_TURNS = 30


@dataclass(frozen=True, slots=True)
class Held:
    """A message that was asked about before it is sent: its conversation is too long for `window` (tokens; None: it is
    not), or `cost` is over `limit` (US dollars). `leave_out` is how many of the oldest turns have to go; None: nothing
    helps."""

    text: str
    tokens: int
    window: int | None
    leave_out: int | None
    cost: float
    limit: float | None

    @property
    def too_long(self) -> bool:
        """Whether it is the context that it does not fit."""
        return self.window is not None


class State:
    """Typed properties over st.session_state; widget values live under their own keys."""

    @property
    def chat_id(self) -> str | None:
        """The open chat; None is a new one."""
        return _text("open_chat")

    @chat_id.setter
    def chat_id(self, value: str | None) -> None:
        st.session_state["open_chat"] = value

    @property
    def deleted_chat(self) -> str | None:
        """The chat that was deleted last, as long as that can be undone."""
        return _text("deleted_chat")

    @deleted_chat.setter
    def deleted_chat(self, value: str | None) -> None:
        st.session_state["deleted_chat"] = value

    @property
    def temporary(self) -> bool:
        """Whether the open chat, or the one that begins next, is kept in memory only."""
        return bool(st.session_state.get("temporary_chat"))

    @temporary.setter
    def temporary(self, value: bool) -> None:
        st.session_state["temporary_chat"] = value

    @property
    def sweep_id(self) -> str | None:
        """The open sweep; None is a new one."""
        return _text("open_sweep")

    @sweep_id.setter
    def sweep_id(self, value: str | None) -> None:
        st.session_state["open_sweep"] = value

    @property
    def editing(self) -> str | None:
        """The message that is being edited."""
        return _text("editing_message")

    @editing.setter
    def editing(self, value: str | None) -> None:
        st.session_state["editing_message"] = value

    @property
    def writing(self) -> bool:
        """Whether a turn is being written by hand."""
        return bool(st.session_state.get("writing_turn"))

    @writing.setter
    def writing(self, value: bool) -> None:
        st.session_state["writing_turn"] = value

    @property
    def deleted_turn(self) -> tuple[str, int] | None:
        """The turn that was deleted last, and the mark that brings it back."""
        deleted: tuple[str, int] | None = st.session_state.get("deleted_turn")
        return deleted

    @deleted_turn.setter
    def deleted_turn(self, value: tuple[str, int] | None) -> None:
        st.session_state["deleted_turn"] = value

    @property
    def images(self) -> list[str]:
        """Images, as data URLs, that go with the next message."""
        images: list[str] = st.session_state.setdefault("images_to_send", [])
        return images

    @property
    def held(self) -> Held | None:
        """A message that is asked about before it is sent."""
        held: Held | None = st.session_state.get("held_message")
        return held

    @held.setter
    def held(self, value: Held | None) -> None:
        st.session_state["held_message"] = value

    @property
    def patient(self) -> set[str]:
        """The calls whose first word is waited for without asking again."""
        patient: set[str] = st.session_state.setdefault("patient_calls", set())
        return patient

    @property
    def shown_turns(self) -> int:
        """How many of a chat's last turns are drawn."""
        return int(st.session_state.get("shown_turns", SHOWN_TURNS))

    @shown_turns.setter
    def shown_turns(self, value: int) -> None:
        st.session_state["shown_turns"] = value

    @property
    def waiting(self) -> str | None:
        """A message that waits until the running answer has ended."""
        return _text("waiting_message")

    @waiting.setter
    def waiting(self, value: str | None) -> None:
        st.session_state["waiting_message"] = value

    @property
    def notices(self) -> list[str]:
        """Sentences to be shown once, at the top of the page."""
        notices: list[str] = st.session_state.setdefault("notices", [])
        return notices

    @property
    def connecting(self) -> bool:
        """Whether the connection dialog is open."""
        return bool(st.session_state.get("connection_dialog"))

    @connecting.setter
    def connecting(self, value: bool) -> None:
        st.session_state["connection_dialog"] = value


def _text(name: str) -> str | None:
    value = st.session_state.get(name)
    return None if value is None else str(value)


state = State()
