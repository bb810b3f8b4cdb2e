"""Chooses which calls are shown, in which time zone, and what the page says where there are none."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import streamlit as st

from lib.core import periods
from lib.core.i18n import N_
from lib.services import Services
from lib.ui.shared.other_pages import CHAT_PAGE
from lib.ui.shared.state import state
from lib.ui.shared.texts import _
from lib.ui.shared.visitor import Visitor
from lib.ui.usage import filters, sample, stretch
from lib.ui.usage.usage_state import usage_state
from lib.usage import queries
from lib.usage.scope import Scope

SESSION, YESTERDAY, ALL, DATES = "session", "yesterday", "all", "dates"
DAYS = {"today": 1, "week": 7, "month": 30}
SCOPES = {
    SESSION: N_("This session"),
    "today": N_("Today"),
    YESTERDAY: N_("Yesterday"),
    "week": N_("7 days"),
    "month": N_("30 days"),
    ALL: N_("All"),
    DATES: N_("Dates"),
}
WHEN = {
    SESSION: N_("In this session"),
    "today": N_("Today"),
    YESTERDAY: N_("Yesterday"),
    "week": N_("In the last 7 days"),
    "month": N_("In the last 30 days"),
    ALL: N_("In all"),
    DATES: N_("In these days"),
}
"""How the page's sentence begins."""
NARROW = (SESSION, "today", YESTERDAY, "week", "month", ALL)
"""The page opens on the first of them that has a call."""
KEY, DATES_KEY = "usage_scope", "usage_dates"
FIRST_DAY = date(2000, 1, 1)
"""Else Streamlit takes none that is ten years before the first one chosen."""


def chosen_scope(services: Services, visitor: Visitor, zone: ZoneInfo) -> Scope:
    """The calls of this browser session, of a stretch of time, or all of the visitor's; as far as the filters let them
    through."""
    filters.read_address(KEY, DATES_KEY, tuple(SCOPES))
    _open_by_itself(services, visitor, zone)
    chosen = st.segmented_control(
        _("Which calls"),
        list(SCOPES),
        format_func=lambda name: _(SCOPES[name]),
        key=KEY,
        required=True,
        label_visibility="collapsed",
        wrap=True,
        persist_state="session",
    )
    whole = _of_days(visitor, zone) if chosen == DATES else _of(visitor, str(chosen), zone)
    filtered: dict[str, Any] = filters.chosen(services, visitor.owner)
    filters.write_address(KEY, DATES_KEY if chosen == DATES else "", usage_state.opened_on)
    since, until = stretch.bounds(whole.since, whole.until)
    return replace(whole, since=since, until=until, **filtered)


def when() -> str:
    """When the calls were that are shown, as a sentence about them begins."""
    return _("In this stretch of time") if stretch.chosen() else _(WHEN[st.session_state[KEY]])


def nothing_yet(services: Services, visitor: Visitor, scope: Scope) -> None:
    """One sentence and one way on: without the filters, to the history where there is one, else to Chat."""
    with st.container(key="usage_empty"):
        if scope.filters or stretch.chosen():
            st.subheader(_("No call is like that."), anchor=False)
            st.button(_("Clear the filters"), key="usage_clear", type="primary", on_click=filters.clear)
            return
        history = services.store.read(lambda db: queries.any_call(db, Scope(visitor.owner)))
        if history and scope.session:
            words = _("No model was asked in this session yet.")
        elif history:
            words = _("No model was asked in that time.")
        else:
            words = _("Ask a model something, and what it used is shown here.")
        st.subheader(words, anchor=False)
        with st.container(horizontal=True):
            if history:
                words, show = _("Show all my calls"), st.session_state.update
                st.button(words, key="usage_show_all", type="primary", on_click=show, args=({KEY: ALL},))
            elif st.button(_("Ask something in Chat"), key="usage_to_chat", type="primary"):
                st.switch_page(CHAT_PAGE)
            st.button(_("Set a budget"), key="usage_to_budget", icon=":material/savings:", on_click=_show_budget)
            words = _("See it with sample data")
            st.button(
                words,
                key="usage_sample_on",
                icon=":material/science:",
                on_click=st.session_state.update,
                # A session has few calls, and less to see.
                args=({sample.KEY: True, KEY: "month"},),
            )


def _open_by_itself(services: Services, visitor: Visitor, zone: ZoneInfo) -> None:
    """Until another one is chosen, show the narrowest scope that has a call: nobody who comes back the next day is to
    see an empty page."""
    if st.session_state.get(KEY) not in (None, usage_state.opened_on):
        return
    asked = services.store.read(
        lambda db: next((name for name in NARROW if queries.any_call(db, _of(visitor, name, zone))), SESSION)
    )
    usage_state.opened_on = asked
    if st.session_state.get(KEY) != asked:
        st.session_state[KEY] = asked


def _of(visitor: Visitor, name: str, zone: ZoneInfo) -> Scope:
    """The visitor's calls that a scope has, of any but that of dates."""
    if name == YESTERDAY:
        return Scope(visitor.owner, None, *periods.yesterday(zone))
    if name in DAYS:
        return Scope(visitor.owner, since=periods.last_days(DAYS[name], zone))
    return Scope(visitor.owner, visitor.session if name == SESSION else None)


def _of_days(visitor: Visitor, zone: ZoneInfo) -> Scope:
    """Those of the days from one date to another, which the visitor chooses."""
    today = periods.today(zone)
    st.session_state.setdefault(DATES_KEY, (today - timedelta(days=6), today))
    given = st.date_input(
        _("From and to"),
        key=DATES_KEY,
        min_value=FIRST_DAY,
        max_value=today,
        format="YYYY-MM-DD",
        label_visibility="collapsed",
        width=250,
        persist_state="session",
    )
    # Between two clicks of a choice there is a first day only.
    chosen: tuple[date, ...] = tuple(given) if isinstance(given, tuple) else ()
    first, last = (chosen[0], chosen[-1]) if chosen else (today, today)
    return Scope(visitor.owner, None, *periods.from_to(first, last, zone))


def _show_budget() -> None:
    state.usage_section = "budget"
