"""Chooses which input, and which value of the further axis, the grid shows."""

from collections.abc import Sequence

import streamlit as st

from lib.core.rich_text import literal
from lib.core.titles import title_of
from lib.sweep.plan import Plan
from lib.ui.shared.choices import choice_key
from lib.ui.shared.texts import _


def chosen_slice(sweep_id: str, plan: Plan) -> tuple[int, int]:
    """(input, variant), as `plan.slice_of` takes them: what the visitor chose, the first of both where there is nothing
    to choose. Draws a field for each of the two that has more than one."""
    inputs, variants = plan.slices
    if inputs == variants == 1:
        return 0, 0
    with st.container(horizontal=True, vertical_alignment="center", gap="small", width="content", key="sweep_slice"):
        input = _choose(_("Input"), _keys(sweep_id)[0], input_labels(plan))
        label = "" if plan.axis is None else _(plan.axis.title)
        return input, _choose(label, _keys(sweep_id)[1], variant_labels(plan))


def choose_slice(sweep_id: str, input: int, variant: int) -> None:
    """Choose both; where there is nothing to choose there is no field."""
    for key, value in zip(_keys(sweep_id), (input, variant), strict=True):
        st.session_state[key] = value


def _keys(sweep_id: str) -> tuple[str, str]:
    return f"sweep_input_{sweep_id}", f"sweep_variant_{sweep_id}"


def input_labels(plan: Plan) -> list[str]:
    """Each input in a line: its number, and the values that the prompt takes from it."""
    lines = [" · ".join(values.get(name, "") for name in plan.variables) for values in plan.inputs] or [""]
    return [f"{number}  {title_of(line)}" for number, line in enumerate(lines, 1)]


def variant_labels(plan: Plan) -> list[str]:
    """Each value of the further axis in a line; one, empty, without such an axis."""
    if plan.axis is None:
        return [""]
    return [label or _("without a system prompt") for label in plan.axis.labels]


def _choose(label: str, key: str, options: Sequence[str]) -> int:
    if len(options) == 1:
        return 0
    st.caption(literal(label), width="content")
    # The number and not the text: two inputs may look the same.
    chosen = st.selectbox(
        label,
        range(len(options)),
        format_func=options.__getitem__,
        key=choice_key(key),
        label_visibility="collapsed",
        width=240,
        persist_state="session",
    )
    return int(chosen or 0)
