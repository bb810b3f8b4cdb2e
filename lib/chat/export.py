"""Writes a chat as Markdown to read or JSON to keep, and reads JSON back. Foreign files are checked before use.

Ours is `{"tempera": 1, "title": .., "messages": [{"role": .., "content": ..}, ..]}`; a plain array of Chat Completions
messages is taken too. Images are parts of a message, as data URLs. Nothing else in a file has any effect: unknown keys
are refused.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from lib.core import images
from lib.core.contract import Message, Role
from lib.core.errors import InvalidInput
from lib.core.i18n import N_

MAX_BYTES = 25_000_000
"""Images included."""
MAX_MESSAGES = 5_000


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


class _Message(_Strict):
    role: Literal["system", "user", "assistant"]
    content: str | list[Annotated[_Text | _Image, Field(discriminator="type")]]

    def plain(self) -> Message:
        """Its text and images apart. Raises InvalidInput for too many images."""
        parts = [_Text(type="text", text=self.content)] if isinstance(self.content, str) else self.content
        urls = [part.image_url.url for part in parts if isinstance(part, _Image)]
        if urls and self.role != "user":
            raise InvalidInput(N_("Only a user's message can carry images."))
        text = "\n".join(part.text for part in parts if isinstance(part, _Text))
        return Message(role=self.role, content=text, images=images.few_enough(urls))


_Messages = Annotated[list[_Message], Field(min_length=1, max_length=MAX_MESSAGES)]


class _File(_Strict):
    tempera: Literal[1]
    title: Annotated[str, Field(max_length=1_000)] = ""
    messages: _Messages


_EITHER: TypeAdapter[_File | list[_Message]] = TypeAdapter(_File | _Messages)


def to_json(title: str, messages: Sequence[Message]) -> bytes:
    """The chat as JSON; `read` brings it back."""
    turns = [message.to_send() for message in messages]
    return json.dumps({"tempera": 1, "title": title, "messages": turns}, ensure_ascii=False, indent=2).encode()


def to_markdown(title: str, messages: Sequence[Message], names: Mapping[Role, str]) -> bytes:
    """The chat as Markdown; `names` say who speaks, by role."""
    turns = [f"**{names[message.role]}**\n\n{message.content}" for message in messages]
    return "\n\n---\n\n".join([f"# {title}", *turns]).encode("utf-8", "replace")


def read(file: bytes) -> tuple[str, list[Message]]:
    """Title ("" when the file has none) and messages; raises InvalidInput for anything that is not a chat."""
    if len(file) > MAX_BYTES:
        raise InvalidInput(N_("The file is larger than {most} MB."), most=MAX_BYTES // 1_000_000)
    try:
        chat = _EITHER.validate_json(file)
    except (ValidationError, RecursionError, UnicodeError):
        raise InvalidInput(
            N_("This file is not a chat: neither one that was saved here nor an array of messages.")
        ) from None
    title, turns = (chat.title, chat.messages) if isinstance(chat, _File) else ("", chat)
    messages = [turn.plain() for turn in turns]
    if any(message.role == "system" for message in messages[1:]):
        raise InvalidInput(N_("Only the first message of a file can be a system prompt."))
    return title, messages
