"""Cuts a growing Markdown text into blocks that won't change any more, and a tail that may.

What is finished is sent to the browser once; only the tail is sent again and again.
"""

from collections.abc import Iterator

FENCES = ("```", "~~~")
MATH = "$$"


def blocks(text: str) -> list[str]:
    """`text` in pieces that render alike on their own; all but the last one are final however the text goes on."""
    found: list[str] = []
    current: list[str] = []
    for line, open_block in _lines(text):
        starts_new = not open_block and current and not current[-1].strip() and line[:1].strip()
        if starts_new and any(part.strip() for part in current):
            found.append("\n".join(current).rstrip("\n"))
            current = []
        current.append(line)
    return [*found, "\n".join(current)] if current else found


def _lines(text: str) -> Iterator[tuple[str, bool]]:
    """Each line, and whether it stands inside a code fence or a formula that began before it."""
    fence, formula = "", False
    for line in text.split("\n"):
        yield line, bool(fence) or formula
        start = line.lstrip()[:3]
        if fence:
            fence = "" if start == fence else fence
        elif start in FENCES:
            fence = start
        elif line.count(MATH) % 2:
            formula = not formula
