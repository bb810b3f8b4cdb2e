"""A whole text at rest: its pieces for the page, its HTML for a file."""

from collections.abc import Sequence
from functools import lru_cache

from lib.core.rich_text.html import Drawing
from lib.core.rich_text.pieces import piece
from lib.core.rich_text.source import prepared
from lib.core.rich_text.typed import as_typed, typed_pieces

SINGLE, TOGETHER = 200, 50
"""Blocks that are pieces of their own, and how many share one after these: ten thousand elements stop a browser."""
REMEMBERED, LONGEST_REMEMBERED = 256, 50_000


def render(text: str) -> list[str]:
    """`text`, which is Markdown, in pieces for `st.markdown(…, unsafe_allow_html=True)`, one element each."""
    return list(_remembered(text)) if len(text) <= LONGEST_REMEMBERED else _pieces(text)


def to_html(text: str) -> str:
    """`text`, which is Markdown, as safe HTML for a file. Formulas stay as they were written, in `span.formula`."""
    source = prepared(text)
    html = [block.html for block in Drawing(source.marked, source.put_back).blocks]
    return "\n".join([*html, as_typed(source.rest)] if source.rest else html)


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
