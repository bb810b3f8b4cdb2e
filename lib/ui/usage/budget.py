"""The section *Budget*: what the visitor wants to use at most in a visit, a day, a month, and how that stands."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import streamlit as st

from lib.calls.budgets import Standing
from lib.core.budget import DOLLARS, SPANS, TOKENS, WARN_AT, Budget, Span
from lib.core.errors import StoreError
from lib.core.i18n import N_
from lib.core.rich_text import literal
from lib.services import Services
from lib.ui.shared import budgets, resources
from lib.ui.shared.choices import translated
from lib.ui.shared.dates import short_day, time_of_day
from lib.ui.shared.figures import in_unit, percent
from lib.ui.shared.set_price import open_prices
from lib.ui.shared.state import state
from lib.ui.shared.texts import _, _n, error_sentence
from lib.ui.shared.visitor import visitor
from lib.visitor import own_budgets

NAMES: dict[Span, str] = {"session": N_("This session"), "day": N_("A day"), "month": N_("A month")}
UNITS = {DOLLARS: N_("US dollars"), TOKENS: N_("tokens")}
WARNINGS = (0.5, 0.7, 0.8, 0.9, 1.0)
WIDTHS = (160, 150, 170)


def budget(zone: ZoneInfo) -> None:
    """A row for each span; the visitor's own, also while the page shows sample data."""
    services, who = resources.services(), visitor()
    with st.container(key="usage_budget"):
        st.markdown(_("Set what you want to use at most. Chat asks before it goes over it, a sweep pauses there."))
        standings = {one.budget.span: one for one in services.budgets.standings(who.owner, who.session)}
        uncounted = services.budgets.uncounted(who.owner, who.session)
        for span in SPANS:
            with st.container(border=True, key=f"usage_budget_row_{span}"):
                _fields(services, who.owner, span, standings.get(span))
                if span in standings:
                    _standing(standings[span], zone)
                    _uncounted(services, who.owner, standings[span].budget, uncounted)
        st.caption(
            _(
                "Before each answer the most that it may take is reserved, and settled when it has come. An answer "
                "without a bound (max_tokens) is reserved as a long one. Dollars are those of list prices, or of "
                "prices you set. Imported calls and sample data don't count."
            )
        )


def _fields(services: Services, owner: str, span: Span, standing: Standing | None) -> None:
    now = standing.budget if standing else None
    unit_key, limit_key, warn_key = (f"usage_budget_{span}_{name}" for name in ("unit", "limit", "warn"))
    st.session_state.setdefault(unit_key, now.unit if now else DOLLARS)
    # Set at each run, as it may have been raised elsewhere; what is typed comes before that, by the callback.
    st.session_state[limit_key] = now.limit if now else None
    st.session_state[warn_key] = now.warn_at if now else WARN_AT
    changed: dict[str, Any] = {"on_change": _keep, "args": (services, owner, span)}
    unit = st.session_state[unit_key]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.number_input(
            _(NAMES[span]),
            min_value=0.0,
            max_value=own_budgets.HIGHEST,
            step=1_000.0 if unit == TOKENS else 0.5,
            format="%.0f" if unit == TOKENS else "%.2f",
            key=limit_key,
            placeholder=_("no budget"),
            width=WIDTHS[0],
            **changed,
        )
        st.selectbox(
            _("in"),
            list(UNITS),
            format_func=lambda one: _(UNITS[one]) if one in UNITS else str(one),
            key=translated(unit_key),
            width=WIDTHS[1],
            on_change=_other_unit,
            args=(services, owner, span),
        )
        st.selectbox(
            _("Mention it from"),
            WARNINGS,
            format_func=percent,
            key=warn_key,
            width=WIDTHS[2],
            disabled=now is None,
            **changed,
        )
        if now is not None:
            st.button(
                _("Remove"),
                key=f"usage_budget_{span}_remove",
                type="tertiary",
                on_click=_remove,
                args=(services, owner, span),
            )


def _standing(standing: Standing, zone: ZoneInfo) -> None:
    """How much is spent, set aside and left, and when it begins anew."""
    unit = standing.budget.unit
    amounts = {"spent": standing.spent, "reserved": standing.reserved, "left": standing.left}
    facts = {name: literal(in_unit(value, unit)) for name, value in amounts.items()}
    words = _("{spent} spent, {left} left.")
    if standing.reserved:
        words = _("{spent} spent, {reserved} reserved for what runs, {left} left.")
    parts = [words.format(**facts)]
    if standing.ends is None:
        parts.append(_("Begins anew when you close the browser and come back."))
    else:
        at = datetime.fromtimestamp(standing.ends / 1e6, zone)
        parts.append(_("Begins anew on {day} at {time}.").format(day=short_day(at.date()), time=time_of_day(at)))
    st.progress(min(1.0, standing.share), text=" ".join(parts))
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
            on_click=_in_tokens,
            args=(services, owner, now.span),
        )


def _keep(services: Services, owner: str, span: Span) -> None:
    unit, limit, warn = (st.session_state[f"usage_budget_{span}_{name}"] for name in ("unit", "limit", "warn"))
    try:
        if own_budgets.usable(limit):
            budgets.put(services, owner, Budget(span, limit, unit, warn))
        else:
            budgets.take_off(services, owner, span)
    except StoreError as refused:
        state.notices.append(error_sentence(refused))


def _other_unit(services: Services, owner: str, span: Span) -> None:
    """A number of dollars is none of tokens: it is to be typed anew."""
    st.session_state[f"usage_budget_{span}_limit"] = None
    _keep(services, owner, span)


def _in_tokens(services: Services, owner: str, span: Span) -> None:
    st.session_state[f"usage_budget_{span}_unit"] = TOKENS
    _other_unit(services, owner, span)


def _remove(services: Services, owner: str, span: Span) -> None:
    st.session_state[f"usage_budget_{span}_limit"] = None
    _keep(services, owner, span)
