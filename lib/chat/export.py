"""Writes a chat as Markdown to read or JSON to keep, and reads JSON back. Foreign files are checked before use.

Ours is `{"tempera": 1, "title": .., "messages": [{"role": .., "content": ..}, ..]}`; a plain array of Chat Completions
messages is taken too. Images are parts of a message, as data URLs. Nothing else in a file has any effect: unknown keys
are refused.
"""

import json
import re
import sys
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from lib.core import images, parts
from lib.core.contract import Message, Role
from lib.core.errors import InvalidInput
from lib.core.i18n import N_
from lib.core.json_outline import Outline, TooMuch
from lib.core.parts import Part

MAX_BYTES = 25_000_000
"""Images included."""
MAX_MESSAGES = 5_000
MAX_TEXT_BYTES = 40_000_000
"""Of all texts in memory, where a single emoji makes each character of its message take four bytes."""
_WIDE = re.compile(rb"[\xf0-\xf4]|\\u[dD][89abAB]")
"""What makes a text take four bytes for each of its characters."""
MAX_MARKS = 250_000
"""Strings, brackets and commas; 5,000 messages of several images each need fewer."""
MAX_FRAME = 1_000_000
"""Bytes outside the messages: the title, and blanks."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class _Text(_Strict):
    type: Literal["text"]
    text: str


class _Address(_Strict):
    url: Annotated[str, AfterValidator(images.checked)]
    detail: Literal["auto", "low", "high"] = "auto"


class _Image(_Strict):
    type: Literal["image_url"]
    image_url: _Address


# fail_fast, here and below: pydantic would else collect an error for each of a hundred thousand wrong parts.
_Parts = Annotated[list[Annotated[_Text | _Image, Field(discriminator="type")]], Field(fail_fast=True)]


class _Message(_Strict):
    role: Literal["system", "user", "assistant"]
    content: str | _Parts
    # What an answer held beside its text is kept in the file and not taken back: no model gets it anyway.
    tool_calls: Any = None
    images: Any = None
    annotations: Any = None
    audio: Any = None

    def plain(self) -> Message:
        """Its text and images apart. Raises InvalidInput for too many images."""
        content = [_Text(type="text", text=self.content)] if isinstance(self.content, str) else self.content
        urls = [part.image_url.url for part in content if isinstance(part, _Image)]
        if urls and self.role != "user":
            raise InvalidInput(N_("Only a user's message can carry images."))
        text = "\n".join(part.text for part in content if isinstance(part, _Text))
        return Message(role=self.role, content=text, images=images.few_enough(urls))


_PLACE = 0
_Places = Annotated[list[Literal[0]], Field(min_length=1, max_length=MAX_MESSAGES, fail_fast=True)]


class _File(_Strict):
    """All of a file but its messages, which are read one by one: `_PLACE` stands for each."""

    tempera: Literal[1]
    title: Annotated[str, Field(max_length=1_000)] = ""
    messages: _Places


_PLACES: TypeAdapter[list[Literal[0]]] = TypeAdapter(_Places)


def to_json(title: str, messages: Sequence[tuple[Message, Sequence[Part]]]) -> bytes:
    """The chat as JSON; `read` brings it back, but for what answers hold beside their text."""
    # As a request has them: what reads a file takes a plain array of such messages too.
    turns = [message.to_send() | parts.to_message(beside) for message, beside in messages]
    return json.dumps({"tempera": 1, "title": title, "messages": turns}, ensure_ascii=False, indent=2).encode()


def to_markdown(title: str, messages: Sequence[tuple[Message, Sequence[Part]]], names: Mapping[Role, str]) -> bytes:
    """The chat as Markdown; `names` say who speaks, by role."""
    turns = [
        "\n\n".join(filter(None, [f"**{names[message.role]}**", message.content, parts.to_markdown(beside)]))
        for message, beside in messages
    ]
    # Half a surrogate pair, which a model may send, has no UTF-8.
    return "\n\n---\n\n".join([f"# {title}", *turns]).encode("utf-8", "replace")


def read(file: bytes) -> tuple[str, list[Message]]:
    """Title ("" when the file has none) and messages; raises InvalidInput for anything that is not a chat."""
    if len(file) > MAX_BYTES:
        raise InvalidInput(N_("The file is larger than {most} MB."), most=MAX_BYTES // 1_000_000)
    try:
        title, turns = _read(file)
    except (ValidationError, RecursionError, UnicodeError, TooMuch):
        raise InvalidInput(
            N_("This file is not a chat: neither one that was saved here nor an array of messages.")
        ) from None
    if any(message.role == "system" for message in turns[1:]):
        raise InvalidInput(N_("Only the first message of a file can be a system prompt."))
    return title, turns


def _read(file: bytes) -> tuple[str, list[Message]]:
    """Message by message: pydantic makes a tree of what it reads, fifty times as large as the text of a crafted one."""
    listed = file.lstrip().startswith(b"[")
    outline = Outline(file, 1 if listed else 2, MAX_MARKS)
    frame = outline.without_pieces(b"%d" % _PLACE)
    if len(frame) > MAX_FRAME:
        raise TooMuch
    title, places = ("", _PLACES.validate_json(frame)) if listed else _framed(frame)
    if len(places) != len(outline.pieces):
        raise TooMuch
    messages: list[Message] = []
    room = MAX_TEXT_BYTES
    for piece in outline.pieces:
        text = file[piece]
        if len(text) * 4 > MAX_TEXT_BYTES and b"data:image/" not in text and _WIDE.search(text):
            raise _too_long()
        messages.append(_Message.model_validate_json(text).plain())
        # The size in memory and not the number of characters: one emoji makes a text four bytes a character wide.
        room -= sys.getsizeof(messages[-1].content)
        if room < 0:
            raise _too_long()
    return title, messages


def _framed(frame: bytes) -> tuple[str, list[Literal[0]]]:
    chat = _File.model_validate_json(frame)
    return chat.title, chat.messages


def _too_long() -> InvalidInput:
    return InvalidInput(N_("The texts in this file are too long to be brought in at once: split it."))
