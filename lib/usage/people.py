"""What everybody has used, for the operator of a shared Tempera: sums only, nothing of what was asked."""

from dataclasses import dataclass

from sqlalchemy import Connection, func, select, union_all

from lib.calls import usage_rollups
from lib.core.clock import DAY
from lib.store.schema import calls, usage_days

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
    # any owner: here and below, only an operator sees this.
    kept = select(*(usage_days.c[name] for name in usage_rollups.columns(usage_days))).where(usage_days.c.at >= since)
    new = usage_rollups.summed(usage_days).where(*usage_rollups.due, calls.c.started_at >= since)
    used = union_all(kept, new).subquery()
    tokens = func.sum(used.c.prompt_tokens + used.c.completion_tokens)
    sums = (func.sum(used.c[name]).label(name) for name in ("calls", "cost", "cost_known", "unpriced"))
    # any owner: as above.
    query = select(used.c.owner, tokens.label("tokens"), *sums, func.max(used.c.last_at).label("last_at"))
    query = query.group_by(used.c.owner)
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
