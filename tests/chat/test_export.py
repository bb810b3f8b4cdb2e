"""Chats as files: all branches with models, settings, numbers and dates; and what is saved comes back whole."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.calls import records
from lib.chat import chat_import, export
from lib.chat import repository as chats
from lib.chat.export import Document
from lib.chat.imported import ImportedChat, ImportedTurn
from lib.core import images
from lib.core.file_names import MOST_BYTES, file_name
from lib.core.request import Message
from lib.store import image_store
from lib.store.database import Store
from tests.pages import PIXEL
from tests.store_fixtures import a_call, an_outcome, start

PNG_URL = images.data_url(PIXEL)
NAMES: Any = {"user": "You", "assistant": "Model", "system": "System prompt"}
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=40)


def do(store: Store, work: Callable[..., Any], *arguments: Any) -> Any:
    return store.write(lambda db: work(db, *arguments)).result(20)


def document(store: Store, chat_id: str, system: str = "") -> Document:
    chat = store.read(lambda db: chats.find(db, "ann", chat_id))
    turns = store.read(lambda db: chats.all_turns(db, "ann", chat_id))
    branch = [turn.id for turn in store.read(lambda db: chats.open_branch(db, "ann", chat_id))]
    ids = {id for turn in turns for id in turn.images}
    return Document(chat, turns, branch, store.read(lambda db: image_store.load_each(db, "ann", ids)), system)


def tree(chat: ImportedChat) -> list[tuple[Message, int | None]]:
    return [(turn.message, turn.parent) for turn in chat.turns]


@pytest.fixture(scope="module")
def memory() -> Iterator[Store]:
    opened = Store.in_memory()
    yield opened
    opened.close()


@st.composite
def trees(draw: st.DrawFn) -> ImportedChat:
    """Chats of several branches, with any texts."""
    chat = ImportedChat(title="T", system=draw(st.just("") | TEXT))
    for place in range(draw(st.integers(1, 6))):
        role: Any = draw(st.sampled_from(["user", "assistant", "system"]))
        pictures = (PNG_URL,) if role == "user" and draw(st.booleans()) else ()
        text = draw(TEXT | st.just("")) if pictures else draw(TEXT)
        parent = draw(st.none() | st.integers(0, place - 1)) if place else None
        chat.turns.append(ImportedTurn(Message(role=role, content=text, images=pictures), parent))
    chat.current = draw(st.integers(0, len(chat.turns) - 1))
    return chat


@pytest.mark.row("C21")
@given(trees(), st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]))
def test_what_is_saved_comes_back_whole(memory: Store, chat: ImportedChat, encoding: str) -> None:
    """Every text of every branch to the letter, which branch is open, the images, the standing prompt."""
    saved = export.to_json(document(memory, do(memory, chats.add_chat, "ann", chat), chat.system))

    [back] = chat_import.chosen(saved.decode().encode(encoding), {0})

    assert tree(back) == tree(chat)
    assert (back.title, back.system, back.current) == (chat.title, chat.system, chat.current)
    assert not any(back.lost.values())


def talked(store: Store) -> str:
    """A chat with a question, two versions of its answer of which the first was deleted, and a turn below each."""
    chat_id = do(store, chats.new_chat, "ann", "Talk")
    question = do(store, chats.add_message, "ann", chat_id, None, "user", "Hello")
    call = start(store, a_call())
    first, _ = do(store, chats.add_answers, "ann", chat_id, question, call.id, 2)
    do(store, records.finish_call, call.id, an_outcome("one", "two"))
    middle = do(store, chats.add_message, "ann", chat_id, first, "user", "to be deleted")
    do(store, chats.add_message, "ann", chat_id, middle, "assistant", "by hand")
    do(store, chats.delete_turn, "ann", chat_id, middle)
    return str(chat_id)


@pytest.mark.row("C21")
def test_the_json_names_models_settings_numbers_and_dates_of_all_branches(store: Store) -> None:
    saved = json.loads(export.to_json(document(store, talked(store), "Be brief.")))
    question, one, two, last = saved["messages"]

    assert (saved["title"], saved["system"], saved["current"]) == ("Talk", "Be brief.", last["id"])
    assert saved["created"] <= saved["changed"]
    assert [turn["content"] for turn in saved["messages"]] == ["Hello", "one", "two", "by hand"]
    assert [turn["parent"] for turn in (one, two, last)] == [question["id"], question["id"], one["id"]]
    assert {name: one[name] for name in ("service", "model", "model_answered", "state", "finish_reason", "cost")} == {
        "service": "apiyi",
        "model": "gpt-4o",
        "model_answered": "gpt-4o-2024",
        "state": "ok",
        "finish_reason": "stop",
        "cost": 0.01,
    }
    assert (one["settings"], one["seconds"], one["reasoning"]) == ({"temperature": 0.5}, 1.5, "hm")
    assert one["usage"]["completion_tokens"] == 5 and one["usage"]["source"] == "reported"
    assert one["date"].endswith("+00:00")


@pytest.mark.row("C21")
def test_the_markdown_says_who_spoke_and_with_which_model_settings_and_numbers(store: Store) -> None:
    text = export.to_markdown(document(store, talked(store), "Be brief."), NAMES).decode()
    parts = text.split("\n\n---\n\n")

    assert parts[:3] == ["# Talk", "**System prompt**\n\nBe brief.", "**You**\n\nHello"]
    assert parts[3].startswith("**Model**\n\none\n\n*apiyi/gpt-4o-2024 · 20")
    for words in ("temperature 0.5", "prompt_tokens 3", "completion_tokens 5", "cost 0.01", "seconds 1.5"):
        assert words in parts[3]
    assert parts[4] == "**Model**\n\nby hand"


@pytest.mark.row("C21")
def test_a_file_is_named_after_its_chat_on_every_system(subtests: pytest.Subtests) -> None:
    for title, name in [
        ("Thermos texts", "Thermos texts.json"),
        ("保温杯的文案", "保温杯的文案.json"),
        ("../../etc/passwd", "etc passwd.json"),
        ('a<b>:"c"/d\\e|f?g*h', "a b c d e f g h.json"),
        ("C:\\Users\\x", "C Users x.json"),
        ("line\nline\ttab\0", "line line tab.json"),
        ("right\u202eto left", "right to left.json"),
        ("con", "_con.json"),
        ("LPT1.txt", "_LPT1.txt.json"),
        (" . hidden. . ", "hidden.json"),
        ("???", "chat.json"),
        ("", "chat.json"),
        ("字" * 100, "字" * 40 + ".json"),
    ]:
        with subtests.test(title=title):
            assert file_name(title, "json", "chat") == name


@given(st.text())
def test_any_title_makes_a_name(title: str) -> None:
    name = file_name(title, "md", "chat")

    assert name.endswith(".md") and 3 < len(name.encode()) <= MOST_BYTES + 4
    assert not set(name) & set('<>:"/\\|?*\0\n') and name[0] not in ". "
