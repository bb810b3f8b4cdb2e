"""The database: one thread that writes, any number of readers; SQLite or PostgreSQL by URL.

    store = Store.open("sqlite:////home/me/.local/share/tempera/tempera.db")
    store.write(lambda db: calls.start_call(db, call, process)).result()   # on disk when this returns
    turns = store.read(lambda db: chats.open_branch(db, owner, chat_id))
    store.close()

Writes that wait at the same time share one transaction (group commit). Each is a savepoint of its own: when one
fails, only its caller hears of it. A write is acknowledged after the COMMIT, which waits for the disk.
"""

import asyncio
import contextlib
import secrets
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, Self, TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from lib.core.errors import StoreError
from lib.core.i18n import Notice
from lib.store import engines, upgrade
from lib.store.process_lock import ProcessLock

MOST_WRITES = 256
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Write:
    work: Callable[[Connection], Any]
    done: "Future[Any]"


@dataclass(frozen=True, slots=True)
class _Result:
    value: Any = None
    error: BaseException | None = None


class Store:
    """An open database. `durable` is False where it is in memory only; `notice` says what opening it had to mend, and
    `upgraded` that it was brought from an older form to today's."""

    upgraded: Notice = Notice()

    def __init__(
        self, writer: Engine, readers: Engine, durable: bool, notice: str = "", hold: ProcessLock | None = None
    ) -> None:
        self.durable, self.notice = durable, notice
        self._writer, self._readers, self._hold = writer, readers, hold
        self._queue: SimpleQueue[_Write | None] = SimpleQueue()
        self._lock = threading.Lock()
        self._closed = False
        self._thread = threading.Thread(target=self._work, name="store", daemon=True)
        self._thread.start()

    @classmethod
    def open(cls, url: str, folder: Path | None = None) -> Self:
        """Open the database at `url`, bringing its tables up to date; raises StoreError where that can't be done.
        `folder` is for the copy of an older database that is no file, which is made before it is changed."""
        parsed = engines.database_url(url)
        if parsed.drivername != "sqlite":
            return cls._opened(*engines.postgresql_engines(parsed), durable=True, folder=folder)
        if parsed.database in (None, "", ":memory:"):
            return cls.in_memory()
        return cls._open_file(Path(str(parsed.database)).absolute())

    @classmethod
    def in_memory(cls) -> Self:
        """A store that lasts as long as it is open."""
        return cls._opened(*engines.memory_engines(secrets.token_hex(8)), durable=False)

    @classmethod
    def _open_file(cls, path: Path) -> Self:
        hold = None
        try:
            notice = engines.prepare_file(path)
            hold = ProcessLock(path)
            return cls._opened(*engines.sqlite_engines(path), durable=True, notice=notice, hold=hold, path=path)
        except BaseException as problem:
            if hold is not None:
                hold.release()
            if isinstance(problem, OSError | sqlite3.Error):
                raise engines.store_error(problem) from problem
            raise

    @classmethod
    def _opened(
        cls,
        writer: Engine,
        readers: Engine,
        durable: bool,
        notice: str = "",
        hold: ProcessLock | None = None,
        path: Path | None = None,
        folder: Path | None = None,
    ) -> Self:
        try:
            upgraded = upgrade.bring_up_to_date(writer, path, folder)
        except Exception as problem:
            writer.dispose()
            raise engines.store_error(problem) from problem
        store = cls(writer, readers, durable, notice, hold)
        store.upgraded = upgraded
        return store

    def write(self, work: Callable[[Connection], T]) -> "Future[T]":
        """Queue `work` for the writing thread; never waits. The future holds its result once that is on disk.

        It raises StoreError when the database refused, and whatever else `work` raised. A queued write can't be
        taken back. `work` may run twice, when a neighbour's failure ended the transaction.
        """
        done: Future[T] = Future()
        done.set_running_or_notify_cancel()
        with self._lock:
            if self._closed:
                done.set_exception(StoreError("The database is closed."))
            else:
                self._queue.put(_Write(work, done))
        return done

    async def submit(self, work: Callable[[Connection], T]) -> T:
        """`write` for coroutines: the loop goes on while the disk works."""
        return await asyncio.wrap_future(self.write(work))

    def read(self, work: Callable[[Connection], T]) -> T:
        """The result of `work` on a consistent, read-only view of the data; raises StoreError."""
        try:
            with self._readers.connect() as conn, conn.begin():
                return work(conn)
        except SQLAlchemyError as problem:
            raise engines.store_error(problem) from problem

    def close(self) -> None:
        """Write what is queued, then let go of the database. Later writes are refused; a second close does nothing."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            self._queue.put(None)
        self._thread.join()
        self._readers.dispose()
        self._writer.dispose()
        if self._hold is not None:
            self._hold.release()

    def _work(self) -> None:
        going_on = True
        while going_on:
            batch, going_on = self._take()
            self._settle(batch)

    def _take(self) -> tuple[list[_Write], bool]:
        """The writes that wait, at least one unless it is time to go; whether more may come."""
        batch: list[_Write] = []
        write = self._queue.get()
        with contextlib.suppress(Empty):
            while write is not None:
                batch.append(write)
                if len(batch) == MOST_WRITES:
                    break
                write = self._queue.get_nowait()
        return batch, write is not None

    def _settle(self, batch: list[_Write]) -> None:
        """Run a batch in one transaction and tell each caller how its write ended."""
        if not batch:
            return
        attempted = False
        try:
            with self._writer.begin() as conn:
                results = [_attempt(conn, write.work) for write in batch]
                attempted = True
        except BaseException as problem:
            if len(batch) > 1 and not attempted:
                for write in batch:
                    self._settle([write])
                return
            results = [_Result(error=engines.store_error(problem))] * len(batch)
        for write, result in zip(batch, results, strict=True):
            _tell(write.done, result)


def _attempt(conn: Connection, work: Callable[[Connection], Any]) -> _Result:
    """Run one write in its savepoint. Raises when its error has ended the whole transaction."""
    savepoint = conn.begin_nested()
    try:
        value = work(conn)
        savepoint.commit()
        return _Result(value)
    except BaseException as problem:
        try:
            savepoint.rollback()
        except SQLAlchemyError:
            raise problem from None  # a full disk makes SQLite roll everything back, savepoints included
        return _Result(error=engines.store_error(problem) if isinstance(problem, SQLAlchemyError) else problem)


def _tell(done: "Future[Any]", result: _Result) -> None:
    if result.error is None:
        done.set_result(result.value)
    else:
        done.set_exception(result.error)
