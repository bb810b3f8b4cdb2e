"""A whole text at rest: its pieces for the page, its HTML for a file."""

import re
from collections.abc import Sequence
from functools import lru_cache

from lib.core.rich_text.html import Drawing
from lib.core.rich_text.pieces import piece
from lib.core.rich_text.source import prepared
from lib.core.rich_text.typed import as_typed, typed_pieces
from lib.core.rich_text.unfinished import presentable, presentable_code

SINGLE, TOGETHER = 200, 50
"""Blocks that are pieces of their own, and how many share one after these: ten thousand elements stop a browser."""
REMEMBERED, LONGEST_REMEMBERED = 256, 50_000
CODE_BEGINS = re.compile(r"```|~~~|(?:\A|\n)[ >]*(?: {4}|\t)")
"""Without any of these no code box stands in a text."""
OPENED = re.compile(r"(?:\A|\n)[ \t>]*(?:```|~~~)[^\n]*\Z")
"""The first line of a code box, with nothing in it yet: what is put behind it would be its language."""


def render(text: str) -> list[str]:
    """`text`, which is Markdown, in pieces for `st.markdown(…, unsafe_allow_html=True)`, one element each."""
    return list(_remembered(text)) if len(text) <= LONGEST_REMEMBERED else _pieces(text)


def to_html(text: str) -> str:
    """`text`, which is Markdown, as safe HTML for a file. Formulas stay as they were written, in `span.formula`."""
    source = prepared(text)
    html = [block.html for block in Drawing(source.marked, source.put_back).blocks]
    return "\n".join([*html, as_typed(source.rest)] if source.rest else html)


def beginning_to_html(text: str, sign: str) -> str:
    """The beginning of a text, which ends anywhere, as safe HTML with `sign` behind it: a mark whose counterpart is cut
    off is closed, and half a link left out."""
    marked = prepared(text).marked.rstrip()
    in_code = CODE_BEGINS.search(marked) is not None and Drawing(marked).ends_in_code
    end = (presentable_code(OPENED.sub("", marked)) if in_code else presentable(marked)).rstrip()
    return to_html((end or marked) + sign)


def grouped(pieces: Sequence[str]) -> list[str]:
    """Blocks as pieces: the first ones alone, what follows in groups that only grow at their end."""
    rest = pieces[SINGLE:]
    return [*pieces[:SINGLE], *("\n\n".join(rest[at : at + TOGETHER]) for at in range(0, len(rest), TOGETHER))]


def _pieces(text: str) -> list[str]:
    source = prepared(text)
    blocks = Drawing(source.marked, source.put_back).blocks
    return [*grouped([piece(block.html) for block in blocks]), *typed_pieces(source.rest)]


@lru_cache(maxsize=REMEMBERED)
def _remembered(text: str) -> tuple[str, ...]:
    """Every visit of a page draws the same answers again."""
    return tuple(_pieces(text))
