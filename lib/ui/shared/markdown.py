"""Draws foreign text: Markdown as HTML that leaves Streamlit nothing to read in it, everything else to the letter."""

from collections.abc import Iterable
from typing import Any

from lib.core.rich_text import as_typed, render

Place = Any
"""Where something is drawn: `st` itself or one of its containers, for which Streamlit has no common type."""


def markdown(place: Place, text: str) -> None:
    """Draw a text that a model wrote, in the pieces that the live view draws, so that nothing moves when it ends."""
    draw(place, render(text))


def typed(place: Place, text: str) -> None:
    """Draw a text as somebody typed it: line ends, indents, every sign."""
    draw(place, [as_typed(text)])


def draw(place: Place, pieces: Iterable[str]) -> None:
    """Draw pieces that `lib.core.rich_text` made, one element each."""
    for piece in pieces:
        draw_piece(place, piece)


def draw_piece(place: Place, piece: str) -> Place:
    """Draw one such piece; the element, to be drawn over."""
    # Streamlit has no sanitiser behind `unsafe_allow_html`: what comes here is escaped, and has passed a kept one.
    return place.markdown(piece, unsafe_allow_html=True, anchors=False)


def to_the_letter(place: Place, text: str, language: str | None = None, **look: Any) -> None:
    """Draw a text in a box from which it can be copied as it is."""
    # One line end at each end is Streamlit's to take off (elements/code.py, 1.67), and may be the text's own.
    place.code(f"\n{text}\n", language=language, **look)
