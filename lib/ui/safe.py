"""Makes foreign text harmless where Streamlit would read it as Markdown.

Streamlit's Markdown fetches images at once, also from labels and error boxes: text from a model or a service could
carry data out that way. The Content-Security-Policy stops it a second time.
"""

import re

IMAGE = re.compile(r"!(?=\[)")
VERBATIM = ("```", "~~~", "$$")
SPECIAL = re.compile(r"([\\`*_{}\[\]()#+\-.!|~$:<>&])")


def rendered(text: str) -> str:
    """Text to be shown as Markdown: as it is, but no image is ever loaded, and a line's end stays one (poems)."""
    broken = text if any(mark in text for mark in VERBATIM) else text.replace("\n", "  \n")
    return IMAGE.sub("!\u200b", broken)


def plain(text: str) -> str:
    """Text to be shown to the letter inside Markdown: a title, a label."""
    return SPECIAL.sub(r"\\\1", " ".join(text.split()))
