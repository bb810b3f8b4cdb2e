"""The paces that services were found to take, kept for the next run: it then begins at them, without a refusal."""

from collections.abc import Mapping

from sqlalchemy import Connection, delete, select

from lib.core.clock import DAY, now
from lib.store.schema import paces
from lib.store.statements import insert_into

KEPT = DAY
"""Limits change with the account's standing and the service's load."""


def load(conn: Connection, owner: str) -> dict[tuple[str, str], tuple[float, int]]:
    """(requests a second, how many at once before a refusal) by (base URL, model); the model "" is all of a service."""
    # Between both bounds, so that a clock that was once far ahead keeps nothing for ever.
    recent = paces.c.learned_at.between(now() - KEPT, now() + KEPT)
    rows = conn.execute(select(paces).where(paces.c.owner == owner, recent))
    return {(row.base_url, row.model): (row.rate, row.burst) for row in rows if row.rate > 0}


def save(conn: Connection, owner: str, base_url: str, rates: Mapping[str, tuple[float, int] | None]) -> None:
    """Keep the paces of models at `base_url`; None: it takes any."""
    insert = insert_into(paces, conn.dialect.name)
    keep = insert.on_conflict_do_update(
        index_elements=["owner", "base_url", "model"],
        set_={name: insert.excluded[name] for name in ("rate", "burst", "learned_at")},
    )
    for model, pace in rates.items():
        key = {"owner": owner, "base_url": base_url, "model": model}
        if pace is None:
            mine = paces.c.owner == owner, paces.c.base_url == base_url, paces.c.model == model
            conn.execute(delete(paces).where(*mine))
        else:
            conn.execute(keep, key | {"rate": pace[0], "burst": pace[1], "learned_at": now()})
