"""Who is alive on PostgreSQL, how many connections readers take, and what binds a migration."""

import socket
import threading
import time
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import SQLAlchemyError

from lib.calls import records
from lib.core.errors import StoreError, StoreGone
from lib.store import engines, migrations, process_lock
from lib.store.database import Store
from tests.store_fixtures import a_call, calls_of, start


def only_postgresql(url: str) -> None:
    if not url.startswith("postgresql"):
        pytest.skip("about PostgreSQL")


def seems_dead(store: Store) -> set[str]:
    return store.read(lambda db: records.dead_processes(db, "somebody else"))


def test_a_reconnect_does_not_make_a_living_process_look_dead(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    only_postgresql(url)
    monkeypatch.setattr(process_lock, "ID", "another process")
    other = Store.open(url)
    monkeypatch.undo()
    store = Store.open(url)
    call = a_call()
    store.write(lambda db: records.start_call(db, call, process_lock.ID)).result(20)
    monkeypatch.setattr(process_lock, "ID", "another process")
    assert seems_dead(other) == set()
    monkeypatch.undo()
    mine = "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND pid <> pg_backend_pid()"
    other.write(lambda db: db.execute(text(mine)).all()).result(20)
    assert not store.write(lambda db: None).exception(20)  # the lock comes first, then the write
    monkeypatch.setattr(process_lock, "ID", "another process")
    assert seems_dead(other) == set()
    monkeypatch.undo()
    other.write(lambda db: db.execute(text(mine)).all()).exception(20)
    end = time.monotonic() + 10
    monkeypatch.setattr(process_lock, "ID", "another process")
    while seems_dead(other):
        assert time.monotonic() < end, "the lock was not taken again by itself"
    monkeypatch.undo()
    store.close()
    other.close()


def test_readers_are_bounded_and_wait_for_their_turn(store: Store) -> None:
    inside, seen, changed, go, problems = [0], [0], threading.Condition(), threading.Event(), []

    def work(db: object) -> None:
        with changed:
            inside[0] += 1
            seen[0] += 1
            changed.notify_all()
        go.wait(20)
        with changed:
            inside[0] -= 1

    def look() -> None:
        try:
            store.read(work)
        except Exception as problem:
            problems.append(problem)

    threads = [threading.Thread(target=look) for _ in range(3 * engines.READERS)]
    for thread in threads:
        thread.start()
    with changed:
        assert changed.wait_for(lambda: inside[0] == engines.READERS, 20)
        assert not changed.wait_for(lambda: inside[0] > engines.READERS, 0.5)
    go.set()
    for thread in threads:
        thread.join(30)
    assert seen[0] == len(threads) and not problems


def test_a_migration_may_take_longer_than_a_statement(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    only_postgresql(url)
    limits: list[object] = []
    upgrade = migrations.upgrade

    def look(conn: object, *more: object) -> None:
        limits.append(conn.execute(text("SHOW statement_timeout")).scalar())  # type: ignore[attr-defined]
        upgrade(conn, *more)  # type: ignore[arg-type]

    monkeypatch.setattr(migrations, "upgrade", look)
    store = Store.open(url)
    assert limits == ["0"]
    assert store.write(lambda db: db.execute(text("SHOW statement_timeout")).scalar()).result(20) == "30s"
    store.close()


def test_a_locked_database_can_be_opened_and_read(tmp_path: Path) -> None:
    import sqlite3

    url = f"sqlite:///{tmp_path / 't.db'}"
    first = Store.open(url)
    start(first, a_call())
    first.close()
    other = sqlite3.connect(tmp_path / "t.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    store = Store.open(url, lock_seconds=0.5)
    assert len(store.read(lambda db: calls_of(db, "ann"))) == 1
    waits: list[int] = []
    for _ in range(3):
        assert isinstance(store.write(lambda db: None).exception(20), StoreError)
        driver = store._writer.raw_connection()
        waits += driver.cursor().execute("PRAGMA busy_timeout").fetchone()
        driver.close()
    assert waits == [500, 250, 250], "once it is said that the database is locked, nobody waits long for it"
    assert store.trouble is not None and store.trouble.kind == "store_locked"
    other.close()
    assert not store.write(lambda db: None).exception(20) and store.trouble is None
    store.close()


def test_a_server_that_takes_connections_and_says_nothing_is_away() -> None:
    """As one that is ending, or cut off: its sweeps wait for it, and don't end."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        engine = create_engine(f"postgresql+psycopg://ada@127.0.0.1:{port}/none", connect_args={"connect_timeout": 2})
        with pytest.raises(SQLAlchemyError) as late:
            engine.connect()
    assert type(engines.store_error(late.value)) is StoreGone


def test_whatever_psycopg_calls_a_connection_that_is_none_the_server_is_away() -> None:
    kinds = [one for one in vars(psycopg.errors).values() if isinstance(one, type) and issubclass(one, Exception)]
    nameless = [one for one in kinds if issubclass(one, psycopg.OperationalError) and one.sqlstate is None]
    assert psycopg.errors.ConnectionTimeout in nameless
    assert {type(engines.store_error(one("no answer"))) for one in nameless} == {StoreGone}
