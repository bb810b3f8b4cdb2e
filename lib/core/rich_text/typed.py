"""Text that is shown as it was typed: line ends, indents, every sign."""

import re
from html import escape

from lib.core.rich_text.guard import guarded
from lib.core.rich_text.html import RIGHT_TO_LEFT
from lib.core.rich_text.pieces import piece

LINE_END = re.compile(r"\r\n?")
NOT_SENT = re.compile("[\x00\ud800-\udfff]")
"""What can't be sent to a browser."""
MAX_MARKED = 200_000
"""Characters of a text that are read as Markdown; what follows is shown as typed."""
MAX_PIECE = 20_000
STYLE = "white-space:pre-wrap;overflow-wrap:anywhere"


def normal(text: str) -> str:
    """`text` with one kind of line end, and without what no browser can be sent."""
    return NOT_SENT.sub("\ufffd", LINE_END.sub("\n", text))


def as_typed(text: str) -> str:
    """`text` to the letter, as one piece for `st.markdown(…, unsafe_allow_html=True)`. Each line takes its own
    direction where one runs from right to left."""
    shown = normal(text)
    if RIGHT_TO_LEFT.search(shown):
        inside = "".join(f'<div dir="auto">{escape(line, quote=False) or "<br>"}</div>' for line in shown.split("\n"))
    else:
        inside = escape(shown, quote=False)
    return piece(guarded(f'<div style="{STYLE}">{inside}</div>'))


def marked_part(text: str) -> tuple[str, str]:
    """What of a normal text is read as Markdown, and the rest of one that is too long; cut at a line's end."""
    if len(text) <= MAX_MARKED:
        return text, ""
    cut = text.rfind("\n", 0, MAX_MARKED) + 1 or MAX_MARKED
    return text[:cut], text[cut:]


def typed_pieces(text: str) -> list[str]:
    """A long text as typed, in pieces that stay as they are while it grows."""
    pieces = []
    while text:
        cut = len(text) if len(text) <= MAX_PIECE else text.rfind("\n", 0, MAX_PIECE) + 1 or MAX_PIECE
        pieces.append(as_typed(text[:cut].removesuffix("\n")))
        text = text[cut:]
    return pieces
