"""Dialog that deletes one's history, all of it or a stretch of time; what goes is said before."""

from datetime import timedelta
from zoneinfo import ZoneInfo

import streamlit as st

from lib import erasing
from lib.core import periods
from lib.core.errors import StoreError
from lib.core.i18n import N_
from lib.erasing import Counts, Span
from lib.services import Services
from lib.ui.shared.choices import choice_key
from lib.ui.shared.dates import viewer_zone
from lib.ui.shared.error_box import error_box
from lib.ui.shared.state import state
from lib.ui.shared.texts import _, _n
from lib.ui.shared.visitor import visitor

SPANS = {
    "all": N_("Everything"),
    "today": N_("Today"),
    "week": N_("The last 7 days"),
    "old": N_("Older than 30 days"),
    "dates": N_("Between two days"),
}


def erase_dialog(services: Services) -> None:
    """What of one's history goes, and the button that removes it."""
    if state.page_dialog is None:
        st.rerun()  # a dialog's own run draws nothing outside of it
    chosen = st.radio(_("What"), list(SPANS), format_func=lambda name: _(SPANS[name]), key=choice_key("erase_span"))
    span = _span(chosen, viewer_zone())
    found = services.store.read(lambda db: erasing.counts(db, visitor().owner, span))
    nothing = found == Counts(0, 0, 0)
    if nothing:
        st.markdown(_("There is nothing of that time."))
    else:
        st.markdown(_("This deletes for good: {parts}.").format(parts=_parts(found)))
    st.caption(_("Settings, presets and saved prompts stay, and so do the backups that you have saved."))
    st.button(
        _("Delete for good"),
        key="erase_now",
        type="primary",
        icon=":material/delete_forever:",
        disabled=nothing,
        on_click=_erase,
        args=(services, span, found),
    )
    trouble = st.session_state.pop("erase_trouble", None)
    if isinstance(trouble, StoreError):
        error_box(trouble)


def _span(chosen: str, zone: ZoneInfo) -> Span:
    if chosen == "dates":
        today = periods.today(zone)
        given = st.date_input(
            _("From and to"),
            (today - timedelta(days=6), today),
            key="erase_dates",
            max_value=today,
            format="YYYY-MM-DD",
        )
        # Between two clicks of a choice there is a first day only.
        days = given if isinstance(given, tuple) else ()
        return Span(*periods.from_to(days[0], days[-1], zone)) if days else Span(0, 0)
    since = {"today": 1, "week": 7}.get(chosen)
    if chosen == "old":
        return Span(until=periods.last_days(30, zone))
    return Span(periods.last_days(since, zone) if since else None)


def _parts(found: Counts) -> str:
    parts = [
        (found.chats, _n("{count:,} chat", "{count:,} chats", found.chats)),
        (found.sweeps, _n("{count:,} sweep", "{count:,} sweeps", found.sweeps)),
        (found.calls, _n("{count:,} call in Usage", "{count:,} calls in Usage", found.calls)),
    ]
    return " · ".join(words.format(count=count) for count, words in parts if count)


def _erase(services: Services, span: Span, found: Counts) -> None:
    try:
        services.erase_history(visitor().owner, span)
    except StoreError as trouble:
        st.session_state["erase_trouble"] = trouble
        return
    state.chat_id, state.sweep_id = None, None
    if span == Span():
        st.session_state.pop("sweep_prompt", None)
    state.notices.append(_("Deleted for good: {parts}.").format(parts=_parts(found)))
    state.close_dialogs()
