"""Text that is shown as it was typed: line ends, indents, every sign."""

from functools import lru_cache
from html import escape

from lib.core.rich_text.guard import guarded
from lib.core.rich_text.html import RIGHT_TO_LEFT
from lib.core.rich_text.pieces import piece
from lib.core.rich_text.source import normal

MAX_PIECE = 20_000
REMEMBERED, LONGEST_REMEMBERED = 256, 20_000
STYLE = "white-space:pre-wrap;overflow-wrap:anywhere"


def as_typed(text: str) -> str:
    """`text` to the letter, as one piece for `st.markdown(…, unsafe_allow_html=True)`. Each line takes its own
    direction where one runs from right to left."""
    return _remembered(text) if len(text) <= LONGEST_REMEMBERED else _typed(text)


def _typed(text: str) -> str:
    shown = normal(text)
    if RIGHT_TO_LEFT.search(shown):
        inside = "".join(f'<div dir="auto">{escape(line, quote=False) or "<br>"}</div>' for line in shown.split("\n"))
    else:
        inside = escape(shown, quote=False)
    return piece(guarded(f'<div style="{STYLE}">{inside}</div>'))


@lru_cache(maxsize=REMEMBERED)
def _remembered(text: str) -> str:
    """Every visit of a page draws the same messages again. The guard is fast, but lets other threads go on meanwhile,
    and the page then waits for these."""
    return _typed(text)


def typed_pieces(text: str) -> list[str]:
    """A long text as typed, in pieces that stay as they are while it grows."""
    pieces = []
    while text:
        cut = len(text) if len(text) <= MAX_PIECE else text.rfind("\n", 0, MAX_PIECE) + 1 or MAX_PIECE
        pieces.append(as_typed(text[:cut].removesuffix("\n")))
        text = text[cut:]
    return pieces
