"""Typed access to one thing that a browser tab remembers between two script runs; and which dialog is open in it."""

from collections.abc import Callable
from typing import Generic, TypeVar

import streamlit as st

T = TypeVar("T")
OPEN = "open_dialog"
"""Which dialog is open: its name, and what it is about; None: none is."""


class SessionValue(Generic[T]):
    """One thing under a name of its own in st.session_state; `make` makes what it is at first."""

    def __init__(self, name: str, make: Callable[[], T]) -> None:
        self._name = name
        self._make = make

    def __get__(self, state: object, _kind: type | None = None) -> T:
        # `setdefault`: two runs of one tab may overlap for a moment, and the first value has to win (streamlit#7087).
        value: T = st.session_state.setdefault(self._name, self._make())
        return value

    def __set__(self, state: object, value: T) -> None:
        st.session_state[self._name] = value


class Dialog(Generic[T]):
    """A dialog, read as what it is about while it is the one that is open, else as None. Setting it opens it in place
    of any other, or closes it with None. All share one value: Streamlit refuses a page that draws two of them."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __get__(self, state: object, _kind: type | None = None) -> T | None:
        name, about = st.session_state.get(OPEN) or ("", None)
        return about if name == self._name else None

    def __set__(self, state: object, about: T | None) -> None:
        if about is not None:
            st.session_state[OPEN] = (self._name, about)
        elif self.__get__(state) is not None:
            st.session_state[OPEN] = None


def nothing() -> None:
    """What is remembered at first of what there need not be."""
    return None
