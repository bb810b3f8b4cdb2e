"""The verdict above a sweep's answers, and the field in which one is picked."""

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from lib.core.rich_text import literal
from lib.sweep.study import Study
from lib.sweep.verdict import named, not_rated, sentence, verdict
from lib.ui.shared.texts import _
from lib.ui.sweep.open_study import PAGE, pick

NOTHING = ""
"""In place of a cell's id, where nothing is picked."""
WIDTH = 165


def verdict_line(study: Study, row: DeltaGenerator) -> None:
    """The verdict in a sentence, where there is more to say than that nothing is picked; model and temperature are
    picked in `row`."""
    found = verdict(study)
    settings = {setting.cells[0].id: named(setting, study.plan, PAGE) for setting in study.settings}
    chosen = found.pick.cells[0].id if found.pick else None
    # Each time as it is stored: another tab, or the answers below, may have picked too.
    st.session_state["sweep_pick"] = chosen or NOTHING
    left = not_rated(study, PAGE)
    if chosen is not None or found.best or left:  # an empty container would take the gap of a line
        with st.container(key="sweep_verdict"):
            if chosen is not None:
                st.markdown(f"**{_('Your pick')}:** {literal(sentence(found, PAGE))}")
            elif found.best:
                st.caption(literal(sentence(found, PAGE)))
            if left:
                st.caption(left)
    row.selectbox(
        _("Your pick"),
        # A choice of its own: a field that may be empty is emptied by Escape, and the pick is gone.
        [NOTHING, *settings],
        format_func={NOTHING: _("Take the pick back") if chosen else _("Pick one"), **settings}.__getitem__,
        key="sweep_pick",
        label_visibility="collapsed",
        width=WIDTH,
        on_change=_picked,
    )


def _picked() -> None:
    pick(st.session_state.get("sweep_pick") or None)
