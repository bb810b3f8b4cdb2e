"""The words around one that was found in an answer, as they are read."""

from lib.core.found_words import around, place_of
from lib.core.rich_text import beginning_to_html, line_of_html

PASSAGE = 300
"""Characters on either side of a word, more than an excerpt shows: what marks them begins or ends among them."""


def as_read(answer: str, word: str) -> str:
    """The words around one of an answer without the marks of its Markdown; as they came where the word itself is none
    that is shown, but a part of a link's address, say."""
    at = place_of(answer, word) or 0
    begin = max(0, at - PASSAGE)
    begin = max(begin, answer.find("\n\n", begin, at))  # a whole paragraph, if one begins there
    shown = line_of_html(beginning_to_html(answer[begin : at + len(word) + PASSAGE], ""))
    return around(answer if place_of(shown, word) is None else shown, word)
