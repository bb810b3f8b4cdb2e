"""Draws a text that still grows.

A block that no further letter can change is drawn once, and only what follows is parsed again: 10 kB cost 10 ms, twenty
times a second, for each answer on the page.
"""

import re

from lib.core.rich_text.formulas import BEGIN, MAX_DISPLAY
from lib.core.rich_text.html import Block, Drawing
from lib.core.rich_text.pieces import piece, with_cursor
from lib.core.rich_text.rendering import grouped
from lib.core.rich_text.source import Source, prepared
from lib.core.rich_text.typed import typed_pieces
from lib.core.rich_text.unfinished import presentable, presentable_code
from lib.core.rich_text.words import Spent

OPENING = re.compile(rf"^[ \t>]*(?:(?:[-+*]|\d{{1,9}}[.)])[ \t]+)*[ \t>]*(?:\$\$|\\\[|{BEGIN.pattern})", re.MULTILINE)
"""Where a formula may begin whose end is still to come: it would take in the blocks that follow."""
LITERAL = ("fence", "code_block", "formula")


class Growing:
    """The pieces of one text while it is written: those that `render` gives, at every length of the text."""

    def __init__(self) -> None:
        self._settled: list[str] = []
        self._before = ""
        self._spent = Spent()

    def pieces(self, text: str, cursor: str = "") -> list[str]:
        """The pieces of `text`. With a `cursor`, which stands behind the last letter, the end is drawn as it will
        probably go on: a `**` has its counterpart, half a link waits."""
        source = prepared(text)
        if not source.marked.startswith(self._before):
            self._settled, self._before, self._spent = [], "", Spent()
        blocks = self._blocks(source, growing=bool(cursor) and not source.rest)
        pieces = [*grouped(blocks), *typed_pieces(source.rest)]
        if not cursor:
            return pieces
        return [*pieces[:-1], with_cursor(pieces[-1] if pieces else piece(""), cursor)]

    def _blocks(self, source: Source, growing: bool) -> list[str]:
        """The blocks of a text, of which those that are settled are not drawn again."""
        settled, spent, tail = list(self._settled), self._spent, source.marked[len(self._before) :]
        drawing = Drawing(tail, source.put_back, spent)
        if drawing.shares and settled:
            settled, spent, tail = [], Spent(), source.marked
            drawing = Drawing(tail, source.put_back)
        if not drawing.shares:
            self._settle(tail, drawing.blocks)
        probable = (presentable_code if drawing.ends_in_code else presentable)(tail) if growing else tail
        shown = drawing if probable == tail else Drawing(probable, source.put_back, spent)
        return [*settled, *(piece(block.html) for block in shown.blocks)]

    def _settle(self, tail: str, blocks: list[Block]) -> None:
        """Take in the blocks that stay as they are."""
        lines = [0, *(found.end() for found in re.finditer("\n", tail))]
        index = min(len(blocks) - 1, _first_open(tail, lines, blocks))
        while index > 0 and not _has_begun(blocks[index], len(lines), last=index == len(blocks) - 1):
            index -= 1
        if index > 0:
            self._settled += [piece(block.html) for block in blocks[:index]]
            self._before += tail[: lines[blocks[index].line]]
            self._spent = blocks[index - 1].spent


def _has_begun(block: Block, lines: int, last: bool) -> bool:
    """Whether a block will go on beginning where it begins now: its first two lines are whole (it might turn out to be
    the end of a paragraph, a heading's underline), and it is no formula whose last line may still get more."""
    return block.line + 2 < lines and not (last and block.kind == "formula")


def _first_open(tail: str, lines: list[int], blocks: list[Block]) -> int:
    """The first block in which a formula has begun that may still end, in a later one."""
    for index, block in enumerate(blocks[:-1]):
        source = tail[lines[block.line] : lines[blocks[index + 1].line]]
        if block.kind not in LITERAL and OPENING.search(source) and len(tail) - lines[block.line] < 3 * MAX_DISPLAY:
            return index
    return len(blocks)
