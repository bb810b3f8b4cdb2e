"""Marks English sentences outside the pages for translation."""

from collections.abc import Callable
from typing import Any, NamedTuple

from lib.core import money

_OURS: set[str] = set()


def N_(text: str) -> str:
    """Return `text` unchanged; the page translates it when it is shown (gettext's deferred form)."""
    _OURS.add(text)
    return text


def is_ours(text: str) -> bool:
    """Whether a sentence is one of the code's. Others come from a database or a backup, and may hold anything."""
    return text in _OURS


class Texts(NamedTuple):
    """Translates a sentence and one that counts, and writes US dollars; a page's language and a report's may differ."""

    one: Callable[[str], str]
    counted: Callable[[str, str, int], str]
    dollars: Callable[[float], str] = money.dollars


class Notice:
    """A sentence to be shown later in the reader's language, with `facts` to fill in; false where there is none."""

    def __init__(self, text: str = "", **facts: Any) -> None:
        self.text, self.facts = text, facts

    def __bool__(self) -> bool:
        return bool(self.text)

    def sentence(self, translate: Callable[[str], str] = N_) -> str:
        """The sentence; "" where there is none."""
        return translate(self.text).format_map(self.facts) if self.text else ""
