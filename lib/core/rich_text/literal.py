"""Foreign text to the letter, inside a sentence or a label of ours that Streamlit reads as Markdown."""

import re

from lib.core.rich_text.source import normal

DIRECTION = re.compile("[\u202a-\u202e\u2066-\u2069\u200e\u200f\u061c]")
"""Marks without a shape that turn the rest of a sentence around."""
SIGN = re.compile(r"([:@]|[-<>~](?=[->=])|(?<=w)w(?=w))|[\\`*_{}\[\]()#+\-.!|~$<>&=^\"'/]", re.IGNORECASE)
"""A mark of Markdown's; in the group the ones that a backslash does not take away, at the start of arrows and such."""


def literal(text: str) -> str:
    """`text` in one line of Streamlit's Markdown that shows it as it is: no link, picture, formula, colour, arrow or
    shortcode is made of it.

    A backslash is enough for what Markdown itself reads. Arrows, `:shortcodes:` and bare addresses are looked for in
    the text that comes out, so that there a sign is put into an element of its own: `:color[…]{}` without a colour
    is nothing but that (Streamlit 1.67).
    """
    return SIGN.sub(_shown, " ".join(DIRECTION.sub("", normal(text)).split()))


def _shown(found: re.Match[str]) -> str:
    sign = found[0] if found[0].isalpha() else f"\\{found[0]}"
    return f":color[{sign}]{{}}" if found[1] else sign
