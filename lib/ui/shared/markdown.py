"""Draws foreign text: Markdown as HTML that leaves Streamlit nothing to read in it, everything else to the letter."""

from collections.abc import Iterable
from typing import Any

from lib.core.rich_text import as_typed, render

Container = Any
"""Where something is drawn: `st` itself or one of its containers, for which Streamlit has no common type."""


def markdown(container: Container, text: str) -> None:
    """Draw a text that a model wrote, in the pieces that the live view draws, so that nothing moves when it ends."""
    draw(container, render(text))


def typed(container: Container, text: str) -> None:
    """Draw a text as somebody typed it: line ends, indents, every sign."""
    draw(container, [as_typed(text)])


def draw(container: Container, pieces: Iterable[str]) -> None:
    """Draw pieces that `lib.core.rich_text` made, one element each."""
    for piece in pieces:
        draw_piece(container, piece)


def draw_piece(container: Container, piece: str) -> Container:
    """Draw one such piece; the element, to be drawn over."""
    # Streamlit has no sanitiser behind `unsafe_allow_html`: what comes here is escaped, and has passed a kept one.
    return container.markdown(piece, unsafe_allow_html=True, anchors=False)


def to_the_letter(container: Container, text: str, language: str | None = None, **look: Any) -> None:
    """Draw a text in a box from which it can be copied as it is."""
    # One line end at each end is Streamlit's to take off (elements/code.py, 1.67), and may be the text's own.
    container.code(f"\n{text}\n", language=language, **look)
