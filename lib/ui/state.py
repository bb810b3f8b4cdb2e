"""What a browser tab remembers between two script runs: ids and plain values, never a key."""

import streamlit as st

SHOWN_TURNS = 30


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
