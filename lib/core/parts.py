"""What an answer holds beside its text: calls of tools, images, audio, sources, a refusal.

Each part is a mapping with its `type`; every other field is a text.

    tool_call   name, arguments (JSON as the model wrote it), id
    image       url (a data URL or an address)
    audio       data (base64), format (`wav`, `mp3`, ..., `pcm16`), spoken ("yes": the answer's text is what is said)
    source      url, title
    refusal     the answer's text says why the model declined
    other       name (what the service calls it): something that can't be shown
"""

import json
import re
import wave
from base64 import b64decode, b64encode
from collections.abc import Iterable, Mapping, Sequence
from io import BytesIO
from typing import Any

from lib.core.markdown_text import boxed

Part = Mapping[str, Any]


def of(parts: Iterable[Part], kind: str) -> list[Part]:
    """The parts of one kind."""
    return [part for part in parts if part.get("type") == kind]


def text_of(part: Part, name: str) -> str:
    """A field of a part, whatever was stored there."""
    value = part.get(name)
    return value if isinstance(value, str) else ""


def size(parts: Iterable[Part]) -> int:
    """The characters of all parts together."""
    return sum(len(value) for part in parts for value in part.values() if isinstance(value, str))


def readable(arguments: str) -> str:
    """A tool call's arguments as they are best read: indented where they are JSON, else to the letter."""
    try:
        return json.dumps(json.loads(arguments), ensure_ascii=False, indent=2)
    except (ValueError, RecursionError):
        return arguments


def to_message(parts: Sequence[Part]) -> dict[str, Any]:
    """The fields of an assistant's message that hold `parts`, by the names that Chat Completions and the gateways give
    them."""
    calls = [
        {
            "id": text_of(part, "id"),
            "type": "function",
            "function": {"name": text_of(part, "name"), "arguments": text_of(part, "arguments")},
        }
        for part in of(parts, "tool_call")
    ]
    images = [{"type": "image_url", "image_url": {"url": text_of(part, "url")}} for part in of(parts, "image")]
    sources = [
        {"type": "url_citation", "url_citation": {"url": text_of(part, "url"), "title": text_of(part, "title")}}
        for part in of(parts, "source")
    ]
    audio = [{name: text_of(part, name) for name in ("format", "data")} for part in of(parts, "audio")]
    fields = {"tool_calls": calls, "images": images, "annotations": sources, "audio": audio[0] if audio else None}
    return {name: value for name, value in fields.items() if value}


def to_markdown(parts: Sequence[Part]) -> str:
    """`parts` as Markdown to be read below an answer's text; "" where there are none."""
    blocks = []
    for part in of(parts, "tool_call"):
        name = " ".join(text_of(part, "name").replace("`", "").split())
        blocks.append(f"`{name}`\n\n{boxed(readable(text_of(part, 'arguments')), 'json')}")
    blocks += [f"![]({_address(part)})" for part in of(parts, "image")]
    blocks += [f"[{plain(text_of(part, 'format')) or 'audio'}]({sound_url(part)})" for part in of(parts, "audio")]
    return "\n\n".join([*blocks, *filter(None, [sources(parts)])])


def sources(parts: Sequence[Part]) -> str:
    """The sources as a list in Markdown, each with the whole address it leads to; "" where there are none."""
    lines = []
    for number, part in enumerate(of(parts, "source"), 1):
        title = plain(text_of(part, "title"))
        lines.append(f"{number}. {title}{': ' if title else ''}<{_address(part)}>")
    return "\n".join(lines)


def sound(part: Part) -> tuple[bytes, str]:
    """The sound of an audio part as a file, and how its name ends; empty where its data can't be read."""
    try:
        data = b64decode(text_of(part, "data"))
    except ValueError:
        return b"", ""
    kind = next((kind for start, kind in _SOUNDS.items() if data.startswith(start)), text_of(part, "format"))
    if kind in ("", "pcm", "pcm16"):
        return _wave(data), "wav"
    return data, kind if kind.isalnum() else "bin"


def sound_url(part: Part) -> str:
    """The sound of an audio part as a data URL."""
    data, kind = sound(part)
    return f"data:audio/{kind};base64,{b64encode(data).decode()}"


def plain(text: str) -> str:
    """A foreign word in Markdown, to the letter and in one line."""
    return _MARK.sub(r"\\\1", " ".join(text.split()))


_MARK = re.compile(r"([!-/:-@\[-`{-~])")
_SOUNDS = {b"RIFF": "wav", b"ID3": "mp3", b"\xff\xfb": "mp3", b"\xff\xf3": "mp3", b"OggS": "ogg", b"fLaC": "flac"}
"""How files of sound begin."""
_RATE = 24_000
"""Samples a second of the bare sound (`pcm16`) that OpenAI streams; 16 bit, one channel."""


def _wave(samples: bytes) -> bytes:
    file = BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(_RATE)
        sound.writeframes(samples[: len(samples) // 2 * 2])
    return file.getvalue()


def _address(part: Part) -> str:
    """Without what would end it in Markdown."""
    url = "".join(text_of(part, "url").split())
    return url.replace("<", "%3C").replace(">", "%3E").replace("(", "%28").replace(")", "%29")
