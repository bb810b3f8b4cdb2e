"""One person's history, from the file on their computer into the database that many share."""

import gzip
import runpy
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, insert, make_url, select, text
from sqlalchemy.pool import NullPool

from lib.access import shared_links
from lib.calls import records, usage_rollups
from lib.chat import repository as chats
from lib.core.errors import NotRestored
from lib.store import moving, process_lock, schema
from lib.store.database import Store
from lib.sweep import repository as sweeps
from lib.visitor import LOCAL_OWNER, preferences
from tests.kept_sums import differences
from tests.postgresql import new_database, server_url
from tests.store_fixtures import ROOT, a_call, an_outcome, calls_of, record, start

ADA, EVE = "ada@example.com", "eve@example.com"
OLD = gzip.decompress((ROOT / "tests" / "cases" / "store-0004.db.gz").read_bytes())


def with_a_chat(store: Store, owner: str, said: str) -> str:
    def work(db: Any) -> str:
        chat = chats.new_chat(db, owner, "A chat")
        question = chats.add_message(db, owner, chat, None, "user", said, ["data:image/png;base64,aa"])
        call = a_call(owner, text=said)
        records.start_call(db, call, process_lock.ID)
        chats.add_answers(db, owner, chat, question, call.id, 1)
        records.finish_call(db, call.id, an_outcome("Because."))
        preferences.put(db, owner, "language", "en" if owner == LOCAL_OWNER else "zh_Hans")
        return chat

    return store.write(work).result(20)


def texts(store: Store, owner: str, chat: str) -> list[str]:
    return [turn.text for turn in store.read(lambda db: chats.open_branch(db, owner, chat))]


@pytest.fixture
def here(tmp_path: Path) -> Any:
    """The store on a person's own computer, which is open."""
    opened = Store.open(f"sqlite:///{tmp_path / 'own.db'}")
    yield opened
    opened.close()


def move(store: Store, file: Path, owner: str = ADA) -> None:
    moving.move_in(store, file, LOCAL_OWNER, owner, usage_rollups.rebuild_all)


def test_a_history_becomes_its_owners_and_nobody_elses_changes(store: Store, here: Store, tmp_path: Path) -> None:
    mine = with_a_chat(here, LOCAL_OWNER, "Why? 你好")
    start(here, a_call(LOCAL_OWNER, text="in progress"))
    link = here.write(lambda db: shared_links.make(db, LOCAL_OWNER, "chat", mine, "t", "p", 7)).result(20)
    record(store, ADA), with_a_chat(store, ADA, "Why? 你好")
    theirs = with_a_chat(store, EVE, "Hers")
    before = store.read(lambda db: calls_of(db, EVE))

    move(store, tmp_path / "own.db")
    assert texts(store, ADA, mine) == ["Why? 你好", "Because."] and texts(store, EVE, theirs) == ["Hers", "Because."]
    assert texts(here, LOCAL_OWNER, mine) == ["Why? 你好", "Because."], "the file is left alone"
    assert store.read(lambda db: calls_of(db, EVE)) == before
    assert len(store.read(lambda db: calls_of(db, ADA))) == 4
    assert store.read(lambda db: preferences.get(db, ADA, "language")) == "zh_Hans", "what was set there stays"
    assert store.read(lambda db: chats.chats_of(db, LOCAL_OWNER)) == []
    assert link and store.read(lambda db: shared_links.page_of(db, link)) is None
    assert store.write(lambda db: records.interrupt_orphans(db, process_lock.ID)).result(20) == 1
    assert store.read(differences) == []
    later = with_a_chat(store, ADA, "Later")
    assert texts(store, ADA, later) == ["Later", "Because."]
    numbers = store.read(lambda db: db.execute(select(schema.calls.c.seq)).scalars().all())
    assert len(set(numbers)) == len(numbers) == 6

    again = store.read(lambda db: calls_of(db, ADA))
    with pytest.raises(NotRestored):
        move(store, tmp_path / "own.db", EVE)
    assert store.read(lambda db: calls_of(db, ADA)) == again


def test_a_history_of_an_older_version_with_sweeps_comes_whole(store: Store, tmp_path: Path) -> None:
    (tmp_path / "old.db").write_bytes(OLD)
    move(store, tmp_path / "old.db")
    assert len(store.read(lambda db: chats.chats_of(db, ADA))) > 30
    assert len(store.read(lambda db: sweeps.sweeps_of(db, ADA))) == 2
    assert store.read(differences) == [] and (tmp_path / "old.db").read_bytes() == OLD


def test_what_is_not_one_persons_history_changes_nothing(store: Store, here: Store, tmp_path: Path) -> None:
    with_a_chat(here, LOCAL_OWNER, "Mine")
    here.write(lambda db: db.execute(insert(schema.settings).values(owner="x", name="n", value=1))).result(20)
    (tmp_path / "text.db").write_bytes(b"no database at all" * 100)
    for name in ("own.db", "text.db", "missing.db"):
        with pytest.raises(NotRestored):
            move(store, tmp_path / name)
    assert store.read(lambda db: chats.chats_of(db, ADA)) == []


@contextmanager
def living_process(url: str) -> Iterator[None]:
    """Another Tempera has the database open: it holds a lock of its own as long as it lives."""
    engine = create_engine(make_url(url).set(drivername="postgresql+psycopg"), poolclass=NullPool)
    with engine.connect() as conn:
        conn.execute(text("SELECT pg_advisory_lock_shared(:key)"), {"key": process_lock.advisory_key("another")})
        yield


def test_one_command_moves_it_into_postgresql(
    here: Store, tmp_path: Path, pytestconfig: pytest.Config, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    mine = with_a_chat(here, LOCAL_OWNER, "Mine")
    monkeypatch.setenv("TEMPERA_DATA_DIR", str(tmp_path))

    def command(*arguments: str) -> str:
        monkeypatch.setattr(sys, "argv", ["backup.py", "move", *arguments])
        try:
            runpy.run_path(str(ROOT / "scripts" / "backup.py"), run_name="__main__")
        except SystemExit as refused:
            return str(refused)
        return capsys.readouterr().out

    assert "TEMPERA_DATABASE_URL" in command(str(tmp_path / "own.db"), "--owner", ADA)
    with new_database(server_url(pytestconfig)) as there:
        monkeypatch.setenv("TEMPERA_DATABASE_URL", there)
        assert "mail address" in command(str(tmp_path / "own.db"))
        assert "not a backup" in command("--owner", ADA), "the data folder holds none"
        with living_process(there):
            assert "Stop it and its workers" in command(str(tmp_path / "own.db"), "--owner", ADA)
        assert f"is {ADA}'s now" in command(str(tmp_path / "own.db"), "--owner", "Ada@Example.com")
        assert "is there already" in command(str(tmp_path / "own.db"), "--owner", ADA)
        store = Store.open(there)
        assert texts(store, ADA, mine) == ["Mine", "Because."]
        store.close()
