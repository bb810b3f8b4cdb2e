"""Parses server-sent events as WHATWG HTML 9.2.6 says, tolerating what chat gateways get wrong.

Beyond the standard: `[DONE]` counts with or without `data:`, a blank line or a line end; an event whose blank line
was forgotten ends where the next JSON object begins, or with the stream, where it is a whole JSON object itself; and of
several JSON values in one line each counts.
"""

import codecs
import io
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from lib.core import json_outline
from lib.core.errors import Malformed

LIMIT = 16 * 1024 * 1024
SMALL = 65_536
"""Characters of JSON that can't hold enough to matter."""
MOST_MARKS = 500_000
"""Strings, brackets and commas in one JSON value; each may become a hundred bytes."""
_MOST_SKIMMED = 8 * MOST_MARKS
_DEEPEST = 6
"""How deep the texts of an answer stand (`choices`, a choice, its message, `content`, a part); likely other words, and
their bytes, stand deeper and are left out of a very large answer."""
DONE = "[DONE]"
_BETWEEN_VALUES = re.compile(r"\s*(?:,\s*)?(?:data:\s*)*")
_LINE_END = re.compile("\r\n?|\n")
_DECODER = json.JSONDecoder(strict=False)
"""Takes control characters inside a text, a tab above all: some gateways put their JSON together by hand."""


@dataclass(frozen=True, slots=True)
class Event:
    """One event: its name (“message” where it has none) and its data lines, joined with line feeds."""

    name: str
    data: str


class Unreadable:
    """Stands for data that are no JSON."""


def json_value(text: str) -> Any:
    """`text` as a JSON value, or `Unreadable`; never raises, whatever the text, and takes little more memory than it.

    Of a very large one what stands deeper than the texts of an answer is left out.
    """
    try:
        # RecursionError: json goes as deep as a service nests.
        return _DECODER.decode(text if len(text) <= SMALL else _skimmed(text))
    except (ValueError, RecursionError):
        return Unreadable


def json_values(text: str) -> list[Any]:
    """The values in an event's data: mostly one, and several where a gateway forgot all that stands between two. The
    end of the stream is DONE, and what can't be read is `Unreadable`."""
    value = json_value(text)
    if value is not Unreadable or not text or len(text) > SMALL:
        return [value]
    values: list[Any] = []
    at = _after(text, 0)
    while at < len(text):
        if text.startswith(DONE, at):
            value, end = DONE, at + len(DONE)
        else:
            try:
                value, end = _DECODER.raw_decode(text, at)
            except (ValueError, RecursionError):
                return [Unreadable]
        values.append(value)
        at = _after(text, end)
    return values


def _after(text: str, at: int) -> int:
    between = _BETWEEN_VALUES.match(text, at)
    return between.end() if between else at


def _skimmed(text: str) -> str:
    """`text` itself, or as much of it as can be read safely; raises TooMuch where even that is too much."""
    outline = json_outline.Outline(text, _DEEPEST, _MOST_SKIMMED)
    if outline.marks <= MOST_MARKS:
        return text
    text = outline.without_pieces("null")
    json_outline.Outline(text, _DEEPEST, MOST_MARKS)
    return text


class EventReader:
    """Takes bytes as they arrive and gives back whole events, in time linear to the bytes; at most 16 MiB each.

    With `bare_json`, a line that is a JSON object is an event, which by the standard is an unknown field: so come
    streams of JSON lines, and errors that a gateway writes into an event stream as it writes them elsewhere.
    """

    def __init__(self, *, bare_json: bool = False) -> None:
        self._bare_json = bare_json
        # A character may be cut between two chunks; a broken one becomes U+FFFD and does not end the answer.
        self._text = codecs.getincrementaldecoder("utf-8")("replace")
        self._lines = _Lines()
        self._name = ""
        self._data: list[str] = []
        self._size = 0
        self._started = False

    def feed(self, data: bytes) -> list[Event]:
        """The events that `data` completes; raises Malformed when one is too long."""
        return list(self._events(self._lines.split(self._without_bom(self._text.decode(data)))))

    def close(self) -> list[Event]:
        """The events that only the end of the stream completes: those whose data are whole all the same."""
        rest = self._without_bom(self._text.decode(b"", final=True))
        lines = [*self._lines.split(rest), self._lines.rest()]
        events = list(self._events(lines if lines[-1] else lines[:-1]))
        return events + [event for event in self._dispatch() if event.data == DONE or _is_object(event.data)]

    def _without_bom(self, text: str) -> str:
        if self._started or not text:
            return text
        self._started = True
        return text.removeprefix("\ufeff")

    def _events(self, lines: Iterable[str]) -> Iterator[Event]:
        for line in lines:
            yield from self._take(line)

    def _take(self, line: str) -> Iterator[Event]:
        data = _data_in(line)
        done = DONE in (line.strip() if data is None else "", (data or "").strip())
        if not line or (len(self._data) == 1 and self._next_begins(data, done)):
            yield from self._dispatch()
        if done and not self._data:
            # At once: some gateways send no blank line after it, and no line end.
            yield Event(self._name or "message", DONE)
        elif data is not None:
            self._keep(data, len(line))
        elif self._bare_json and line.startswith("{") and _is_object(line):
            yield from self._dispatch()
            yield Event("message", line)
        elif line:
            # `id`, `retry` and comments mean nothing to a reader that never reconnects.
            name, _, value = line.partition(":")
            self._name = value.removeprefix(" ") if name == "event" else self._name

    def _next_begins(self, data: str | None, done: bool) -> bool:
        """Whether this line starts another event although no blank line ended the last one."""
        looks_so = done or (data or "").startswith("{")
        return looks_so and _is_object(self._data[0])

    def _keep(self, data: str, size: int) -> None:
        self._data.append(data)
        self._size += size + 1
        if self._size > LIMIT:
            raise Malformed("An event is longer than 16 MiB.")

    def _dispatch(self) -> Iterator[Event]:
        name, data = self._name, self._data
        self._name, self._data, self._size = "", [], 0
        # Behind JSON over several lines its blank line was forgotten.
        ended = len(data) > 2 and data[-1].strip() == DONE and json_value("\n".join(data[:-1])) is not Unreadable
        if data:
            yield Event(name or "message", "\n".join(data[:-1] if ended else data))
        if ended:
            yield Event("message", DONE)


def _data_in(line: str) -> str | None:
    """What a `data` line holds; None for any other line."""
    if line == "data":
        return ""
    if not line.startswith("data:"):
        return None
    return line[6:] if line.startswith("data: ") else line[5:]


def _is_object(data: str) -> bool:
    return isinstance(json_value(data), dict)


class _Lines:
    """Whole lines out of pieces of text; only CR, LF and CRLF end one."""

    def __init__(self) -> None:
        self._open = io.StringIO()
        self._after_cr = False

    def split(self, text: str) -> list[str]:
        if not text:
            return []
        if self._after_cr:
            # The line feed of a CRLF that the network has cut in two.
            text = text.removeprefix("\n")
        self._after_cr = text.endswith("\r")
        # Not splitlines: that also ends lines at U+2028, U+0085 and others that stand inside JSON texts.
        *lines, rest = _LINE_END.split(text)
        if lines:
            lines[0] = self.rest() + lines[0]
        self._open.write(rest)
        if self._open.tell() > LIMIT:
            raise Malformed("A line is longer than 16 MiB.")
        return lines

    def rest(self) -> str:
        """What stands behind the last line end, taken out."""
        text = self._open.getvalue()
        self._open = io.StringIO()
        return text
