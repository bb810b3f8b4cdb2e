"""The verdict above a sweep's answers, and the field in which one is picked."""

import streamlit as st

from lib.core.rich_text import literal
from lib.sweep.study import Study
from lib.sweep.verdict import named, not_rated, sentence, verdict
from lib.ui.shared.texts import _
from lib.ui.sweep.open_study import PAGE, pick

NOTHING = ""
"""In place of a cell's id, where nothing is picked."""


def verdict_line(study: Study) -> None:
    """The verdict in a sentence; model and temperature can be picked beside it."""
    found = verdict(study)
    settings = {setting.cells[0].id: named(setting, study.plan, PAGE) for setting in study.settings}
    chosen = found.pick.cells[0].id if found.pick else None
    # Each time as it is stored: another tab, or the answers below, may have picked too.
    st.session_state["sweep_pick"] = chosen or NOTHING
    with st.container(key="sweep_verdict"):
        words, field = st.columns([3, 1], vertical_alignment="center")
    if chosen is not None:
        words.markdown(f"**{_('Your pick')}:** {literal(sentence(found, PAGE))}")
    else:
        words.caption(literal(sentence(found, PAGE)))
    if left := not_rated(study, PAGE):
        words.caption(left)
    field.selectbox(
        _("Your pick"),
        # A choice of its own: a field that may be empty is emptied by Escape, and the pick is gone.
        [NOTHING, *settings],
        format_func={NOTHING: _("Take the pick back") if chosen else _("Pick one"), **settings}.__getitem__,
        key="sweep_pick",
        label_visibility="collapsed",
        on_change=_picked,
    )


def _picked() -> None:
    pick(st.session_state.get("sweep_pick") or None)
