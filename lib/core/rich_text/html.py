"""Foreign Markdown as safe HTML, block by block; a kept sanitiser looks at each once more."""

import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from html import escape
from itertools import pairwise
from typing import NamedTuple

from markdown_it.token import Token

from lib.core.rich_text.guard import guarded
from lib.core.rich_text.parser import parse
from lib.core.rich_text.words import Spent, Words

RIGHT_TO_LEFT = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\U00010800-\U00010fff\U0001e800-\U0001efff]")
LANGUAGE = re.compile(r"[A-Za-z0-9_.+#-]+")
LANGUAGES = {"c++": "cpp", "c#": "csharp", "f#": "fsharp", "objective-c": "objectivec", "mermaid": "", "math": ""}
"""Where a highlighter's name is another; all are in lower case. A diagram's source stays code: it would be drawn, and
drawing loads."""
CODE = ("fence", "code_block")
BOX = {True: "☑ ", False: "☐ "}
TABLE_ALIGN = re.compile(r"text-align:(left|center|right)")
ALIGNED = "text-align:start"
"""Streamlit aligns all text to the left."""
RIGHT = {
    "ul": f' dir="rtl" style="{ALIGNED};padding-right:1.2em"',
    "ol": f' dir="rtl" style="{ALIGNED};padding-right:1.2em"',
    "blockquote": ' dir="rtl"',
    "table": ' dir="rtl"',
}


class Block(NamedTuple):
    """A block of a text: safe, whole HTML, the kind of its first token, the line where it begins (the footnotes: -1),
    and what the text has used up behind it."""

    html: str
    kind: str
    line: int
    spent: Spent


class Drawing:
    """A text's way to HTML. `blocks` holds the result; `shares` tells whether its blocks know of each other, by
    definitions or footnotes, and `ends_in_code` whether the last letter stands in a code box."""

    def __init__(self, text: str, put_back: Callable[[str], str] = str, before: Spent | None = None) -> None:
        self._parsed = parse(text)
        self._words = Words(put_back, before or Spent())
        self._tokens: Sequence[Token] = ()
        self._numbers: dict[int, int] = {}
        self._box = ""
        self.shares = bool(self._parsed.env["references"] or self._parsed.env.get("footnotes", {}).get("refs"))
        leaves = [token.type for token in self._parsed.tokens if token.nesting == 0]
        self.ends_in_code = bool(leaves) and leaves[-1] in CODE
        self.blocks = list(self._blocks())

    def _blocks(self) -> Iterator[Block]:
        """Each block, the footnotes last."""
        labels: set[str] = self._parsed.env["references"].labels
        body, notes = _without_notes(_without_definitions(self._parsed.tokens, labels))
        for group in _top_level(body):
            yield self._ready(self._block(group), group[0].type, (group[0].map or [0])[0])
        if notes:
            yield self._ready(self._notes(notes), "footnotes", -1)

    def _ready(self, html: str, kind: str, line: int) -> Block:
        return Block(guarded(html), kind, line, self._words.spent)

    def _notes(self, notes: dict[str, list[list[Token]]]) -> str:
        """The footnotes in the order of their numbers; then those that nothing points to, which are text as well."""
        numbers: dict[str, int] = self._parsed.env["footnotes"]["refs"]
        used = sorted((number, label) for label, number in numbers.items() if number >= 0 and label in notes)
        first = [notes[label][0] for _, label in used]
        others = [note for label, all_of_it in notes.items() for note in all_of_it[numbers.get(label, -1) >= 0 :]]
        items = "".join(f"<li>{self._block(note)}</li>" for note in [*first, *others])
        return f"<hr><ol>{items}</ol>"

    def _block(self, tokens: Sequence[Token]) -> str:
        self._tokens, self._numbers = tokens, _odd_numbers(tokens)
        self._words.rtl = any(token.type == "inline" and RIGHT_TO_LEFT.search(token.content) for token in tokens)
        return "".join(self._element(index, token) for index, token in enumerate(tokens))

    def _element(self, index: int, token: Token) -> str:
        """One token of a block's structure."""
        match token.type:
            case "inline":
                box, self._box = self._box, ""
                return box + self._words.html(token.children or [])
            case "fence" | "code_block":
                return self._code(token)
            case "formula":
                return f"<p>{self._words.formula(token)}</p>"
            case "hr":
                return "<hr>"
            case "thead_open" | "tbody_open" | "tr_open":
                return f"<{token.tag}>"
            case "blockquote_open" | "bullet_list_open" | "ordered_list_open" | "table_open":
                return self._container(index, token)
        if token.hidden:
            return ""
        return self._paragraph(index, token) if token.nesting == 1 else f"</{token.tag}>"

    def _container(self, index: int, token: Token) -> str:
        """The start of a list, a quotation or a table, which runs as its first letter does."""
        start = f' start="{int(token.attrs["start"])}"' if "start" in token.attrs else ""
        right = self._words.rtl and _begins_right(self._tokens[index:])
        return f"<{token.tag}{start}{RIGHT[token.tag] if right else ''}>"

    def _paragraph(self, index: int, token: Token) -> str:
        """The start of what holds running text, which takes its own direction. A list's item and its first paragraph
        share one: else its number would stand on the other side."""
        shares = token.type == "paragraph_open" and index > 0 and self._tokens[index - 1].type == "list_item_open"
        own = self._words.rtl and not shares
        styles = [ALIGNED] * own
        attributes = ' dir="auto"' * own
        if aligned := TABLE_ALIGN.search(str(token.attrs.get("style", ""))):
            attributes, styles = f'{attributes} align="{aligned[1]}"', []
        box = BOX[bool(token.meta["checked"])] if "checked" in token.meta else ""
        if box:
            styles.append("list-style-type:none")
            following = self._tokens[index + 1]
            if following.type == "paragraph_open" and not following.hidden:
                box, self._box = "", box
        style = f' style="{";".join(styles)}"' if styles else ""
        number = f' value="{self._numbers[index]}"' if index in self._numbers else ""
        return f"<{token.tag}{attributes}{style}{number}>{box}"

    def _code(self, token: Token) -> str:
        word = LANGUAGE.match(token.info.strip())
        language = LANGUAGES.get(word[0].lower(), word[0].lower()) if word else ""
        kind = f' class="language-{escape(language)}"' if language else ""
        box = f"<pre><code{kind}>{self._words.text(token.content)}</code></pre>"
        return f'<div dir="ltr">{box}</div>' if self._words.rtl else box


def _begins_right(tokens: Sequence[Token]) -> bool:
    """Whether the first letter belongs to a script that runs from right to left."""
    for token in tokens:
        if token.type == "inline":
            for sign in token.content:
                if (direction := unicodedata.bidirectional(sign)) in ("L", "R", "AL"):
                    return direction != "L"
    return False


def _odd_numbers(tokens: Sequence[Token]) -> dict[int, int]:
    """The numbers of items, by the places of their tokens, where a list does not go on counting: from ten down to one,
    or with one left out. CommonMark counts on; who wrote them meant them, unless all are the same (`1. 1. 1.`)."""
    odd: dict[int, int] = {}
    lists: list[list[tuple[int, int]]] = []
    for index, token in enumerate(tokens):
        if token.type == "ordered_list_open":
            lists.append([])
        elif token.type == "list_item_open" and token.info:
            lists[-1].append((index, int(token.info)))
        elif token.type == "ordered_list_close":
            items = lists.pop()
            if len({number for _, number in items}) > 1:
                odd |= {index: number for (_, last), (index, number) in pairwise(items) if number != last + 1}
    return odd


def _top_level(tokens: Sequence[Token]) -> Iterator[Sequence[Token]]:
    """The tokens of each block that stands in no other."""
    start = 0
    for index, token in enumerate(tokens):
        if token.level == 0 and token.nesting <= 0:
            yield tokens[start : index + 1]
            start = index + 1


def _without_definitions(tokens: Sequence[Token], used: set[str]) -> list[Token]:
    """The tokens without the definitions that something uses: those are in the links."""
    kept: list[Token] = []
    hidden = False
    for token in tokens:
        if token.type == "definition_open":
            labels: list[str] = token.meta["labels"]
            hidden = bool(labels) and used.issuperset(labels)
        if not hidden:
            kept.append(token)
        hidden = hidden and token.type != "definition_close"
    return kept


def _without_notes(tokens: Sequence[Token]) -> tuple[list[Token], dict[str, list[list[Token]]]]:
    """The tokens without the footnotes' definitions, and these by their labels, as often as each is defined."""
    body: list[Token] = []
    notes: dict[str, list[list[Token]]] = {}
    open_notes: list[list[Token]] = []
    for token in tokens:
        if token.type == "footnote_reference_open":
            open_notes.append([])
            notes.setdefault(f":{token.meta['label']}", []).append(open_notes[-1])
        elif token.type == "footnote_reference_close":
            open_notes.pop()
        else:
            (open_notes[-1] if open_notes else body).append(token)
    return body, notes
