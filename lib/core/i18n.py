"""Marks English sentences outside the pages for translation."""

from collections.abc import Callable, Iterable
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


_SENTENCES, _NAMES, _BRACKETS = N_("{words} {more}"), N_("{name}, {next}"), N_("{words} ({more})")


def joined(sentences: Iterable[str], translate: Callable[[str], str] = N_) -> str:
    """Sentences one after the other, with the gap that the language has between them: Chinese has none. Empty ones are
    left out."""
    return translate(_SENTENCES).format(words="", more="").join(filter(None, sentences))


def listed(names: Iterable[str], translate: Callable[[str], str] = N_) -> str:
    """Names one after the other, with the sign that the language has between them."""
    return translate(_NAMES).format(name="", next="").join(names)


def in_brackets(words: str, more: str, translate: Callable[[str], str] = N_) -> str:
    """`words`, and `more` behind them in the language's own brackets."""
    return translate(_BRACKETS).format(words=words, more=more)


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
