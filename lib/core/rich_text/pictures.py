"""Pictures inside a text: the ones that come as data are shown, within bounds; all others are a link that says where it
leads, since fetching them would tell a stranger that, and what, somebody reads."""

import re
from collections.abc import Callable
from functools import lru_cache
from html import escape
from typing import NamedTuple
from urllib.parse import urlsplit

from lib.core import images
from lib.core.errors import InvalidInput

DATA = re.compile(r"data:image/[a-z0-9.+\-]{1,20};base64,[A-Za-z0-9+/=]{400,}", re.IGNORECASE)
SHOWN_OF_DATA = 48
"""Characters of a data URL that is not shown as a picture."""


class Shelf(NamedTuple):
    """A text whose long data URLs lie aside, since a parser looks at each of their characters several times."""

    text: str
    put_back: Callable[[str], str]


def shelve(text: str) -> Shelf:
    """Take long data URLs out of a text."""
    found: list[str] = []
    mark = _unused(text)

    def aside(match: re.Match[str]) -> str:
        found.append(match[0])
        return f"data:image/{mark}{len(found) - 1}."

    short = DATA.sub(aside, text) if "data:image/" in text else text
    if not found:
        return Shelf(text, lambda html: html)
    place = re.compile(rf"data:image/{mark}(\d+)\.")
    return Shelf(short, lambda html: place.sub(lambda match: found[int(match[1])], html))


def _unused(text: str) -> str:
    """A word that the text does not hold, so that nothing in it can stand for a picture of another place."""
    count = 0
    while f"x{count}x" in text:
        count += 1
    return f"x{count}x"


@lru_cache(maxsize=images.MAX_IMAGES)
def shown(url: str) -> str | None:
    """A data URL written anew from the picture in it; None for what is no picture or too large."""
    try:
        return images.checked(url)
    except InvalidInput:
        return None


def where(url: str) -> str:
    """What a reader is told about where an address leads: its host, or the address itself."""
    if url.lower().startswith("data:"):
        return url[:SHOWN_OF_DATA] + "…" * (len(url) > SHOWN_OF_DATA)
    try:
        return urlsplit(url).netloc.rpartition("@")[2] or url
    except ValueError:
        return url


def picture(source: str, alt: str, title: str) -> str:
    """HTML of a picture that is shown."""
    named = f' title="{escape(title)}"' if title else ""
    return f'<img src="{escape(source)}" alt="{escape(alt)}"{named}>'
