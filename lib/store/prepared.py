"""Statements that run for every call: made into SQL once, and from then on handed to the driver with their values.

SQLAlchemy's own way of running a small statement takes ten times as long as SQLite needs for it.
"""

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, cast
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, Dialect
from sqlalchemy.exc import DBAPIError


class Rows(Protocol):
    """What a statement found: each row a tuple, as the driver gives it, so a `Digest` as bytes."""

    def fetchone(self) -> Any:
        """The next row; None where there is none."""

    def fetchall(self) -> Sequence[Any]:
        """All rows that are left."""


class Prepared:
    """A statement that is the same each time but for its values."""

    def __init__(self, make: Callable[[str], Any], columns: Sequence[str] | None = None) -> None:
        """`make` gives the statement for a dialect of that name; `columns` are those that an INSERT or UPDATE sets,
        where it does not say so itself. Values go by the names of its parameters; it can have no expanding one."""
        self._make, self._columns = make, columns
        self._known: WeakKeyDictionary[Dialect, _Sql] = WeakKeyDictionary()

    def run(self, conn: Connection, values: Mapping[str, Any]) -> Rows:
        """Run it with these values; raises as `Connection.execute` does."""
        sql = self._sql(conn.dialect)
        return run_text(conn, sql.text, sql.filled(values))

    def run_each(self, conn: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
        """Run it once with each of `rows`."""
        sql = self._sql(conn.dialect)
        if len(rows) == 1:
            run_text(conn, sql.text, sql.filled(rows[0]))
        elif rows:
            conn.exec_driver_sql(sql.text, [sql.filled(values) for values in rows])

    def _sql(self, dialect: Dialect) -> "_Sql":
        found = self._known.get(dialect)
        if found is None:
            found = self._known[dialect] = _Sql(self._make(dialect.name), self._columns, dialect)
        return found


def run_text(conn: Connection, text: str, values: Any = ()) -> Rows:
    """Run SQL in the words and with the parameters of the driver; raises as `Connection.execute` does."""
    if conn.dialect.name != "sqlite":
        return conn.exec_driver_sql(text, values)  # which also sees to a connection that broke
    driver = cast(sqlite3.Connection, conn.connection.driver_connection)
    try:
        return driver.execute(text, values)
    except sqlite3.Error as problem:
        raise DBAPIError.instance(text, None, problem, sqlite3.Error) from problem


class _Sql:
    """A statement in one dialect's words."""

    def __init__(self, statement: Any, columns: Sequence[str] | None, dialect: Dialect) -> None:
        compiled = statement.compile(dialect=dialect, column_keys=columns)
        self.text = str(compiled)
        binds = {name: bind for bind, name in compiled.bind_names.items()}
        process = {name: bind.type.dialect_impl(dialect).bind_processor(dialect) for name, bind in binds.items()}
        # Numbers and words that the statement has of its own are parameters too, and always the same.
        own = {name: (process[name], compiled.params[name]) for name, bind in binds.items() if not bind.required}
        known = {name: value if work is None else work(value) for name, (work, value) in own.items()}
        self._by_name = compiled.positiontup is None
        self._names = compiled.positiontup or list(binds)
        self._own = [known.get(name) for name in self._names]
        self._given = [(index, name, process[name]) for index, name in enumerate(self._names) if name not in known]

    def filled(self, values: Mapping[str, Any]) -> Any:
        """The parameters as the driver takes them: in their order, or by name."""
        filled = self._own.copy()
        # One loop without a function of ours in it: it is run for a hundred values a call.
        for index, name, process in self._given:
            filled[index] = values[name] if process is None else process(values[name])
        return dict(zip(self._names, filled, strict=True)) if self._by_name else tuple(filled)
