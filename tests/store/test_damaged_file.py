"""What comes back of a damaged file: all rows but those on the damaged pages."""

import gzip
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import create_engine, insert, select, text

from lib.chat import repository as chats
from lib.store import engines, migrations, schema
from lib.store.database import Store
from lib.visitor import LOCAL_OWNER
from tests.case_files import FOLDER

OLDER = (
    "INSERT INTO messages (id, owner, chat_id, role, content, choice, created_at) "
    "VALUES ('question', :owner, :chat, 'user', 'Why do\ncats purr?', 0, 1)"
)


def test_the_rows_before_and_after_a_damaged_page_come_back(tmp_path: Path) -> None:
    path = tmp_path / "t.db"
    store = Store.open(f"sqlite:///{path}")
    rows = [{"owner": "ann", "name": f"row {n:04}", "value": "x" * 300} for n in range(500)]
    store.write(lambda db: db.execute(insert(schema.settings), rows)).result(20)
    store.close()
    whole = path.read_bytes()
    page = engines.PAGE_BYTES
    places = [at for at in range(0, len(whole), page) if whole[at] == 13 and b"row 0250" in whole[at : at + page]]
    damaged = bytearray(whole)
    for at in places:  # leaves of the table only: its index has pages of another kind
        damaged[at : at + page] = b"\xff" * page
    path.write_bytes(damaged)
    again = Store.open(f"sqlite:///{path}")
    back = again.read(lambda db: db.execute(select(schema.settings.c.name)).scalars().all())
    again.close()
    assert places and "row 0250" not in back
    assert 470 < len(back) < 500 and {"row 0000", "row 0499"} <= set(back)


def test_a_chat_whose_row_is_lost_is_named_after_its_first_words(tmp_path: Path, subtests: pytest.Subtests) -> None:
    """Of today's version, and of one in which a message had its text in its own row."""
    for version in ("0015", migrations.NEWEST):
        with subtests.test(version=version):
            path = tmp_path / version
            with closing(sqlite3.connect(path)) as new, create_engine("sqlite://", creator=lambda: new).begin() as db:
                new.execute(f"PRAGMA page_size={engines.PAGE_BYTES}")
                migrations.upgrade(db, to=version)
                chat = chats.new_chat(db, LOCAL_OWNER, "Row of the list")
                if version == migrations.NEWEST:
                    chats.add_message(db, LOCAL_OWNER, chat, None, "user", "Why do\ncats purr?")
                else:
                    db.execute(text(OLDER), {"chat": chat, "owner": LOCAL_OWNER})
            whole = path.read_bytes()
            at = whole.index(b"Row of the list") // engines.PAGE_BYTES * engines.PAGE_BYTES
            path.write_bytes(whole[:at] + b"\xff" * engines.PAGE_BYTES + whole[at + engines.PAGE_BYTES :])
            store = Store.open(f"sqlite:///{path}")
            [back] = store.read(lambda db: chats.chats_of(db, LOCAL_OWNER))
            assert (back.title, [turn.text for turn in _branch(store, chat)]) == (
                "Why do cats purr?",
                ["Why do\ncats purr?"],
            )
            store.close()


def test_a_damaged_file_of_an_older_version_comes_back_and_is_brought_to_todays(
    tmp_path: Path, subtests: pytest.Subtests
) -> None:
    whole = gzip.decompress((FOLDER / "store-0004.db.gz").read_bytes())
    middle = len(whole) // 2 // 4096 * 4096
    damages = {
        "header": bytes(100) + whole[100:],
        "page": whole[:middle] + b"\xff" * 4096 + whole[middle + 4096 :],
    }
    for how, damaged in damages.items():
        with subtests.test(how=how):
            path = tmp_path / how / "tempera.db"
            path.parent.mkdir()
            path.write_bytes(damaged)
            store = Store.open(f"sqlite:///{path}")
            assert [one.kind for one in store.notices] == ["store_replaced"]
            assert store.read(migrations.version) == migrations.NEWEST
            back = store.read(lambda db: chats.chats_of(db, LOCAL_OWNER))
            said = [turn.text for chat in back for turn in _branch(store, chat.id)]
            assert len(back) > 25 and sum(map(len, said)) > 1000
            store.close()


def _branch(store: Store, chat_id: str) -> list[chats.Turn]:
    return store.read(lambda db: chats.open_branch(db, LOCAL_OWNER, chat_id))
