"""What the same tokens would have cost at another model's list price."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from lib.core import prices
from lib.usage import queries
from lib.usage.scope import Scope
from lib.usage.totals import ModelTotals

MILLION = 1_000_000
USUAL = (
    *("gpt-4o", "gpt-4o-mini", "gpt-4.1", "gpt-4.1-mini", "claude-sonnet-4-5", "claude-haiku-4-5"),
    *("gemini-2.5-pro", "gemini-2.5-flash", "deepseek-chat"),
)
"""Models that people compare with; those without a list price are left out."""


@dataclass(frozen=True, slots=True)
class Work:
    """Tokens of some calls, all of them known, and US dollars that these same calls did cost, None where of not one of
    them that is known."""

    calls: int
    prompt_tokens: int
    completion_tokens: int
    cost: float | None


def work(conn: Connection, scope: Scope, totals: Sequence[ModelTotals]) -> Work:
    """What can be compared of a scope, whose `totals` are by model: the calls that have tokens and a cost; where none
    has a cost, those that have tokens."""
    parts = _works(conn, scope, totals, with_cost=True)
    if not any(part.calls for part in parts):
        parts = _works(conn, scope, totals, with_cost=False)
    costs = [part.cost for part in parts if part.cost is not None]
    return Work(
        sum(part.calls for part in parts),
        sum(part.prompt_tokens for part in parts),
        sum(part.completion_tokens for part in parts),
        math.fsum(costs) if costs else None,
    )


def _works(conn: Connection, scope: Scope, totals: Sequence[ModelTotals], with_cost: bool) -> list[Work]:
    """The work of each model, as far as it can be compared."""
    some = [one for one in totals if one.cost is not None or not with_cost]
    # The sums of these are of more calls than can be compared. One look at the calls for all of them: each takes long.
    mixed = [(one.endpoint, one.model) for one in some if one.unknown or (with_cost and one.unpriced)]
    found = [_whole(one, with_cost) for one in some if (one.endpoint, one.model) not in mixed]
    return [*found, Work(*queries.known_work(conn, scope, mixed, with_cost))] if mixed else found


def _whole(one: ModelTotals, with_cost: bool) -> Work:
    counted = one.calls - one.running - one.unbilled
    return Work(counted, one.prompt_tokens or 0, one.completion_tokens or 0, one.cost if with_cost else None)


def at_price_of(model: str, done: Work) -> float | None:
    """US dollars of the same tokens at another model's list price; None where it has none. Other models count the same
    words otherwise, and answer longer or shorter: it is an estimate."""
    price = prices.list_price(model)
    if price is None:
        return None
    return (done.prompt_tokens * price[0] + done.completion_tokens * price[1]) / MILLION


def comparable(totals: Sequence[ModelTotals], done: Work) -> list[str]:
    """The models one can ask about: those that were used and the usual ones, as far as they have a list price; the
    cheapest for these tokens first, and what is free last."""
    models = {*_used(totals), *USUAL}
    priced = {model: cost for model in models if (cost := at_price_of(model, done)) is not None}
    return sorted(priced, key=lambda model: (priced[model] == 0, priced[model], model))


def worth_a_look(known: Sequence[str], totals: Sequence[ModelTotals]) -> int:
    """The place of the one to begin with: the cheapest, which is another than the only one that was used."""
    used = _used(totals)
    return next((place for place, model in enumerate(known) if used != {model}), 0)


def _used(totals: Sequence[ModelTotals]) -> set[str]:
    return {one.model for one in totals}
