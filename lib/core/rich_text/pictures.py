"""Pictures inside a text: the ones that come as data are shown, within bounds; all others are a link that says where it
leads, since fetching them would tell a stranger that, and what, somebody reads."""

from functools import lru_cache
from html import escape
from urllib.parse import urlsplit

from lib.core import images
from lib.core.errors import InvalidInput

SHOWN_OF_DATA = 48
"""Characters of a data URL that is not shown as a picture."""


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


def file_name(url: str) -> str:
    """The last part of an address's path, for a picture that nothing describes."""
    return "" if url.lower().startswith("data:") else url.partition("?")[0].rstrip("/").rpartition("/")[2]


def picture(source: str, alt: str, title: str) -> str:
    """HTML of a picture that is shown."""
    named = f' title="{escape(title)}"' if title else ""
    return f'<img src="{escape(source)}" alt="{escape(alt)}"{named}>'
