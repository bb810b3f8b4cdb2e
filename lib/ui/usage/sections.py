"""What stands below the figures, one at a time: chart and models, the calls, their speed, a look at the bill."""

from collections.abc import Sequence
from zoneinfo import ZoneInfo

import streamlit as st

from lib.calls.records import CallRecord
from lib.core.i18n import N_
from lib.services import Services
from lib.ui.shared.texts import _
from lib.ui.usage.bill import bill
from lib.ui.usage.charts import tokens_chart
from lib.ui.usage.speed import speed
from lib.ui.usage.tables import call_table, model_table
from lib.usage.scope import Scope
from lib.usage.totals import ModelTotals, Totals

KEY, CHART, CALLS, SPEED, BILL = "usage_more", "chart", "calls", "speed", "bill"
SECTIONS = {CHART: N_("Overview"), CALLS: N_("All calls"), SPEED: N_("Speed and problems"), BILL: N_("Check the bill")}


def sections(
    services: Services,
    scope: Scope,
    totals: Totals,
    models: Sequence[ModelTotals],
    newest: Sequence[CallRecord],
    zone: ZoneInfo,
) -> None:
    """The row of sections, and the one that is open."""
    st.session_state.setdefault(KEY, CHART)
    chosen = st.segmented_control(
        _("More"),
        list(SECTIONS),
        format_func=lambda name: _(SECTIONS[name]),
        key=KEY,
        required=True,
        label_visibility="collapsed",
        persist_state="session",
    )
    if chosen == CALLS:
        call_table(newest, totals.calls, zone)
    elif chosen == SPEED:
        speed(services, scope, models)
    elif chosen == BILL:
        bill(services, scope, models)
    else:
        tokens_chart(services, scope, totals, models, newest, zone)
        model_table(models)


def open_calls() -> None:
    """Open the list of calls; a callback."""
    st.session_state[KEY] = CALLS


def open_bill() -> None:
    """Open the look at the bill; a callback."""
    st.session_state[KEY] = BILL
