"""A new database file as all migrations leave it, made at once: one after the other takes as long as three tests."""

import functools
from typing import Any

from sqlalchemy import Connection, create_engine

from lib.store import migrations

take_all_steps = migrations.upgrade
"""What makes a new database one migration after the other; the tests of the migrations use it."""


def share() -> None:
    """Let every new file of this process, and of those that are forked from it, be made so."""
    migrations.upgrade = _upgrade


def _upgrade(conn: Connection, progress: Any = None, to: str = "head") -> None:
    if conn.dialect.name != "sqlite" or to != "head" or migrations.version(conn) is not None:
        return take_all_steps(conn, progress, to)
    for statement in made_new():
        conn.exec_driver_sql(statement)


@functools.cache
def made_new() -> tuple[str, ...]:
    """The statements that make what the migrations have made."""
    with create_engine("sqlite://").connect() as conn:
        with conn.begin():
            take_all_steps(conn)
        made = conn.connection.driver_connection
        return tuple(line for line in made.iterdump() if line not in ("BEGIN TRANSACTION;", "COMMIT;"))
