"""What statements have in common: few enough values in each, and inserts that may meet a row that is there already."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from itertools import islice
from typing import Any, TypeVar

from sqlalchemy import Column, ColumnElement, Connection, Table
from sqlalchemy.dialects import postgresql, sqlite

from lib.store.prepared import Prepared

CHUNK = 500
"""Values in one statement; SQLite takes a few thousand."""
T = TypeVar("T")


def chunks(values: Iterable[T], size: int = CHUNK) -> Iterator[list[T]]:
    """The values, so many at a time."""
    rest = iter(values)
    while some := list(islice(rest, size)):
        yield some


def unindexed(column: Column[str]) -> ColumnElement[str]:
    """The column, so that no index of it is used, for a WHERE that names some rows by their ids beside it.

    SQLite does not know that one owner may have all the rows there are: from a dozen ids on it holds an index of the
    owner's for the shorter way, and reads all that the owner ever had.
    """
    return column.concat("")


def insert_into(table: Table, dialect: str) -> postgresql.Insert | sqlite.Insert:
    """An INSERT that has `on_conflict_do_...`: SQLAlchemy's own for that database, as its general one has none."""
    return postgresql.insert(table) if dialect == "postgresql" else sqlite.insert(table)


def insert_missing(db: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows, those excepted whose key is there already."""
    _inserting_missing(table).run_each(db, rows)


@cache
def _inserting_missing(table: Table) -> Prepared:
    def make(dialect: str) -> postgresql.Insert | sqlite.Insert:
        # Not asked first: on PostgreSQL another process may insert the same one in between.
        return insert_into(table, dialect).inline().on_conflict_do_nothing()

    return Prepared(make, [column.name for column in table.c])
