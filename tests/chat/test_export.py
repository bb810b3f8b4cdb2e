"""Chats as files: what is saved comes back, and nothing but a chat comes in."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.chat import export
from lib.core import images
from lib.core.contract import Message
from lib.core.errors import InvalidInput
from tests.memory import growth

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=50)
PIXEL = images.data_url(
    bytes.fromhex(
        "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c6360000002000001e221bc33"
        "0000000049454e44ae426082"
    )
)
IMAGE = {"type": "image_url", "image_url": {"url": PIXEL}}
ANSWER = st.builds(Message, role=st.just("assistant"), content=TEXT)
ASKED = st.builds(Message, role=st.just("user"), content=TEXT)
WITH_IMAGES = st.builds(
    Message, role=st.just("user"), content=TEXT.map(str.strip), images=st.lists(st.just(PIXEL), max_size=3).map(tuple)
)
TURNS = st.lists(ANSWER | ASKED | WITH_IMAGES, min_size=1, max_size=6)


@given(TEXT, TURNS)
def test_a_saved_chat_comes_back_as_it_was(title: str, messages: list[Message]) -> None:
    assert export.read(export.to_json(title, [(one, ()) for one in messages])) == (title, messages)


def test_an_array_of_messages_is_a_chat() -> None:
    parts = [{"type": "text", "text": "one"}, {"type": "text", "text": "two"}]
    file = json.dumps([{"role": "system", "content": "be brief"}, {"role": "user", "content": parts}])

    assert [message.content for message in export.read(file.encode())[1]] == ["be brief", "one\ntwo"]


@pytest.mark.row("T23")
def test_a_hostile_or_foreign_file_is_refused_with_a_sentence(subtests: pytest.Subtests) -> None:
    for file in [
        b"",
        b"\xff\xfe",
        b"[]",
        b"[" * 100_000,
        b'{"messages": [{"role": "user", "content": "hi"}]}',
        b'{"tempera": 2, "messages": [{"role": "user", "content": "hi"}]}',
        b'{"tempera": 1, "base_url": "http://evil", "messages": [{"role": "user", "content": "hi"}]}',
        b'[{"role": "user", "content": "hi", "api_key": "sk-x"}]',
        b'[{"role": "tool", "content": "hi"}]',
        b'[{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "file:///etc/passwd"}}]}]',
        b'[{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "https://evil/x.png"}}]}]',
        b'[{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:image/svg;base64,PHN2"}}]}]',
        b'[{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:image/png;base64,%%%"}}]}]',
        json.dumps([{"role": "user", "content": [IMAGE] * 9}]).encode(),
        json.dumps([{"role": "assistant", "content": [IMAGE]}]).encode(),
        b'[{"role": "user", "content": "a"}, {"role": "system", "content": "b"}]',
        json.dumps([{"role": "user", "content": "x"}] * 5_001).encode(),
        b" " * 25_000_001,
    ]:
        with subtests.test(file=file[:80]):
            with pytest.raises(InvalidInput) as refused:
                export.read(file)

            assert str(refused.value).endswith(".")


@pytest.mark.row("T23")
@given(st.binary(max_size=200))
def test_any_bytes_are_a_chat_or_refused(file: bytes) -> None:
    try:
        export.read(file)
    except InvalidInput:
        return


def test_markdown_names_who_speaks() -> None:
    names = {"user": "You", "assistant": "Model"}
    messages = [Message(role="user", content="Hi"), Message(role="assistant", content="Hello")]

    assert export.to_markdown("Talk", [(one, ()) for one in messages], names).decode() == (
        "# Talk\n\n---\n\n**You**\n\nHi\n\n---\n\n**Model**\n\nHello"
    )


@pytest.mark.row("T23")
def test_no_file_takes_much_more_memory_than_its_size(tmp_path: Path) -> None:
    """What is crafted is refused, what is large comes in; both within 60 MB."""
    size, turn = 19_000_000, '{"role":"user","content":"%s"}'
    part = '{"type":"text","text":"x"}'
    files = {
        "lists": ("[" + "[]," * (size // 3) + "[]]", "InvalidInput"),
        "objects": ("[" + "{}," * (size // 3) + "{}]", "InvalidInput"),
        "numbers": ("[" + "1," * (size // 2) + "1]", "InvalidInput"),
        "turns": ("[" + ",".join([turn % "x"] * (size // 31)) + "]", "InvalidInput"),
        "parts": (f'[{{"role":"user","content":[{",".join([part] * (size // 27))}]}}]', "InvalidInput"),
        "title": ('{"tempera":1,"title":"' + "a" * size + '😀","messages":[]}', "InvalidInput"),
        "blanks": ("[" + " " * size + "]", "InvalidInput"),
        "brackets": ("[" * size, "InvalidInput"),
        "emoji": ("[" + ",".join([turn % ("ab " * (size // 15) + "😀")] * 5) + "]", "InvalidInput"),
        "escapes": ("[" + turn % ('\\"' * (size // 2)) + "]", "fine"),
        "text": ("[" + ",".join([turn % ("word\\n" * (size // 6 // 8))] * 8) + "]", "fine"),
    }
    warm = b'[{"role":"user","content":"x"}]'
    for name, (text, expected) in files.items():
        imports, work = "from lib.chat import export", "export.read(data)"
        how, megabytes = growth(tmp_path / "chat.json", text.encode(), imports, work, warm)
        assert (name, how) == (name, expected)
        assert megabytes < 60, name


def test_what_stands_around_and_between_the_messages_is_checked_too() -> None:
    turn = b'{"role":"user","content":"x"}'
    wrong = [
        b"[0]", b"[0," + turn + b"]", b"[" + turn + b" " + turn + b"]", b"[" + turn + b",]", b"[" + turn + b"]]",
        b'{"tempera":1,"messages":[0]}', b'{"tempera":1,"messages":0,"x":[' + turn + b"]}",
        b'{"tempera":1,"messages":[' + turn + b'],"title":' + turn + b"}", turn, b"[[" + turn + b"]]",
        b'{"tempera":1,"messages":[' + turn + b'],"messages":[' + turn + b"]}", b'{"tempera":1,"messages":[]}',
    ]  # fmt: skip
    for file in wrong:
        with pytest.raises(InvalidInput):
            export.read(file)
