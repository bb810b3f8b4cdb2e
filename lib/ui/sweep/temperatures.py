"""Chooses the temperatures of a sweep: ready ones to tick, and any other, one by one or as a range with a step."""

from typing import Any

import streamlit as st

from lib.core.errors import InvalidInput
from lib.core.parameters import Params
from lib.sweep.number_list import number_label, numbers
from lib.ui.shared.texts import _, error_message

READY = (0.0, 0.3, 0.7, 1.0, 1.3, 1.6, 2.0)
START = (0.0, 0.7, 1.3)
KEY = "sweep_temperatures"
TYPED = "sweep_temperatures_typed"


def temperature_picker() -> None:
    """Ticks, with the values added to them, and a field for further ones."""
    _put_in_order()
    st.pills(
        _("Creativity (temperature)"),
        sorted({*READY, *st.session_state[KEY]}),
        selection_mode="multi",
        format_func=number_label,
        key=KEY,
        help=_("0 is precise and nearly always the same, about 0.7 balanced, from 1 creative, above 1.5 wild."),
        persist_state="session",
    )
    st.text_input(
        _("Other temperatures"),
        key=TYPED,
        placeholder=_("Others: 0.25, or 0 to 1 step 0.2"),
        label_visibility="collapsed",
        width=270,
        on_change=_take_typed,
        persist_state="session",
    )
    try:
        _typed()
    except InvalidInput as wrong:
        st.error(error_message(wrong), icon=":material/error:")


def temperatures() -> tuple[float, ...]:
    """Those that are chosen, ascending; raises InvalidInput for what was typed and is none."""
    return tuple(sorted({*(st.session_state.get(KEY) or []), *_typed()}))


def _put_in_order() -> None:
    """What links, old forms and other pages have put there, as the ticks want it; what is no number can be mended in
    the field beside them."""
    chosen: list[Any] = list(st.session_state.get(KEY) or [])
    typed = [str(value) for value in chosen if not isinstance(value, int | float)]
    if typed:
        st.session_state[TYPED] = ", ".join(typed)
    in_order = sorted({float(value) for value in chosen if isinstance(value, int | float)})
    if in_order != chosen or KEY not in st.session_state:
        st.session_state[KEY] = in_order


def _typed() -> tuple[float, ...]:
    found = numbers(st.session_state.get(TYPED) or "")
    for value in found:
        Params.checked({"temperature": value})
    return found


def _take_typed() -> None:
    """Let what was typed be ticks; what can't be read stays in the field, to be mended."""
    try:
        found = _typed()
    except InvalidInput:
        return
    st.session_state[KEY] = sorted({*(st.session_state.get(KEY) or []), *found})
    st.session_state[TYPED] = ""
