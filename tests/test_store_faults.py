"""Five faults of the store, at the start and while it runs: the right sentence, nothing lost, nothing sent twice."""

import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from lib.store.database import Store
from lib.ui.shared import resources
from tests.fake_api import FakeApi
from tests.pages import ROOT, bodies, chat_titles, choose_model, new_tab, shown, standing
from tests.store_fixtures import a_call, calls_of, start

ROOT_ONLY = pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="needs root to mount")


@contextmanager
def small_disk(folder: Path, size: str = "8m") -> Iterator[Path]:
    """A file system of its own at `folder`."""
    folder.mkdir(exist_ok=True)
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "none", folder], capture_output=True)
    if mounted.returncode:
        pytest.skip(f"no file system can be mounted here: {mounted.stderr.decode().strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


def fill(folder: Path) -> Path:
    """Take all room that is left."""
    filler = folder / "filler"
    with open(filler, "ab", buffering=0) as file:
        for size in (2**20, 4096, 512, 64, 1):
            try:
                while file.write(bytes(size)):
                    pass
            except OSError:
                continue
    return filler


@pytest.fixture
def database(service: FakeApi, data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TEMPERA_LOCK_SECONDS", "0.1")
    return data_dir / "tempera.db"


def tab(**query: str) -> AppTest:
    """A tab of one and the same visitor."""
    app = AppTest.from_file(str(ROOT / "lib" / "ui" / "main.py"), default_timeout=60)
    for name, value in query.items():
        app.query_params[name] = value
    return app.run()


def ask(app: AppTest, words: str) -> AppTest:
    app.chat_input(key="chat_input").set_value(words).run()
    assert not app.exception, app.exception
    return app


def listed(app: AppTest) -> list[str]:
    return chat_titles(app.run())


def test_locked_while_running_and_at_the_start(database: Path, api: FakeApi) -> None:
    ask(tab(), "before")
    other = sqlite3.connect(database, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    # A slow answer: the page runs anew by itself when it has ended, and what was said has to be there still.
    app = ask(choose_model(tab(), "slow-50"), "while locked")
    assert "Another program keeps the database locked" in shown(app) and "You said: while locked" in shown(app)
    assert "This chat goes on in memory" in shown(app.run()) and len(bodies(api)) == 2
    assert "gone when you leave it" not in shown(app)
    resources.close()
    second = tab()  # a new start, locked all the same: what was saved is there to be read
    assert "before" in listed(second) and "Another program keeps the database locked" in shown(second)
    ask(second, "again")
    other.execute("ROLLBACK")
    other.close()
    assert "You said: again" in shown(second.run())
    assert listed(second)[0] == "again" and "locked" not in shown(second.run())
    assert len(bodies(api)) == 3
    resources.close()
    assert {"before", "again"} <= set(listed(tab()))


@pytest.mark.row("C18")
def test_what_a_press_in_the_list_asks_for_while_it_is_locked_is_refused_in_a_sentence(database: Path) -> None:
    app = ask(tab(), "before")
    menu = f"chat_menu_{app.session_state['open_chat']}"
    app.menu_button(key=menu).click("rename").run()
    with closing(sqlite3.connect(database, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        next(field for field in app.text_input if field.label == "Title").set_value("Never")
        for press in (
            lambda: app.button(key="chat_rename_keep").click(),
            lambda: app.menu_button(key=menu).click("delete"),
        ):
            press().run()
            assert "Another program keeps the database locked" in shown(app) and "number" not in shown(app)
            assert "You said: before" in shown(app) and chat_titles(app) == ["before"]
    assert "chat_undelete" not in {one.key for one in app.run().button}


def test_read_only_while_running(database: Path, api: FakeApi) -> None:
    app = ask(tab(), "before")
    store = resources.services().store
    store.write(lambda db: db.exec_driver_sql("PRAGMA query_only=ON")).result()
    ask(app, "while read-only")
    assert "The database can only be read" in shown(app) and "You said: while read-only" in shown(app)
    driver: Any = store._writer.raw_connection()
    driver.driver_connection.execute("PRAGMA query_only=OFF")
    driver.close()
    app.run()
    assert "can only be read" not in shown(app.run()) and "You said: while read-only" in shown(app)
    assert listed(app) == ["before · echo", "before · echo"] and len(bodies(api)) == 2


def test_deleted_while_running_is_written_anew_with_everything_in_it(database: Path, api: FakeApi) -> None:
    app = ask(tab(), "before")
    for part in ("", "-wal", "-shm"):
        Path(f"{database}{part}").unlink(missing_ok=True)
    ask(app, "after")
    assert "You said: after" in shown(app) and "was deleted while Tempera ran. It was written anew" in shown(app.run())
    while "written anew" in shown(app):  # twice, where the files went one by one while the first answer was written
        app.button(key="store_notice_read").click().run()
    resources.close()
    kept = sqlite3.connect(database)
    assert kept.execute("SELECT state FROM calls").fetchall() == [("ok",), ("ok",)]
    kept.close()
    assert len(bodies(api)) == 2


def test_whichever_of_the_files_is_deleted_at_whatever_moment_nothing_written_is_lost(
    tmp_path: Path, subtests: pytest.Subtests
) -> None:
    """`rm tempera.db*` takes the files one after another, and Tempera may write or read in between."""
    orders = [("", "-wal"), ("", "-shm"), ("-wal", "-shm"), ("-shm", "")]
    for (first, second), moment in product(orders, ["read", "write", "write read"]):
        with subtests.test(first=first, second=second, moment=moment):
            path = tmp_path / f"{first},{second},{moment}.db"
            store = Store.open(f"sqlite:///{path}")
            written = 0
            for step in f"write read rm{first} {moment} rm{second} read write read write read".split():
                if step == "write":
                    start(store, a_call())
                    written += 1
                elif step == "read":
                    assert len(store.read(lambda db: calls_of(db, "ann"))) == written
                else:
                    Path(f"{path}{step.removeprefix('rm')}").unlink(missing_ok=True)
            assert store.trouble is None
            assert {one.kind for one in store.notices} == {"store_restored"}
            store.close()
            kept = sqlite3.connect(path)
            assert kept.execute("SELECT count(*) FROM calls").fetchone() == (written,)
            kept.close()


def test_what_is_deleted_before_it_is_open_again_is_put_back_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "tempera.db"
    store = Store.open(f"sqlite:///{path}")
    start(store, a_call())
    note_files, times = Store._note_files_anew, 3

    def deleted(store: Store) -> None:
        nonlocal times
        if times:
            times -= 1
            path.unlink()
        note_files(store)

    monkeypatch.setattr(Store, "_note_files_anew", deleted)
    path.unlink()
    start(store, a_call())
    assert not times and store.trouble is None
    store.close()
    with closing(sqlite3.connect(path)) as anybody:
        assert anybody.execute("SELECT count(*) FROM calls").fetchone() == (2,)
    assert not [*tmp_path.glob("*.kept"), *tmp_path.glob("*.anew")]


def test_what_is_deleted_while_it_is_put_back_is_put_back_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "tempera.db"
    store = Store.open(f"sqlite:///{path}")
    start(store, a_call())
    note_files, others = Store._note_files, []

    def too_late(store: Store) -> None:
        if not others and not any(store._inodes):
            Path(f"{path}-wal").unlink()
            others.append(sqlite3.connect(path, check_same_thread=False))
            others[0].execute("SELECT count(*) FROM calls").fetchone()  # a reader: makes another -wal
        note_files(store)

    monkeypatch.setattr(Store, "_note_files", too_late)
    path.unlink()
    for _ in range(3):
        start(store, a_call())
    assert others
    with closing(sqlite3.connect(path)) as anybody:
        assert anybody.execute("SELECT count(*) FROM calls").fetchone() == (4,)
    others[0].close()
    store.close()


def test_deleted_between_two_starts_is_said(database: Path, api: FakeApi) -> None:
    ask(tab(), "before")
    resources.close()
    database.unlink()
    app = tab()
    assert "tempera.db was not there any more" in shown(app) and listed(app) == []


def spoil(database: Path) -> None:
    """Overwrite pages in the middle of the file."""
    with open(database, "r+b") as file:
        file.seek(0, os.SEEK_END)
        pages = file.tell() // 4096
        file.seek(4096 * (pages // 2))
        file.write(b"\xff" * 4096 * 3)


def test_damaged_at_the_start_what_can_be_read_comes_back(database: Path, subtests: pytest.Subtests) -> None:
    app = tab()
    for number in range(6):
        ask(app, f"chat {number} " + "word-" * 2000)
        app.button(key="chat_new").click().run()
    resources.close()
    whole = database.read_bytes()
    for how in ("middle", "header", "text"):
        for left in filter(Path.is_file, database.parent.glob("tempera.db*")):
            left.unlink()
        database.write_bytes(b"not a database\n" * 999 if how == "text" else whole)
        if how == "middle":
            spoil(database)
        elif how == "header":
            database.write_bytes(b"\0" * 100 + whole[100:])
        with subtests.test(how):
            app = tab()
            assert "The database was damaged. It is kept as tempera.db.broken-" in shown(app)
            back = [label for label in listed(app) if label.startswith("chat ")]
            assert how != "header" or len(back) == 6
            if how == "middle":
                assert back and f"{len(back)} chats came back" in [one.label for one in app.get("expander")]
            ask(app, "goes on")
            assert "You said: goes on" in shown(app)
        resources.close()


def test_damaged_while_running_is_mended_and_goes_on(database: Path, api: FakeApi) -> None:
    app = tab()
    for number in range(6):
        ask(app, f"chat {number} " + "word-" * 2000)
        app.button(key="chat_new").click().run()
    store = resources.services().store
    store.write(lambda db: None).result()
    with closing(sqlite3.connect(database)) as other:
        other.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    with open(database, "r+b") as file:
        file.seek(4096)
        size = database.stat().st_size
        file.write(b"\xff" * (size - 4096))
    store._readers.dispose()
    app = tab()
    app.run()
    assert "The database was damaged. It is kept as" in shown(app)
    ask(app, "goes on")
    assert "You said: goes on" in shown(app) and len(bodies(api)) == 7


@ROOT_ONLY
def test_full_in_the_middle_of_a_sweep_nothing_is_lost_and_nothing_is_asked_twice(
    service: FakeApi, api: FakeApi, data_dir: Path
) -> None:
    data_dir.mkdir(exist_ok=True)
    with small_disk(data_dir):
        app = new_tab("sweep", models="echo", prompt="Praise tea. " * 50, temperatures="0,0.7", repeats="20")
        filler = fill(data_dir)
        app.button(key="sweep_run").click().run()
        assert "The disk is full" in shown(app) and bodies(api) == []
        filler.unlink()
        app.button(key="sweep_run").click().run()
        fill(data_dir)
        wait(app)
        assert standing(app).startswith("40 answers") and len(bodies(api)) == 40
        waiting = len(resources.services().dispatcher.outcomes)
        assert waiting and "answers wait to be saved" in shown(app) and "The disk is full" in shown(app)
        assert not [one for one in app.button if one.key == "sweep_resume"]
        resources.close()
        filler.unlink()
        again = new_tab("sweep")
        store = resources.services().store
        states = store.read(lambda db: db.exec_driver_sql("SELECT state FROM calls").scalars().all())
        assert states == ["ok"] * 40, states
        assert len(resources.services().dispatcher.outcomes) == 0 and not again.exception
        resources.close()


def wait(app: AppTest) -> None:
    """Wait until the open sweep has ended."""
    running = resources.services().sweeps.running(str(app.session_state["open_sweep"]))
    assert running is None or running.wait_until_finished(60)
    assert not app.run().exception


@ROOT_ONLY
def test_full_at_the_start_is_a_sentence_and_calls_still_run(service: FakeApi, api: FakeApi, data_dir: Path) -> None:
    data_dir.mkdir(exist_ok=True)
    with small_disk(data_dir, "6m"):
        ask(tab(), "before")
        resources.close()
        fill(data_dir)
        app = ask(tab(), "while full")
        assert "The disk is full" in shown(app) and "You said: while full" in shown(app)
        resources.close()
        (data_dir / "filler").unlink()
        assert "before" in listed(tab())
        resources.close()


@ROOT_ONLY
def test_full_at_the_very_first_start_is_a_sentence(service: FakeApi, api: FakeApi, data_dir: Path) -> None:
    data_dir.mkdir(exist_ok=True)
    with small_disk(data_dir, "1m"):
        fill(data_dir)
        app = ask(tab(), "hello")
        assert "The disk is full" in shown(app) and "kept in memory only" in shown(app)
        assert "You said: hello" in shown(app)
        resources.close()


@ROOT_ONLY
def test_read_only_at_the_start(service: FakeApi, api: FakeApi, data_dir: Path) -> None:
    data_dir.mkdir(exist_ok=True)
    with small_disk(data_dir):
        ask(tab(), "before")
        resources.close()
        subprocess.run(["mount", "-o", "remount,ro", data_dir], check=True)
        app = ask(tab(), "while read-only")
        assert "can only be read" in shown(app) and "You said: while read-only" in shown(app)
        resources.close()


LIMITED = """
import resource, sys
from lib.core.errors import StoreFull
from lib.store.database import Store
from tests.store_fixtures import a_call, calls_of, start
store = Store.open(sys.argv[1])
resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))
count = 0
try:
    while True:
        start(store, a_call(text="x" * 5000))
        count += 1
except StoreFull as full:
    print(count, type(store.trouble).__name__)
"""


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such limit")
def test_a_limit_on_the_size_of_files_is_a_full_disk(tmp_path: Path) -> None:
    command = [sys.executable, "-c", LIMITED, f"sqlite:///{tmp_path / 't.db'}"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    count, trouble = done.stdout.split() or ("0", done.stderr)
    assert int(count) > 5 and trouble == "StoreFull"
    kept = sqlite3.connect(tmp_path / "t.db")
    assert kept.execute("SELECT count(*) FROM calls").fetchone() == (int(count),)
    kept.close()
