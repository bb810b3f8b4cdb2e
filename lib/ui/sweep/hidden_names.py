"""Models under other names and in another order, so that answers are judged and not who wrote them."""

import random
from collections.abc import Iterable

import streamlit as st

from lib.ui.shared.state import state
from lib.ui.shared.texts import _

KEY = "sweep_hide_names"
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def hidden() -> bool:
    """Whether the models' names are hidden."""
    return bool(st.session_state.get(KEY))


def switch() -> None:
    """The switch that hides them, and shows them again."""
    st.toggle(_("Hide names"), key=KEY, persist_state="session")


def other_names(rows: Iterable[int]) -> dict[int, str]:
    """A letter for each model, by row, in the order in which they are shown: always the same for one sweep."""
    shuffled = sorted(rows)
    random.Random(state.sweep_id).shuffle(shuffled)
    return {row: _("Model {letter}").format(letter=_letters(at)) for at, row in enumerate(shuffled)}


def _letters(number: int) -> str:
    """A, B, ... Z, AA, AB, ..."""
    first, last = divmod(number, len(LETTERS))
    return (LETTERS[first - 1] if first else "") + LETTERS[last]


def instead() -> None:
    """What stands where the names would be told."""
    with st.container(horizontal=True, vertical_alignment="center", key="sweep_names_hidden"):
        st.caption(_("The models' names are hidden."))
        st.button(_("Show them"), key="sweep_show_names", type="tertiary", on_click=_show)


def _show() -> None:
    st.session_state[KEY] = False
