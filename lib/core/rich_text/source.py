"""A text as the parser gets it: line ends of one kind, bounded, without the long data of pictures."""

import re
from collections.abc import Callable
from typing import NamedTuple

LINE_END = re.compile(r"\r\n?")
NOT_SENT = re.compile("[\x00\ud800-\udfff]")
"""What can't be sent to a browser."""
MAX_MARKED = 200_000
"""Characters of a text that are read as Markdown; what follows is shown as typed."""
DATA = re.compile(r"data:image/[a-z0-9.+\-]{1,20};base64,[A-Za-z0-9+/=]{400,}", re.IGNORECASE)
"""A parser looks at each character of an address several times, so that long ones lie aside meanwhile."""


class Source(NamedTuple):
    """A text in two parts: what is read as Markdown, and what follows where it is too long. `put_back` restores the
    data of pictures in what is made of it."""

    marked: str
    rest: str
    put_back: Callable[[str], str]


def normal(text: str) -> str:
    """`text` with one kind of line end, and without what no browser can be sent."""
    return NOT_SENT.sub("\ufffd", LINE_END.sub("\n", text))


def prepared(text: str) -> Source:
    """`text` as the parser gets it; a text that is too long is cut at a line's end."""
    short, put_back = _without_data(normal(text))
    cut = len(short) if len(short) <= MAX_MARKED else short.rfind("\n", 0, MAX_MARKED) + 1 or MAX_MARKED
    return Source(short[:cut], put_back(short[cut:]), put_back)


def _without_data(text: str) -> tuple[str, Callable[[str], str]]:
    found: list[str] = []
    mark = _unused(text) if "data:image/" in text else ""

    def aside(match: re.Match[str]) -> str:
        found.append(match[0])
        return f"data:image/{mark}{len(found) - 1}."

    short = DATA.sub(aside, text) if mark else text
    place = re.compile(rf"data:image/{mark}(\d+)\.")
    return short, (lambda made: place.sub(lambda match: found[int(match[1])], made)) if found else str


def _unused(text: str) -> str:
    """A word that the text does not hold, so that nothing in it can stand for the data of another place."""
    count = 0
    while f"x{count}x" in text:
        count += 1
    return f"x{count}x"
