"""Connections to the database: one engine that writes and one that only reads, for SQLite or PostgreSQL."""

import contextlib
import functools
import json
import os
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pydantic_core
from sqlalchemy import URL, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.pool import QueuePool

from lib.core.errors import StoreError
from lib.store import process_lock

BUSY_MS = 5_000
SCANNED_BYTES = 32 * 2**20
"""Files up to this size are scanned for damage when opened; larger ones only as far as their schema."""
_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
JSON_OPTIONS: dict[str, Any] = {
    "json_serializer": functools.partial(json.dumps, ensure_ascii=False),
    "json_deserializer": pydantic_core.from_json,
}
_SETUP = (
    f"PRAGMA busy_timeout={BUSY_MS}",
    "PRAGMA foreign_keys=ON",
    "PRAGMA trusted_schema=OFF",
    "PRAGMA mmap_size=0",
)


def database_url(url: str) -> URL:
    """`url` with the driver the house uses; raises StoreError for what is neither SQLite nor PostgreSQL."""
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise StoreError("The database's address can't be read.") from None
    kind = parsed.drivername.partition("+")[0]
    if kind == "sqlite":
        return parsed.set(drivername="sqlite")
    if kind in ("postgresql", "postgres"):
        return parsed.set(drivername="postgresql+psycopg")
    raise StoreError(f"A database of the kind “{kind}” can't be used.")


def prepare_file(path: Path) -> str:
    """Make the database file ready to be opened, readable by its owner only; a damaged one is moved aside.

    Returns a notice about that, or "". A folder that has to be made is the owner's alone; one that exists stays as
    it is. Raises OSError where the file can't be made, and StoreError for a damaged file that a living process uses.
    """
    if not path.parent.exists():
        path.parent.mkdir(mode=0o700, parents=True)
    notice = ""
    if path.exists() and is_damaged(path):
        if process_lock.living(path):
            raise StoreError(f"{path.name} is damaged, and another Tempera has it open.")
        notice = set_aside(path)
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    path.chmod(0o600)
    return notice


def is_damaged(path: Path) -> bool:
    """Whether the file at `path` is not a whole SQLite database."""
    small = path.stat().st_size <= SCANNED_BYTES
    with contextlib.closing(_connect(path)) as conn:
        try:
            conn.execute("SELECT count(*) FROM sqlite_master").fetchone()
            return small and conn.execute("PRAGMA quick_check(1)").fetchone() != ("ok",)
        except sqlite3.Error as problem:
            if primary_code(problem) in _DAMAGED:
                return True
            raise


def set_aside(path: Path) -> str:
    """Rename the file at `path`, with its -wal and -shm, to `*.broken-<time>`; a sentence about it."""
    ending = time.strftime(".broken-%Y%m%d-%H%M%S") + f"-{time.time_ns() % 10**9:09}"
    for part in ("", "-wal", "-shm"):
        with contextlib.suppress(FileNotFoundError):
            os.replace(f"{path}{part}", f"{path}{ending}{part}")
    return f"The database was damaged. It was kept as {path.name}{ending}, and a new one was begun."


def primary_code(problem: BaseException | None) -> int:
    """SQLite's primary result code of an error, 0 where there is none."""
    return getattr(problem, "sqlite_errorcode", 0) & 0xFF


def sqlite_engines(path: Path) -> tuple[Engine, Engine]:
    """(writer, readers) of a database file; readers can't write whatever they are asked."""
    url = URL.create("sqlite", database=str(path))
    writer = _sqlite(url, lambda: _writing(_connect(path)), "BEGIN IMMEDIATE", size=1)
    return writer, _sqlite(url, lambda: _reading(_connect(path, "ro")), "BEGIN", size=8)


def memory_engines(name: str) -> tuple[Engine, Engine]:
    """(writer, readers) of a database called `name` in this process's memory; it lives as long as the writer."""
    uri = f"file:/{name}?vfs=memdb"

    def connect() -> sqlite3.Connection:
        return sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False)

    url = URL.create("sqlite")
    writer = _sqlite(url, lambda: _writing(connect()), "BEGIN IMMEDIATE", size=1)
    return writer, _sqlite(url, lambda: _reading(connect()), "BEGIN", size=8)


def postgresql_engines(url: URL) -> tuple[Engine, Engine]:
    """(writer, readers) of a PostgreSQL database. The writer's session holds the lock that says we live."""
    limits = {"options": "-c statement_timeout=30000", "connect_timeout": 10}
    writer = create_engine(url, pool_size=1, max_overflow=0, pool_pre_ping=True, connect_args=limits, **JSON_OPTIONS)
    readers = create_engine(
        url,
        max_overflow=-1,
        pool_pre_ping=True,
        connect_args=limits,
        isolation_level="REPEATABLE READ",
        **JSON_OPTIONS,
    ).execution_options(postgresql_readonly=True)

    @event.listens_for(writer, "connect")
    def say_we_live(conn: Any, _: Any) -> None:
        conn.execute("SELECT pg_advisory_lock_shared(%s)", (process_lock.advisory_key(process_lock.ID),))
        conn.commit()

    return writer, readers


def store_error(problem: BaseException) -> StoreError:
    """What the database said, without the values it was asked to write."""
    if isinstance(problem, StoreError):
        return problem
    original = problem.orig if isinstance(problem, DBAPIError) and problem.orig is not None else problem
    return StoreError(str(original))


def _connect(path: Path, mode: str = "rw") -> sqlite3.Connection:
    uri = f"file:{quote(str(path.absolute()))}?mode={mode}"
    return sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False, timeout=BUSY_MS / 1000)


def _writing(conn: sqlite3.Connection) -> sqlite3.Connection:
    for line in (*_SETUP, "PRAGMA journal_mode=WAL", "PRAGMA synchronous=FULL", "PRAGMA wal_autocheckpoint=1000"):
        conn.execute(line)
    return conn


def _reading(conn: sqlite3.Connection) -> sqlite3.Connection:
    for line in (*_SETUP, "PRAGMA query_only=ON"):
        conn.execute(line)
    return conn


def _sqlite(url: URL, connect: Callable[[], sqlite3.Connection], begin: str, size: int) -> Engine:
    # More readers than the pool keeps get connections of their own; opening one takes well under a millisecond.
    overflow = 0 if size == 1 else -1
    engine = create_engine(
        url, creator=connect, poolclass=QueuePool, pool_size=size, max_overflow=overflow, **JSON_OPTIONS
    )
    event.listen(engine, "begin", lambda conn: conn.exec_driver_sql(begin))
    return engine
