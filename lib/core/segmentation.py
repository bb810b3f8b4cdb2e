"""Cuts a text into its words, in languages with spaces between them and in Chinese, which has none.

Chinese is cut by jieba's dictionary (the package rjieba); what else is written without spaces, letter by letter.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import takewhile
from typing import Literal

import regex

_PIECE = regex.compile(
    r"""
    (?P<chinese>\p{Han}+)
    | (?=[\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}])\X
    | [^\W\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}]+(?:['’][^\W\p{Han}]+)*
    | \s+
    | \X
    """,
    regex.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class Length:
    """How long a text is, and what was counted."""

    count: int
    unit: Literal["words", "characters"]


_SIGN = regex.compile(r"\X")
_LONGEST_SIGN = 32
"""Characters of one that is not made to be long: a family of four has 7."""
_LETTER = regex.compile(r"[\p{L}\p{N}]")
_UNSPACED = regex.compile(r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}]")
_HAN, _KANA = regex.compile(r"\p{Han}"), regex.compile(r"[\p{Hiragana}\p{Katakana}]")
_SPACED_PIECE = regex.compile(r"\w+(?:['’]\w+)*|[\p{L}\p{N}]")


def segments(text: str) -> list[str]:
    """All of `text`, in words, spaces and single signs: joined they are the text again."""
    return list(_segments(text))


def beginning(text: str, most: int) -> str:
    """At most so many characters of `text`, and no sign in part: an emoji or a letter with its accents may be many."""
    if len(text) <= most or text[: most + 1].isascii():
        return text[:most]
    # From the start: in a row of flags only counting tells which two letters are one.
    ends = (found.end() for found in _SIGN.finditer(text[: most + _LONGEST_SIGN]))
    end = max(takewhile(most.__ge__, ends), default=0)
    return text[: end if end > most - _LONGEST_SIGN else most]


def words(text: str) -> list[str]:
    """The words of `text` in lower case, without spaces and punctuation; of a text of mere signs, its signs."""
    pieces = segments(text.casefold())
    return [piece for piece in pieces if _LETTER.search(piece)] or [piece for piece in pieces if not piece.isspace()]


def word_count(text: str) -> int:
    """How many words `text` has; a Chinese text those that its dictionary finds."""
    if not _UNSPACED.search(text):  # ten times as quick, and a grid has thousands of answers
        pieces = _SPACED_PIECE.findall(text)
        return len(pieces) - sum(not (piece[0].isalnum() or _LETTER.search(piece)) for piece in pieces)
    return sum(bool(_LETTER.search(piece)) for piece in _segments(text))


def length(text: str) -> Length:
    """How long `text` is as those who read it count: in words; in characters, signs too, where most of it is written
    without spaces between words."""
    bare = text.strip()
    unspaced = len(_UNSPACED.findall(bare))
    if unspaced and 2 * unspaced > len(_LETTER.findall(bare)):
        return Length(len(bare), "characters")
    return Length(word_count(bare), "words")


def is_chinese(text: str) -> bool:
    """Whether most of `text` is Chinese: of its letters most are Chinese characters, and none are Japanese kana."""
    letters = _LETTER.findall(text)
    return 2 * len(_HAN.findall(text)) > len(letters) and not _KANA.search(text)


def _segments(text: str) -> Iterator[str]:
    for found in _PIECE.finditer(text):
        if found["chinese"]:
            yield from _chinese(found[0])
        else:
            yield found[0]


def _chinese(text: str) -> list[str]:
    # Only here: its dictionary is 30 MB and a tenth of a second that nobody needs who has no Chinese.
    import rjieba

    return rjieba.cut(text)
