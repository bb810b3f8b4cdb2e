"""Keeps the budgets that a visitor has set: one for each span of time at the most."""

from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any, NamedTuple

from sqlalchemy import Connection

from lib.core.budget import DOLLARS, SPANS, TOKENS, Budget
from lib.visitor import preferences

NAME, CURRENCY = "budgets", "budget_currency"
HIGHEST = 1e12
"""Of any unit; what is more is a slip of the keyboard."""


def load(db: Connection, owner: str) -> list[Budget]:
    """The owner's budgets, the shortest span first."""
    kept = preferences.get(db, owner, NAME) or {}
    return [Budget(span=span, **kept[span]) for span in SPANS if span in kept]


def save(db: Connection, owner: str, budgets: Sequence[Budget]) -> None:
    """Let these be the owner's budgets."""
    kept = {one.span: {name: value for name, value in asdict(one).items() if name != "span"} for one in budgets}
    preferences.put(db, owner, NAME, kept)


class OwnCurrency(NamedTuple):
    """The currency in which a visitor counts budgets, and how much of it a US dollar is worth to them; what a service
    takes for a dollar is another thing (`service_terms`)."""

    code: str
    rate: float


def currency(db: Connection, owner: str) -> OwnCurrency | None:
    """The owner's; None: they count in dollars."""
    kept = preferences.get(db, owner, CURRENCY)
    return OwnCurrency(**kept) if kept else None


def keep_currency(db: Connection, owner: str, own: OwnCurrency | None) -> None:
    """Let this be the owner's currency."""
    preferences.put(db, owner, CURRENCY, own._asdict() if own else {})


def converted(budget: Budget, own: OwnCurrency | None) -> Budget:
    """A budget of money in its owner's currency, in what is that from now on: the same amount at another rate, or what
    the same dollars are in another currency."""
    if budget.unit == TOKENS or budget.currency == DOLLARS:
        return budget
    if own is None:
        return replace(budget, currency=DOLLARS, rate=1.0)
    same = own.code == budget.currency
    limit = budget.limit * budget.rate / own.rate if same else budget.limit
    return replace(budget, limit=limit, currency=own.code, rate=own.rate)


def usable(limit: Any) -> bool:
    """Whether a number can be a limit."""
    return isinstance(limit, int | float) and not isinstance(limit, bool) and 0 < limit <= HIGHEST
