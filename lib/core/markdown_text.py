"""Foreign texts in a Markdown file, to the letter: in one line, as a title or a name, or in a box of code."""

import re

_MARK = re.compile(r"\A[-+#]|[\\`*_\[\]<>|~$&]")
_NUMBER = re.compile(r"\A(\d{1,9})(?=[.)])")


def markdown_line(text: str) -> str:
    """`text` with what Markdown would read as a mark of its own behind a backslash; what begins a list or a heading
    does so at the start of a line alone."""
    return _NUMBER.sub(r"\1\\", _MARK.sub(r"\\\g<0>", " ".join(text.split())))


def boxed(text: str, language: str = "") -> str:
    """`text` in a box of code that nothing in it can close."""
    fence = "```"
    while fence in text:
        fence += "`"
    return f"{fence}{language}\n{text}\n{fence}"
