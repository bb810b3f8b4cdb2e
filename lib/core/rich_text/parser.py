"""The one parser of foreign Markdown: CommonMark with GitHub's tables, strikethrough, task lists and footnotes, bare
addresses and formulas. markdown-it-py decides; our own rules stand where models write what its dialect does not have.
"""

import re
from typing import Any, NamedTuple

from markdown_it import MarkdownIt
from markdown_it.token import Token

from lib.core.rich_text.block_rules import MAX_DEPTH, block_rules
from lib.core.rich_text.formulas import formulas
from lib.core.rich_text.inline_rules import Inline, inline_rules
from lib.core.rich_text.table_rule import table_rule

UNPAIRED = re.compile("[\ud800-\udfff]")


class Parsed(NamedTuple):
    """A text's tokens, and what is known of the whole: definitions, footnotes."""

    tokens: list[Token]
    env: dict[str, Any]


def parse(text: str) -> Parsed:
    """The tokens of `text`. HTML is off: a tag is text."""
    env: dict[str, Any] = {"references": Used()}
    return Parsed(_parser.parse(UNPAIRED.sub("\ufffd", text), env), env)


class Used(dict[str, Any]):
    """The definitions of a text, which know which of them something used."""

    def __init__(self) -> None:
        super().__init__()
        self.labels: set[str] = set()

    def get(self, label: str, default: Any = None) -> Any:
        """The definition, which counts as used from now on."""
        if label in self:
            self.labels.add(label)
        return super().get(label, default)


def _configured() -> MarkdownIt:
    md = MarkdownIt("commonmark", {"html": False, "breaks": True, "tasklists": True, "maxNesting": MAX_DEPTH + 4})
    md.inline = _like(md.inline)
    md.enable(["table", "strikethrough"])
    md.validateLink = lambda url: True  # type: ignore[method-assign]  # what may be a link is decided when it is drawn
    md.normalizeLinkText = lambda link: link  # type: ignore[method-assign]  # an address is shown as it is written
    md.use(block_rules).use(table_rule).use(formulas).use(inline_rules)
    return md


def _like(configured: Any) -> Inline:
    """Our parser of running text with the rules that a preset has chosen."""
    inline = Inline()
    inline.ruler.enableOnly(configured.ruler.get_active_rules())
    inline.ruler2.enableOnly(configured.ruler2.get_active_rules())
    return inline


_parser = _configured()
