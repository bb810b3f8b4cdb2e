"""The section *Budget*: what the visitor wants to use at most in a visit, a day, a month, and how that stands."""

from collections.abc import Mapping
from zoneinfo import ZoneInfo

import streamlit as st

from lib.calls.budgets import Standing
from lib.core.budget import SPANS, TOKENS, Budget, Span
from lib.core.clock import as_datetime
from lib.core.i18n import joined
from lib.core.rich_text import literal
from lib.services import Services
from lib.ui.shared import resources
from lib.ui.shared.dates import short_day, time_of_day
from lib.ui.shared.figures import in_unit
from lib.ui.shared.set_price import open_prices
from lib.ui.shared.texts import _, _n
from lib.ui.shared.visitor import visitor
from lib.ui.usage.budget_fields import fields, in_tokens, own_currency


def budget(zone: ZoneInfo) -> None:
    """A row for each span; the visitor's own, also while the page shows sample data."""
    services, who = resources.services(), visitor()
    with st.container(key="usage_budget"):
        st.markdown(_("Set what you want to use at most. Chat asks before it goes over it, a sweep pauses there."))
        standings = {one.budget.span: one for one in services.budgets.standings(who.owner, who.session)}
        uncounted = services.budgets.uncounted(who.owner, who.session)
        for span in SPANS:
            with st.container(border=True, key=f"usage_budget_row_{span}"):
                fields(services, who.owner, span, standings[span].budget if span in standings else None)
                if span in standings:
                    _standing(standings[span], zone)
                    _uncounted(services, who.owner, standings[span].budget, uncounted)
        own_currency(services, who.owner)
        st.caption(
            _(
                "Before each answer the most that it may take is reserved, and settled when it has come. An answer "
                "without a bound (max_tokens) is reserved as a long one. Dollars are those of list prices, or of "
                "prices you set. Imported calls and sample data don't count."
            )
        )


def _standing(standing: Standing, zone: ZoneInfo) -> None:
    """How much is spent, set aside and left, and when it begins anew."""
    amounts = {"spent": standing.spent, "reserved": standing.reserved, "left": standing.left}
    facts = {name: literal(in_unit(*standing.budget.as_counted(value))) for name, value in amounts.items()}
    words = _("{spent} spent, {left} left.")
    if standing.reserved:
        words = _("{spent} spent, {reserved} reserved for what runs, {left} left.")
    parts = [words.format(**facts)]
    if standing.ends is None:
        parts.append(_("Begins anew when you close the browser and come back."))
    else:
        at = as_datetime(standing.ends, zone)
        parts.append(_("Begins anew on {day} at {time}.").format(day=short_day(at.date()), time=time_of_day(at)))
    st.progress(min(1.0, standing.share), text=joined(parts, _))
    if standing.reached:
        st.warning(_("It is spent: before anything more is sent, you are asked."), icon=":material/savings:")


def _uncounted(services: Services, owner: str, now: Budget, uncounted: Mapping[Span, int]) -> None:
    """What a budget can't see, and the way to one that can."""
    count = uncounted.get(now.span, 0)
    if not count:
        return
    if now.unit == TOKENS:
        words = _n(
            "Of {count:,} call nobody knows the tokens; it is not counted.",
            "Of {count:,} calls nobody knows the tokens; they are not counted.",
            count,
        )
        st.caption(words.format(count=count))
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        words = _n(
            "{count:,} call has no price; a budget of money can't count it.",
            "{count:,} calls have no price; a budget of money can't count them.",
            count,
        )
        st.caption(words.format(count=count), width="content")
        st.button(_("Set prices"), key=f"usage_budget_{now.span}_prices", type="tertiary", on_click=open_prices)
        st.button(
            _("Count tokens instead"),
            key=f"usage_budget_{now.span}_tokens",
            type="tertiary",
            on_click=in_tokens,
            args=(services, owner, now.span),
        )
