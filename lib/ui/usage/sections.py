"""What stands below the figures, one at a time: chart and models, the calls, their speed, a look at the bill,
budgets."""

from collections.abc import Mapping, Sequence
from zoneinfo import ZoneInfo

import streamlit as st

from lib.core.i18n import N_
from lib.services import Services
from lib.ui.shared.state import state
from lib.ui.shared.texts import _
from lib.ui.usage.bill import bill
from lib.ui.usage.budget import budget
from lib.ui.usage.charts import tokens_chart
from lib.ui.usage.groups import groups
from lib.ui.usage.price_table import price_table
from lib.ui.usage.speed import speed
from lib.ui.usage.tables import call_table
from lib.ui.usage.terms import terms
from lib.usage.paid import Amounts, Named
from lib.usage.scope import Scope
from lib.usage.totals import ModelTotals, Totals

KEY, CHART, CALLS, SPEED, BILL, BUDGET = "usage_more", "chart", "calls", "speed", "bill", "budget"
SECTIONS = {
    CHART: N_("Overview"),
    CALLS: N_("All calls"),
    SPEED: N_("Speed and problems"),
    BILL: N_("Check the bill"),
    BUDGET: N_("Budget"),
}


def sections(
    services: Services,
    scope: Scope,
    totals: Totals,
    models: Sequence[ModelTotals],
    paid: Mapping[Named, Amounts],
    zone: ZoneInfo,
) -> None:
    """The row of sections, and the one that is open."""
    _open_wanted()
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
        call_table(services, scope, totals.calls, zone)
    elif chosen == SPEED:
        speed(services, scope, models)
    elif chosen == BILL:
        bill(services, scope, models)
    elif chosen == BUDGET:
        budget(zone)
    else:
        tokens_chart(services, scope, totals, models, zone)
        groups(services, scope, models, paid, zone)


def without_calls(services: Services, scope: Scope, zone: ZoneInfo) -> None:
    """What can be looked at before there is any call: budgets and prices, where they were opened."""
    _open_wanted()
    chosen = st.session_state[KEY]
    if chosen == BUDGET:
        budget(zone)
    elif chosen == BILL:
        price_table(services, scope.owner, ())
        terms(services, scope.owner, ())


def _open_wanted() -> None:
    """Open the section that something asked for on its way here."""
    st.session_state.setdefault(KEY, CHART)
    if state.usage_section in SECTIONS:
        st.session_state[KEY] = state.usage_section
    state.usage_section = None


def open_calls() -> None:
    """Open the list of calls; a callback."""
    st.session_state[KEY] = CALLS


def open_bill() -> None:
    """Open the look at the bill; a callback."""
    st.session_state[KEY] = BILL
