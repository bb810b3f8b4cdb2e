"""Stores small JSON values by name for a visitor."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import Connection, delete, insert, select

from lib.store.schema import settings


def get(db: Connection, owner: str, name: str) -> Any:
    """The value under `name`, or None."""
    row = db.execute(select(settings.c.value).where(settings.c.owner == owner, settings.c.name == name)).first()
    return row.value if row else None


def of_each(db: Connection, owners: Collection[str], name: str) -> dict[str, Any]:
    """The values under `name` of those of these owners who have one."""
    query = select(settings.c.owner, settings.c.value).where(settings.c.owner.in_(owners), settings.c.name == name)
    return {owner: value for owner, value in db.execute(query)}


def put(db: Connection, owner: str, name: str, value: Any) -> None:
    """Keep `value` (JSON) under `name`; None: nothing, which the table has no place for."""
    db.execute(delete(settings).where(settings.c.owner == owner, settings.c.name == name))
    if value is not None:
        db.execute(insert(settings).values(owner=owner, name=name, value=value))
