"""Our own rules for blocks, over markdown-it's: how deep they may stand in each other, and which definitions count."""

import re
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.parser_block import RuleFuncBlockType
from markdown_it.rules_block import StateBlock, blockquote, list_block, reference
from mdit_py_plugins.footnote import footnote_plugin
from mdit_py_plugins.footnote.index import footnote_def

MAX_DEPTH = 20
"""Tokens inside each other: a list in a list takes two. What stands deeper is text."""
PLAUSIBLE = re.compile(r"[a-z][a-z0-9+.\-]*:\S|[/#?]|\S\.\w|\S[/*]", re.IGNORECASE)


def block_rules(md: MarkdownIt) -> None:
    """Teach a parser the rules of this module."""
    md.use(footnote_plugin, inline=False, move_to_end=False)
    nested = ["paragraph", "reference", "blockquote", "list"]
    md.block.ruler.at("blockquote", _bounded(blockquote), {"alt": nested})
    md.block.ruler.at("list", _bounded(list_block), {"alt": nested[:-1]})
    md.block.ruler.at("footnote_def", _bounded(footnote_def), {"alt": nested[:2]})
    md.block.ruler.at("reference", _definition)


def _bounded(rule: RuleFuncBlockType) -> RuleFuncBlockType:
    """`rule`, but not below MAX_DEPTH. markdown-it's own limit drops the text that stands deeper."""

    def bounded(state: StateBlock, start: int, end: int, silent: bool) -> bool:
        return state.level < MAX_DEPTH and rule(state, start, end, silent)

    return bounded


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
