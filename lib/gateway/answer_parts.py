"""Reads what an answer holds beside its text, wherever gateways put it: see lib/core/parts.py for what comes out.

Tool calls and audio come in pieces, images whole, sources with the answer, beside it, or again with each chunk.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from lib.core.parts import Part
from lib.gateway.dialects import THOUGHTS, index_of, refusal_in, sounds_in, text_in
from lib.gateway.whole_characters import well_formed

MOST_PARTS = 100
MOST_CHARACTERS = 12 * 1024 * 1024
"""Of all parts of one choice together; what is longer is left out."""
_IMAGES = ("image_url", "output_image", "image", "input_image", "inline_data", "inlineData")
_SOURCES = frozenset(("annotations", "citations", "search_results", "web_search", "references"))
_HOLDERS = _SOURCES | {"tool_calls", "function_call", "images", "audio", "refusal"}
"""Fields in which parts stand: of a chunk or a completion, and of a message or a delta."""
_TEXTS = ("text", "output_text", "input_text", "refusal", "reference", "tool_result", *THOUGHTS)


class AnswerParts:
    """The parts of one choice as they grow. `take` a piece of the answer; `whole` has them all as they are now."""

    def __init__(self) -> None:
        self._calls: list[_ToolCall] = []
        self._audio: _Audio | None = None
        self._images: dict[str, None] = {}
        self._sources: dict[str, str] = {}
        self._others: dict[str, None] = {}
        self._refused = False
        self._size = 0

    @property
    def count(self) -> int:
        """How many parts have begun; a refusal is one."""
        found = len(self._calls) + len(self._images) + len(self._sources) + len(self._others)
        return found + (self._audio is not None) + self._refused

    @property
    def says_something(self) -> bool:
        """Whether they make an answer without any text."""
        return bool(self._calls or self._images or self._others or self._audio)

    def take(self, piece: Mapping[str, Any], beside: Mapping[str, Any]) -> None:
        """Take in a delta or a message, and the chunk or the completion around it."""
        # Nearly all pieces of nearly all answers: a few words and nothing else.
        if _HOLDERS.isdisjoint(piece) and _SOURCES.isdisjoint(beside) and not isinstance(piece.get("content"), list):
            return
        for position, call in enumerate(_list(piece.get("tool_calls"))):
            self._tool_call(call, position)
        if isinstance(piece.get("function_call"), dict):
            self._tool_call({"function": piece["function_call"]}, 0)
        for image in _list(piece.get("images")):
            self._image(image)
        for sound in sounds_in(piece):
            self._take_audio(sound)
        self._refused = self._refused or bool(refusal_in(piece))
        for part in _list(piece.get("content")):
            self._content_part(part)
        for holder in (piece, beside):
            for source in _sources(holder):
                self._source(*source)

    def whole(self) -> tuple[Part, ...]:
        """All parts that have come so far."""
        found: list[Part] = [call.whole() for call in self._calls]
        found += [{"type": "image", "url": url} for url in self._images]
        found += [self._audio.whole()] if self._audio else []
        found += [{"type": "source", "url": url, "title": title} for url, title in self._sources.items()]
        found += [{"type": "other", "name": name} for name in self._others]
        return tuple([*found, {"type": "refusal"}] if self._refused else found)

    def _room(self, *texts: str) -> bool:
        self._size += sum(map(len, texts))
        return self._size <= MOST_CHARACTERS

    def _tool_call(self, call: Any, position: int) -> None:
        if not isinstance(call, dict):
            return
        named = next((call[name] for name in ("function", "custom") if isinstance(call.get(name), dict)), call)
        id, name = text_in(call.get("id")), text_in(named.get("name"))
        arguments = _arguments(named)
        found = self._call_at(index_of(call.get("index"), position), id, name)
        if found is not None and self._room(id, name, arguments):
            found.add(id, name, arguments)

    def _call_at(self, index: int, id: str, name: str) -> "_ToolCall | None":
        """The call that a piece belongs to, begun where it is a new one."""
        same = [call for call in self._calls if call.index == index]
        # Some gateways number every call 0, and only its id tells that another one begins.
        if same and not (id and name and same[-1].id and same[-1].id != id):
            return same[-1]
        if self.count >= MOST_PARTS:
            return None
        self._calls.append(_ToolCall(index))
        return self._calls[-1]

    def _image(self, image: Any) -> None:
        url = _image_url(image)
        # Some send an image once more with the last chunk.
        if url and url not in self._images and self.count < MOST_PARTS and self._room(url):
            self._images[url] = None

    def _take_audio(self, audio: Mapping[str, Any]) -> None:
        data, words = text_in(audio.get("data")), text_in(audio.get("transcript"))
        if data or words:
            self._audio = self._audio or _Audio()
            if self._room(data):
                self._audio.add(data, text_in(audio.get("format")), bool(words))

    def _content_part(self, part: Any) -> None:
        kind = part.get("type") if isinstance(part, dict) else None
        if not isinstance(kind, str) or kind in _TEXTS:
            return
        if kind == "tool_use":
            self._tool_call({"id": part.get("id"), "function": part}, len(self._calls))
        elif kind in _IMAGES and _image_url(part):
            self._image(part)
        elif "audio" in kind:
            for sound in sounds_in(part):
                self._take_audio(sound)
        elif not text_in(part) and self.count < MOST_PARTS:
            self._others[kind[:100]] = None

    def _source(self, url: str, title: str) -> None:
        if url in self._sources:
            self._sources[url] = self._sources[url] or title
        elif self.count < MOST_PARTS and self._room(url, title):
            self._sources[url] = title


class _ToolCall:
    def __init__(self, index: int) -> None:
        self.index, self.id, self._name = index, "", ""
        self._arguments: list[str] = []

    def add(self, id: str, name: str, arguments: str) -> None:
        self.id = self.id or id
        # The name comes whole, with each piece again at some gateways.
        self._name = self._name or name
        self._arguments.append(arguments)

    def whole(self) -> Part:
        return {
            "type": "tool_call",
            "name": self._name,
            "arguments": well_formed("".join(self._arguments)),
            "id": self.id,
        }


class _Audio:
    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._format, self._spoken = "", False

    def add(self, data: str, format: str, spoken: bool) -> None:
        self._pieces.append(data)
        self._format, self._spoken = self._format or format, self._spoken or spoken

    def whole(self) -> Part:
        data = {"data": "".join(self._pieces), "format": self._format, "spoken": "yes" if self._spoken else ""}
        return {"type": "audio", **data}


def _list(value: Any) -> Iterable[Any]:
    return value if isinstance(value, list) else ()


def _arguments(named: Mapping[str, Any]) -> str:
    # Ollama's own and Anthropic's are an object, a custom tool's are any text.
    value = next((named[name] for name in ("arguments", "input", "parameters") if named.get(name) is not None), "")
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def _image_url(image: Any) -> str:
    """The address or the data URL of an image in any of the forms in use."""
    if isinstance(image, str):
        return image if image.startswith(("data:", "http://", "https://")) else ""
    if not isinstance(image, dict):
        return ""
    for name in ("image_url", "url", "image", "source", "inline_data", "inlineData"):
        found = _image_url(image.get(name))
        if found:
            return found
    data = next((image[name] for name in ("b64_json", "data", "base64") if isinstance(image.get(name), str)), "")
    kinds = ("media_type", "mime_type", "mimeType")
    kind = next((image[name] for name in kinds if isinstance(image.get(name), str)), "image/png")
    return f"data:{kind};base64,{data}" if data else ""


def _sources(holder: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """(address, title) of each source named in a message, a chunk or a completion."""
    for name in ("annotations", "citations", "search_results", "web_search", "references"):
        for item in _list(holder.get(name)):
            cited = item.get("url_citation") if isinstance(item, dict) else None
            found = cited if isinstance(cited, dict) else item
            if isinstance(found, str):
                url, title = found, ""
            elif isinstance(found, dict):
                url, title = text_in(found.get("url")) or text_in(found.get("link")), text_in(found.get("title"))
            else:
                continue
            if url.startswith(("https://", "http://")):
                yield url[:2_000], title[:500]
