"""Foreign words in one line of a Markdown file, to the letter: a title, a name."""

import re

_MARK = re.compile(r"\A[-+#]|[\\`*_\[\]<>|~$&]")
_NUMBER = re.compile(r"\A(\d{1,9})(?=[.)])")


def markdown_line(text: str) -> str:
    """`text` with what Markdown would read as a mark of its own behind a backslash; what begins a list or a heading
    does so at the start of a line alone."""
    return _NUMBER.sub(r"\1\\", _MARK.sub(r"\\\g<0>", " ".join(text.split())))
