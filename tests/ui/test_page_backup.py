"""The menu saves everything and brings it back; what opening the database changed is said until it is read."""

import gzip
from collections.abc import Iterator
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from lib.chat import repository as chats
from lib.store import backup
from lib.ui.shared import resources
from lib.visitor import LOCAL_OWNER
from tests.pages import click

ROOT = Path(__file__).parents[2]
MAIN = str(ROOT / "lib" / "ui" / "main.py")
ADAPTED = "Your history was adapted to this version; a copy from before lies beside it."
OLD = gzip.decompress((ROOT / "tests" / "cases" / "store-0004.db.gz").read_bytes())


@pytest.fixture(name="app")
def an_app(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[AppTest]:
    """The app before its first run."""
    monkeypatch.setenv("TEMPERA_LOCAL_MODEL", "false")
    yield AppTest.from_file(MAIN, default_timeout=30)
    resources.close()


def titles() -> list[str]:
    store = resources.services().store
    return [chat.title for chat in store.read(lambda db: chats.chats_of(db, LOCAL_OWNER))]


def test_the_page_takes_as_large_a_backup_as_the_server_does(app: AppTest) -> None:
    assert uploader(app.run()).proto.max_upload_size_mb == st.get_option("server.maxUploadSize") == 100


def uploader(app: AppTest):  # type: ignore[no-untyped-def]
    return next(one for one in app.get("file_uploader") if one.label == "Restore a backup")


def test_a_backup_is_restored_by_a_file_and_one_click(app: AppTest) -> None:
    app.run()
    store = resources.services().store
    store.write(lambda db: chats.new_chat(db, LOCAL_OWNER, "Kept")).result(20)
    file = backup.saved(store)
    store.write(lambda db: chats.new_chat(db, LOCAL_OWNER, "Made later")).result(20)
    assert not [button for button in app.button if button.key == "backup_restore"]

    uploader(app).upload("tempera.db", file, "application/vnd.sqlite3").run()
    assert titles() == ["Made later", "Kept"]
    app.button(key="backup_restore").click().run()

    assert titles() == ["Kept"] and not app.exception
    assert any("The backup is restored" in info.value for info in app.info)
    assert not [button for button in app.button if button.key == "backup_restore"]


def test_a_file_that_is_no_backup_changes_nothing_and_says_so(app: AppTest) -> None:
    app.run()
    resources.services().store.write(lambda db: chats.new_chat(db, LOCAL_OWNER, "Kept")).result(20)
    uploader(app).upload("tempera.db", b"something else" * 100, "application/vnd.sqlite3").run()
    app.button(key="backup_restore").click().run()

    assert titles() == ["Kept"]
    assert any("This file is not a backup of Tempera." in error.value for error in app.error)


def test_one_person_finds_everything_in_every_browser_and_what_changed_is_said(app: AppTest, data_dir: Path) -> None:
    data_dir.mkdir()
    (data_dir / "tempera.db").write_bytes(OLD)
    app.run()
    assert ADAPTED in [info.value for info in app.info]
    assert len(titles()) > 30
    other = AppTest.from_file(MAIN, default_timeout=30).run()
    click(other, next(str(one.key) for one in other.button if "chat_list_more" in str(one.key)))
    for title in ("A picture in browser B", "A long chat of browser A"):
        assert any(title in button.label for button in other.button), title

    app.button(key="store_upgraded_read").click().run()
    assert ADAPTED not in [info.value for info in app.info]
