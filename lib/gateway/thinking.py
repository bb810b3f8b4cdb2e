"""Moves a leading `<think>` block from the text of an answer into its reasoning, while the text still comes.

Old GLM models write `###Thinking ... ###Response` instead.
"""

TAGS = {"<think>": "</think>", "###Thinking": "###Response"}
"""Opening tag -> closing tag."""
_MOST_HELD = 64


class Thinking:
    """Splits one choice's text into (text, reasoning), wherever the chunks are cut.

    A piece that may turn out to be part of a tag is held back until the next one, or `flush`, tells.
    """

    def __init__(self) -> None:
        self._state = "start"
        self._held = ""
        self._close = ""

    def split(self, piece: str) -> tuple[str, str]:
        """Take in a piece of content; what of it is certain by now, as (text, reasoning)."""
        if self._state == "text":
            return piece, ""
        self._held += piece
        steps = {"start": self._start, "opened": self._opened, "reasoning": self._reasoning, "gap": self._gap}
        return steps[self._state]()

    def flush(self) -> tuple[str, str]:
        """What is still held back, at the end of the answer."""
        held, self._held = self._held, ""
        if self._state == "reasoning":
            return "", held.rstrip("\n")
        return ("", "") if self._state == "gap" else (held, "")

    def _start(self) -> tuple[str, str]:
        begun = self._held.lstrip()
        if len(self._held) - len(begun) >= _MOST_HELD:
            return self._plain()
        for opening, closing in TAGS.items():
            if begun.startswith(opening):
                self._state, self._held, self._close = "opened", begun.removeprefix(opening), closing
                return self._opened()
        return ("", "") if any(opening.startswith(begun) for opening in TAGS) else self._plain()

    def _opened(self) -> tuple[str, str]:
        self._held = self._held.lstrip("\n")
        if not self._held:
            return "", ""
        self._state = "reasoning"
        return self._reasoning()

    def _reasoning(self) -> tuple[str, str]:
        thought, tag, rest = self._held.partition(self._close)
        if tag:
            self._state, self._held = "gap", rest
            text, _ = self._gap()
            return text, thought.rstrip("\n")
        kept = len(self._held) - _undecided(self._held, self._close)
        thought, self._held = self._held[:kept], self._held[kept:]
        return "", thought

    def _gap(self) -> tuple[str, str]:
        self._held = self._held.lstrip("\n")
        return self._plain() if self._held else ("", "")

    def _plain(self) -> tuple[str, str]:
        self._state = "text"
        text, self._held = self._held, ""
        return text, ""


def _undecided(text: str, close: str) -> int:
    """How many characters at the end of `text` may belong to the closing tag or the line ends before it."""
    size = next((size for size in range(len(close) - 1, 0, -1) if text.endswith(close[:size])), 0)
    before = text[: len(text) - size]
    newlines = len(before) - len(before.rstrip("\n"))
    return size + newlines if newlines < _MOST_HELD else size
