"""Our own rules for blocks, over markdown-it's: how deep they may stand in each other, which definitions count, and
where Markdown ends that is shown as code."""

import re
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.parser_block import RuleFuncBlockType
from markdown_it.rules_block import StateBlock, blockquote, fence, lheading, list_block, paragraph, reference
from mdit_py_plugins.footnote import footnote_plugin
from mdit_py_plugins.footnote.index import footnote_def

MAX_DEPTH = 20
"""Tokens inside each other: a list in a list takes two. What stands deeper is text."""
FENCE = re.compile(r"(`{3,}|~{3,})([^`\n]*)")
YEAR = re.compile(r"[1-9]\d{3,}[.)]")
NO_QUOTE = re.compile(r"(?<!>)(?:>=|>>> ?[^>\s]|>{5,})")
MARKDOWN = re.compile(r"(?:md|markdown|mdx|qmd|rmd)\b", re.IGNORECASE)
PLAUSIBLE = re.compile(r"[a-z][a-z0-9+.\-]*:\S|[/#?]|\S\.\w|\S[/*]", re.IGNORECASE)


def block_rules(md: MarkdownIt) -> None:
    """Teach a parser the rules of this module."""
    md.use(footnote_plugin, inline=False, move_to_end=False)
    nested = ["paragraph", "reference", "blockquote", "list"]
    md.block.ruler.at("blockquote", _bounded(_quote), {"alt": nested})
    md.block.ruler.at("list", _bounded(_list), {"alt": nested[:-1]})
    md.block.ruler.at("footnote_def", _bounded(footnote_def), {"alt": nested[:2]})
    md.block.ruler.at("reference", _definition)
    md.block.ruler.at("fence", _fence, {"alt": nested})
    md.block.ruler.at("lheading", _underlined)
    md.block.ruler.at("paragraph", _paragraph)


def _bounded(rule: RuleFuncBlockType) -> RuleFuncBlockType:
    """`rule`, but not below MAX_DEPTH. markdown-it's own limit drops the text that stands deeper."""

    def bounded(state: StateBlock, start: int, end: int, silent: bool) -> bool:
        return state.level < MAX_DEPTH and rule(state, start, end, silent)

    return bounded


def _quote(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """A quotation, but neither a comparison (`>= 5`) nor what is typed at Python's prompt (`>>> print(1)`) nor a mark
    of a conflict in git (`>>>>>>> main`)."""
    return not NO_QUOTE.match(state.src, state.bMarks[start] + state.tShift[start]) and blockquote(
        state, start, end, silent
    )


def _list(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """A list, but not a sentence that ends with a year (`2024. It was …`): beside it the page has no room for one."""
    return not YEAR.match(state.src, state.bMarks[start] + state.tShift[start]) and list_block(
        state, start, end, silent
    )


def _underlined(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """A heading with a line below it. Below several lines it parts them from what follows: they are a paragraph."""
    line, before = state.line, len(state.tokens)
    if not lheading(state, start, end, silent):
        return False
    if state.line - start > 2:
        del state.tokens[before:]
        state.line = line
        return False
    return True


def _paragraph(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """A paragraph, which may begin with spaces that are none of Markdown's: Chinese ones are indented by two U+3000."""
    found = paragraph(state, start, end, silent)
    if found and not silent:
        state.tokens[-2].content = state.getLines(start, state.line, state.blkIndent, False).strip(" \t\n")
    return found


def _definition(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """`[label]: address`, but not a line of a dialogue (`[Alice]: Yes`). Its text is kept: unless something uses the
    definition, it is shown where it stands."""
    known = set(state.env.get("references", ()))
    line = state.line
    if not reference(state, start, end, silent):
        return False
    if silent:
        return True
    added: dict[str, Any] = {label: state.env["references"][label] for label in state.env["references"].keys() - known}
    source = state.getLines(start, state.line, state.blkIndent, False)
    if "<" not in source and any(not (it["title"] or PLAUSIBLE.match(it["href"])) for it in added.values()):
        for label in added:
            del state.env["references"][label]
        state.line = line
        return False
    opening = state.push("definition_open", "p", 1)
    opening.map = [start, state.line]
    opening.meta = {"labels": sorted(added)}
    inline = state.push("inline", "", 0)
    inline.content, inline.map, inline.children = f"\\{source}", opening.map, []
    state.push("definition_close", "p", -1)
    return True


def _fence(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """A box of code. One that is said to be Markdown goes on past the whole boxes inside it, though models draw them
    with as few backticks as its own; in CommonMark it would end at the end of the first."""
    if not fence(state, start, end, silent):
        return False
    if not silent and MARKDOWN.match(state.tokens[-1].info.strip()):
        box = state.tokens[-1]
        last, closed = _end_of_all(state, start, end, box.markup)
        box.content = state.getLines(start + 1, last, state.sCount[start], True)
        state.line = last + closed
        box.map = [start, state.line]
    return True


def _end_of_all(state: StateBlock, start: int, end: int, markup: str) -> tuple[int, bool]:
    """The line where a box of Markdown ends, and whether that line is its end mark: a mark with a language begins a box
    inside, one without ends the innermost."""
    depth = 1
    for line in range(start + 1, end):
        position, last = state.bMarks[line] + state.tShift[line], state.eMarks[line]
        if position < last and state.sCount[line] < state.blkIndent:
            return line, False
        mark = None if state.is_code_block(line) else FENCE.fullmatch(state.src, position, last)
        if mark is None or not mark[1].startswith(markup):
            continue
        depth += 1 if mark[2].strip() else -1
        if depth == 0:
            return line, True
    return end, False
