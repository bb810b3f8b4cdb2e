"""Moves what a model thought from the text of an answer into its reasoning, while the text still comes.

Models mark their thoughts with tags inside the text. There may be several blocks, one may come after the first words,
and where the chat's template has opened the first one, only its end comes. Tags inside code are the model's words.
"""

import re
from typing import Literal

TAGS = {
    "<think>": "</think>",
    "<thinking>": "</thinking>",
    "<thought>": "</thought>",
    "<seed:think>": "</seed:think>",
    "[THINK]": "[/THINK]",
    "◁think▷": "◁/think▷",
    "###Thinking": "###Response",
    "<|channel|>analysis<|message|>": "<|start|>assistant<|channel|>final<|message|>",
}
"""Opening tag -> closing tag. Magistral writes `[THINK]`, Kimi ◁think▷, old GLM models ###Thinking; the last one is
gpt-oss without a server that reads its channels."""
_AT_THE_START_ONLY = ("###Thinking", "<|channel|>analysis<|message|>")
"""What a heading of the answer may look like, and what stands nowhere else."""
_OPENINGS = [tag for tag in TAGS if tag not in _AT_THE_START_ONLY]
_CLOSINGS = [TAGS[tag] for tag in _OPENINGS]
_TAG = re.compile("|".join(map(re.escape, [*_OPENINGS, *_CLOSINGS])))
_FIRST = re.compile("[" + re.escape("".join({tag[0] for tag in [*_OPENINGS, *_CLOSINGS]})) + "]")
"""With what a tag begins: most pieces of an answer hold none of these, and cost next to nothing."""
_BEGINNINGS = frozenset(tag[0] for tag in TAGS)
_LONGEST = max(map(len, [*_OPENINGS, *_CLOSINGS]))
_MOST_HELD = 64
_MOST_UNCERTAIN = 50_000
"""Characters behind an opening tag within a line that wait for the closing one."""
_BETWEEN = "\n\n"
_FENCE = ("```", "~~~")


State = Literal["start", "opened", "reasoning", "uncertain", "gap", "text"]
"""What comes next: the answer's first word; what follows an opening tag; thoughts; what follows a tag within a line,
which may be a word of the text; what follows a closing tag; text."""


class Thinking:
    """Splits one choice's text into (text, reasoning), wherever the chunks are cut.

    A piece that may turn out to be part of a tag is held back until the next one, or `flush`, tells.
    """

    def __init__(self) -> None:
        self._state: State = "start"
        self._held = ""
        self._close = ""
        self._open = ""
        self._line = _Line()
        self._block: Literal["none yet", "open", "closed"] = "none yet"
        """How the last block of thoughts stands that has a word in it."""
        self._seen = False
        self._turned = self._moved = False

    @property
    def all_was_thought(self) -> bool:
        """Whether the last piece held the end of thoughts whose beginning never came: all text before it was thought,
        and whoever took that text has to move it."""
        return self._moved

    def split(self, piece: str) -> tuple[str, str]:
        """Take in a piece of content; what of it is certain by now, as (text, reasoning)."""
        self._moved = False
        if self._state == "text" and not self._held and not _FIRST.search(piece):
            self._line.take(piece)
            return piece, ""
        self._held += piece
        return self._go_on()

    def flush(self) -> tuple[str, str]:
        """What is still held back, at the end of the answer."""
        held, self._held = self._held, ""
        if self._state == "reasoning":
            return "", held.rstrip("\n")
        if self._state == "uncertain":
            self._state = "text"
            return self._open + held, ""
        return ("", "") if self._state in ("gap", "opened") else (held, "")

    def _go_on(self) -> tuple[str, str]:
        """Step from state to state until all that is certain is told."""
        steps = {
            "start": self._start,
            "opened": self._opened,
            "reasoning": self._reasoning,
            "uncertain": self._uncertain,
            "gap": self._gap,
            "text": self._text,
        }
        text, thoughts = "", ""
        while True:
            state = self._state
            more, thought = steps[state]()
            if self._turned:
                text, thoughts = "", text + more
                self._turned, self._moved = False, True
            else:
                text, thoughts = text + more, thoughts + thought
            if self._state == state:
                return text, thoughts

    def _start(self) -> tuple[str, str]:
        begun = self._held.lstrip()
        if len(self._held) - len(begun) < _MOST_HELD and (not begun or begun[0] in _BEGINNINGS):
            for opening in TAGS:
                if begun.startswith(opening):
                    self._begin(opening, begun.removeprefix(opening))
                    return "", ""
            if any(tag.startswith(begun) for tag in TAGS):
                return "", ""
        self._state = "text"
        return "", ""

    def _begin(self, opening: str, rest: str) -> None:
        self._seen, self._state, self._held, self._close = True, "opened", rest, TAGS[opening]

    def _opened(self) -> tuple[str, str]:
        self._held = self._held.lstrip("\n")
        if self._held:
            self._state = "reasoning"
        return "", ""

    def _reasoning(self) -> tuple[str, str]:
        thought, tag, rest = self._held.partition(self._close)
        if tag:
            self._state, self._held = "gap", rest
            return "", self._apart(thought.rstrip("\n"), ends=True)
        kept = len(self._held) - _undecided(self._held, [self._close])
        thought, self._held = self._held[:kept], self._held[kept:]
        return "", self._apart(thought)

    def _apart(self, thought: str, ends: bool = False) -> str:
        """`thought`, with a blank line before it where another block came before."""
        between = _BETWEEN if thought and self._block == "closed" else ""
        if thought and not ends:
            self._block = "open"
        elif ends and (thought or self._block != "none yet"):
            self._block = "closed"
        return between + thought

    def _uncertain(self) -> tuple[str, str]:
        """Within a line a tag counts only when its end comes: the text may speak of the tag itself."""
        if self._close in self._held or len(self._held) > _MOST_UNCERTAIN:
            self._state = "opened"
        return "", ""

    def _gap(self) -> tuple[str, str]:
        self._held = self._held.lstrip("\n")
        if self._held:
            self._state, self._line = "text", _Line()
        return "", ""

    def _text(self) -> tuple[str, str]:
        """Text up to the next tag that is one."""
        told = ""
        while found := _TAG.search(self._held):
            before, tag, rest = self._held[: found.start()], found[0], self._held[found.end() :]
            self._line.take(before)
            if not self._line.in_code and tag in TAGS:
                if self._line.blank:
                    self._begin(tag, rest)
                else:
                    self._state, self._open, self._close, self._held = "uncertain", tag, TAGS[tag], rest
                    self._seen = True
                return told + before, ""
            if not self._line.in_code and not self._seen:
                # Nothing was opened: the chat's template had done that, and all until here was thought.
                self._seen = self._turned = True
                self._state, self._held, self._block = "gap", rest, "closed"
                return told + before, ""
            self._line.take(tag)
            told, self._held, self._seen = told + before + tag, rest, True
        kept = len(self._held)
        if _FIRST.search(self._held, max(0, kept - _LONGEST)):
            kept -= _undecided(self._held, [*_OPENINGS, *_CLOSINGS], newlines=False)
        before, self._held = self._held[:kept], self._held[kept:]
        self._line.take(before)
        return told + before, ""


class _Line:
    """Where a text stands: whether its last line is blank so far, and whether what comes next is code."""

    def __init__(self) -> None:
        self._start = ""
        self._ticks = 0
        self._fenced = False
        self._unread: list[str] = []

    @property
    def blank(self) -> bool:
        self._read()
        return not self._start

    @property
    def in_code(self) -> bool:
        self._read()
        return self._fenced or self._ticks % 2 == 1

    def take(self, text: str) -> None:
        """Go on by `text`; it is looked at when somebody asks."""
        self._unread.append(text)

    def _read(self) -> None:
        text = "".join(self._unread)
        self._unread.clear()
        *whole, last = text.split("\n")
        for line in whole:
            self._add(line)
            # A fence's own line is inline code to nobody.
            if self._start.startswith(_FENCE):
                self._fenced = not self._fenced
            self._start, self._ticks = "", 0
        self._add(last)

    def _add(self, text: str) -> None:
        self._start = (self._start + text).lstrip()[:_MOST_HELD]
        self._ticks += text.count("`")


def _undecided(text: str, tags: list[str], newlines: bool = True) -> int:
    """How many characters at the end of `text` may belong to one of `tags`, or with `newlines` to the line ends before
    it."""
    end = text[max(0, len(text) - max(map(len, tags)) + 1) :]
    firsts = {tag[0] for tag in tags}
    # Most ends hold none of the characters that a tag begins with.
    beginnings = [end[at:] for at, character in enumerate(end) if character in firsts]
    size = next((len(one) for one in beginnings if any(tag.startswith(one) and tag != one for tag in tags)), 0)
    if not newlines:
        return size
    before = text[: len(text) - size]
    ends = len(before) - len(before.rstrip("\n"))
    return size + ends if ends < _MOST_HELD else size
