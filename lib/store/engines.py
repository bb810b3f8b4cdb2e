"""Connections to the database: one engine that writes and one that only reads, for SQLite or PostgreSQL."""

import contextlib
import errno
import logging
import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pydantic_core
from sqlalchemy import URL, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.pool import QueuePool

from lib.core.errors import (
    StoreBusy,
    StoreDamaged,
    StoreError,
    StoreFull,
    StoreGone,
    StoreLocked,
    StoreMissing,
    StoreReadOnly,
    StoreRefused,
    StoreReplaced,
)
from lib.store import damaged_file, migrations, process_lock
from lib.store.prepared import run_text

log = logging.getLogger(__name__)

BUSY_MS = 2_000
"""How long anything waits for another program's lock; how long a write does, the store says before each."""
READERS = 8
WAIT_SECONDS = 30.0
"""How long a reader waits for a connection of the pool."""
PAGE_BYTES = 1024
"""Of a new database. Every table and index takes whole pages: with SQLite's usual 4096 an empty database has 270 kB,
a chat of 100 turns 3.9 bytes for each of its text; with these 80 kB and 2.9. Totals, images and long chats are read in
the same time, a scan of all calls takes a fifth longer (bench/README.md)."""
WAL_BYTES = 4 * 2**20
"""From so many on what stands in the -wal file is written into the database."""
SCANNED_BYTES = 32 * 2**20
"""Files up to this size are scanned for damage when opened; larger ones only as far as their schema."""
_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
JSON_OPTIONS: dict[str, Any] = {
    "json_serializer": lambda value: pydantic_core.to_json(value).decode(),
    "json_deserializer": pydantic_core.from_json,
}
_SETUP = (
    f"PRAGMA busy_timeout={BUSY_MS}",
    # Off in SQLite unless each connection asks for it.
    "PRAGMA foreign_keys=ON",
    # The file may come from elsewhere: nothing in its schema may call functions with effects.
    "PRAGMA trusted_schema=OFF",
    # With mmap a failing disk is a SIGBUS that ends the process, and not an error (sqlite.org/mmap.html).
    "PRAGMA mmap_size=0",
)


def database_url(url: str) -> URL:
    """`url` with the driver we use; raises StoreError for what is neither SQLite nor PostgreSQL."""
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


def prepare_file(path: Path) -> StoreError | None:
    """Make the database file ready to be opened, readable by its owner only; a damaged one is moved aside, and what can
    be read of it put into a new one.

    Returns what is to be said about that, or about a file that was there before and is gone. A folder that has to be
    made is the owner's alone; one that exists stays as it is. Raises OSError where the file can't be made, and
    StoreError for a damaged file that a living process uses.
    """
    if not path.parent.exists():
        path.parent.mkdir(mode=0o700, parents=True)
    notice: StoreError | None = None
    if not path.exists() and process_lock.was_open(path):
        notice = StoreMissing(name=path.name)
    # First of all, as the system says plainly what SQLite only calls “unable to open”: a read-only place, say.
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    if is_damaged(path):
        if process_lock.living(path):
            raise StoreDamaged(f"{path.name} is damaged, and another Tempera has it open.")
        notice = replace_damaged(path)
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


def replace_damaged(path: Path) -> StoreReplaced:
    """Set a damaged file aside and begin a new one with what can be read of it; what is to be said about that."""
    kept = set_aside(path)
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    try:
        with _sqlite(URL.create("sqlite"), lambda: _connect(path), "BEGIN IMMEDIATE", size=1).begin() as conn:
            migrations.upgrade(conn, to=damaged_file.version_of(kept) or "head")
        found = damaged_file.recover(kept, path)
    except Exception as problem:
        log.warning("nothing could be read of the damaged database: %s", problem)
        path.unlink()
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        found = damaged_file.Recovered()
    log.warning("%s was damaged and is kept as %s; %d rows came back", path.name, kept.name, found.rows)
    return StoreReplaced(found.chats, kept=kept.name)


def set_aside(path: Path) -> Path:
    """Rename the file at `path`, with its -wal and -shm, to `*.broken-<time>`; where it is now."""
    ending = time.strftime(".broken-%Y%m%d-%H%M%S") + f"-{time.time_ns() % 10**9:09}"
    for part in ("", "-wal", "-shm"):
        with contextlib.suppress(FileNotFoundError):
            os.replace(f"{path}{part}", f"{path}{ending}{part}")
    return path.with_name(path.name + ending)


def written_anew(conn: sqlite3.Connection, path: Path) -> Path:
    """Write all that an open connection to a deleted file still reads into a new file beside `path`."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(path.name + ".anew")
    draft.unlink(missing_ok=True)
    os.close(os.open(draft, os.O_RDWR | os.O_CREAT, 0o600))
    with contextlib.closing(sqlite3.connect(draft)) as target:
        conn.backup(target)
    return draft


@contextlib.contextmanager
def second_name(path: Path) -> Iterator[Path]:
    """Another name of the file meanwhile, on file systems that know such names."""
    other = path.with_name(path.name + ".kept")
    other.unlink(missing_ok=True)
    with contextlib.suppress(OSError):
        os.link(path, other)
    try:
        yield other
    finally:
        other.unlink(missing_ok=True)


def primary_code(problem: BaseException | None) -> int:
    """SQLite's primary result code of an error, 0 where there is none."""
    return getattr(problem, "sqlite_errorcode", 0) & 0xFF


def sqlite_engines(path: Path) -> tuple[Engine, Engine]:
    """(writer, readers) of a database file; readers can't write whatever they are asked."""
    url = URL.create("sqlite", database=str(path))
    # IMMEDIATE: a transaction that reads first and then writes gets SQLITE_BUSY_SNAPSHOT at once when another program
    # has committed in between, and no busy_timeout helps. One connection that writes and makes every checkpoint:
    # SQLite before 3.51.3 can damage the -wal file when two do at once (sqlite.org/wal.html#walresetbug).
    writer = _sqlite(url, lambda: _writing(_connect(path)), "BEGIN IMMEDIATE", size=1)
    return writer, _sqlite(url, lambda: _reading(_connect(path, "ro")), "BEGIN", size=READERS)


def memory_engines(name: str) -> tuple[Engine, Engine]:
    """(writer, readers) of a database called `name` in this process's memory; it lives as long as the writer."""
    # In the memdb VFS a name that begins with a slash is one database for all connections of the process.
    uri = f"file:/{name}?vfs=memdb"

    def connect() -> sqlite3.Connection:
        return sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False)

    url = URL.create("sqlite")
    writer = _sqlite(url, lambda: _writing(connect()), "BEGIN IMMEDIATE", size=1)
    return writer, _sqlite(url, lambda: _reading(connect()), "BEGIN", size=READERS)


def postgresql_engines(url: URL) -> tuple[Engine, Engine]:
    """(writer, readers) of a PostgreSQL database."""
    # A machine that is cut off in the middle of a transaction keeps no other one waiting for longer, and notices itself
    # that the server is gone.
    options = "-c statement_timeout=30000 -c idle_in_transaction_session_timeout=10000"
    limits = {"options": options, "connect_timeout": 10, "tcp_user_timeout": 15_000}
    # pre_ping: a connection that the server has closed meanwhile is replaced before it fails a write.
    writer = create_engine(url, pool_size=1, max_overflow=0, pool_pre_ping=True, connect_args=limits, **JSON_OPTIONS)
    readers = create_engine(
        url,
        pool_size=READERS,
        max_overflow=0,
        pool_timeout=WAIT_SECONDS,
        pool_pre_ping=True,
        connect_args=limits,
        # All statements of one read see the same moment, as in a transaction of SQLite.
        isolation_level="REPEATABLE READ",
        **JSON_OPTIONS,
    ).execution_options(postgresql_readonly=True)
    return writer, readers


def store_error(problem: BaseException) -> StoreError:
    """What the database said, without the values it was asked to write, as the error that says what is true."""
    if isinstance(problem, StoreError):
        return problem
    original = problem.orig if isinstance(problem, DBAPIError) and problem.orig is not None else problem
    if isinstance(problem, SQLAlchemyError) and original is problem:  # its own words repeat the statement
        return _kind(original)(type(problem).__name__)
    return _kind(original)(str(original))


def is_damage(problem: BaseException | None) -> bool:
    """Whether an error says that the database file is not whole."""
    original = problem.orig if isinstance(problem, DBAPIError) else problem
    return isinstance(original, StoreDamaged) or primary_code(original) in _DAMAGED


def _kind(original: BaseException) -> type[StoreError]:
    if isinstance(original, OSError):
        return _BY_ERRNO.get(original.errno or 0, StoreError)
    if isinstance(original, sqlite3.Error):
        code = getattr(original, "sqlite_errorcode", 0)
        return _BY_CODE.get(code) or _BY_CODE.get(code & 0xFF, StoreError)
    if isinstance(original, PoolTimeout):
        return StoreBusy
    state = str(getattr(original, "sqlstate", None) or "")
    if state:
        return next((kind for beginning, kind in _BY_SQLSTATE.items() if state.startswith(beginning)), StoreRefused)
    # psycopg has no SQLSTATE for a server that can't be reached or does not answer (ConnectionTimeout, which is an
    # OperationalError), and for a connection that broke.
    kinds = {kind.__name__ for kind in type(original).__mro__}
    return StoreGone if kinds & {"OperationalError", "InterfaceError"} else StoreError


_BY_ERRNO = {
    errno.ENOSPC: StoreFull,
    errno.EFBIG: StoreFull,
    errno.EDQUOT: StoreFull,
    errno.EROFS: StoreReadOnly,
    errno.EACCES: StoreReadOnly,
    errno.EPERM: StoreReadOnly,
}
_BY_CODE: dict[int, type[StoreError]] = {
    sqlite3.SQLITE_FULL: StoreFull,
    # What a limit on file sizes (RLIMIT_FSIZE, a quota) comes back as.
    sqlite3.SQLITE_IOERR_WRITE: StoreFull,
    sqlite3.SQLITE_IOERR_SHMSIZE: StoreFull,
    sqlite3.SQLITE_IOERR_TRUNCATE: StoreFull,
    sqlite3.SQLITE_IOERR_FSYNC: StoreFull,
    sqlite3.SQLITE_BUSY: StoreLocked,
    sqlite3.SQLITE_LOCKED: StoreLocked,
    sqlite3.SQLITE_READONLY_DBMOVED: StoreGone,
    sqlite3.SQLITE_READONLY: StoreReadOnly,
    sqlite3.SQLITE_CANTOPEN: StoreGone,
    sqlite3.SQLITE_IOERR: StoreGone,
    sqlite3.SQLITE_CORRUPT: StoreDamaged,
    sqlite3.SQLITE_NOTADB: StoreDamaged,
}
_BY_SQLSTATE: dict[str, type[StoreError]] = {
    # https://www.postgresql.org/docs/current/errcodes-appendix.html, the first that fits.
    "53100": StoreFull,
    "53": StoreBusy,  # no memory, no connection left
    "25006": StoreReadOnly,
    "25P03": StoreBusy,  # a transaction stood still for too long: the machine has no time for us
    "42501": StoreReadOnly,
    "55P03": StoreBusy,
    "57014": StoreBusy,  # the limit on a statement's time
    "08": StoreGone,
    "57P": StoreGone,
    "58": StoreGone,  # the server's own files
}


def _connect(path: Path, mode: str = "rw") -> sqlite3.Connection:
    uri = f"file:{quote(str(path.absolute()))}?mode={mode}"
    # No isolation level: sqlite3 would begin transactions by itself, and not before DDL (ghaering/pysqlite#105). The
    # pool hands a connection from thread to thread, one at a time.
    conn = sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False, timeout=BUSY_MS / 1000)
    # Counts for an empty file alone: every other keeps the size that it was made with.
    conn.execute(f"PRAGMA page_size={PAGE_BYTES}")
    return conn


def _writing(conn: sqlite3.Connection) -> sqlite3.Connection:
    # FULL: a commit is on the disk when it is acknowledged. NORMAL may lose the last ones in a power cut; FULL takes
    # 0.3 ms a commit, nothing beside a paid call.
    for line in (
        *_SETUP,
        "PRAGMA journal_mode=WAL",
        "PRAGMA synchronous=FULL",
        f"PRAGMA wal_autocheckpoint={WAL_BYTES // PAGE_BYTES}",
    ):
        conn.execute(line)
    return conn


def _reading(conn: sqlite3.Connection) -> sqlite3.Connection:
    for line in (*_SETUP, "PRAGMA query_only=ON"):
        conn.execute(line)
    return conn


def _sqlite(url: URL, connect: Callable[[], sqlite3.Connection], begin: str, size: int) -> Engine:
    # Readers beyond the pool wait for their turn: each takes a moment, and files can't be opened without end.
    pool = {"poolclass": QueuePool, "pool_size": size, "max_overflow": 0, "pool_timeout": WAIT_SECONDS}
    # Whoever takes a connection ends its own transaction; one more ROLLBACK for each would take as long as a statement.
    pool["pool_reset_on_return"] = None
    engine = create_engine(url, creator=connect, **pool, **JSON_OPTIONS)
    event.listen(engine, "begin", lambda conn: run_text(conn, begin))
    return engine
