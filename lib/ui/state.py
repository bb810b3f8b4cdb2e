"""What a browser tab remembers between two script runs: ids and plain values, never a key."""

from typing import Any

import streamlit as st


class State:
    """Typed properties over st.session_state; widget values live under their own keys."""

    @property
    def chat_id(self) -> str | None:
        """The open chat; None is a new one."""
        return self._get("open_chat", None)

    @chat_id.setter
    def chat_id(self, value: str | None) -> None:
        st.session_state["open_chat"] = value

    @property
    def sweep_id(self) -> str | None:
        """The open sweep; None is a new one."""
        return self._get("open_sweep", None)

    @sweep_id.setter
    def sweep_id(self, value: str | None) -> None:
        st.session_state["open_sweep"] = value

    @property
    def waiting(self) -> str | None:
        """A message that waits until the running answer has ended."""
        return self._get("waiting_message", None)

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
        return bool(self._get("connection_dialog", False))

    @connecting.setter
    def connecting(self, value: bool) -> None:
        st.session_state["connection_dialog"] = value

    @staticmethod
    def _get(name: str, default: Any) -> Any:
        return st.session_state.get(name, default)


state = State()
