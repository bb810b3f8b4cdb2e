"""Foreign text to the letter, inside a sentence or a label of ours that Streamlit reads as Markdown."""

import re

DIRECTION = re.compile("[\u202a-\u202e\u2066-\u2069\u200e\u200f\u061c]")
"""Marks without a shape that turn the rest of a sentence around."""
ARROW = re.compile(r"(?<!\S)(?=(?:<->|->|<-|--|>=|<=|~=)(?!\S))")
PARTED = re.compile(r"[:@]|(?<=w)w(?=w)", re.IGNORECASE)
SPECIAL = re.compile(r"([\\`*_{}\[\]()#+\-.!|~$<>&=^\"'/])")


def literal(text: str) -> str:
    """`text` in one line of Streamlit's Markdown that shows it as it is: no link, picture, formula, colour, arrow or
    shortcode is made of it.

    A backslash is enough for what Markdown itself reads. Arrows, `:shortcodes:` and bare addresses are looked for in
    the text that comes out, so that there a sign is put into an element of its own: `:color[…]{}` without a colour
    is nothing but that (Streamlit 1.67).
    """
    words = " ".join(DIRECTION.sub("", text).split())
    arrows = {found.start() for found in ARROW.finditer(words)}
    parted = arrows | {found.start() for found in PARTED.finditer(words)}
    return "".join(_sign(sign, position in parted) for position, sign in enumerate(words))


def _sign(sign: str, parted: bool) -> str:
    shown = SPECIAL.sub(r"\\\1", sign) if sign not in ":@" else f"\\{sign}"
    return f":color[{shown}]{{}}" if parted else shown
