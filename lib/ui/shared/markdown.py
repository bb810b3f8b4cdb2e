"""Draws foreign text as Markdown, made harmless first.

Streamlit's Markdown fetches images at once, also from labels and error boxes: text from a model or a service could
carry data out that way. The Content-Security-Policy stops it a second time.
"""

import html
import re
from typing import Any

from lib.ui.shared.markdown_blocks import blocks

HARMFUL = ("data:", "javascript:", "vbscript:")
DESTINATION = re.compile(r"(\](?=\(|:)|<(?=\S))(\(\s*<?|:\s*<?|)([^\s)>]{1,200})")
UNSEEN = re.compile(r"[\s\\\x00-\x1f]")
IMAGE = re.compile(r"!(?=\[)")
VERBATIM = ("```", "~~~", "$$")
CODE = re.compile(r"(`+[^`]*`+)")
DISPLAY, INLINE = re.compile(r"\\\[(.{1,2000}?)\\\]", re.DOTALL), re.compile(r"\\\((.{1,2000}?)\\\)", re.DOTALL)
SPECIAL = re.compile(r"([\\`*_{}\[\]()#+\-.!|~$:<>&])")


def markdown(place: Any, text: str) -> None:
    """Draw a whole Markdown text, cut as the live view cuts it, so that nothing moves when an answer ends."""
    for block in blocks(text):
        place.markdown(rendered(block))


def rendered(text: str) -> str:
    """Text to be shown as Markdown: as it is, but no image is ever loaded, a line's end stays one (poems), and LaTeX's
    own brackets make a formula."""
    text = text if any(mark in text for mark in VERBATIM) else _with_formulas(text)
    broken = text if any(mark in text for mark in VERBATIM) else text.replace("\n", "  \n")
    return DESTINATION.sub(_without_harmful_link, IMAGE.sub("!\u200b", broken))


def _without_harmful_link(found: re.Match[str]) -> str:
    """A link whose address holds a document of its own (`data:`) or a script is no link: Streamlit would keep it."""
    address = UNSEEN.sub("", html.unescape(found[3])).lower()
    return f"{found[1]}\u200b{found[2]}{found[3]}" if address.startswith(HARMFUL) else found[0]


def _with_formulas(text: str) -> str:
    """`\\( .. \\)` and `\\[ .. \\]` as the dollar signs that Streamlit knows; code stays as it is."""
    parts = CODE.split(text)
    for index in range(0, len(parts), 2):
        part = DISPLAY.sub(lambda found: f"$${found[1]}$$", parts[index])
        parts[index] = INLINE.sub(lambda found: f"${found[1].strip()}$", part)
    return "".join(parts)


def plain(text: str) -> str:
    """Text to be shown to the letter inside Markdown: a title, a label."""
    return SPECIAL.sub(r"\\\1", " ".join(text.split()))
