"""Parses server-sent events as WHATWG HTML 9.2.6 says, tolerating what chat gateways get wrong.

Beyond the standard: `[DONE]` counts with or without `data:`, a blank line or a line end; an event whose blank line
was forgotten ends where the next JSON object begins.
"""

import codecs
import io
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from lib.core.errors import Malformed

LIMIT = 16 * 1024 * 1024
DONE = "[DONE]"
_LINE_END = re.compile("\r\n?|\n")


@dataclass(frozen=True, slots=True)
class Event:
    """One event: its name (“message” where it has none) and its data lines, joined with line feeds."""

    name: str
    data: str


class Unreadable:
    """Stands for data that are no JSON."""


def json_value(text: str | bytes) -> Any:
    """`text` as a JSON value, or `Unreadable`; never raises, whatever the text."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return Unreadable


class EventReader:
    """Takes bytes as they arrive and gives back whole events, in time linear to the bytes; at most 16 MiB each."""

    def __init__(self) -> None:
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
        return events + [event for event in self._dispatch() if _whole(event.data)]

    def _without_bom(self, text: str) -> str:
        if self._started or not text:
            return text
        self._started = True
        return text.removeprefix("\ufeff")

    def _events(self, lines: Iterable[str]) -> Iterator[Event]:
        for line in lines:
            yield from self._take(line)

    def _take(self, line: str) -> Iterator[Event]:
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        done = line.strip() == DONE or (name == "data" and value.strip() == DONE)
        if not line or (len(self._data) == 1 and self._next_begins(name, value, done)):
            yield from self._dispatch()
        if done and not self._data:
            yield Event("message", DONE)
        elif line:
            self._keep(name, value)

    def _next_begins(self, name: str, value: str, done: bool) -> bool:
        """Whether this line starts another event although no blank line ended the last one."""
        looks_so = done or (name == "data" and value.startswith("{"))
        return looks_so and isinstance(json_value(self._data[0]), dict)

    def _keep(self, name: str, value: str) -> None:
        """Take in one field; `id`, `retry` and comments mean nothing to a reader that never reconnects."""
        if name == "event":
            self._name = value
        elif name == "data":
            self._data.append(value)
            self._size += len(value) + len("data: ")
        if self._size > LIMIT:
            raise Malformed("An event is longer than 16 MiB.")

    def _dispatch(self) -> Iterator[Event]:
        name, lines = self._name, self._data
        self._name, self._data, self._size = "", [], 0
        if lines:
            yield Event(name or "message", "\n".join(lines))


def _whole(data: str) -> bool:
    return all(line == DONE or json_value(line) is not Unreadable for line in data.split("\n"))


class _Lines:
    """Whole lines out of pieces of text; only CR, LF and CRLF end one."""

    def __init__(self) -> None:
        self._open = io.StringIO()
        self._after_cr = False

    def split(self, text: str) -> list[str]:
        if not text:
            return []
        if self._after_cr:
            text = text.removeprefix("\n")
        self._after_cr = text.endswith("\r")
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
