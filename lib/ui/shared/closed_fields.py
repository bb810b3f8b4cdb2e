"""Fields that something else may set while the browser can't take it: in a closed popover, or while they are pressed.

In a closed popover the browser has no field to put the new value in, and while something is pressed it has told the
former one already. It tells the old value with the next press, and what was set is gone: so such a field gets another
key each time.
"""

from typing import Any

import streamlit as st

from lib.ui.shared.state import state


def key_of(name: str) -> str:
    """The key that a field has now."""
    turn = state.field_turns.get(name, 0)
    return f"{name}_{turn}" if turn else name


def values_of(name: str) -> list[Any]:
    """What is chosen in a field with several values."""
    return list(st.session_state.get(key_of(name)) or ())


def put(name: str, value: Any) -> None:
    """Choose something in it, in place of what was; of several values a list."""
    st.session_state.pop(key_of(name), None)
    state.field_turns[name] = state.field_turns.get(name, 0) + 1
    st.session_state[key_of(name)] = value
