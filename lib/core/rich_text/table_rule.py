"""GitHub's tables without the loss: there, a row with too many pipes loses what stands behind the last column, though
models write `str | None` in a cell as they write it elsewhere."""

import re

from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock, table

from lib.core.rich_text.tex import is_formula

CODE = re.compile(r"(?<!`)(`+)(?!`).*?(?<!`)\1(?!`)")
FORMULA = re.compile(r"(?<![A-Za-z0-9$\\])\$(?=[^\s$])([^$]*[^\s$])\$(?![A-Za-z0-9$])|\\\((.+?)\\\)")
DELIMITERS = re.compile(r"[ \t]*\|?[ \t]*:?-[-:| \t]*")
PIPE = re.compile(r"(?<!\\)\|")


def table_rule(md: MarkdownIt) -> None:
    """Teach a parser such tables."""
    md.block.ruler.at("table", _table, {"alt": ["paragraph", "reference"]})


def _table(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """A table; the pipes that part no cells lie aside meanwhile, as a sign that the text does not have."""
    if not table(state, start, end, True) and not _has_pipes_in_its_head(state, start, end):
        return False
    if silent:
        return True
    source, first = state.src, len(state.tokens)
    aside = next(sign for sign in map(chr, range(0xE000, 0xF900)) if sign not in source)
    state.src = _with_fitting_rows(state, start, end, aside)
    found = table(state, start, end, False)
    state.src = source
    for token in state.tokens[first:]:
        token.content = token.content.replace(aside, "|")
    return found


def _has_pipes_in_its_head(state: StateBlock, start: int, end: int) -> bool:
    """Whether the first of two lines is the head of a table once the pipes in its code and formulas lie aside."""
    if start + 1 >= end or state.is_code_block(start) or not DELIMITERS.fullmatch(_line(state, start + 1)):
        return False
    head = _line(state, start)
    return len(_ends(head)) >= _columns(state, start) == len(_ends(_apart(head, " "))) + 1


def _columns(state: StateBlock, start: int) -> int:
    return sum(bool(cell.strip()) for cell in _line(state, start + 1).split("|"))


def _with_fitting_rows(state: StateBlock, start: int, end: int, aside: str) -> str:
    """The source, in which no row of the table has more cells than there are columns."""
    columns = _columns(state, start)
    pieces, done = [], 0
    for number in (start, *range(start + 2, end)):
        line = _line(state, number)
        if not line.strip():
            break
        pieces += [state.src[done : state.bMarks[number]], _fitting(line, columns, aside)]
        done = state.eMarks[number]
    return "".join([*pieces, state.src[done:]])


def _line(state: StateBlock, number: int) -> str:
    return state.src[state.bMarks[number] : state.eMarks[number]]


def _fitting(line: str, columns: int, aside: str) -> str:
    """A row with at most so many cells: the pipes in its code and formulas are no ends of cells, and what is still too
    much belongs to the last one."""
    if len(_ends(line)) < columns:
        return line
    apart = _apart(line, aside)
    line = line if len(_ends(apart)) < columns - 1 else apart
    surplus = set(_ends(line)[columns - 1 :])
    return "".join(aside if at in surplus else sign for at, sign in enumerate(line))


def _apart(line: str, aside: str) -> str:
    """A row whose pipes in code and formulas are another sign."""
    line = CODE.sub(lambda code: PIPE.sub(aside, code[0]), line)
    return FORMULA.sub(lambda found: PIPE.sub(aside, found[0]) if _is_formula(found) else found[0], line)


def _is_formula(found: re.Match[str]) -> bool:
    return is_formula(found[1], "$") if found[1] else is_formula(found[2], "\\(")


def _ends(line: str) -> list[int]:
    """Where the cells of a row end but the last; pipes before the first and behind the last one are a frame."""
    places = [found.start() for found in PIPE.finditer(line)]
    begins = line.lstrip().startswith("|")
    ends = len(places) > begins and not line[places[-1] + 1 :].strip()
    return places[begins : len(places) - ends]
