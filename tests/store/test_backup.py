"""Everything as one file and back, from either database into either; what happens before an older one is changed."""

import gzip
import logging
import os
import shutil
import signal
import sqlite3
from collections import namedtuple
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from lib.calls import records
from lib.chat import repository as chats
from lib.core.errors import NotRestored, NotUpgraded, StoreError
from lib.store import backup, engines, migrations, process_lock, schema, upgrade
from lib.store.database import Store
from tests.forked import ForkedInPipes
from tests.kept_sums import differences
from tests.postgresql import new_database, server_url
from tests.store_fixtures import a_call, an_outcome, start, writer_process

OLD = gzip.decompress((Path(__file__).parents[1] / "cases" / "store-0004.db.gz").read_bytes())


def rows(store: Store) -> dict[str, Any]:
    """All rows of all tables."""
    return {
        table.name: sorted(str(row) for row in store.read(lambda db, t=table: db.execute(select(t)).all()))
        for table in schema.metadata.sorted_tables
    }


def filled(store: Store) -> str:
    """A chat with a question, a picture and an answer, a call in progress, and a setting; the chat's id."""

    def work(db: Any) -> str:
        chat = chats.new_chat(db, "local", "A chat")
        question = chats.add_message(db, "local", chat, None, "user", "Why? 你好", ["data:image/png;base64,aa"])
        call = a_call("local", text="Why? 你好")
        records.start_call(db, call, process_lock.ID)
        chats.add_answers(db, "local", chat, question, call.id, 1)
        records.finish_call(db, call.id, an_outcome("Because."))
        db.execute(schema.settings.insert().values(owner="local", name=chat, value={"a": [1, None]}))
        return chat

    return store.write(work).result(20)


def texts(store: Store, chat: str) -> list[str]:
    return [turn.text for turn in store.read(lambda db: chats.open_branch(db, "local", chat))]


def test_a_backup_brings_everything_back_on_either_database(store: Store, tmp_path: Path) -> None:
    chat = filled(store)
    start(store, a_call("local", text="in progress"))
    file, before = tmp_path / "backup.db", rows(store)
    backup.save(store, file)
    assert file.stat().st_mode & 0o777 == 0o600 and not list(tmp_path.glob("*.partial"))

    store.write(lambda db: chats.erase(db, "local", chat)).result(20)
    later = filled(store)
    kept = backup.restore(store, file, tmp_path)

    after = rows(store)
    assert {name: after[name] for name in before if name != "calls"} == {n: before[n] for n in before if n != "calls"}
    assert texts(store, chat) == ["Why? 你好", "Because."] and texts(store, later) == []
    assert store.write(lambda db: records.interrupt_orphans(db, process_lock.ID)).result(20) == 1
    assert store.read(differences) == []
    assert filled(store) and texts(store, chat)  # the numbers of new rows go on after the restored ones
    backup.restore(store, kept, tmp_path)
    assert texts(store, later) == ["Why? 你好", "Because."] and texts(store, chat) == []


def test_a_backup_of_one_database_is_restored_into_the_other(store: Store, tmp_path: Path) -> None:
    chat, file = filled(store), tmp_path / "backup.db"
    backup.save(store, file)
    for other in (Store.open(f"sqlite:///{tmp_path / 'other.db'}"), Store.in_memory()):
        filled(other)
        backup.restore(other, file, tmp_path)
        assert rows(other) == rows(store) and texts(other, chat)
        backup.save(other, file)
        other.close()
    backup.restore(store, file, tmp_path)
    assert texts(store, chat) == ["Why? 你好", "Because."]


def test_a_backup_of_an_older_version_is_brought_to_todays_tables(store: Store, tmp_path: Path) -> None:
    (tmp_path / "old.db").write_bytes(OLD)
    backup.restore(store, tmp_path / "old.db", tmp_path)
    assert len(store.read(lambda db: chats.chats_of(db, "local"))) > 30 and store.read(differences) == []
    assert (tmp_path / "old.db").read_bytes() == OLD


def test_what_is_no_whole_backup_changes_nothing(store: Store, tmp_path: Path) -> None:
    chat, file = filled(store), tmp_path / "backup.db"
    backup.save(store, file)
    whole, before = file.read_bytes(), rows(store)
    later = tmp_path / "later.db"
    shutil.copyfile(file, later)
    with sqlite3.connect(later) as conn:
        conn.execute("UPDATE alembic_version SET version_num = '9999'")
    conn.close()
    sqlite3.connect(tmp_path / "empty.db").close()
    for name, content in (
        ("text", b"no database at all" * 100),
        ("empty", b""),
        ("cut", whole[: len(whole) // 2]),
        ("middle", whole[:8192] + b"\xff" * 8192 + whole[16384:]),
        ("later", later.read_bytes()),
    ):
        file.write_bytes(content)
        with pytest.raises(NotRestored):
            backup.restore(store, file, tmp_path)
        assert rows(store) == before, name
    assert texts(store, chat)


def test_nothing_is_restored_under_another_living_process(store: Store, url: str, tmp_path: Path) -> None:
    """It would go on with chats and calls that are gone."""
    filled(store)
    file, holder = tmp_path / "backup.db", writer_process(url, "hold")
    assert holder.stdout.readline()
    backup.save(store, file)
    before = rows(store)
    with pytest.raises(NotRestored, match="Stop all but this one"):
        backup.restore(store, file, tmp_path)
    assert rows(store) == before and not list(tmp_path.rglob("*before-restore*"))

    holder.kill(), holder.rest()
    backup.restore(store, file, tmp_path)


def test_a_restore_that_fails_half_way_changes_nothing(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    filled(store)
    file, before = tmp_path / "backup.db", rows(store)
    backup.save(store, file)
    copy = backup._copy_rows

    def failing(source: Any, target: Any, table: Any) -> None:
        if table.name == "messages" and target.engine is store._writer:
            raise StoreError("disk full")
        copy(source, target, table)

    monkeypatch.setattr(backup, "_copy_rows", failing)
    with pytest.raises(StoreError):
        backup.restore(store, file, tmp_path)
    assert rows(store) == before


@pytest.fixture(name="old")
def an_old_file(tmp_path: Path) -> Path:
    """A database file of the version before."""
    path = tmp_path / "data" / "tempera.db"
    path.parent.mkdir()
    path.write_bytes(OLD)
    return path


def copies(path: Path) -> list[Path]:
    return sorted(path.parent.glob(f"{path.name}.before-*"))


def test_an_older_file_is_copied_before_it_is_changed_and_that_is_said(
    old: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    store = Store.open(f"sqlite:///{old}")
    [copy] = copies(old)
    assert (
        copy.name.startswith(f"tempera.db.before-{migrations.NEWEST}-")
        and "a copy from before" in store.upgraded.sentence()
    )
    assert str(old.parent) not in store.upgraded.sentence()  # no path is shown on a page
    assert str(copy) in caplog.text and copy.stat().st_mode & 0o777 == 0o600
    with sqlite3.connect(copy) as conn:
        assert conn.execute("SELECT version_num FROM alembic_version").fetchone() == ("0004",)
    conn.close()
    store.close()
    again = Store.open(f"sqlite:///{old}")
    assert not again.upgraded and copies(old) == [copy]
    again.close()


def test_without_room_nothing_is_begun_and_the_sentence_has_the_numbers(
    old: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(10**9, 10**9, 3_000_000))
    with pytest.raises(NotUpgraded) as refused:
        Store.open(f"sqlite:///{old}")
    assert "21 MB" in refused.value.sentence() and "there are 3 MB" in refused.value.sentence()
    assert old.read_bytes() == OLD and copies(old) == []


def test_without_room_for_the_copy_of_a_server_s_database_nothing_is_begun(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = namedtuple("usage", "total used free")
    with new_database(server_url(request.config)) as url:
        Store.open(url).close()
        monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(10**9, 10**9, 3_000_000))
        monkeypatch.setattr(migrations, "NEWEST", "9999")
        with pytest.raises(NotUpgraded) as refused:
            Store.open(url, tmp_path)
    assert "there are 3 MB" in refused.value.sentence() and str(tmp_path) in refused.value.sentence()
    assert list(tmp_path.iterdir()) == []


def test_another_living_process_keeps_its_tables(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The other one is of today's version here; what counts is that it lives and has the database open."""
    holder = writer_process(url, "hold")
    assert holder.stdout.readline()
    monkeypatch.setattr(migrations, "NEWEST", "9999")
    with pytest.raises(NotUpgraded, match="Another Tempera has the database open"):
        Store.open(url)
    assert not list(tmp_path.rglob("*.before-*"))
    holder.kill(), holder.rest()


def test_a_migration_killed_anywhere_is_begun_again_and_leaves_one_copy(old: Path, tmp_path: Path) -> None:
    program = tmp_path / "upgrade.py"
    program.write_text(
        "import os, signal, sys\n"
        "from sqlalchemy import event\n"
        "from lib.store import engines\n"
        "made, left = engines.sqlite_engines, [int(sys.argv[2])]\n"
        "def counted(path):\n"
        "    pair = made(path)\n"
        "    def count(*_):\n"
        "        left[0] -= 1\n"
        "        left[0] or os.kill(os.getpid(), signal.SIGKILL)\n"
        "    event.listen(pair[0], 'before_cursor_execute', count)\n"
        "    return pair\n"
        "engines.sqlite_engines = counted\n"
        "from lib.store.database import Store\n"
        "Store.open('sqlite:///' + sys.argv[1]).close()\n"
    )
    for statements in (8, 30, 45, 60, 75):
        upgrade_of_it = ForkedInPipes(str(program), str(old), str(statements))
        upgrade_of_it.rest()
        assert upgrade_of_it.poll() == -signal.SIGKILL, statements
        assert len(copies(old)) == 1
    store = Store.open(f"sqlite:///{old}")
    assert len(store.read(lambda db: chats.chats_of(db, "local"))) > 30 and store.read(differences) == []
    assert len(copies(old)) == 1
    store.close()


def test_a_large_file_is_smaller_afterwards(old: Path) -> None:
    with sqlite3.connect(old) as conn:
        said = '[{"role": "user", "content": "' + "x" * 200_000 + '"}]'
        conn.execute("UPDATE calls SET messages = ? WHERE messages IS NOT NULL", (said,))
    conn.close()
    before = old.stat().st_size
    Store.open(f"sqlite:///{old}").close()
    assert before > 10_000_000 and old.stat().st_size < before / 10


def test_an_unfinished_copy_of_an_attempt_before_is_removed(old: Path) -> None:
    partial = old.with_name(f"tempera.db.before-{migrations.NEWEST}-x.partial")
    partial.write_bytes(b"half")
    Store.open(f"sqlite:///{old}").close()
    assert not partial.exists() and len(copies(old)) == 1
    assert engines.is_damaged(copies(old)[0]) is False and upgrade.SPARE_BYTES and os.path.exists(old)
