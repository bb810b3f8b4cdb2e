"""Copies what a damaged SQLite file still holds, row by row, into a new one.

Rows are asked for by their number; where a page can't be read, the next number that can be read is searched for. A
damaged header is replaced by a whole one in a copy. The damaged file itself is only read.
"""

import contextlib
import os
import shutil
import sqlite3
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

HEADER_BYTES = 100
PAGE_SIZES = (1024, 4096)
"""Of the databases that Tempera has made, in bytes."""
TITLE_CHARACTERS = 80
_KEPT_APART = "text FROM messages JOIN texts ON (texts.owner, texts.id) = (messages.owner, text_id) WHERE true"
FARTHEST = 2**40
"""No table has row numbers beyond."""


@dataclass(slots=True)
class Recovered:
    """How many rows came back, and the titles of the chats that did, by owner."""

    rows: int = 0
    chats: dict[str, list[str]] = field(default_factory=dict)


def version_of(damaged: Path) -> str | None:
    """The last migration of a damaged database, if that can be read."""
    with contextlib.suppress(sqlite3.Error), _opened(damaged) as old:
        return str(old.execute("SELECT version_num FROM alembic_version").fetchone()[0])
    return None


def recover(damaged: Path, fresh: Path) -> Recovered:
    """Copy what can be read of `damaged` into `fresh`, which has the tables of the same version and no rows."""
    found = Recovered()
    with contextlib.closing(sqlite3.connect(fresh, isolation_level=None)) as new, _opened(damaged) as old:
        # A row may come back whose parent does not; `_mend` sees to those at the end.
        new.execute("PRAGMA foreign_keys=OFF")
        new.execute("BEGIN IMMEDIATE")
        for table in _tables(new):
            # A table that can't be read at all is no reason to lose the next one.
            with contextlib.suppress(sqlite3.Error):
                found.rows += _copy(old, new, table)
        _mend(new)
        found.chats = _titles(new)
        new.execute("COMMIT")
    return found


@contextlib.contextmanager
def _opened(damaged: Path) -> Iterator[sqlite3.Connection]:
    """A connection that reads the file, or a copy of it with a whole header."""
    copy = damaged.with_name(damaged.name + ".header")
    try:
        conn = _connect(damaged)
        for size in PAGE_SIZES:
            if _names_tables(conn):
                break
            # The size of its pages stood in the header too: with the wrong one no table is found.
            conn.close()
            _with_whole_header(damaged, copy, size)
            conn = _connect(copy)
        with contextlib.closing(conn):
            yield conn
    finally:
        # What SQLite put beside the kept file to read it.
        with contextlib.suppress(OSError):
            os.unlink(f"{damaged}-shm")
        with contextlib.suppress(OSError):
            if os.path.getsize(f"{damaged}-wal") == 0:
                os.unlink(f"{damaged}-wal")
        for part in ("", "-wal", "-shm"):
            with contextlib.suppress(OSError):
                os.unlink(f"{copy}{part}")


def _connect(path: Path) -> sqlite3.Connection:
    conn = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None)
    # A broken byte in a text costs that character and not the row.
    conn.text_factory = lambda raw: raw.decode("utf-8", "replace")
    return conn


def _names_tables(conn: sqlite3.Connection) -> bool:
    """Whether it can be read which tables there are."""
    try:
        return bool(conn.execute("SELECT name, sql FROM sqlite_master").fetchall())
    except sqlite3.Error:
        return False


def _with_whole_header(damaged: Path, copy: Path, page_bytes: int) -> None:
    """Copy a database, its first 100 bytes those of a new one of the same size."""
    shutil.copyfile(damaged, copy)
    with contextlib.suppress(OSError):
        # What was committed last may be in there only.
        shutil.copyfile(f"{damaged}-wal", f"{copy}-wal")
    pages = max(1, damaged.stat().st_size // page_bytes)
    # Places as in sqlite.org/fileformat2.html 1.3: magic, page size, WAL for writing and reading, fixed fractions.
    header = bytearray(
        b"SQLite format 3\0" + page_bytes.to_bytes(2, "big") + bytes([2, 2, 0, 64, 32, 32]) + bytes(HEADER_BYTES - 24)
    )
    # The change counter, and its value when the size was written: SQLite believes the size where both are the same.
    header[24:28] = header[92:96] = (1).to_bytes(4, "big")
    header[28:32] = pages.to_bytes(4, "big")
    # Schema cookie, and schema format 4, which SQLite writes today.
    header[40:48] = (1).to_bytes(4, "big") + (4).to_bytes(4, "big")
    header[56:60] = (1).to_bytes(4, "big")  # UTF-8
    # The SQLite that is said to have written it last, 3.40.1.
    header[96:100] = (3_040_001).to_bytes(4, "big")
    with open(copy, "r+b") as file:
        file.write(header)
    copy.chmod(0o600)


def _tables(conn: sqlite3.Connection) -> list[str]:
    # Without alembic_version: the new file has its own row, of the same version.
    names = conn.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY rowid")
    return [name for (name,) in names if not name.startswith("sqlite_") and name != "alembic_version"]


def _columns(conn: sqlite3.Connection, table: str) -> list[str]:
    return [row[1] for row in conn.execute(f'PRAGMA table_info("{table}")')]


def _copy(old: sqlite3.Connection, new: sqlite3.Connection, table: str) -> int:
    """The rows of one table that came over."""
    there = set(_columns(old, table))
    columns = [name for name in _columns(new, table) if name in there]
    names, marks = ", ".join(f'"{name}"' for name in columns), ", ".join("?" * len(columns))
    copied = 0
    for row in _rows(old, table, names):
        with contextlib.suppress(sqlite3.IntegrityError):
            copied += new.execute(f'INSERT OR IGNORE INTO "{table}" ({names}) VALUES ({marks})', row).rowcount
    return copied


def _rows(old: sqlite3.Connection, table: str, names: str) -> Iterator[Sequence[Any]]:
    """The rows that can be read, by their number."""
    # A statement for each row: a cursor over all of them ends for good at the first damaged page.
    query = f'SELECT rowid, {names} FROM "{table}" WHERE rowid > ? ORDER BY rowid LIMIT 1'
    after = -1
    while after < FARTHEST:
        try:
            row = old.execute(query, (after,)).fetchone()
        except sqlite3.Error:
            readable = _next_readable(old, query, after)
            if readable is None:
                return
            after = readable
            continue
        if row is None:
            return
        after = row[0]
        yield row[1:]


def _next_readable(old: sqlite3.Connection, query: str, after: int) -> int | None:
    """The least number, found by halving, after which something can be read, or nothing is left; None: not any."""
    # Doubling, then halving: thousands of rows may be lost at once, and each look is a query.
    step = 1
    while not _reads(old, query, after + step):
        step *= 2
        if step > FARTHEST:
            return None
    low, high = after + step // 2, after + step
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if _reads(old, query, middle) else (middle, high)
    return high


def _reads(old: sqlite3.Connection, query: str, after: int) -> bool:
    try:
        old.execute(query, (after,)).fetchone()
    except sqlite3.Error:
        return False
    return True


def _mend(new: sqlite3.Connection) -> None:
    """What points at lost rows points at others, or goes: chats whose own row is lost get a new one."""
    new.execute("DELETE FROM cells WHERE sweep_id NOT IN (SELECT id FROM sweeps)")
    lost = new.execute(
        "SELECT owner, chat_id, min(seq), min(created_at), max(created_at) FROM messages"
        " WHERE chat_id NOT IN (SELECT id FROM chats) GROUP BY owner, chat_id"
    ).fetchall()
    for owner, chat_id, _first, began, used in lost:
        title = _first_words(new, chat_id)
        new.execute(
            "INSERT INTO chats (id, owner, title, created_at, updated_at) VALUES (?, ?, ?, ?, ?)",
            (chat_id, owner, title, began, used),
        )
    new.execute(
        "UPDATE chats SET head = (SELECT id FROM messages WHERE chat_id = chats.id AND deleted_at IS NULL"
        " ORDER BY seq DESC LIMIT 1) WHERE head IS NULL OR head NOT IN (SELECT id FROM messages)"
    )


def _first_words(new: sqlite3.Connection, chat_id: str) -> str:
    kept_apart = new.execute("SELECT 1 FROM pragma_table_info('messages') WHERE name = 'text_id'").fetchone()
    # Before migration 0016 a message had its text in its own row.
    said = _KEPT_APART if kept_apart else "content FROM messages WHERE content IS NOT NULL"
    found = new.execute(f"SELECT {said} AND chat_id = ? ORDER BY seq LIMIT 1", (chat_id,)).fetchone()
    return " ".join(str(found[0]).split())[:TITLE_CHARACTERS] if found else ""


def _titles(new: sqlite3.Connection) -> dict[str, list[str]]:
    titles: dict[str, list[str]] = defaultdict(list)
    query = "SELECT owner, title FROM chats WHERE deleted_at IS NULL ORDER BY updated_at DESC"
    for owner, title in new.execute(query):
        titles[owner].append(title)
    return dict(titles)
