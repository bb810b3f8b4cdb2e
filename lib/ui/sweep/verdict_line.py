"""The verdict above a sweep's answers; beside it what shows it to others, and the field in which one is picked."""

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from lib.core.rich_text import literal
from lib.sweep.study import Study
from lib.sweep.verdict import Verdict, judges_told, named, not_rated, told, verdict
from lib.ui.shared.save_and_share import menu_of_ways
from lib.ui.shared.texts import _
from lib.ui.sweep.open_study import PAGE, open_study, pick
from lib.ui.sweep.report_view import share_report
from lib.ui.sweep.view_state import REPORT, remembered

NOTHING = ""
"""In place of a cell's id, where nothing is picked."""
WIDTH = 165
HAND_ON = "sweep_hand_on"


def verdict_line(study: Study, row: DeltaGenerator) -> None:
    """The verdict in a sentence; model and temperature are picked in `row`."""
    found = verdict(study)
    settings = {setting.cells[0].id: named(setting, study.plan, PAGE) for setting in study.settings}
    chosen = found.pick.cells[0].id if found.pick else None
    # Each time as it is stored: another tab, or the answers below, may have picked too.
    st.session_state["sweep_pick"] = chosen or NOTHING
    _say(study, found)
    words, icon = _("Present"), ":material/slideshow:"
    row.button(words, key="sweep_present_now", icon=icon, type="tertiary", on_click=_present)
    with row:
        menu_of_ways(_("Save or share this sweep"), HAND_ON, _hand_on)
    # Last, where Stop was until the end: a press that was meant for it shares nothing.
    row.selectbox(
        _("Your pick"),
        # A choice of its own: a field that may be empty is emptied by Escape, and the pick is gone.
        [NOTHING, *settings],
        format_func={
            NOTHING: _("Take the pick back") if chosen else _("Pick a setting"),
            **settings,
        }.__getitem__,
        key="sweep_pick",
        label_visibility="collapsed",
        width=WIDTH,
        on_change=_picked,
    )


def verdict_so_far(study: Study) -> None:
    """The same sentence while the sweep runs, without what picks and presents: it may run to add answers to some that
    have stars."""
    _say(study, verdict(study))


def _say(study: Study, found: Verdict) -> None:
    """The sentence; where there is nothing to say yet what will stand there. It is there while a sweep runs, too: did a
    line come at its end, or with the first star, all that is below it would move under the pointer."""
    with st.container(key="sweep_verdict"):
        if not (found.lead or not_rated(study, PAGE) or judges_told(study, found, PAGE)):
            st.caption(_("Stars that you give, and your pick, are summed up here."))
        elif found.pick is not None:
            st.markdown(f"**{_('Your pick')}**{_(': ')}{literal(told(study, PAGE))}")
        else:
            st.caption(literal(told(study, PAGE)))


def _present() -> None:
    remembered.slide, remembered.asks_for_page = 0, True


def _hand_on() -> None:
    study = open_study()
    if study is None:
        return
    if st.session_state[HAND_ON] == "share":
        share_report(study)
        remembered.asks_for_page = True  # the dialog stands outside of this part of the page
    else:
        st.session_state["sweep_view"] = REPORT  # which has all its forms


def _picked() -> None:
    pick(st.session_state.get("sweep_pick") or None)
