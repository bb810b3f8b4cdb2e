"""The fields of a budget: its limit, in which unit, and from when on it is mentioned; and the visitor's own currency.

Costs are counted in US dollars. A budget in another currency is one of dollars, at the rate that the visitor sets.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import streamlit as st

from lib.core.budget import DOLLARS, TOKENS, WARN_AT, Budget, Span
from lib.core.i18n import N_
from lib.core.money import CURRENCIES
from lib.core.rich_text import literal
from lib.services import Services
from lib.ui.shared import budgets
from lib.ui.shared.choices import choice_key
from lib.ui.shared.figures import currency_amount, percent
from lib.ui.shared.refusals import refusals_told
from lib.ui.shared.texts import _
from lib.visitor import own_budgets
from lib.visitor.own_budgets import OwnCurrency

NAMES: dict[Span, str] = {"session": N_("This session"), "day": N_("A day"), "month": N_("A month")}
UNITS = {DOLLARS: N_("US dollars"), TOKENS: N_("tokens")}
WARNINGS = (0.5, 0.7, 0.8, 0.9, 1.0)
LIMIT_WIDTH, UNIT_WIDTH, RATE_WIDTH, WARNING_WIDTH = 160, 150, 190, 170
CURRENCY_KEY, RATE_KEY = "usage_budget_currency", "usage_budget_rate"
MOST_RATE = 1e6


def fields(services: Services, owner: str, span: Span, now: Budget | None) -> None:
    """One budget's row of fields; `now` is what is set."""
    own = services.store.read(lambda db: own_budgets.currency(db, owner))
    with st.container(horizontal=True, vertical_alignment="bottom"):
        unit = _unit(span, now, own)
        _limit_field(services, owner, span, now, unit)
        _unit_field(services, owner, span, own)
        lacks_rate = own is None and unit not in (DOLLARS, TOKENS)
        if lacks_rate:
            _rate_field(unit, _key(span, "rate"), _keep, (services, owner, span))
        _warning_field(services, owner, span, now)
        if now is not None:
            key = f"usage_budget_{span}_remove"
            st.button(_("Remove"), key=key, type="tertiary", on_click=_remove, args=(services, owner, span))
    if lacks_rate:
        words = _("This budget counts once you say what a US dollar is worth in {currency}: costs come in dollars.")
        st.caption(words.format(currency=unit))


def in_tokens(services: Services, owner: str, span: Span) -> None:
    """Let a budget be one of tokens, whose number is to be typed; a callback."""
    st.session_state[_key(span, "unit")] = TOKENS
    _other_unit(services, owner, span)


def own_currency(services: Services, owner: str) -> None:
    """The visitor's currency, where one was taken for a budget, and what a dollar is worth to them: both can be
    changed."""
    own = services.store.read(lambda db: own_budgets.currency(db, owner))
    if own is None:
        st.session_state.pop(CURRENCY_KEY, None)
        return
    st.session_state.setdefault(CURRENCY_KEY, own.code)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.selectbox(
            _("My currency"),
            CURRENCIES,
            key=CURRENCY_KEY,
            width=UNIT_WIDTH,
            on_change=_other_currency,
            args=(services, owner),
        )
        chosen = st.session_state[CURRENCY_KEY]
        if chosen != DOLLARS:
            st.session_state[RATE_KEY] = own.rate if own.code == chosen else None
            _rate_field(chosen, RATE_KEY, _other_rate, (services, owner))
    words = _("Costs are counted in US dollars. A budget in {currency} takes a dollar for {amount}: your own rate.")
    st.caption(words.format(currency=own.code, amount=literal(currency_amount(own.rate, own.code))))


def _rate_field(currency: str, key: str, called: Callable[..., None], args: tuple[Any, ...]) -> None:
    st.number_input(
        _("A US dollar is worth, in {currency}").format(currency=currency),
        min_value=0.0,
        max_value=MOST_RATE,
        step=0.01,
        format="%.4g",
        key=key,
        placeholder=_("not set"),
        width=RATE_WIDTH,
        on_change=called,
        args=args,
    )


def _unit(span: Span, now: Budget | None, own: OwnCurrency | None) -> str:
    """The unit that is chosen: tokens, dollars, or the visitor's currency."""
    key = _key(span, "unit")
    chosen = now.as_counted(0)[1] if now else st.session_state.get(key, DOLLARS)
    st.session_state[key] = chosen if chosen in _units(own) else DOLLARS  # the currency may be another one by now
    return str(st.session_state[key])


def _units(own: OwnCurrency | None) -> list[str]:
    """Dollars, tokens, and the visitor's currency: any, as long as it is not said which."""
    return [DOLLARS, TOKENS, *([own.code] if own else (one for one in CURRENCIES if one != DOLLARS))]


def _limit_field(services: Services, owner: str, span: Span, now: Budget | None, unit: str) -> None:
    # Set at each run, as it may have been raised elsewhere; what is typed comes before that, by the callback. Without
    # a budget the field keeps what was typed: it may wait for a rate.
    key = _key(span, "limit")
    st.session_state[key] = round(now.as_counted(now.limit)[0], 6) if now else st.session_state.get(key)
    st.number_input(
        _(NAMES[span]),
        min_value=0.0,
        max_value=own_budgets.HIGHEST,
        step=1_000.0 if unit == TOKENS else 0.5,
        format="%.0f" if unit == TOKENS else "%.2f",
        key=_key(span, "limit"),
        placeholder=_("no budget"),
        width=LIMIT_WIDTH,
        on_change=_keep,
        args=(services, owner, span),
    )


def _unit_field(services: Services, owner: str, span: Span, own: OwnCurrency | None) -> None:
    st.selectbox(
        _("in"),
        _units(own),
        format_func=lambda one: _(UNITS[one]) if one in UNITS else str(one),
        key=choice_key(_key(span, "unit")),
        width=UNIT_WIDTH,
        on_change=_other_unit,
        args=(services, owner, span),
    )


def _warning_field(services: Services, owner: str, span: Span, now: Budget | None) -> None:
    st.session_state[_key(span, "warn")] = now.warn_at if now else WARN_AT
    st.selectbox(
        _("Mention it from"),
        WARNINGS,
        format_func=percent,
        key=_key(span, "warn"),
        width=WARNING_WIDTH,
        disabled=now is None,
        on_change=_keep,
        args=(services, owner, span),
    )


def _keep(services: Services, owner: str, span: Span) -> None:
    """Set the budget of a row's fields; while they make none there is none."""
    with refusals_told():
        wanted = _budget(services, owner, span)
        if wanted is None:
            budgets.take_off(services, owner, span)
        else:
            budgets.put(services, owner, wanted)


def _budget(services: Services, owner: str, span: Span) -> Budget | None:
    unit, limit, warn = (st.session_state[_key(span, name)] for name in ("unit", "limit", "warn"))
    if not own_budgets.usable(limit):
        return None
    if unit in (DOLLARS, TOKENS):
        return Budget(span, limit, unit, warn)
    own = _own(services, owner, span, unit)
    if own is None:
        return None
    blank = Budget(span, 1.0, DOLLARS, warn, own.code, own.rate)
    return replace(blank, limit=blank.in_unit(limit))


def _own(services: Services, owner: str, span: Span, currency: str) -> OwnCurrency | None:
    """The visitor's currency, which this budget's row may just have named; None as long as it lacks a rate."""
    own = services.store.read(lambda db: own_budgets.currency(db, owner))
    rate: Any = st.session_state.get(_key(span, "rate"))
    if own is None and own_budgets.usable(rate):
        own = OwnCurrency(currency, rate)
        budgets.count_in(services, owner, own)
    return own


def _other_unit(services: Services, owner: str, span: Span) -> None:
    """A number of money is none of tokens: it is to be typed anew. What is typed in one currency counts in another."""
    was = [one.unit for one in services.budgets.of(owner) if one.span == span]
    if TOKENS in (*was, st.session_state[_key(span, "unit")]):
        st.session_state[_key(span, "limit")] = None
    _keep(services, owner, span)


def _remove(services: Services, owner: str, span: Span) -> None:
    st.session_state[_key(span, "limit")] = None
    _keep(services, owner, span)


def _other_currency(services: Services, owner: str) -> None:
    """Of another currency a dollar is worth something else: that is to be typed, and until then nothing changes."""
    if st.session_state[CURRENCY_KEY] == DOLLARS:
        _count_in(services, owner, None)


def _other_rate(services: Services, owner: str) -> None:
    rate = st.session_state[RATE_KEY]
    if own_budgets.usable(rate):
        _count_in(services, owner, OwnCurrency(st.session_state[CURRENCY_KEY], rate))


def _count_in(services: Services, owner: str, own: OwnCurrency | None) -> None:
    with refusals_told():
        budgets.count_in(services, owner, own)


def _key(span: Span, name: str) -> str:
    return f"usage_budget_{span}_{name}"
