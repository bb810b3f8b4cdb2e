"""Chooses the one further thing that a sweep varies: a field of the request, or the system prompt."""

from collections.abc import Sequence
from typing import Any

import streamlit as st

from lib.core.errors import InvalidInput
from lib.sweep.axis import SYSTEM, VARIED, Axis, values_in
from lib.ui.shared.choices import choice_key
from lib.ui.shared.texts import _, error_message

FIELD = "sweep_vary"
VALUES = "sweep_vary_values"
MOST_SYSTEMS = 5
KEPT: dict[str, Any] = {"persist_state": "session"}
SYSTEMS = tuple(f"sweep_system_{number}" for number in range(2, MOST_SYSTEMS + 1))
"""Further system prompts; the first one is that of the form, `sweep_system`."""
KEYS = (FIELD, VALUES, *SYSTEMS)


def axis_picker() -> None:
    """What is varied, and its values."""
    options = ["", *VARIED]
    st.selectbox(
        _("Vary something else"),
        options,
        format_func=lambda field: _(Axis(field, ()).title) if field else _("nothing"),
        key=choice_key(FIELD),
        **KEPT,
    )
    field = st.session_state.get(FIELD)
    if field == SYSTEM:
        _systems()
    elif field:
        st.text_input(_("Values of {field}").format(field=field), key=VALUES, placeholder=VARIED[field].example, **KEPT)
        try:
            axis()
        except InvalidInput as wrong:
            st.error(error_message(wrong), icon=":material/error:")


def axis() -> Axis | None:
    """The further axis as the form stands; None where nothing further is varied, or only one value is given. Raises
    InvalidInput for values that can't be read."""
    field = st.session_state.get(FIELD)
    if not field:
        return None
    if field == SYSTEM:
        first = st.session_state.get("sweep_system") or ""
        further = [text for text in texts() if text.strip()]
        return Axis(SYSTEM, tuple(dict.fromkeys([first, *further]))) if further else None
    found = values_in(field, st.session_state.get(VALUES) or "")
    return Axis(field, found) if found else None


def texts() -> tuple[str, ...]:
    """The further system prompts, where they are what is varied."""
    of_system = st.session_state.get(FIELD) == SYSTEM
    return tuple(st.session_state.get(key) or "" for key in SYSTEMS) if of_system else ()


def fill(axis: Axis | None) -> None:
    """Set the controls to `axis`; the first of several system prompts is the form's own."""
    st.session_state[FIELD] = axis.field if axis else ""
    of_system = axis is not None and axis.of_system
    st.session_state[VALUES] = ", ".join(axis.labels) if axis and not of_system else ""
    further: Sequence[Any] = axis.values[1:] if axis and of_system else ()
    if axis and of_system and axis.values[0]:
        st.session_state["sweep_system"] = axis.values[0]
    for number, key in enumerate(SYSTEMS):
        st.session_state[key] = further[number] if number < len(further) else ""


def _systems() -> None:
    """A field for each further system prompt, and an empty one for the next."""
    st.caption(_("The one above is the first; these are asked as well."))
    for number, key in enumerate(SYSTEMS, 2):
        label = _("System prompt {number}").format(number=number)
        st.text_area(label, key=key, height=70, label_visibility="collapsed", placeholder=label, **KEPT)
        if not (st.session_state.get(key) or "").strip():
            return
