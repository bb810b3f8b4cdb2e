"""What people have comes in: texts to the letter, versions, titles and times; and nothing but that."""

import io
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.chat import chat_import, import_source
from lib.chat.imported import ImportedChat
from lib.core import images
from lib.core.errors import InvalidInput
from tests.memory import growths
from tests.pages import PIXEL

PNG_URL = images.data_url(PIXEL)
IMAGE = {"type": "image_url", "image_url": {"url": PNG_URL}}
HI = {"role": "user", "content": "hi"}


def a_file(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass")


def read(file: bytes) -> list[ImportedChat]:
    """All chats of a file."""
    return list(chat_import.chosen(file, range(len(chat_import.listing(file).chats))))


def said(value: Any) -> list[tuple[str, str]]:
    """Roles and texts of the one chat in a file, its standing prompt first."""
    [chat] = read(a_file(value))
    standing = [("system", chat.system)] if chat.system else []
    return [*standing, *((one.role, one.content) for one in chat.branch)]


def lost(value: Any) -> dict[str, int]:
    return {kind: count for kind, count in chat_import.listing(a_file(value)).lost.items() if count}


def chatgpt(title: str = "Talk", **more: Any) -> dict[str, Any]:
    """A chat of ChatGPT's export: a question with an old answer and the one that is open."""

    def node(id: str, parent: str | None, role: str, *parts: Any, **facts: Any) -> dict[str, Any]:
        content = {"content_type": "text", "parts": list(parts)}
        message = {"id": id, "author": {"role": role}, "content": content, "create_time": 1_700_000_000.5, **facts}
        return {"id": id, "parent": parent, "message": message, "children": []}

    hidden = {"metadata": {"is_visually_hidden_from_conversation": True}}
    picture = {"content_type": "image_asset_pointer", "asset_pointer": "file-service://x"}
    mapping = {
        "root": {"id": "root", "parent": None, "message": None, "children": ["sys"]},
        "sys": node("sys", "root", "system", "", **hidden),
        "ask": node("ask", "sys", "user", picture, "question"),
        "old": node("old", "ask", "assistant", "old answer"),
        "new": node("new", "ask", "assistant", "new answer"),
    }
    facts = {"create_time": 1_700_000_000.0, "update_time": 1_710_000_000.0, "current_node": "new"}
    return {"title": title, "mapping": mapping, **facts, **more}


def open_webui(title: str = "Talk") -> dict[str, Any]:
    """A chat of Open WebUI's export."""
    messages = {
        "1": {"id": "1", "parentId": None, "role": "user", "content": "question", "timestamp": 1_700_000_000},
        "2": {"id": "2", "parentId": "1", "role": "assistant", "content": "old answer"},
        "3": {"id": "3", "parentId": "1", "role": "assistant", "content": "new answer"},
    }
    chat = {"title": title, "models": ["m"], "history": {"messages": messages, "currentId": "2"}, "messages": []}
    return {"id": "x", "user_id": "u", "title": title, "chat": chat, "updated_at": 1_710_000_000}


def archive(**files: Any) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as packed:
        for name, value in files.items():
            packed.writestr(f"{name}.json", value if isinstance(value, bytes) else a_file(value))
    return made.getvalue()


@pytest.mark.row("C21")
def test_messages_come_in_as_programs_write_them(subtests: pytest.Subtests) -> None:
    parts = [{"type": "text", "text": "one"}, {"type": "output_text", "text": "two"}]
    dump = {"role": "assistant", "content": "yes", "refusal": None, "tool_calls": None, "audio": None}
    said_by_user = {"author": {"role": "user"}, "content": {"parts": ["hi"]}}
    call = {"id": "1", "type": "function", "function": {"name": "weather", "arguments": '{"in": "Oslo"}'}}
    for name, value, expected in [
        ("a list", [{"role": "system", "content": "brief"}, HI], [("system", "brief"), ("user", "hi")]),
        ("messages", {"messages": [HI]}, [("user", "hi")]),
        ("a body", {"model": "m", "stream": True, "n": 2, "tools": [{"a": 1}], "messages": [HI]}, [("user", "hi")]),
        ("an SDK's dump", {"messages": [HI, dump]}, [("user", "hi"), ("assistant", "yes")]),
        ("an answer", {"choices": [{"index": 0, "message": dump}]}, [("assistant", "yes")]),
        ("parts", [{"role": "user", "content": parts}], [("user", "one\ntwo")]),
        ("developer", [{"role": "developer", "content": "brief"}, HI], [("system", "brief"), ("user", "hi")]),
        ("a later system turn", [HI, {"role": "system", "content": "b"}], [("user", "hi"), ("system", "b")]),
        ("a refusal", [{"role": "assistant", "content": None, "refusal": "no"}], [("assistant", "no")]),
        ("a spoken answer", [{"role": "assistant", "audio": {"transcript": "said"}}], [("assistant", "said")]),
        (
            "tools",
            [HI, {"role": "assistant", "content": None, "tool_calls": [call]}, {"role": "tool", "content": "1\n2"}],
            [("user", "hi"), ("assistant", '> weather({"in": "Oslo"})'), ("user", "> tool:\n> 1\n> 2")],
        ),
        ("half a letter", [{"role": "user", "content": "a\ud800b"}], [("user", "a\ufffdb")]),
        ("ChatGPT", chatgpt(), [("user", "question"), ("assistant", "new answer")]),
        (
            "a circle",
            {"mapping": {"a": {"parent": "a", "message": said_by_user}}, "current_node": "a"},
            [("user", "hi")],
        ),
        ("ChatGPT, last leaf", chatgpt(current_node=None), [("user", "question"), ("assistant", "new answer")]),
        ("Open WebUI", [open_webui()], [("user", "question"), ("assistant", "old answer")]),
        ("one of Open WebUI", open_webui(), [("user", "question"), ("assistant", "old answer")]),
    ]:
        with subtests.test(name=name):
            assert said(value) == expected


@pytest.mark.row("C21")
def test_a_text_comes_in_whatever_its_encoding(subtests: pytest.Subtests) -> None:
    text = json.dumps([{"role": "user", "content": "你好 😀"}], ensure_ascii=False)
    for encoding in ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"):
        for start in ("", "\ufeff") if encoding in ("utf-16-le", "utf-16-be") else ("",):
            with subtests.test(encoding=encoding, start=start):
                [chat] = read((start + text).encode(encoding))
                assert chat.branch[0].content == "你好 😀"


@pytest.mark.row("C21")
def test_an_export_of_many_chats_is_listed_and_any_of_them_comes_in(subtests: pytest.Subtests) -> None:
    of_chatgpt = [chatgpt(f"Talk {number}") for number in range(3)]
    for name, file in {
        "ChatGPT": a_file(of_chatgpt),
        "its archive": archive(conversations=of_chatgpt, user={"id": 1}),
        "its archive in parts": archive(**{"conversations-0": of_chatgpt[:2], "conversations-1": of_chatgpt[2:]}),
        "Open WebUI": a_file([open_webui(f"Talk {number}") for number in range(3)]),
        "under a name": a_file({"conversations": of_chatgpt}),
    }.items():
        with subtests.test(name=name):
            listed = chat_import.listing(file).chats
            assert [one.title for one in listed] == ["Talk 0", "Talk 1", "Talk 2"]
            assert {(one.messages, one.updated_at) for one in listed} == {(2, 1_710_000_000_000_000)}
            assert [chat.title for chat in chat_import.chosen(file, {2, 0})] == ["Talk 0", "Talk 2"]


@pytest.mark.row("C21")
def test_what_cannot_be_taken_is_counted_and_the_rest_comes(subtests: pytest.Subtests) -> None:
    elsewhere = {"type": "image_url", "image_url": {"url": "https://evil.example/x.png"}}
    for name, value, expected in [
        ("addresses", [{"role": "user", "content": [{"type": "text", "text": "a"}, elsewhere]}], {"image": 1}),
        ("nine images", [{"role": "user", "content": [IMAGE] * 9}], {"image": 1}),
        ("an answer's image", [HI, {"role": "assistant", "content": [IMAGE]}], {"image": 1}),
        ("parts", [HI, {"role": "user", "content": [{"type": "input_audio"}, 3]}], {"part": 2}),
        ("roles", [HI, {"role": "narrator", "content": "a"}, {"role": {}}], {"message": 2}),
        ("ChatGPT's image", chatgpt(), {"image": 1}),
        ("empty ones", [open_webui(), {"mapping": {}}, {"chat": {}}], {"empty": 2}),
        ("strangers", [open_webui(), {"a": 1}, 3, []], {"unreadable": 3}),
        ("four bytes a character", [HI, {"role": "user", "content": "a" * 4_000_000 + "😀"}], {"large": 1}),
        ("a circle", [open_webui(), {"mapping": {"a": {"parent": "a"}}, "current_node": "a"}], {"empty": 1}),
    ]:
        with subtests.test(name=name):
            assert lost(value) == expected
    whole = a_file([open_webui(), open_webui()])
    assert chat_import.listing(whole[:-20]).lost["cut"] == 1


@pytest.mark.row("T23")
def test_what_is_no_chat_is_refused_in_a_sentence(subtests: pytest.Subtests, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(import_source, "MAX_BYTES", 200_000)
    for file in [
        *(
            b"",
            b"\xff\xfe",
            b"\xff\xfe\x00",
            b"[]",
            b"{}",
            b"null",
            b"hello",
            b"[" * 100_000,
            b"[0]",
            b'{"messages": 0}',
        ),
        *(b'[{"role": "user"}]', b'[{"role": "user", "content": ""}]', b'{"messages": [0]}', b"[[[[{}]]]]"),
        *(b"PK\x03\x04", b"PK\x03\x04" + b"x" * 100, archive(), archive(other={"a": 1}), archive(conversations=[])),
        archive(**{"conversations-0": [chatgpt()], "conversations-1": b" " * 200_001}),
        b" " * 200_001,
    ]:
        with subtests.test(file=file[:60]):
            with pytest.raises(InvalidInput) as refused:
                chat_import.listing(file)
            assert refused.value.sentence(hint=False).endswith(".")


@pytest.mark.row("T23")
def test_nothing_but_the_chat_has_any_effect() -> None:
    """No file sets an address, a key, a path or a cap, wherever in it that stands."""
    hostile = {"base_url": "http://evil", "api_key": "sk-x", "endpoint": "evil", "path": "/etc", "owner": "eve"}
    hostile |= {"max_tokens": 9, "budget": 0, "deleted_at": 1, "call_id": "c", "settings": {"base_url": "http://evil"}}
    plain = {"messages": [HI, {"role": "assistant", "content": "a"}]}

    armed = {**plain, **hostile, "messages": [{**one, **hostile} for one in plain["messages"]]}

    assert read(a_file(armed)) == read(a_file(plain))


KEYS = ["messages", "role", "content", "mapping", "current_node", "chat", "history", "currentId", "parentId", "parent"]
KEYS += ["id", "images", "url", "type", "text", "title", "conversations", "message", "author", "parts", "choices"]
KEYS += ["tool_calls", "function", "timestamp", "create_time", "updated_at", "files", "system", "current", "refusal"]
WORDS = st.sampled_from(["user", "assistant", "system", "tool", "a", "b", "", PNG_URL, "image_url", "2024-01-01"])
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | WORDS,
    lambda inside: st.lists(inside, max_size=4) | st.dictionaries(st.sampled_from(KEYS) | WORDS, inside, max_size=5),
    max_leaves=30,
)
FORMS = st.sampled_from([chatgpt(), open_webui(), {"messages": [HI, HI]}, [HI, chatgpt()], {"chat": open_webui()}])


@st.composite
def changed(draw: st.DrawFn) -> Any:
    """A chat of a known form with something else in some places of it."""

    def change(value: Any) -> Any:
        if draw(st.integers(0, 9)) == 0:
            return draw(VALUES)
        if isinstance(value, Mapping):
            return {key: change(inner) for key, inner in value.items()}
        return [change(inner) for inner in value] if isinstance(value, list) else value

    return change(draw(FORMS))


def check(file: bytes) -> None:
    """Either chats with something in them, or a sentence of ours."""
    try:
        listed = chat_import.listing(file).chats
    except InvalidInput:
        return
    chats = list(chat_import.chosen(file, range(len(listed))))
    assert [len(chat.branch) for chat in chats] == [one.messages for one in listed]
    assert all(one.content or one.images for chat in chats for one in chat.branch)


@pytest.mark.row("T23")
@given(VALUES | changed())
def test_any_json_gives_chats_or_a_sentence(value: Any) -> None:
    check(json.dumps(value).encode())


@pytest.mark.row("T23")
@given(st.binary(max_size=200) | st.tuples(FORMS, st.integers(0, 400), st.binary(max_size=3)).map(
    lambda made: a_file(made[0])[: made[1]] + made[2] + a_file(made[0])[made[1] :]
))  # fmt: skip
def test_any_bytes_give_chats_or_a_sentence(file: bytes) -> None:
    check(file)
    check(b"PK\x03\x04" + file)


@pytest.mark.soak
@pytest.mark.row("T23")
def test_no_file_takes_much_more_memory_than_its_size(tmp_path: Path, subtests: pytest.Subtests) -> None:
    """What is crafted is refused or left out, what is large comes in; both within 60 MB."""
    size, turn = 9_000_000, '{"role":"user","content":"%s"}'
    part = '{"type":"text","text":"x"}'
    long_chat = json.dumps(chatgpt("Long")).replace("old answer", "word " * 2400)
    files = {
        "lists": "[" + "[]," * (size // 3) + "[]]",
        "objects": "[" + "{}," * (size // 3) + "{}]",
        "numbers": "[" + "1," * (size // 2) + "1]",
        "turns": "[" + ",".join([turn % "x"] * (size // 31)) + "]",
        "parts": f'[{{"role":"user","content":[{",".join([part] * (size // 27))}]}}]',
        "title": '{"tempera":1,"title":"' + "a" * size + '😀","messages":[]}',
        "blanks": "[" + " " * size + "]",
        "brackets": "[" * size,
        "emoji": "[" + ",".join([turn % ("ab " * (size // 15) + "😀")] * 5) + "]",
        "escapes": "[" + turn % ('\\"' * (7_000_000 // 2)) + "]",
        "one emoji": "[" + turn % ("ab " * (7_500_000 // 3) + "😀") + "]",
        "small emoji": "[" + ",".join([turn % ("ab " * (3_900_000 // 3) + "😀")] * 5) + "]",
        "text": "[" + ",".join([turn % ("word\\n" * (size // 6 // 8))] * 8) + "]",
        "UTF-16": ("\ufeff[" + ",".join([turn % ("文字" * (size // 32))] * 6) + "]").encode("utf-16-le"),
        "100 MB": "[" + ",".join([long_chat] * (99_000_000 // len(long_chat))) + "]",
    }
    fine = {"escapes", "text", "UTF-16", "100 MB"}
    paths = []
    for name, text in files.items():
        paths.append(tmp_path / name)
        paths[-1].write_bytes(text if isinstance(text, bytes) else text.encode())
    paths.append(tmp_path / "archive")
    paths[-1].write_bytes(archive(conversations=("[" + ",".join([long_chat] * 4000) + "]").encode()))
    paths.sort(key=lambda path: path.stat().st_size)
    # The first chat, as all the others are read on the way to the list.
    work = "chat_import.listing(data); list(chat_import.chosen(data, {0}))"
    found = growths(paths, "from lib.chat import chat_import", work, a_file([HI]))
    for path, (how, megabytes) in zip(paths, found, strict=True):
        with subtests.test(name=path.name):
            assert megabytes < 60
            assert how in ("fine", "InvalidInput")
            assert how == "fine" or path.name not in {*fine, "archive"}
