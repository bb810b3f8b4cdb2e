"""What was really paid for calls: their costs in dollars, at what a dollar costs at their services.

Amounts of several currencies are never added up: they stand beside each other.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import pairwise

from sqlalchemy import Connection

from lib.core.clock import LATEST
from lib.usage import queries
from lib.usage.scope import Scope
from lib.visitor.service_terms import Term, Terms

Named = tuple[str, str]
"""A model: its service's name, and its id there."""
Amounts = Mapping[str, float]
"""By currency; empty where nothing is known."""


def by_model(conn: Connection, scope: Scope, terms: Terms) -> dict[Named, dict[str, float]]:
    """What was paid for each model of the scope, by currency; those that nothing is known of are left out."""
    found: dict[Named, dict[str, float]] = {}
    for term, part in _parts(scope, terms):
        for one in queries.by_model(conn, part):
            if one.cost is not None and term.factor is not None:
                amounts = found.setdefault((one.endpoint, one.model), {})
                amounts[term.currency] = amounts.get(term.currency, 0.0) + one.cost * term.factor
    return found


def total(parts: Iterable[Amounts]) -> dict[str, float]:
    """Several of them together, each currency for itself."""
    found: dict[str, float] = {}
    for amounts in parts:
        for currency, amount in amounts.items():
            found[currency] = found.get(currency, 0.0) + amount
    return found


def _parts(scope: Scope, terms: Terms) -> Iterator[tuple[Term, Scope]]:
    """The stretches of a scope in which one term counts at one service."""
    for service, some in terms.items():
        if scope.endpoints and service not in scope.endpoints:
            continue
        for term, following in pairwise([*some, Term(LATEST, None)]):
            since = max(scope.since or 0, term.since)
            until = min(LATEST if scope.until is None else scope.until, following.since)
            if term.factor is not None and since < until:
                # Without a bound where there is none, as that is told by the sums alone.
                bounds = (since or None, None if until == LATEST else until)
                yield term, replace(scope, since=bounds[0], until=bounds[1], endpoints=(service,))
