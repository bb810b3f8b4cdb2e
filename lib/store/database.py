"""The database: one thread that writes, any number of readers; SQLite or PostgreSQL by URL.

    store = Store.open("sqlite:////home/me/.local/share/tempera/tempera.db")
    store.write(lambda db: calls.start_call(db, call, process)).result()   # on disk when this returns
    turns = store.read(lambda db: chats.open_branch(db, owner, chat_id))
    store.close()

Writes that wait at the same time share one transaction (group commit). When one fails, all are done again, each in a
transaction of its own, so that only its caller hears of it. A write is acknowledged after the COMMIT, which waits for
the disk.
"""

import asyncio
import contextlib
import logging
import os
import secrets
import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, Self, TypeVar, cast

from sqlalchemy import URL, Connection, Engine, text
from sqlalchemy.exc import SQLAlchemyError

from lib.core.errors import StoreDamaged, StoreError, StoreGone, StoreRefused, StoreRestored
from lib.core.i18n import Notice
from lib.store import engines, process_lock, upgrade
from lib.store.process_lock import AdvisoryLock, ProcessLock

MOST_WRITES = 256
COMPANY_SECONDS = 0.005
"""So long a patient write waits for others: in a sweep, where a call ends the next one begins."""
LOCK_SECONDS = 2.0
"""How long a write waits for another program's lock; how calls ended is tried again, so nobody need wait longer."""
TROUBLED_SECONDS = 0.25
"""How long one waits while the last one could not be had: it is said already."""
WRITERS_LOCK = 7306933019
"""Any number, the same in every version: it names the lock in PostgreSQL that the writing process holds."""
_WRITING = text("SELECT pg_advisory_xact_lock(:key)")
PARTS = ("", "-wal", "-shm")
"""What SQLite keeps an open database in, by how the files' names end."""
MOST_TIMES = 9
"""How often in a row the file is put back; whoever deletes it more often means it."""
NONE_OF_OURS = -1
"""Stands for a file that can't be where it was opened."""
log = logging.getLogger(__name__)
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Write:
    work: Callable[[Connection], Any]
    done: "Future[Any] | asyncio.Future[Any]"
    patient: bool = False


@dataclass(frozen=True, slots=True)
class _Result:
    value: Any = None
    error: BaseException | None = None


class Store:
    """An open database. `durable` is False where it is in memory only; `notices` say what had to be mended, `trouble`
    why nothing can be written at present, and `upgraded` that it was brought from an older form to today's."""

    upgraded: Notice = Notice()
    lock_seconds: float = LOCK_SECONDS

    def __init__(
        self,
        writer: Engine,
        readers: Engine,
        durable: bool,
        notice: StoreError | None = None,
        hold: ProcessLock | AdvisoryLock | None = None,
        path: Path | None = None,
    ) -> None:
        self.durable, self.notices = durable, [] if notice is None else [notice]
        self.trouble: StoreError | None = None
        self._writer, self._readers, self._hold = writer, readers, hold
        self._kept: Connection | None = None
        self._waits: float | None = None
        """For so many seconds the kept connection waits for another program's lock; None: nobody has told it."""
        self._path = path
        self._inodes = [0] * len(PARTS)
        self._note_files()
        self._queue: SimpleQueue[_Write | None] = SimpleQueue()
        self._lock = threading.Lock()
        self._closed = False
        # One thread writes, however many ask: SQLite takes one writer at a time, and our queue has no timeout.
        self._thread = threading.Thread(target=self._work, name="store", daemon=True)
        self._thread.start()

    @classmethod
    def open(cls, url: str, folder: Path | None = None, lock_seconds: float = LOCK_SECONDS) -> Self:
        """Open the database at `url`, bringing its tables up to date; raises StoreError where that can't be done.
        `folder` is for the copy of an older database that is no file, which is made before it is changed;
        `lock_seconds` is how long a write waits while another program has a file locked."""
        parsed = engines.database_url(url)
        if parsed.drivername != "sqlite":
            return cls._open_server(parsed, folder)
        if parsed.database in (None, "", ":memory:"):
            return cls.in_memory()
        store = cls._open_file(Path(str(parsed.database)).absolute())
        store.lock_seconds = lock_seconds
        return store

    @classmethod
    def in_memory(cls) -> Self:
        """A store that lasts as long as it is open."""
        return cls._opened(*engines.memory_engines(secrets.token_hex(8)), durable=False)

    @classmethod
    def _open_server(cls, url: URL, folder: Path | None) -> Self:
        try:
            # First of all: a process that is about to change the tables looks for others by this lock.
            hold = AdvisoryLock(url)
        except SQLAlchemyError as problem:
            raise engines.store_error(problem) from problem
        try:
            return cls._opened(*engines.postgresql_engines(url), durable=True, hold=hold, folder=folder)
        except BaseException:
            hold.release()
            raise

    @classmethod
    def _open_file(cls, path: Path) -> Self:
        hold = None
        try:
            notice = engines.prepare_file(path)
            # After the look at the file: the lock's folder is what tells that a missing file was here before.
            hold = ProcessLock(path)
            return cls._opened(*engines.sqlite_engines(path), durable=True, notice=notice, hold=hold, path=path)
        # KeyboardInterrupt too: a lock left behind would pass for a living process as long as this one lives.
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
        notice: StoreError | None = None,
        hold: ProcessLock | AdvisoryLock | None = None,
        path: Path | None = None,
        folder: Path | None = None,
    ) -> Self:
        try:
            upgraded = upgrade.bring_up_to_date(writer, readers, path, folder)
        except Exception as problem:
            writer.dispose()
            readers.dispose()
            raise engines.store_error(problem) from problem
        store = cls(writer, readers, durable, notice, hold, path)
        store.upgraded = upgraded
        return store

    def write(self, work: Callable[[Connection], T]) -> "Future[T]":
        """Queue `work` for the writing thread; never waits. The future holds its result once that is on disk.

        It raises StoreError when the database refused, and whatever else `work` raised. A queued write can't be
        taken back. `work` may run twice, when a neighbour has failed.
        """
        done: Future[T] = Future()
        done.set_running_or_notify_cancel()
        self._add(_Write(work, done))
        return done

    def submit(self, work: Callable[[Connection], T], patient: bool = False) -> "asyncio.Future[T]":
        """`write` for coroutines, which wait for its future on their loop. Whoever gives up waiting takes nothing back
        either. A `patient` write waits a moment for others to come, as a commit takes longer than most writes."""
        done: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._add(_Write(work, done, patient))
        return done

    def _add(self, write: _Write) -> None:
        # The same lock as in `close`: a write that is queued behind its last mark would never be answered.
        with self._lock:
            if self._closed:
                write.done.set_exception(StoreError("The database is closed."))
            else:
                self._queue.put(write)

    def read(self, work: Callable[[Connection], T]) -> T:
        """The result of `work` on a consistent, read-only view of the data; raises StoreError."""
        files = tuple(self._inodes)
        try:
            if self._moved():
                self.write(_look_at_the_file)  # what is open still reads; the writing thread sees to the rest
            with self._readers.connect() as conn, conn.begin():
                return work(conn)
        except SQLAlchemyError as problem:
            # Asked first: a reader that finds the files' remains may take them for a damaged database, and the writing
            # thread may have put others in their place meanwhile, or be about to: then none are known.
            being_put = self._path is not None and not files[0]
            other_files = being_put or self._moved() or tuple(self._inodes) != files
            look = _look_at_the_file if other_files else _say_it_is_damaged
            if not other_files and not engines.is_damage(problem):
                raise engines.store_error(problem) from problem
        # By the writing thread, as only one may change engines and files; a reader here waits for it.
        self.write(look).exception()  # mended by now, if it can be
        try:
            with self._readers.connect() as conn, conn.begin():
                return work(conn)
        except SQLAlchemyError as problem:
            raise engines.store_error(problem) from problem

    @property
    def on_server(self) -> bool:
        """Whether it is on a database server, where several processes work on it."""
        return isinstance(self._hold, AdvisoryLock)

    def has_company(self) -> bool:
        """Whether another living process has it open. Raises StoreError."""
        return self.read(lambda db: upgrade.others_have_it_open(db, self._path))

    def close(self) -> None:
        """Write what is queued, then let go of the database. Later writes are refused; a second close does nothing."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            self._queue.put(None)
        self._thread.join()
        self._see_to_the_file()
        # The writer's connection is closed last: a reader that is the last one can't take the -wal file away.
        self._readers.dispose()
        self._let_go()
        self._writer.dispose()
        if self._hold is not None:
            # Last: without it others count this process as dead, and close its calls as interrupted.
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
                write = self._queue.get(timeout=COMPANY_SECONDS if write.patient else 0)
        return batch, write is not None

    def _settle(self, batch: list[_Write], again: bool = False) -> None:
        """Run a batch in one transaction and tell each caller how its write ended."""
        if not batch:
            return
        begun = attempted = False
        try:
            if isinstance(self._hold, AdvisoryLock):
                self._hold.recheck()  # before anything else after a reconnect: others look at it
            with self._connected() as conn, self._begun(conn):
                begun = True
                self._note_files()
                results = [_Result(write.work(conn)) for write in batch]
                attempted = True
        except BaseException as problem:
            at_work = begun and not attempted
            # Each alone, as a savepoint for each would take longer than most writes. Not where BEGIN itself failed:
            # every one of them would wait for the lock anew.
            if len(batch) > 1 and at_work:
                for write in batch:
                    self._settle([write])
                return
            its_own = at_work and not isinstance(problem, SQLAlchemyError)
            results = [_Result(error=problem if its_own else engines.store_error(problem))] * len(batch)
        moved = self._moved()
        damaged = not moved and any(engines.is_damage(result.error) for result in results if result.error)
        if damaged and not again and self._mend_damage():
            self._settle(batch, again=True)
            return
        self._note_health(results)
        # Before anybody is told: what went into a file that is deleted has to be in the new one by then.
        if moved:
            self._see_to_the_file()
        _tell_all((write.done, result) for write, result in zip(batch, results, strict=True))

    def _note_health(self, results: list[_Result]) -> None:
        """Remember why nothing can be written, until something can."""
        if any(result.error is None for result in results):
            self.trouble = None
            return
        for result in results:
            # These are about the statement (a broken constraint), not about the state of the database.
            if isinstance(result.error, StoreError) and type(result.error) not in (StoreError, StoreRefused):
                self.trouble = result.error

    @contextlib.contextmanager
    def _connected(self) -> Iterator[Connection]:
        """The connection that writes; for the writing thread."""
        if self.on_server:
            with self._writer.connect() as conn:  # the pool sees to it that it still stands
                yield conn
            return
        # Kept: to take it from the pool and give it back takes as long as what a call has to write.
        self._kept = self._kept or self._writer.connect()
        try:
            yield self._kept
        except BaseException:
            self._let_go()
            raise

    def _let_go(self) -> None:
        """Give the connection that writes back to its pool, which has one only."""
        if self._kept is not None:
            kept, self._kept, self._waits = self._kept, None, None
            kept.close()

    @contextlib.contextmanager
    def _begun(self, conn: Connection) -> Iterator[None]:
        """A transaction. While another program holds the database, it waits the shorter for it. In PostgreSQL one
        process writes after the other, as with SQLite."""
        if self._path is not None:
            seconds = self.lock_seconds if self.trouble is None else min(TROUBLED_SECONDS, self.lock_seconds)
            # On the driver's own connection, and not by a listener: BEGIN IMMEDIATE is what waits, and SQLAlchemy 2.1
            # puts no listener of "begin" before another, whatever `insert` says.
            if seconds != self._waits:
                driver = cast(sqlite3.Connection, conn.connection.driver_connection)
                driver.execute(f"PRAGMA busy_timeout={round(1000 * seconds)}")
                self._waits = seconds
        with conn.begin():
            if self.on_server:
                # Batches of two processes would else take the same rows (sums of calls, texts) in another order, and
                # wait for each other.
                conn.execute(_WRITING, {"key": WRITERS_LOCK})
            yield

    def _note_files(self) -> None:
        """Note which files are ours, in the moment in which they are known to be."""
        if self._path is not None and not all(self._inodes):
            now = _inodes(self._path)
            self._inodes = [known or found for known, found in zip(self._inodes, now, strict=True)]

    def _note_files_anew(self) -> None:
        """Note the files of a database that was just put there. Somebody may be deleting its -wal this moment, and a
        reader making another: then nothing is ours, and what is open counts as moved away."""
        assert self._path is not None
        # Held open, so that its number is given to no other file. Only the -wal: closing one that SQLite locks (the
        # database, its -shm) would take SQLite's own lock away.
        held = os.open(f"{self._path}-wal", os.O_CREAT, os.stat(self._path).st_mode & 0o777)
        try:
            # Reading opens the -wal and -shm of a file that was just put there; before that there is nothing to note.
            with contextlib.closing(self._writer.raw_connection()) as conn:
                conn.cursor().execute("SELECT count(*) FROM sqlite_master").fetchone()
                self._note_files()
            if not all(self._inodes) or self._inodes[1] != os.fstat(held).st_ino:
                self._inodes = [NONE_OF_OURS] * len(PARTS)
        finally:
            os.close(held)

    def _moved(self) -> bool:
        """Whether any of the files is not where it was opened."""
        if self._path is None:
            return False
        return any(known not in (0, now) for known, now in zip(self._inodes, _inodes(self._path), strict=True))

    def _see_to_the_file(self) -> None:
        """Where the file was deleted under us, write it anew: the open connection still reads it all. Where somebody
        put another one in its place, use that."""
        # More than once: `rm tempera.db*` takes what was just put there, too.
        for _ in range(MOST_TIMES):
            if self._path is None or not self._moved() or not self._put_or_take(self._path):
                return

    def _put_or_take(self, path: Path) -> bool:
        """Put our file back where it was deleted, or take the one that is there; whether that could be done."""
        self._let_go()
        try:
            # Ours without its -wal is as good as deleted: what was written last is in no file that others find.
            if _inodes(path)[0] in (0, self._inodes[0]):
                with contextlib.closing(self._writer.raw_connection()) as conn:
                    draft = engines.written_anew(cast(sqlite3.Connection, conn.driver_connection), path)
                # SQLite removes -wal and -shm by their names when it closes: so before the new file is there.
                self._reconnect()
                for part in ("-wal", "-shm"):
                    Path(f"{path}{part}").unlink(missing_ok=True)
                self._put(draft, path)
                self.notices.append(StoreRestored())
            else:
                self._reconnect()
                self._note_files_anew()
        except (OSError, sqlite3.Error, SQLAlchemyError) as problem:
            log.warning("the database file is gone and can't be written anew: %s", problem)
            self.trouble = StoreGone(str(problem))
            return False
        return True

    def _put(self, draft: Path, path: Path) -> None:
        """Put the file `draft` at `path` and open it. Whoever deletes it there before it is open leaves its second
        name."""
        with engines.second_name(draft) as kept:
            for _ in range(MOST_TIMES):
                draft.replace(path)
                # A reader may have opened the old file meanwhile, and would read it for good.
                self._readers.dispose()
                try:
                    return self._note_files_anew()
                except (OSError, sqlite3.Error, SQLAlchemyError):
                    if path.exists() or not kept.exists():
                        raise
                    os.link(kept, draft)
            raise FileNotFoundError(path)

    def _mend_damage(self) -> bool:
        """Set the damaged file aside and go on with what can be read of it; False while others have it open."""
        # Others would go on writing into the file that was moved away.
        if self._path is None or process_lock.living(self._path) - {process_lock.ID}:
            return False
        # Connections first: the file is renamed, and what is open would follow it under its new name.
        self._reconnect()
        try:
            self.notices.append(engines.replace_damaged(self._path))
            upgrade.bring_up_to_date(self._writer, self._readers, self._path)
        except Exception as problem:
            log.warning("the damaged database can't be replaced: %s", problem)
            return False
        self._note_files_anew()
        return True

    def _reconnect(self) -> None:
        self._let_go()
        self._writer.dispose()
        self._readers.dispose()
        self._inodes = [0] * len(PARTS)


def _look_at_the_file(conn: Connection) -> None:
    """A write that writes nothing: after each, the file is seen to."""


def _say_it_is_damaged(conn: Connection) -> None:
    raise StoreDamaged


def _inodes(path: Path) -> list[int]:
    """What tells the files of one database from others in the same place; 0 where there is none."""
    return [_inode(f"{path}{part}") for part in PARTS]


def _inode(path: str) -> int:
    try:
        return os.stat(path).st_ino
    except OSError:
        return 0


def _tell_all(told: "Iterable[tuple[Future[Any] | asyncio.Future[Any], _Result]]") -> None:
    on_loops: dict[asyncio.AbstractEventLoop, list[tuple[asyncio.Future[Any], _Result]]] = {}
    for done, result in told:
        if isinstance(done, asyncio.Future):
            on_loops.setdefault(done.get_loop(), []).append((done, result))
        else:
            _tell(done, result)
    for loop, some in on_loops.items():
        with contextlib.suppress(RuntimeError):  # it is closed, and nobody waits there any more
            loop.call_soon_threadsafe(_tell_those_who_wait, some)  # once for all: each time the loop is woken


def _tell_those_who_wait(told: "list[tuple[asyncio.Future[Any], _Result]]") -> None:
    for done, result in told:
        if not done.done():
            _tell(done, result)


def _tell(done: "Future[Any] | asyncio.Future[Any]", result: _Result) -> None:
    if result.error is None:
        done.set_result(result.value)
    else:
        done.set_exception(result.error)
