"""The store: durable, exactly once, and never the reason why an answer is lost."""

import ast
import asyncio
import contextlib
import os
import re
import sqlite3
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, event, insert, select, text

from bench.stored_bytes import measure
from lib.calls import records
from lib.core.errors import StoreError
from lib.store import database, engines, migrations, process_lock, schema
from lib.store.database import Store
from tests.store_fixtures import ROOT, a_call, calls_of, start, writer_process


def put(db: Connection, name: str, value: object = 1) -> None:
    db.execute(insert(schema.settings).values(owner="ann", name=name, value=value))


def names(db: Connection) -> list[str]:
    query = select(schema.settings.c.name).where(schema.settings.c.owner == "ann").order_by(schema.settings.c.name)
    return list(db.execute(query).scalars())


def test_an_acknowledged_write_is_there_after_reopening(url: str) -> None:
    first = Store.open(url)
    first.write(lambda db: put(db, "a")).result(20)
    first.close()
    second = Store.open(url)
    assert second.read(names) == ["a"] and second.durable and not second.notices
    second.close()


def test_one_failed_write_neither_spoils_its_neighbours_nor_stops_the_thread(store: Store) -> None:
    go = threading.Event()
    blocked = store.write(lambda db: go.wait(10))
    good = store.write(lambda db: put(db, "a"))
    bad = store.write(lambda db: db.execute(text("INSERT INTO nowhere VALUES (1)")))

    def half_done(db: Connection) -> None:
        put(db, "half")
        raise KeyError("a bug")

    bug = store.write(half_done)
    also_good = store.write(lambda db: put(db, "b"))
    go.set()
    assert blocked.result(20)
    with pytest.raises(StoreError) as refused:
        bad.result(20)
    assert "nowhere" in refused.value.original
    with pytest.raises(KeyError):
        bug.result(20)
    good.result(20), also_good.result(20)
    assert store.read(names) == ["a", "b"]


def test_waiting_writes_share_one_commit(tmp_path: Path) -> None:
    store = Store.open(f"sqlite:///{tmp_path / 't.db'}")
    commits = []
    event.listen(store._writer, "commit", lambda conn: commits.append(1))
    go = threading.Event()
    futures = [store.write(lambda db: go.wait(10))]
    futures += [store.write(lambda db, name=f"{n:03}": put(db, name)) for n in range(100)]
    go.set()
    for future in futures:
        future.result(20)
    assert len(store.read(names)) == 100 and len(commits) <= 3
    store.close()


def test_a_patient_write_shares_the_commit_of_one_that_comes_soon_after(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "COMPANY_SECONDS", 20.0)
    store = Store.open(f"sqlite:///{tmp_path / 't.db'}")
    commits = []
    event.listen(store._writer, "commit", lambda conn: commits.append(1))

    async def both() -> None:
        patient = store.submit(lambda db: put(db, "a"), patient=True)
        while not store._queue.empty():
            await asyncio.sleep(0)
        await store.submit(lambda db: put(db, "b"))
        await patient

    asyncio.run(both())
    assert store.read(names) == ["a", "b"] and len(commits) == 1
    store.close()


def test_a_transaction_ended_by_one_write_is_run_again_without_it(tmp_path: Path) -> None:
    """A full disk makes SQLite roll back everything: the neighbours must not be acknowledged and lost."""
    store = Store.open(f"sqlite:///{tmp_path / 't.db'}")
    go = threading.Event()
    store.write(lambda db: go.wait(10))
    good = store.write(lambda db: put(db, "a"))

    def fatal(db: Connection) -> None:
        db.exec_driver_sql("ROLLBACK")
        raise OSError("disk full")

    bad = store.write(fatal)
    also_good = store.write(lambda db: put(db, "b"))
    go.set()
    good.result(20), also_good.result(20)
    with pytest.raises((StoreError, OSError), match=r"disk full|Nothing can be saved"):
        bad.result(20)
    assert store.read(names) == ["a", "b"]
    store.close()


def test_a_full_disk_is_an_error_for_its_caller_and_reading_goes_on(tmp_path: Path) -> None:
    store = Store.open(f"sqlite:///{tmp_path / 't.db'}")
    store.write(lambda db: put(db, "a")).result(20)
    store.write(lambda db: db.exec_driver_sql("PRAGMA max_page_count=1")).result(20)
    full = store.write(lambda db: put(db, "b", "x" * 100_000))
    with pytest.raises(StoreError, match=r".*") as refused:
        full.result(20)
    assert "full" in refused.value.original and "xxx" not in refused.value.original
    assert store.read(names) == ["a"]
    store.write(lambda db: db.exec_driver_sql("PRAGMA max_page_count=100000")).result(20)
    store.write(lambda db: put(db, "c")).result(20)
    assert store.read(names) == ["a", "c"]
    store.close()


@pytest.mark.parametrize("url", ["postgresql"], indirect=True)
def test_what_the_server_refuses_is_said_in_a_sentence_of_its_own(store: Store, subtests: pytest.Subtests) -> None:
    """Each by the server itself, which tells by its SQLSTATE what it is about."""

    def failing(statement: str) -> StoreError:
        with pytest.raises(StoreError) as refused:
            store.write(lambda db: db.exec_driver_sql(statement)).result(20)
        return refused.value

    raised = "DO $$ BEGIN RAISE EXCEPTION 'its own words' USING ERRCODE = '{code}'; END $$"
    for statement, kind, words in (
        ("SET LOCAL statement_timeout = 5; SELECT pg_sleep(5)", "store_busy", "statement timeout"),
        ("SELECT pg_terminate_backend(pg_backend_pid())", "store_gone", "terminating connection"),
        (raised.format(code="53100"), "store_full", "its own words"),
        (raised.format(code="53300"), "store_busy", "its own words"),
        (raised.format(code="42501"), "store_read_only", "its own words"),
        (raised.format(code="40P01"), "store_refused", "its own words"),
        ("SELECT no_such_column", "store_refused", "no_such_column"),
    ):
        with subtests.test(statement=statement):
            error = failing(statement)
            assert error.kind == kind and words in error.original
            assert "folder" not in error.message and words not in error.sentence()
    assert store.write(lambda db: 1).result(20) == 1 and store.trouble is None


def test_readers_cannot_write(store: Store) -> None:
    with pytest.raises(StoreError):
        store.read(lambda db: put(db, "a"))


def test_close_writes_what_is_queued_and_refuses_what_comes_later(url: str) -> None:
    store = Store.open(url)
    queued = [store.write(lambda db, name=f"{n:03}": put(db, name)) for n in range(50)]
    store.close()
    store.close()
    assert all(future.done() and not future.exception() for future in queued)
    with pytest.raises(StoreError):
        store.write(lambda db: put(db, "late")).result(20)
    again = Store.open(url)
    assert len(again.read(names)) == 50
    again.close()


def test_a_cancelled_coroutine_does_not_take_its_write_back(store: Store) -> None:
    go = threading.Event()

    async def cancelled() -> None:
        blocked = store.write(lambda db: go.wait(10))
        task = store.submit(lambda db: put(db, "a"))
        await asyncio.sleep(0)
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        go.set()
        await asyncio.wrap_future(blocked)
        await store.submit(lambda db: None)

    asyncio.run(cancelled())
    assert store.read(names) == ["a"]


@pytest.mark.parametrize("kind", ["memory", "file"])
def test_many_threads_read_while_one_writes(kind: str, tmp_path: Path) -> None:
    store = Store.in_memory() if kind == "memory" else Store.open(f"sqlite:///{tmp_path / 't.db'}")
    assert store.durable is (kind == "file")
    problems: list[BaseException] = []
    end = threading.Event()

    def look() -> None:
        try:
            while not end.is_set():
                found = store.read(names)
                assert len(found) % 2 == 0, "half a transaction was seen"
        except BaseException as problem:
            problems.append(problem)

    def both(db: Connection, n: int) -> None:
        put(db, f"{n:04}a")
        put(db, f"{n:04}b")

    threads = [threading.Thread(target=look) for _ in range(4)]
    for thread in threads:
        thread.start()
    for n in range(100):
        store.write(lambda db, n=n: both(db, n)).result(20)
    end.set()
    for thread in threads:
        thread.join(20)
    assert not problems and len(store.read(names)) == 200
    store.close()


def test_two_stores_in_memory_are_strangers() -> None:
    one, two = Store.in_memory(), Store.in_memory()
    one.write(lambda db: put(db, "a")).result(20)
    assert two.read(names) == []
    one.close(), two.close()


def test_the_set_up_is_the_durable_one(tmp_path: Path) -> None:
    store = Store.open(f"sqlite:///{tmp_path / 't.db'}")
    asked = ("journal_mode", "synchronous", "busy_timeout", "foreign_keys", "trusted_schema", "mmap_size")

    def ask(db: Connection) -> list[object]:
        return [db.exec_driver_sql(f"PRAGMA {name}").scalar() for name in asked]

    assert store.write(ask).result(20) == ["wal", 2, 2000, 1, 0, 0]
    assert store.read(lambda db: db.exec_driver_sql("PRAGMA query_only").scalar()) == 1
    store.close()


@pytest.mark.row("T26")
@pytest.mark.skipif(os.name == "nt", reason="Windows has no such modes")
def test_files_are_the_owners_alone(tmp_path: Path) -> None:
    previous = os.umask(0o000)
    try:
        store = Store.open(f"sqlite:///{tmp_path / 'data' / 'tempera.db'}")
        store.write(lambda db: put(db, "a")).result(20)
        store.read(names)
        found = list((tmp_path / "data").rglob("*"))
        assert {path.name for path in found} >= {"tempera.db", "tempera.db-wal", "tempera.db-shm"}
        for path in [tmp_path / "data", *found]:
            assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path
        store.close()
    finally:
        os.umask(previous)


def _valid(path: Path) -> None:
    store = Store.open(f"sqlite:///{path}")
    store.write(lambda db: put(db, "a", "x" * 50_000)).result(20)
    store.close()


def _damage(path: Path, how: str) -> None:
    whole = path.read_bytes()
    damaged = {
        "text": b"this is not a database\n" * 100,
        "header": b"\xff" * 100 + whole[100:],
        "middle": whole[:4096] + b"\xff" * 8192 + whole[12288:],
        "cut": whole[: len(whole) // 2],
    }
    path.write_bytes(damaged[how])


@pytest.mark.parametrize("how", ["text", "header", "middle", "cut"])
def test_a_damaged_file_is_kept_aside_and_a_new_one_begun(how: str, tmp_path: Path) -> None:
    path = tmp_path / "t.db"
    _valid(path)
    _damage(path, how)
    damaged = path.read_bytes()
    store = Store.open(f"sqlite:///{path}")
    [kept] = tmp_path.glob("t.db.broken-*")
    assert kept.name in str(store.notices[0]) and kept.read_bytes() == damaged
    store.write(lambda db: put(db, "b")).result(20)
    assert set(store.read(names)) in ({"b"}, {"a", "b"})
    store.close()


def test_an_empty_file_is_a_new_database(tmp_path: Path) -> None:
    (tmp_path / "t.db").touch()
    store = Store.open(f"sqlite:///{tmp_path / 't.db'}")
    assert not store.notices and store.read(names) == []
    store.close()


def test_a_damaged_file_that_a_living_process_uses_stays_where_it_is(tmp_path: Path) -> None:
    path = tmp_path / "t.db"
    _valid(path)
    holder = writer_process(f"sqlite:///{path}", "hold")
    assert holder.stdout.readline()
    with open(path, "r+b") as file:
        file.write(b"\xff" * 100)
    for part in ("-wal", "-shm"):
        path.with_name(path.name + part).unlink()
    with pytest.raises(StoreError):
        Store.open(f"sqlite:///{path}")
    assert path.exists() and not list(tmp_path.glob("*.broken-*"))
    holder.kill(), holder.rest()


def test_a_place_that_cannot_be_written_is_an_error_for_the_page(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for place in (tmp_path / "file" / "t.db", tmp_path):
        with pytest.raises(StoreError) as refused:
            Store.open(f"sqlite:///{place}")
        assert refused.value.original


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="has to become somebody else")
def test_a_folder_without_write_permission_is_an_error(tmp_path: Path) -> None:
    code = (
        "import os; from lib.core.errors import StoreError; from lib.store.database import Store; os.setuid(65534)\n"
        f"try: Store.open('sqlite:///{tmp_path / 't.db'}')\n"
        "except StoreError as refused: print(refused.original)"
    )
    tmp_path.chmod(0o555)
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert "Permission denied" in done.stdout


@pytest.mark.row("T20")
@pytest.mark.parametrize("url", ["", "mysql://x/y", "no url", "postgresql://nobody@127.0.0.1:1/none"])
def test_a_wrong_url_is_an_error_without_the_url_in_it(url: str) -> None:
    with pytest.raises(StoreError):
        Store.open(url)


def test_a_locked_database_fails_the_write_after_a_while_and_reading_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engines, "_SETUP", ("PRAGMA busy_timeout=1000",))
    store = Store.open(f"sqlite:///{tmp_path / 't.db'}")
    store.write(lambda db: put(db, "a")).result(20)
    other = sqlite3.connect(tmp_path / "t.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    waiting = store.write(lambda db: put(db, "b"))
    assert store.read(names) == ["a"] and not waiting.done()
    with pytest.raises(StoreError) as refused:
        waiting.result(20)
    assert "locked" in refused.value.original
    other.execute("COMMIT")
    other.close()
    store.write(lambda db: put(db, "c")).result(20)
    assert store.read(names) == ["a", "c"]
    store.close()


def test_nul_surrogates_and_huge_numbers_are_stored_as_they_can_be(store: Store) -> None:
    value = {"text": "a\0b\ud800c\ud83d\ude00", "count": 10**30, "least": -(10**30), "nan": float("nan"), "on": True}
    store.write(lambda db: put(db, "x\0\udfff", value)).result(20)
    query = select(schema.settings.c.name, schema.settings.c.value).where(schema.settings.c.owner == "ann")
    [(name, kept)] = store.read(lambda db: db.execute(query).all())
    assert name == "x\ufffd\ufffd"
    assert kept["text"] == "a\ufffdb\ufffdc\N{GRINNING FACE}"
    assert (kept["count"], kept["least"], kept["nan"], kept["on"]) == (2**63 - 1, -(2**63), None, True)


def test_the_newest_migration_is_the_one_alembic_finds() -> None:
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(migrations.FOLDER))
    assert ScriptDirectory.from_config(config).get_heads() == [migrations.NEWEST]


def test_the_migrations_make_the_tables_that_the_house_uses(store: Store) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    wanted = [schema.metadata, schema.passing] if store.on_server else schema.metadata

    def differences(db: Connection) -> list[object]:
        found: list[object] = compare_metadata(MigrationContext.configure(db), wanted)
        return found

    assert store.read(differences) == []


def test_what_tests_make_at_once_is_what_the_migrations_make(started_once: Path, tmp_path: Path) -> None:
    """Most tests' new files are made as tests/cheaper.py does it."""
    Store.open(f"sqlite:///{tmp_path / 't.db'}").close()
    dumps = []
    for file in (started_once / "tempera.db", tmp_path / "t.db"):
        with contextlib.closing(sqlite3.connect(file)) as conn:
            tables = conn.execute("SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY name").fetchall()
            dumps.append((tables, conn.execute("SELECT * FROM alembic_version").fetchall()))
    assert dumps[0] == dumps[1] and len(dumps[0][0]) > 20


def test_a_start_with_nothing_to_do_is_quick_and_needs_no_alembic(tmp_path: Path) -> None:
    _valid(tmp_path / "t.db")
    code = (
        "import sys, time; from lib.store.database import Store; began = time.process_time()\n"
        f"Store.open('sqlite:///{tmp_path / 't.db'}').close()\n"
        "print(time.process_time() - began, 'alembic' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    seconds, imported = done.stdout.split()
    assert float(seconds) < 0.15 and imported == "False"


def test_a_database_from_a_later_version_is_refused_and_kept(url: str) -> None:
    store = Store.open(url)
    store.write(lambda db: db.execute(text("UPDATE alembic_version SET version_num = '9999'"))).result(20)
    store.close()
    with pytest.raises(StoreError):
        Store.open(url)


def test_several_processes_may_open_a_new_database_at_once(url: str) -> None:
    writers = [writer_process(url, "hold") for _ in range(2)]
    assert all(writer.stdout.readline().strip() for writer in writers)
    for writer in writers:
        writer.rest()
        assert writer.poll() == 0
    store = Store.open(url)
    assert len(store.read(lambda db: calls_of(db, "ann"))) == 2
    store.close()


def test_a_living_process_keeps_its_calls_and_a_dead_one_loses_them(url: str) -> None:
    store = Store.open(url)
    own = start(store, a_call())
    other = writer_process(url, "hold")
    theirs = other.stdout.readline().strip()

    def sweep() -> int:
        return store.write(lambda db: records.interrupt_orphans(db, process_lock.ID)).result(20)

    assert sweep() == 0
    other.kill(), other.rest()
    for _ in _until(10):
        if sweep() == 1:
            break
    states = {call.id: (call.state, call.billed) for call in store.read(lambda db: calls_of(db, "ann"))}
    assert states == {own.id: ("started", "unknown"), theirs: ("interrupted", "unknown")}
    store.close()


def _until(seconds: float) -> Iterator[None]:
    """Turns of a loop that waits for PostgreSQL to notice a closed connection."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        yield
    raise AssertionError(f"not within {seconds} s")


def kill_loop(url: str, kills: int) -> None:
    """Kill a writing process again and again; what it was told is on disk has to be there."""
    started: set[str] = set()
    finished: set[str] = set()
    for kill in range(kills):
        writer = writer_process(url, "loop")
        lines = [writer.stdout.readline() for _ in range(10 + 37 * kill % 101)]
        writer.kill()
        for line in lines + writer.rest().splitlines():
            match = re.fullmatch(r"(started|ok) ([0-9a-f]{32})", line.strip())
            if match:
                (started if match[1] == "started" else finished).add(match[2])
    store = Store.open(url)
    store.write(lambda db: records.interrupt_orphans(db, process_lock.ID)).result(20)
    found = {call.id: call for call in store.read(lambda db: calls_of(db, "ann", limit=10**6))}
    assert started <= found.keys() and len(finished) > kills
    assert all(found[call_id].state == "ok" for call_id in finished)
    assert {call.state for call in found.values()} == {"ok", "interrupted"}
    assert store.read(lambda db: db.execute(text("PRAGMA integrity_check")).scalar()) == "ok"
    store.close()


@pytest.mark.soak
def test_kill_9_loses_no_acknowledged_row(tmp_path: Path) -> None:
    kill_loop(f"sqlite:///{tmp_path / 't.db'}", 5)


@pytest.mark.soak
def test_kill_9_many_times_loses_no_acknowledged_row(tmp_path: Path) -> None:
    kill_loop(f"sqlite:///{tmp_path / 't.db'}", 120)


OWNED = re.compile(r"\b(select|update|delete)\(")
NAMES = (
    "calls|chats|messages|settings|shared_links|plans|cells|answers|texts|message_nodes|images"
    "|usage_models|usage_sessions|usage_days|usage_places|usage_quarters"
)
TABLES = re.compile(rf"\b({NAMES})\.c\b|\(({NAMES})\)")


@pytest.mark.row("T13")
def test_every_statement_on_a_visitors_rows_names_the_owner() -> None:
    """Or it says, in a comment `any owner: why`, that no visitor's id can come there."""
    seen, silent = 0, []
    for path in sorted((ROOT / "lib").rglob("*.py")):
        source = path.read_text(encoding="utf-8")
        lines = source.splitlines()
        for node in ast.walk(ast.parse(source)):
            if not isinstance(node, ast.Assign | ast.AnnAssign | ast.Return | ast.Expr | ast.AugAssign):
                continue
            code = "\n".join(lines[node.lineno - 1 : node.end_lineno])
            if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
                continue
            if OWNED.search(code) and TABLES.search(code):
                seen += 1
                if not re.search(r"\bowner\b", code) and "any owner:" not in "".join(
                    lines[node.lineno - 3 : node.lineno]
                ):
                    silent.append(f"{path.name}:{node.lineno}")
    assert seen > 15 and silent == []


def test_a_chat_takes_at_most_three_bytes_on_disk_for_each_of_its_text(tmp_path: Path) -> None:
    found = measure(tmp_path, 100)
    assert found.size <= 3 * found.text, (found, "the empty file counts too")
