"""What a dollar at a service really costs whoever pays it: a factor and a currency for each service.

A gateway may sell a dollar of list price for 0.80 dollars, or for 7 yuan. What was agreed counts from when it was set
on: calls made before keep what they had, until their owner has all of them use the newest. It is a price; at which rate
budgets are counted in another currency is their owner's to say, for all services (`own_budgets`).
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection

from lib.visitor import preferences

NAME = "service_terms"
MOST_OF_A_SERVICE = 50
HIGHEST = 100_000.0


class Term(NamedTuple):
    """From `since` on (microseconds since 1970, UTC) a dollar costs `factor` of `currency`; None: that is not known."""

    since: int
    factor: float | None
    currency: str = "USD"


Terms = Mapping[str, Sequence[Term]]
"""By the service's name, the oldest first."""


def load(db: Connection, owner: str) -> dict[str, list[Term]]:
    """The owner's terms."""
    kept = preferences.get(db, owner, NAME) or {}
    return {service: [Term(*one) for one in some] for service, some in kept.items()}


def put(db: Connection, owner: str, service: str, term: Term) -> None:
    """Let `term` count from its moment on."""
    known = load(db, owner)
    before = [one for one in known.get(service, []) if one.since < term.since]
    _save(db, owner, {**known, service: [*before, term][-MOST_OF_A_SERVICE:]})


def use_for_all(db: Connection, owner: str, service: str) -> None:
    """Let the newest term count for every call there was."""
    known = load(db, owner)
    if known.get(service):
        _save(db, owner, {**known, service: [known[service][-1]._replace(since=0)]})


def at_moment(terms: Sequence[Term], moment: int) -> Term | None:
    """The term that counts at a moment; None where nothing is known of then."""
    counting = [one for one in terms if one.since <= moment]
    return counting[-1] if counting and counting[-1].factor is not None else None


def usable(factor: Any) -> bool:
    """Whether a number can be a factor."""
    return isinstance(factor, int | float) and not isinstance(factor, bool) and 0 <= factor <= HIGHEST


def _save(db: Connection, owner: str, terms: Terms) -> None:
    preferences.put(db, owner, NAME, {service: [list(one) for one in some] for service, some in terms.items()})
