"""Where a formula begins and ends: a rule of running text and a rule of blocks for markdown-it.

A model writes TeX as `$x$`, `$$x$$`, `\\(x\\)`, `\\[x\\]` or as a bare `\\begin{align}`. The same signs are prices,
shell variables, templates and escaped brackets: where they stand decides here, what stands between them in `tex`.
"""

import re
from typing import NamedTuple

from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock
from markdown_it.rules_inline import StateInline

from lib.core.rich_text.tex import is_formula

MAX_INLINE, MAX_DISPLAY = 1_000, 5_000
"""Characters. What is longer is shown as text, so that looking for an end stays cheap."""
MAX_LINES = 200
KINDS = (
    "equation|align|alignat|aligned|gather|gathered|multline|eqnarray|cases|split|array|"
    "matrix|pmatrix|bmatrix|Bmatrix|vmatrix|Vmatrix|smallmatrix|flalign"
)
BEGIN = re.compile(rf"\\begin\{{(?:{KINDS})\*?\}}")
CLOSED_BY = {"$": "$", "$$": "$$", "\\(": "\\)", "\\[": "\\]"}
NUMBER = re.compile(r"[ -]?\d")
SCRIPT = r"(?:\^|_(?![A-Za-z]))(?:\{[^{}$]*\}|\\[A-Za-z]+|[^\s$\\{])"
BESIDE_A_WORD = re.compile(rf"\$(?:(?:\\[A-Za-z]+ ?)+|\\%|[<>]|{SCRIPT})\$")
"""What is a formula though a letter or a digit stands beside it: a command (`3$\\times$4`), a sign that compares, and
what is raised or lowered (`H$_2$O`, `10$^{-3}$`)."""
ORDINAL = re.compile(r"(?:th|st|nd|rd|s)(?![A-Za-z0-9])")
TAIL = re.compile(r"[ \t]*([.,;:!?。，；：]?)[ \t]*")

WRITTEN = re.compile(r"\A(?:\$\$|\$|\\\(|\\\[)(.*)(?:\$\$|(?<!\$)\$|\\\)|\\\])([^\w$]?)\Z", re.DOTALL)
BEGUN = re.compile(r"\A(\\begin.*\\end\{[^{}]*\})(.?)\Z", re.DOTALL)


class Bounds(NamedTuple):
    """Where the TeX of a formula stands in a source, and where what closes it ends."""

    start: int
    end: int
    after: int


def formulas(md: MarkdownIt) -> None:
    """Teach a parser formulas: tokens `formula` with the TeX in `content`, a full stop behind it in `info`,
    and in `meta` whether it is displayed."""
    md.inline.ruler.before("escape", "formula", _inline)
    md.block.ruler.before("fence", "formula_block", _block, {"alt": ["paragraph", "reference", "blockquote", "list"]})


def taken_apart(written: str) -> tuple[str, str]:
    """The TeX of a formula that is written with its delimiters, and the full stop behind them."""
    found = WRITTEN.match(written) or BEGUN.match(written)
    return (found[1], found[2]) if found else (written, "")


def _inline(state: StateInline, silent: bool) -> bool:
    """A formula in running text."""
    opening = _opening(state)
    if not opening or not _may_open(state.src, state.pos, opening):
        return False
    bounds = _closed(state.src, state.pos + len(opening), state.posMax, CLOSED_BY[opening])
    if bounds is None or not _may_close(state.src, bounds, opening, state.posMax):
        return False
    tex = state.src[bounds.start : bounds.end]
    if not is_formula(tex, opening):
        return False
    if not silent:
        _push(state, tex, opening, display=opening in ("$$", "\\["))
    state.pos = bounds.after
    return True


def _opening(state: StateInline) -> str:
    two = state.src[state.pos : min(state.pos + 2, state.posMax)]
    if two in CLOSED_BY:
        return two
    return "$" if two[:1] == "$" else ""


def _may_open(source: str, start: int, opening: str) -> bool:
    """A sign after a letter is a price (`US$5`), a plural (`item\\(s\\)`), the rest of `$$$`."""
    before = source[start - 1] if start else ""
    if before.isalnum() and BESIDE_A_WORD.match(source, start):
        return True
    if before.isascii() and (before.isalnum() or before == "$"):
        return False
    if opening == "\\(":
        return before != "]"
    return source[start + 2 : start + 3] != "$" if opening == "$$" else True


def _may_close(source: str, bounds: Bounds, opening: str, end: int) -> bool:
    """A dollar before a letter or a digit is the next price or variable, but for `$n$th`; a bracket before a bracket is
    a link that was escaped, digits in brackets before digits are a telephone number."""
    after = source[bounds.after : bounds.after + 1] if bounds.after < end else ""
    if opening == "\\[":
        return after not in {"(", "[", ":"}
    if opening == "\\(":
        return not (source[bounds.start : bounds.end].isdigit() and NUMBER.match(source, bounds.after))
    if after.isalnum() and BESIDE_A_WORD.match(source, bounds.start - 1):
        return True
    if after == "{" or (after == "(" and source[bounds.start] == "("):
        return False
    return not (after and after.isascii() and (after.isalnum() or after in "$_")) or bool(
        ORDINAL.match(source, bounds.after)
    )


def _closed(source: str, start: int, end: int, closing: str, most: int = MAX_INLINE) -> Bounds | None:
    """What stands from `start` to the first `closing` that no backslash takes away."""
    end = min(end, start + most)
    found = source.find(closing, start, end)
    while found > 0 and _escaped(source, found, start):
        found = source.find(closing, found + 1, end)
    return Bounds(start, found, found + len(closing)) if found > 0 else None


def _escaped(source: str, position: int, start: int) -> bool:
    slashes = 0
    while position - slashes > start and source[position - slashes - 1] == "\\":
        slashes += 1
    return slashes % 2 == 1


def _push(state: StateInline | StateBlock, tex: str, opening: str, display: bool) -> None:
    token = state.push("formula", "", 0)
    token.content = tex.strip()
    token.markup = opening if opening in CLOSED_BY else ""
    token.meta = {"display": display}


def _block(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """A formula on lines of its own; it may stand right below a line of text."""
    position = state.bMarks[start] + state.tShift[start]
    opening = _block_opening(state.src, position)
    if not opening or state.is_code_block(start):
        return False
    closing = "\\end" + opening[len("\\begin") :] if opening.startswith("\\begin") else CLOSED_BY[opening]
    bounds = _closed(state.src, position + len(opening), len(state.src), closing, MAX_DISPLAY)
    last = _last_line(state, start, end, bounds) if bounds else None
    if bounds is None or last is None:
        return False
    tail = TAIL.fullmatch(state.src, bounds.after, state.eMarks[last])
    tex = _inside(state.getLines(start, last + 1, state.blkIndent, False), opening, closing)
    if tail is None or not is_formula(tex, opening, alone=tex.startswith("\n") and tex.endswith("\n")):
        return False
    if not silent:
        state.line = last + 1
        whole = tex if opening in CLOSED_BY else f"{opening}{tex}{closing}"
        _push(state, whole, opening, display=True)
        state.tokens[-1].map, state.tokens[-1].info = [start, last + 1], tail[1]
    return True


def _block_opening(source: str, position: int) -> str:
    two = source[position : position + 2]
    if two == "$$":
        return two if source[position + 2 : position + 3] != "$" else ""
    if two == "\\[":
        return two
    if two == "\\b" and (found := BEGIN.match(source, position)):
        return found[0]
    return ""


def _last_line(state: StateBlock, start: int, end: int, bounds: Bounds) -> int | None:
    """The line in which a formula ends that begins in line `start`; None when its block ends before."""
    line = start
    while state.eMarks[line] < bounds.end:
        line += 1
        if line >= min(end, start + MAX_LINES) or (not state.isEmpty(line) and state.sCount[line] < state.blkIndent):
            return None
    return line


def _inside(source: str, opening: str, closing: str) -> str:
    """The TeX between the first `opening` in a formula's lines and the last `closing`."""
    return source[source.index(opening) + len(opening) : source.rindex(closing)]
