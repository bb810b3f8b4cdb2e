"""Compares the sums of usage that are kept with the calls themselves."""

from math import isclose
from typing import Any

from sqlalchemy import Connection, Table, select

from lib.calls import usage_rollups, usage_spread
from lib.store.schema import usage_spread as kept_spread

Sums = dict[tuple[Any, ...], dict[str, Any]]


def differences(conn: Connection) -> list[str]:
    """A line for each sum that is not what its calls add up to; empty where all is well."""
    sums = [line for table in usage_rollups.KEYS for line in _differences(conn, table)]
    return sums + _differences_of_spread(conn)


def _differences_of_spread(conn: Connection) -> list[str]:
    # any owner: as below.
    kept, made = (
        {tuple(row)[:-1]: row.calls for row in conn.execute(query)}
        for query in (
            select(*(kept_spread.c[name] for name in usage_spread.COLUMNS)),
            usage_spread.summed([usage_rollups.counted]),
        )
    )
    return [
        f"usage_spread {key}: {kept.get(key, 0)} calls are kept, the calls make {made.get(key, 0)}"
        for key in kept.keys() | made.keys()
        if kept.get(key) != made.get(key)
    ]


def _differences(conn: Connection, table: Table) -> list[str]:
    # any owner: all sums of all owners are compared.
    kept, summed = (
        _by_key(conn, table, select(table)),
        _by_key(conn, table, usage_rollups.summed(table).where(usage_rollups.counted)),
    )
    return [
        f"{table.name} {key}: {name} is kept as {was}, the calls make {should_be}"
        for key in kept.keys() | summed.keys()
        for name in usage_rollups.SUMS[table]
        for was, should_be in [(kept.get(key, {}).get(name, 0), summed.get(key, {}).get(name, 0))]
        # Costs are floats, and adding and subtracting them in another order leaves dust.
        if not isclose(float(was), float(should_be), rel_tol=1e-9, abs_tol=1e-9)
    ]


def _by_key(conn: Connection, table: Table, query: Any) -> Sums:
    keys = usage_rollups.KEYS[table]
    return {tuple(row[name] for name in keys): dict(row) for row in conn.execute(query).mappings()}
