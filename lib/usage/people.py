"""What everybody has used, for the operator of a shared Tempera: sums only, nothing of what was asked."""

from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from lib.calls.usage_rollups import DAY
from lib.store.schema import usage_days

MOST = 500


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody's calls that have ended: how many, their tokens, US dollars as far as prices are known (None: no
    price is), and when the
    last one began, in microseconds since 1970 (UTC)."""

    owner: str
    calls: int
    tokens: int
    cost: float | None
    last_at: int


def by_person(conn: Connection, moment: int, days: int) -> list[Person]:
    """Who has used something in the last `days` days in UTC, today included, the most tokens first."""
    since = moment - moment % DAY - (days - 1) * DAY
    tokens = func.sum(usage_days.c.prompt_tokens + usage_days.c.completion_tokens)
    sums = (func.sum(usage_days.c.calls), tokens, func.sum(usage_days.c.cost), func.sum(usage_days.c.cost_known))
    # any owner: only an operator sees this.
    query = (
        select(usage_days.c.owner, *sums, func.max(usage_days.c.last_at))
        .where(usage_days.c.at >= since)
        .group_by(usage_days.c.owner)
    )
    rows = conn.execute(query.order_by(tokens.desc()).limit(MOST))
    return [
        Person(owner, int(calls), int(used), float(cost) if priced else None, int(last))
        for owner, calls, used, cost, priced, last in rows
    ]
