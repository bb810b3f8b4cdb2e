"""Brings the history of one person, kept on a computer of their own, into a database that many share."""

import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Insert, RowMapping, Table, func, select, text

from lib.core.errors import NotRestored
from lib.core.i18n import N_
from lib.store import backup, upgrade
from lib.store.database import Store
from lib.store.schema import calls, chats, messages, metadata, shared_links, sweeps
from lib.store.statements import insert_into

NUMBERED = (calls, messages)
"""Their rows have numbers of their own in each database, by which one knows what is newer."""


def move_in(store: Store, source: Path, former: str, owner: str, sum_up: Callable[[Connection], None]) -> None:
    """Add all that the database file `source` holds of `former` to what `store` holds, as `owner`'s; `sum_up` makes the
    sums of calls anew. All of it or nothing; the file, which may be in use, is left alone.

    What the owner has set already stays as it is. Raises NotRestored for a file that is no database of ours, that
    holds what others own, and whose history is there already; and StoreError.
    """
    backup.check(source)
    with tempfile.TemporaryDirectory(prefix="tempera-move-") as scratch:
        copy = Path(scratch) / "history.db"
        upgrade.copy_file(source, copy)
        with backup.brought_up_to_date(copy) as engine, engine.connect() as old:
            _refuse_others(old, former)

            def work(db: Connection) -> None:
                _add(old, db, owner)
                sum_up(db)

            store.write(work).result()


def _refuse_others(old: Connection, former: str) -> None:
    for table in metadata.sorted_tables:
        # any owner: that there is no other one is what is asked.
        if "owner" in table.c and old.execute(select(table.c.owner).where(table.c.owner != former).limit(1)).first():
            raise NotRestored(N_("This file holds what several people own; only one person's history can be moved."))


def _add(old: Connection, db: Connection, owner: str) -> None:
    if db.dialect.name == "postgresql":
        for name in ("statement_timeout", "idle_in_transaction_session_timeout"):
            db.execute(text(f"SET LOCAL {name} = 0"))
        # Whoever writes meanwhile waits, so that no number is given twice.
        db.execute(text("LOCK TABLE calls, messages IN EXCLUSIVE MODE"))
    _refuse_what_is_there(old, db)
    # any owner: the numbers are those of all rows.
    first = {table.name: db.execute(select(func.coalesce(func.max(table.c.seq), 0))).scalar_one() for table in NUMBERED}
    for table in metadata.sorted_tables:
        # Sums are made anew; links would be open again that were taken back.
        if not table.name.startswith("usage_") and table is not shared_links:
            for rows in backup.rows_of(old, table):
                db.execute(_into(db, table), [_moved(row, table, owner, first) for row in rows])
    backup.count_on(db)


def _refuse_what_is_there(old: Connection, db: Connection) -> None:
    for table in (chats, sweeps, calls):
        # any owner: an id is of one row, whoever owns it.
        some = old.execute(select(table.c.id).limit(backup.ROWS)).scalars().all()
        if db.execute(select(table.c.id).where(table.c.id.in_(some)).limit(1)).first():
            raise NotRestored(N_("This history is there already."))


def _moved(row: RowMapping, table: Table, owner: str, first: Mapping[str, int]) -> dict[str, Any]:
    moved: dict[str, Any] = {str(name): value for name, value in row.items()}
    if "owner" in moved:
        moved["owner"] = owner
    if "seq" in moved:
        moved["seq"] += first[table.name]
    if "call_seq" in moved:
        moved["call_seq"] += first["calls"]
    if moved.get("state") == "started":
        moved["process"] = "moved"  # of no living process: the next start closes it as interrupted
    return moved


def _into(db: Connection, table: Table) -> Insert:
    """What the owner has under the same name stays: a setting, or a text, which is the same one."""
    key = list(table.primary_key.columns)
    return insert_into(table, db.dialect.name).on_conflict_do_nothing(index_elements=key)
