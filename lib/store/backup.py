"""Everything as one file, and back, while Tempera runs.

The file is an SQLite database with the tables of this version, whatever the database is that it was saved from: so a
backup of PostgreSQL can be restored into SQLite, the other way round, and by every later version, which brings it to
its own tables first. Restoring replaces all rows in one transaction: whoever reads meanwhile sees all that was there
before or all that is there now. What was there before is saved first.
"""

import os
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, RowMapping, Table, create_engine, select, text
from sqlalchemy.pool import NullPool

from lib.core.errors import NotRestored, StoreError
from lib.core.i18n import N_
from lib.store import engines, migrations
from lib.store.database import Store
from lib.store.schema import messages, metadata, shared_links

ROWS = 500
NOT_A_BACKUP = N_("This file is not a backup of Tempera.")
DAMAGED = N_("This backup is damaged.")
SHARED = N_("Another Tempera, or a worker, has this database open. Stop all but this one, then restore.")
TOO_NEW = N_("This backup was made by a later version of Tempera. Update Tempera, then restore it.")


def save(store: Store, target: Path) -> None:
    """Write everything to `target`, which its owner alone can read; what was there is replaced when the backup is
    whole. Raises StoreError where it can't be written."""
    # Under another name until it is whole: a backup that broke off must not replace the one before.
    partial = target.with_name(target.name + ".partial")
    try:
        os.close(os.open(partial, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600))
        store.read(lambda db: _save(db, partial))
        os.replace(partial, target)
    except (OSError, sqlite3.Error) as problem:
        partial.unlink(missing_ok=True)
        raise engines.store_error(problem) from problem


def saved(store: Store) -> bytes:
    """A backup as the contents of a file."""
    with tempfile.TemporaryDirectory(prefix="tempera-backup-") as folder:
        file = Path(folder) / "backup.db"
        save(store, file)
        return file.read_bytes()


def restore(store: Store, source: Path, folder: Path) -> Path:
    """Replace everything by what the backup `source` holds; where what was there before is kept, a file in `folder`.

    Raises NotRestored for a file that is not a whole backup, and where another process has the database open, which
    would go on with what is gone; and StoreError when the database refused. In all cases nothing has changed.
    """
    if store.has_company():
        raise NotRestored(SHARED)
    with tempfile.TemporaryDirectory(prefix="tempera-restore-") as scratch:
        copy = Path(scratch) / "backup.db"
        check(source)
        # A copy, as an older backup is brought to today's tables before it is read: the file itself is left alone.
        shutil.copyfile(source, copy)
        with brought_up_to_date(copy) as engine:
            kept = folder / f"tempera.db.before-restore-{time.strftime('%Y%m%d-%H%M%S')}-{time.time_ns() % 1000:03}"
            save(store, kept)
            with engine.connect() as old:
                store.write(lambda db: _replace(old, db)).result()
    return kept


def _save(db: Connection, target: Path) -> None:
    if db.dialect.name == "sqlite":
        _save_sqlite(db, target)
        return
    with _sqlite(target) as engine, engine.begin() as new:
        migrations.upgrade(new)
        for table in metadata.sorted_tables:
            _copy_rows(db, new, table)


def _save_sqlite(db: Connection, target: Path) -> None:
    driver: Any = db.connection.driver_connection
    with closing(sqlite3.connect(target)) as new:
        # SQLite's own copying of an open database: the file may be written meanwhile.
        driver.backup(new)
        # The copy has inherited WAL; like this the backup is one file, without a -wal beside it.
        new.execute("PRAGMA journal_mode=DELETE")


def check(source: Path) -> None:
    """Raises NotRestored unless `source` is a whole backup that this version can read."""
    try:
        # Read-only: SQLite would make an empty file where there is none.
        with closing(sqlite3.connect(f"file:{source}?mode=ro", uri=True)) as conn:
            versions = conn.execute("SELECT version_num FROM alembic_version").fetchall()
            whole = conn.execute("PRAGMA quick_check(1)").fetchone() == ("ok",)
    except sqlite3.Error as problem:
        damaged = engines.primary_code(problem) == sqlite3.SQLITE_CORRUPT
        raise NotRestored(DAMAGED if damaged else NOT_A_BACKUP) from None
    if not whole:
        raise NotRestored(DAMAGED)
    if len(versions) != 1:
        raise NotRestored(NOT_A_BACKUP)
    if str(versions[0][0]) > migrations.NEWEST:
        raise NotRestored(TOO_NEW)


@contextmanager
def brought_up_to_date(file: Path) -> Iterator[Engine]:
    """An engine for a database file of any version, which then is of this one; nobody else may use it."""
    with _sqlite(file) as engine:
        with engine.begin() as conn:
            if migrations.version(conn) != migrations.NEWEST:
                migrations.upgrade(conn)
        yield engine


def _replace(old: Connection, db: Connection) -> None:
    """Put the rows of `old` in the place of those of `db`. Calls that were in progress when the backup was made are of
    no living process, even if it was this one: they are closed as interrupted at the next start."""
    if db.dialect.name == "postgresql":
        # It may take longer than the 30 seconds that any other statement has.
        db.execute(text("SET LOCAL statement_timeout = 0"))
        db.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))
    # any owner: all that is there is replaced. First, as with a message all go that follow it, one by one, and SQLite
    # goes a thousand messages deep and no further.
    db.execute(messages.update().values(parent_id=None))
    # The tables that point at others first, and filled last.
    for table in reversed(metadata.sorted_tables):
        # any owner: all that is there is replaced.
        db.execute(table.delete())
    for table in metadata.sorted_tables:
        if table is not shared_links:  # one that was taken back since the backup would be open again
            _copy_rows(old, db, table)
    db.execute(text("UPDATE calls SET process = 'restored' WHERE state = 'started'"))
    count_on(db)


def count_on(db: Connection) -> None:
    """Let new rows have numbers after those that were brought in."""
    if db.dialect.name == "postgresql":
        # Rows that bring their numbers leave PostgreSQL's own counter where it was, and the next insert would collide.
        for name in ("calls", "messages"):
            numbers = f"pg_get_serial_sequence('{name}', 'seq'), (SELECT coalesce(max(seq), 0) + 1 FROM {name}), false"
            db.execute(text(f"SELECT setval({numbers})"))


def _copy_rows(source: Connection, target: Connection, table: Table) -> None:
    for rows in rows_of(source, table):
        target.execute(table.insert(), [dict(row) for row in rows])


def rows_of(source: Connection, table: Table) -> Iterator[Sequence[RowMapping]]:
    """All rows of a table, some at a time; a message after the one that it follows, as they were written."""
    query = select(table)
    if "seq" in table.c:
        query = query.order_by(table.c.seq)
    # 500 at a time: a history need not fit into memory.
    result = source.execution_options(yield_per=ROWS).execute(query)
    yield from result.mappings().partitions(ROWS)


@contextmanager
def _sqlite(path: Path) -> Iterator[Engine]:
    """An engine for a file that nobody else uses."""
    engine = create_engine(URL.create("sqlite", database=str(path)), poolclass=NullPool, **engines.JSON_OPTIONS)
    try:
        yield engine
    except sqlite3.Error as problem:
        raise StoreError(str(problem)) from problem
    finally:
        engine.dispose()
