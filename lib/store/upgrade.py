"""Brings an older database to today's tables, so that nothing can be lost by it.

First nobody else may have it open, there has to be room, and a file is copied beside itself. Then all steps are one
transaction: wherever the process ends, the database is as it was or as it will be, and the next start tries again.
"""

import filecmp
import logging
import os
import shutil
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path

from sqlalchemy import JSON, URL, Connection, Engine, MetaData, Table, create_engine, select, text
from sqlalchemy.pool import NullPool

from lib.core.errors import NotUpgraded
from lib.core.i18n import N_, Notice
from lib.store import engines, migrations, process_lock

# Any number, the same in every version: it names the lock in PostgreSQL.
MIGRATION_LOCK = 7306933018
MEGABYTE = 10**6
SPARE_BYTES = 20 * MEGABYTE
# 16 MB of pages between two looks at how far the copy is.
PAGES_AT_ONCE = 4_000
SAID_EVERY_SECONDS = 2.0
LEAVING_SECONDS = 1.0
log = logging.getLogger(__name__)


def bring_up_to_date(writer: Engine, readers: Engine, path: Path | None, folder: Path | None = None) -> Notice:
    """Take the missing steps; what a person should know about it, which is nothing where none was missing. The log says
    where the copy of the former state is: `path` is the database's file, where it is one, and has it beside it; that of
    another goes into `folder`. Raises NotUpgraded with a sentence, and then nothing has changed."""
    # Looked at by a reader: a database that is locked, full or read-only can then still be opened and read.
    with readers.connect() as conn:
        found = migrations.version(conn)
    if found == migrations.NEWEST:
        return Notice()
    older = found is not None and found < migrations.NEWEST
    if older:
        _refuse_company(writer, path)
    copy = None
    if older and path is not None:
        copy = _copied(path)
    elif older and folder is not None:
        copy = _saved(writer, str(found), folder)
    began = time.monotonic()
    _upgrade(writer)
    if not older:
        return Notice()
    log.info("The database is at version %s after %.0f s.", migrations.NEWEST, time.monotonic() - began)
    if path is not None:
        _shrink(writer)
    if copy is None:
        return Notice(N_("Your history was adapted to this version."))
    if path is None:
        return Notice(N_("Your history was adapted to this version; a copy from before is kept in the data folder."))
    return Notice(N_("Your history was adapted to this version; a copy from before lies beside it."))


def _upgrade(writer: Engine) -> None:
    with writer.begin() as conn:
        if conn.dialect.name == "postgresql":
            # A migration takes as long as it takes; any other statement has 30 seconds.
            conn.execute(text("SET LOCAL statement_timeout = 0"))
            conn.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))
            conn.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": MIGRATION_LOCK})
        # Asked again under the lock: of two processes that start at once, the other one may have done it.
        if migrations.version(conn) != migrations.NEWEST:
            migrations.upgrade(conn, _progress("Bringing the database to the form of this version"))


def _refuse_company(writer: Engine, path: Path | None) -> None:
    """A process of the version before would write rows of a form that is gone."""
    with writer.connect() as conn:
        others = others_have_it_open(conn, path)
    if others:
        raise NotUpgraded(
            N_("Another Tempera has the database open, which has to be brought to the form of this version."),
            N_("Close the other Tempera, then start this one again. Nothing was changed."),
        )


def others_have_it_open(conn: Connection, path: Path | None) -> bool:
    """Whether another living process of ours has a database open, which is the file at `path` or on a server. There
    each holds a shared lock under a key of its own, on a connection that need not be this one."""
    if path is not None:
        return bool(process_lock.living(path) - {process_lock.ID})
    if conn.dialect.name != "postgresql":
        return False
    # The server hears of the end of a process a moment later: who stops the app and restores at once is not refused.
    until = time.monotonic() + LEAVING_SECONDS
    while _others_hold_a_lock(conn):
        if time.monotonic() > until:
            return True
        time.sleep(0.05)
    return False


def _others_hold_a_lock(conn: Connection) -> bool:
    query = text(
        "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND mode = 'ShareLock' AND granted "
        "AND (classid::bigint << 32 | objid::bigint) <> :own "
        "AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    )
    return bool(conn.execute(query, {"own": process_lock.advisory_key(process_lock.ID)}).scalar())


def _copied(path: Path) -> Path:
    """A copy of the database beside it. One that an attempt before this one has made is used again."""
    # The copy takes as much as the database; what is written anew is at most as much again.
    _check_room(2 * sum(file.stat().st_size for file in (path, Path(f"{path}-wal")) if file.exists()), path.parent)
    for partial in path.parent.glob(f"{path.name}.before-*.partial"):
        partial.unlink()
    # An attempt that was killed after its copy: one copy is enough, however often it is begun.
    earlier = sorted(path.parent.glob(f"{path.name}.before-{migrations.NEWEST}-*"))
    copy = path.with_name(f"{path.name}.before-{migrations.NEWEST}-{time.strftime('%Y%m%d-%H%M%S')}")
    partial = copy.with_name(copy.name + ".partial")
    copy_file(path, partial, _progress("Copying the database"))
    for one in earlier:
        if filecmp.cmp(one, partial, shallow=False):
            partial.unlink()
            return one
    # Under its own name only when it is whole.
    os.replace(partial, copy)
    log.info("The database as it was before is kept in %s.", copy)
    return copy


def _saved(writer: Engine, version: str, folder: Path) -> Path:
    """A database that is no file, as a file of the same version: a backup, which every later version can restore."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with writer.connect() as conn:
        # Its rows take less in a file of SQLite's. What is written anew is on the server, whose disk is not seen here.
        _check_room(int(conn.execute(text("SELECT pg_database_size(current_database())")).scalar_one()), folder)
    copy = folder / f"tempera.db.before-{migrations.NEWEST}-{time.strftime('%Y%m%d-%H%M%S')}"
    partial = copy.with_name(copy.name + ".partial")
    os.close(os.open(partial, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600))
    file = create_engine(URL.create("sqlite", database=str(partial)), poolclass=NullPool, **engines.JSON_OPTIONS)
    with writer.connect() as old, file.begin() as new:
        migrations.upgrade(new, to=version)
        for table in _tables(new):
            source = Table(table.name, MetaData(), autoload_with=old)
            query = select(source).order_by(source.c.seq) if "seq" in source.c else select(source)
            for rows in old.execution_options(yield_per=500).execute(query).mappings().partitions(500):
                new.execute(table.insert(), [dict(row) for row in rows])
    file.dispose()
    os.replace(partial, copy)
    log.info("The database as it was before is kept in %s.", copy)
    return copy


def _tables(conn: Connection) -> list[Table]:
    """The tables as they stand; what is None in Python is NULL in them."""
    found = MetaData()
    found.reflect(conn)
    for table in found.sorted_tables:
        for column in table.columns:
            if isinstance(column.type, JSON):
                column.type = JSON(none_as_null=True)
    return [table for table in found.sorted_tables if table.name != "alembic_version"]


def copy_file(source: Path, target: Path, progress: Callable[[float], None] | None = None) -> None:
    """Copy an SQLite database, which may be in use, to a file that its owner alone can read."""

    def said(_status: int, remaining: int, total: int) -> None:
        if progress is not None:
            progress(1 - remaining / max(1, total))

    os.close(os.open(target, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600))
    with closing(sqlite3.connect(source)) as old, closing(sqlite3.connect(target)) as new:
        old.backup(new, pages=PAGES_AT_ONCE, progress=said)
        # One file, whatever was beside the other; and on the disk before anything relies on it.
        new.execute("PRAGMA journal_mode=DELETE")
    with open(target, "rb+") as file:
        os.fsync(file.fileno())


def _check_room(size: int, folder: Path) -> None:
    """Raises NotUpgraded unless there is room for so many bytes in a folder."""
    needed, free = size + SPARE_BYTES, shutil.disk_usage(folder).free
    if free < needed:
        raise NotUpgraded(
            N_(
                "The database has to be brought to the form of this version. That takes {needed} MB of free space in "
                "{folder}, and there are {free} MB."
            ),
            N_("Free some space, then start Tempera again. Nothing was changed."),
            needed=-(-needed // MEGABYTE),
            free=free // MEGABYTE,
            folder=str(folder),
        )


def _shrink(writer: Engine) -> None:
    """Give back the room that is not needed any more; when that fails, the file is only larger than it could be."""
    # VACUUM can't run in a transaction, and the engine's connections begin one.
    connection = writer.raw_connection()
    try:
        with suppress(sqlite3.Error):
            free, pages = (
                connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("freelist_count", "page_count")
            )
            if free > pages // 4:
                log.info("Giving back the room that is not needed any more.")
                connection.execute("VACUUM")
                # VACUUM has written the whole database into the -wal file, which else keeps that size.
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    finally:
        connection.close()


def _progress(what: str) -> Callable[[float], None]:
    """Says every few seconds how far something has come."""
    last = time.monotonic()

    def say(done: float) -> None:
        nonlocal last
        if time.monotonic() - last >= SAID_EVERY_SECONDS:
            last = time.monotonic()
            log.info("%s: %.0f %% ...", what, 100 * done)

    return say
