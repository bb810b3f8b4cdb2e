"""What everybody has used and how the caps stand, for who runs a shared Tempera."""

from zoneinfo import ZoneInfo

import pandas as pd
import streamlit as st

from lib.calls.caps import Standing
from lib.core import money
from lib.core.clock import as_datetime, now
from lib.core.i18n import N_
from lib.core.rich_text import literal
from lib.services import Services
from lib.ui.shared.figures import amount, known_cost
from lib.ui.shared.texts import _
from lib.usage import people
from lib.usage.people import Person

DAYS = (1, 7, 30)
CAPS = {
    ("visitor", "hour"): N_("Each person, an hour: {limit}"),
    ("visitor", "day"): N_("Each person, a day: {limit}"),
    ("all", "hour"): N_("All together, an hour: {used} of {limit}"),
    ("all", "day"): N_("All together, a day: {used} of {limit}"),
}


def everybody(services: Services, owner: str, zone: ZoneInfo) -> None:
    """Draw what everybody has used, folded, for operators only."""
    if services.sign_ins is None or not services.sign_ins.is_operator(owner):
        return
    with st.expander(_("What everybody uses"), key="usage_everybody"):
        names = {1: _("Today"), 7: _("7 days"), 30: _("30 days")}
        days = st.segmented_control(
            _("Days"), DAYS, format_func=names.__getitem__, default=1, required=True, key="usage_everybody_days"
        )
        found = services.store.read(lambda db: people.by_person(db, now(), days))
        if found:
            st.dataframe(_frame(found, zone), hide_index=True, key="usage_everybody_table")
        else:
            st.caption(_("Nobody has used anything."))
        st.caption(_("Days begin at midnight in UTC. Who signed in with the password is a number."))
        for standing in services.budgets.caps.standings(owner):
            st.markdown(f"- {_cap(standing)}")


def _frame(found: list[Person], zone: ZoneInfo) -> pd.DataFrame:
    last = [as_datetime(one.last_at, zone).strftime("%Y-%m-%d %H:%M") for one in found]
    return pd.DataFrame(
        {
            _("Who"): [one.owner if "@" in one.owner else one.owner[:8] for one in found],
            _("Calls"): [one.calls for one in found],
            _("Tokens"): [one.tokens for one in found],
            _("Cost"): [amount(known_cost(one.cost, one.unpriced)) for one in found],
            _("Last call"): last,
        }
    )


def _cap(standing: Standing) -> str:
    cap = standing.cap
    limit, used = (literal(money.in_unit(value, cap.unit)) for value in (cap.limit, standing.used))
    return _(CAPS[cap.whose, cap.stretch]).format(limit=limit, used=used)
