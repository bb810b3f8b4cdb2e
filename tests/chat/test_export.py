"""Chats as files: all branches with models, settings, numbers and dates; and what is saved comes back whole."""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from lib.calls import records
from lib.chat import chat_import, export
from lib.chat import repository as chats
from lib.chat.export import Document
from lib.chat.form import Form
from lib.chat.imported import ImportedChat, ImportedTurn, MadeBy
from lib.chat.reader import Reader
from lib.core import images
from lib.core.file_names import MOST_BYTES, file_name
from lib.core.markdown_text import ended
from lib.core.parameters import Params
from lib.core.request import Message
from lib.core.rich_text import text_of_html, to_html
from lib.store import image_store
from lib.store.database import Store
from tests.pages import PIXEL
from tests.store_fixtures import a_call, an_outcome, start

PNG_URL = images.data_url(PIXEL)
READER = Reader(
    "en",
    "en_GB",
    ZoneInfo("Asia/Shanghai"),
    {"user": "You", "assistant": "Model", "system": "System prompt"},
    figures=lambda call: f"{call.seconds} s and all that",
)
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=40)


def do(store: Store, work: Callable[..., Any], *arguments: Any) -> Any:
    return store.write(lambda db: work(db, *arguments)).result(20)


def document(store: Store, chat_id: str) -> Document:
    chat = store.read(lambda db: chats.find(db, "ann", chat_id))
    turns = store.read(lambda db: chats.all_turns(db, "ann", chat_id))
    branch = [turn.id for turn in store.read(lambda db: chats.open_branch(db, "ann", chat_id))]
    ids = {id for turn in turns for id in turn.images}
    form = store.read(lambda db: chats.form_of(db, "ann", chat_id)) or Form()
    return Document(chat, turns, branch, store.read(lambda db: image_store.load_each(db, "ann", ids)), form)


def tree(chat: ImportedChat) -> list[tuple[Message, int | None, MadeBy | None]]:
    return [(turn.message, turn.parent, turn.made_by) for turn in chat.turns]


@pytest.fixture(scope="module")
def memory() -> Iterator[Store]:
    opened = Store.in_memory()
    yield opened
    opened.close()


MODEL = st.sampled_from(["apiyi/gpt-4o", "apiyi/deepseek/r1", "模型", "x y"])
PARAMS = st.builds(
    Params,
    temperature=st.none() | st.floats(0, 2),
    max_tokens=st.none() | st.integers(1, 10_000),
    n=st.none() | st.integers(1, 4),
    stream=st.sampled_from([None, True]),
    stop=st.none() | st.lists(TEXT, min_size=1, max_size=4).map(tuple),
    user=st.none() | TEXT,
    extra_fields=st.none() | st.just({"seed": 7, "response_format": {"type": "json_object"}}),
)
AUTHOR = st.none() | st.builds(
    MadeBy, service=st.sampled_from(["", "apiyi"]), model=MODEL, settings=PARAMS.map(Params.to_send)
)


@st.composite
def trees(draw: st.DrawFn) -> ImportedChat:
    """Chats of several branches, with any texts and settings."""
    chat = ImportedChat(title="T", system=draw(st.just("") | TEXT))
    chat.model, chat.params = draw(MODEL), draw(PARAMS)
    chat.others = tuple(draw(st.lists(MODEL, max_size=3)))
    for place in range(draw(st.integers(1, 6))):
        role: Any = draw(st.sampled_from(["user", "assistant", "system"]))
        pictures = (PNG_URL,) if role == "user" and draw(st.booleans()) else ()
        text = draw(TEXT | st.just("")) if pictures else draw(TEXT)
        parent = draw(st.none() | st.integers(0, place - 1)) if place else None
        made_by = draw(AUTHOR) if role == "assistant" else None
        chat.turns.append(ImportedTurn(Message(role=role, content=text, images=pictures), parent, made_by=made_by))
    chat.current = draw(st.integers(0, len(chat.turns) - 1))
    return chat


@pytest.mark.row("C21")
@given(trees(), st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]))
def test_what_is_saved_comes_back_whole(memory: Store, chat: ImportedChat, encoding: str) -> None:
    """Every text of every branch to the letter, the open branch, the images, the settings, who wrote each answer."""
    saved = export.to_json(document(memory, do(memory, chats.add_chat, "ann", chat)))

    [back] = chat_import.chosen(saved.decode().encode(encoding), {0})

    assert tree(back) == tree(chat)
    assert (back.title, back.form, back.current) == (chat.title, chat.form, chat.current)
    assert not any(back.lost.values())


@pytest.mark.row("C21")
def test_a_file_of_the_version_before_gets_the_settings_of_its_last_answer(store: Store) -> None:
    saved = json.loads(export.to_json(document(store, talked(store))))
    for name in ("model", "beside", "settings"):
        del saved[name]

    [back] = chat_import.chosen(json.dumps(saved).encode(), {0})

    assert back.form == Form("apiyi/gpt-4o-2024", "Be brief.", Params(temperature=0.5))


def test_what_stands_for_settings_in_a_file_is_taken_only_as_far_as_it_can_be_used(subtests: pytest.Subtests) -> None:
    asked = {"role": "user", "content": "hi"}
    for values, form in [
        ({"model": 7, "settings": []}, None),
        (
            {"model": " a/b ", "settings": {"temperature": 9, "top_p": 0.5, "n": "x"}},
            Form("a/b", "", Params(top_p=0.5)),
        ),
        ({"settings": {"messages": [], "model": "x", "stream_options": {}}}, Form()),
        ({"settings": {"seed": 1, "api_base": "http://evil"}, "beside": ["x", 1, "y", "", "z", "w"]}, None),
    ]:
        with subtests.test(values=values):
            [back] = chat_import.chosen(json.dumps({"tempera": 2, "messages": [asked], **values}).encode(), {0})
            if "beside" in values:
                assert (back.others, back.params.extra_fields) == (("x", "y", "z"), {"seed": 1})
                assert back.lost["setting"] == 1
            else:
                assert back.form == form
    [body] = chat_import.chosen(json.dumps({"model": "m", "max_tokens": 1, "messages": [asked]}).encode(), {0})
    assert body.form is None


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
    do(store, chats.keep_form, "ann", chat_id, Form("apiyi/o3", "Be brief.", Params(temperature=0.5)))
    return str(chat_id)


@pytest.mark.row("C21")
def test_the_json_names_models_settings_numbers_and_dates_of_all_branches(store: Store) -> None:
    saved = json.loads(export.to_json(document(store, talked(store))))
    question, one, two, last = saved["messages"]

    assert (saved["title"], saved["system"], saved["current"]) == ("Talk", "Be brief.", last["id"])
    assert (saved["model"], saved["settings"]) == ("apiyi/o3", {"temperature": 0.5})
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
    text = export.to_markdown(document(store, talked(store)), READER).decode()
    parts = text.split("\n\n---\n\n")

    assert parts[:3] == ["# Talk", "**System prompt**\n\nBe brief.", "**You**\n\nHello"]
    assert parts[3].startswith("**Model**\n\none\n\n*apiyi/gpt-4o-2024 · ")
    assert parts[3].endswith(" · temperature 0.5 · 1.5 s and all that*"), "for people: the rest is in the JSON"
    assert not re.search(r"_tokens|T\d\d:|\+00:00", parts[3])
    assert parts[4] == "**Model**\n\nby hand"


@pytest.mark.row("C21")
@pytest.mark.parametrize("title", ["# a *b* _c_ `d` [e](f) <g> | $h$", "1. one-two", "- 5 < 6 & 7", "~~x~~ \\*"])
def test_the_title_of_the_markdown_is_itself(store: Store, title: str) -> None:
    made = document(store, talked(store))
    text = export.to_markdown(replace(made, chat=replace(made.chat, title=title)), READER).decode()
    assert text_of_html(to_html(text.splitlines()[0])) == title


OPEN_ENDED = [
    "```py\nx",
    "~~~~\nx\n~~~",
    "````\n```\nx\n```",
    "<!-- x",
    "<script>\nx",
    "<PRE>\n\nx",
    "<![CDATA[",
    "<?php",
]


@pytest.mark.row("C21")
@pytest.mark.parametrize("cut", OPEN_ENDED)
def test_what_a_message_leaves_open_takes_in_nothing_of_the_markdown_behind_it(store: Store, cut: str) -> None:
    """A stopped answer often ends inside a box of code."""
    made = document(store, talked(store))
    turns = [replace(turn, text=cut) if turn.text in ("Hello", "one") else turn for turn in made.turns]
    text = export.to_markdown(replace(made, turns=turns, form=replace(made.form, system=cut)), READER).decode()
    seen = MarkdownIt("commonmark").parse(text)

    assert text.count(cut) == 3
    assert [one.content for one in seen if one.content.startswith("**")] == [
        *("**System prompt**", "**You**", "**Model**", "**Model**")
    ]
    assert seen[-2].content == "by hand"


@pytest.mark.row("C21")
@pytest.mark.parametrize("whole", ["", "a", "```\nx\n```", "- ```\n  x", "> ```\n> x", "<div>\nx", "a <!-- x", "    x"])
def test_a_message_that_leaves_nothing_open_stays_to_the_letter(whole: str) -> None:
    assert ended(whole) == whole


@pytest.mark.row("C21")
def test_the_name_of_a_model_is_no_markdown(store: Store) -> None:
    made = document(store, talked(store))
    name = "[Sign in](https://evil.example) ![x](https://evil.example/x.png) *b*"
    turns = [replace(one, call=replace(one.call, model_answered=name)) if one.call else one for one in made.turns]
    text = export.to_markdown(replace(made, turns=turns), READER).decode()
    [line] = [line for line in text.splitlines() if "and all that" in line]

    assert f"apiyi/{name} · " in text_of_html(to_html(line)) and 'href="https://evil.example)' not in to_html(line)


@pytest.mark.row("C21", "T12")
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


@pytest.mark.row("T12")
@given(st.text())
def test_any_title_makes_a_name(title: str) -> None:
    name = file_name(title, "md", "chat")

    assert name.endswith(".md") and 3 < len(name.encode()) <= MOST_BYTES + 4
    assert not set(name) & set('<>:"/\\|?*\0\n') and name[0] not in ". "
