"""A text that still grows. A block that no further letter can change is drawn once, and only what follows is parsed
again: 10 kB cost 10 ms, twenty times a second, for each answer on the page.
"""

import re

from lib.core.rich_text.formulas import MAX_DISPLAY
from lib.core.rich_text.html import Block, Drawing, Spent
from lib.core.rich_text.pieces import piece, with_cursor
from lib.core.rich_text.rendering import grouped
from lib.core.rich_text.typed import marked_part, normal, typed_pieces
from lib.core.rich_text.unfinished import presentable

OPENING = re.compile(r"^[ \t>]*(?:(?:[-+*]|\d{1,9}[.)])[ \t]+)*[ \t>]*(?:\$\$|\\\[|\\begin\{)", re.MULTILINE)
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
        marked, rest = marked_part(normal(text))
        if not marked.startswith(self._before):
            self._settled, self._before, self._spent = [], "", Spent()
        pieces = [*grouped(self._blocks(marked, growing=bool(cursor) and not rest)), *typed_pieces(rest)]
        if not cursor:
            return pieces
        return [*pieces[:-1], with_cursor(pieces[-1] if pieces else piece(""), cursor)]

    def _blocks(self, text: str, growing: bool) -> list[str]:
        """The blocks of a text, of which those that are settled are not drawn again."""
        tail = text[len(self._before) :]
        drawing = Drawing(tail, self._spent)
        settled = list(self._settled)
        if drawing.shares:
            settled, tail = [], text
            drawing = Drawing(text) if self._before else drawing
        shown = drawing
        if growing and not drawing.ends_in_code and (probable := presentable(tail)) != tail:
            shown = Drawing(probable, Spent() if drawing.shares else self._spent)
        if not drawing.shares:
            self._settle(tail, drawing.blocks)
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
