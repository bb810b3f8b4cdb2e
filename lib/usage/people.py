"""What everybody has used, for the operator of a shared Tempera: sums only, nothing of what was asked."""

from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from lib.core.clock import DAY
from lib.store.schema import usage_days

MOST = 500


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody's calls that have ended: how many, their tokens, US dollars as far as prices are known (None: no price
    is), how many have none, and when the last one began, in microseconds since 1970 (UTC)."""

    owner: str
    calls: int
    tokens: int
    cost: float | None
    unpriced: int
    last_at: int


def by_person(conn: Connection, moment: int, days: int) -> list[Person]:
    """Who has used something in the last `days` days in UTC, today included, the most tokens first."""
    since = moment - moment % DAY - (days - 1) * DAY
    tokens = func.sum(usage_days.c.prompt_tokens + usage_days.c.completion_tokens)
    names = ("calls", "cost", "cost_known", "unpriced")
    sums = (func.sum(usage_days.c[name]).label(name) for name in names)
    # any owner: only an operator sees this.
    query = (
        select(usage_days.c.owner, tokens.label("tokens"), *sums, func.max(usage_days.c.last_at).label("last_at"))
        .where(usage_days.c.at >= since)
        .group_by(usage_days.c.owner)
    )
    return [
        Person(
            row.owner,
            int(row.calls),
            int(row.tokens),
            float(row.cost) if row.cost_known else None,
            int(row.unpriced),
            int(row.last_at),
        )
        for row in conn.execute(query.order_by(tokens.desc()).limit(MOST))
    ]
