"""Detects which app processes are alive, by locks that the system releases when a process ends.

A process holds a lock as long as its store is open: a locked file beside an SQLite file, an advisory lock in
PostgreSQL. Neither a reused process id, nor a changed clock, nor a sleeping computer can make a lock lie, as they
can a pid or a heartbeat.

filelock 4.3 would save the two versions of `lock_file`, ten lines: it opens, keeps and closes the locked file itself,
while looking whether a process lives (lock the file, remove it, let go) and the fallback file (which reads and writes
what it locks) need the open file; and where a file system has no flock it falls back, unless told not to, to a pid in
a file.
"""

import contextlib
import hashlib
import os
import secrets
import sys
import threading
from pathlib import Path
from typing import IO, Any

from sqlalchemy import URL, Connection, create_engine, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool

ID = secrets.token_hex(16)
"""This process."""
RECHECK_SECONDS, RECONNECT_SECONDS = 2.0, 0.5
DEAD_SECONDS = 10.0
"""A process without its lock may be reconnecting; one that has none after so long is dead."""

if sys.platform == "win32":
    import msvcrt

    def lock_file(file: IO[bytes] | int) -> None:
        """Take the lock of an open file until it is closed; raises OSError while another process has it."""
        # One byte from where the file stands, the first one of a file that was just opened.
        msvcrt.locking(file if isinstance(file, int) else file.fileno(), msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def lock_file(file: IO[bytes] | int) -> None:
        """Take the lock of an open file until it is closed; raises OSError while another process has it."""
        # Not lockf: a POSIX lock belongs to the process. `living` would not see our own, and its closing of the file
        # after the look would drop it.
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


class ProcessLock:
    """A locked file that says: this process has the database at `path` open. Sweeps away what dead ones left."""

    def __init__(self, path: Path) -> None:
        folder = _folder(path)
        folder.mkdir(mode=0o700, exist_ok=True)
        living(path)
        self._file, self._path = _locked(folder)

    def release(self) -> None:
        """Give the lock up."""
        with contextlib.suppress(OSError):  # Windows can't remove a file that is open
            self._path.unlink()
        self._file.close()


class AdvisoryLock:
    """A lock in a PostgreSQL database that says: this process has it open. It is held by a connection of its own; where
    that breaks, a new one takes the lock again, at once when `recheck` is called, which the writer does before each
    write. Raises SQLAlchemyError where the server can't be reached."""

    def __init__(self, url: URL) -> None:
        # A server that is gone without a word is noticed after 10 + 3 * 5 seconds, not after the system's two hours.
        limits: dict[str, Any] = {
            "connect_timeout": 10,
            "keepalives_idle": 10,
            "keepalives_interval": 5,
            "keepalives_count": 3,
        }
        # The other way round: a machine that is cut off counts as dead, and not as living for two hours.
        limits |= {"options": "-c tcp_keepalives_idle=5 -c tcp_keepalives_interval=3 -c tcp_keepalives_count=2"}
        self._key = advisory_key(ID)
        # AUTOCOMMIT: the lock is the session's, and a transaction that stays open for days keeps PostgreSQL from
        # cleaning up.
        self._engine = create_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT", connect_args=limits)
        # The writing thread and the watching one both recheck, and only one may open the new connection.
        self._lock = threading.Lock()
        self._conn: Connection | None = None
        self._ended = threading.Event()
        self.recheck()
        self._thread = threading.Thread(target=self._watch, name="liveness", daemon=True)
        self._thread.start()

    def recheck(self) -> None:
        """See that the lock is held, and take it where it is not; raises SQLAlchemyError where that can't be done."""
        with self._lock:
            if self._ended.is_set():
                return
            try:
                if self._conn is not None:
                    self._conn.execute(text("SELECT 1"))
                    return
            except SQLAlchemyError:
                self._drop()
            conn = self._engine.connect()
            try:
                # Shared: the server may still count the broken session as a holder, which an exclusive one would wait
                # for.
                conn.execute(text("SELECT pg_advisory_lock_shared(:key)"), {"key": self._key})
            except SQLAlchemyError:
                conn.close()
                raise
            self._conn = conn

    def release(self) -> None:
        """Give the lock up."""
        self._ended.set()
        # The thread first: it would find the connection gone and take the lock again.
        self._thread.join()
        with self._lock:
            self._drop()
        self._engine.dispose()

    def _watch(self) -> None:
        wait = RECHECK_SECONDS
        while not self._ended.wait(wait):
            try:
                self.recheck()
                wait = RECHECK_SECONDS
            except SQLAlchemyError:
                wait = RECONNECT_SECONDS

    def _drop(self) -> None:
        if self._conn is not None:
            with contextlib.suppress(SQLAlchemyError):
                self._conn.invalidate()
                self._conn.close()
            self._conn = None


def living(path: Path) -> set[str]:
    """The ids of the processes that have the database at `path` open; lock files of dead ones are removed."""
    return {file.name.partition(".")[0] for file in _folder(path).glob("*.lock") if _is_held(file)}


def was_open(path: Path) -> bool:
    """Whether the database at `path` was opened in this place before."""
    return _folder(path).exists()


def is_alive(conn: Connection, process: str) -> bool:
    """Whether `process` has this connection's database open."""
    if process == ID:
        return True
    if conn.dialect.name == "postgresql":
        # Exclusive, so that it fails while the process holds its shared one; given back with this transaction.
        query = text("SELECT pg_try_advisory_xact_lock(:key)")
        return not conn.execute(query, {"key": advisory_key(process)}).scalar()
    path = conn.engine.url.database
    return path is not None and process in living(Path(path))


def advisory_key(process: str) -> int:
    """The 64-bit number that stands for `process` among PostgreSQL's advisory locks."""
    return int.from_bytes(hashlib.sha256(process.encode()).digest()[:8], "big", signed=True)


def _folder(path: Path) -> Path:
    return path.with_name(path.name + "-running")


def _locked(folder: Path) -> tuple[IO[bytes], Path]:
    while True:
        path = folder / f"{ID}.{secrets.token_hex(4)}.lock"
        file = open(path, "xb", opener=_private)  # noqa: SIM115
        try:
            lock_file(file)
            # Another process that sweeps may have taken the file for a dead one's before the lock was on.
            if path.exists():
                return file, path
        except OSError:
            pass
        file.close()


def _is_held(path: Path) -> bool:
    try:
        with open(path, "r+b") as file:
            # Whoever gets the lock may remove the file: its process has ended, and names are never used again.
            lock_file(file)
            with contextlib.suppress(OSError):
                path.unlink()
            return False
    except FileNotFoundError:
        return False
    except OSError:
        return True


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
