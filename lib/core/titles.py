"""Shortens a text to a title."""

from lib.core.segmentation import beginning

TITLE_CHARACTERS = 80


def title_of(text: str) -> str:
    """The first words of `text` on one line, at most 80 characters."""
    # A text can be megabytes; eight times the title leaves room for blanks.
    line = " ".join(text[: 8 * TITLE_CHARACTERS].split())
    if len(line) <= TITLE_CHARACTERS:
        return line
    words = line[:TITLE_CHARACTERS].rpartition(" ")[0]
    # Texts without spaces, Chinese ones say, are cut between characters.
    return (words if len(words) > TITLE_CHARACTERS // 2 else beginning(line, TITLE_CHARACTERS - 1)) + "…"
