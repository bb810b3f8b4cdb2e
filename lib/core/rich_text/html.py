"""Foreign Markdown as safe HTML, block by block. Every character of the text is escaped here; a kept sanitiser looks at
the result once more, so that one mistake opens nothing."""

import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from html import escape
from typing import NamedTuple

from markdown_it.token import Token

from lib.core.images import MAX_IMAGES
from lib.core.rich_text.formulas import CLOSED_BY
from lib.core.rich_text.guard import guarded
from lib.core.rich_text.inline_rules import SCHEMES
from lib.core.rich_text.parser import parse
from lib.core.rich_text.pictures import picture, shown, where

MAX_ADDRESS = 2_000
MAX_ADDRESSES = 200_000
"""Characters of addresses in a text's links; a definition that is used again and again must not make a page of them."""
MAX_FORMULAS = 1_000
RIGHT_TO_LEFT = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\U00010800-\U00010fff\U0001e800-\U0001efff]")
LANGUAGE = re.compile(r"[A-Za-z0-9_.+#-]+")
LANGUAGES = {"c++": "cpp", "c#": "csharp", "f#": "fsharp", "objective-c": "objectivec", "mermaid": "", "math": ""}
"""Where a highlighter's name is another. A diagram's source stays code: it would be drawn, and drawing loads."""
SIMPLE = {
    "blockquote_open": "blockquote",
    "bullet_list_open": "ul",
    "ordered_list_open": "ol",
    "table_open": "table",
}
ALIGN = re.compile(r"text-align:(left|center|right)")
BOX = {True: "☑ ", False: "☐ "}


class Spent(NamedTuple):
    """What a text has used of what is bounded: characters of addresses, pictures, formulas."""

    addresses: int = 0
    pictures: int = 0
    formulas: int = 0


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
        self._put_back = put_back
        self._parsed = parse(text)
        self._addresses, self._pictures, self._formulas = before or Spent()
        self._out: list[str] = []
        self._tokens: Sequence[Token] = ()
        self._closing: list[str] = []
        self._aside: list[str] = []
        self._box = ""
        self._rtl = False
        self.shares = bool(self._parsed.env["references"] or self._parsed.env.get("footnotes"))
        leaves = [token.type for token in self._parsed.tokens if token.nesting == 0]
        self.ends_in_code = bool(leaves) and leaves[-1] in ("fence", "code_block")
        self.blocks = list(self._blocks())

    def _blocks(self) -> Iterator[Block]:
        """Each block, the footnotes last."""
        body, notes = _without_notes(self._parsed.tokens)
        for group in _top_level(body):
            if html := self._block(group):
                yield self._ready(html, group[0].type, (group[0].map or [0])[0])
        if notes:
            yield self._ready(self._notes(notes), "footnotes", -1)

    def _ready(self, html: str, kind: str, line: int) -> Block:
        return Block(guarded(html), kind, line, Spent(self._addresses, self._pictures, self._formulas))

    def _notes(self, notes: dict[str, list[list[Token]]]) -> str:
        """The footnotes in the order of their numbers; then those that nothing points to, which are text as well."""
        numbers: dict[str, int] = self._parsed.env.get("footnotes", {}).get("refs", {})
        used = sorted((number, label) for label, number in numbers.items() if number >= 0 and label in notes)
        first = [notes[label][0] for _, label in used]
        others = [note for label, all_of_it in notes.items() for note in all_of_it[numbers.get(label, -1) >= 0 :]]
        items = "".join(f'<li dir="auto">{self._block(note)}</li>' for note in [*first, *others])
        return f"<hr><ol>{items}</ol>"

    def _block(self, tokens: Sequence[Token]) -> str:
        self._out, self._tokens = [], tokens
        self._rtl = any(token.type == "inline" and RIGHT_TO_LEFT.search(token.content) for token in tokens)
        for index, token in enumerate(tokens):
            self._draw(index, token)
        return "".join(self._out)

    def _draw(self, index: int, token: Token) -> None:
        kind = token.type
        if kind == "inline":
            self._out.append(self._box + self._inline(token.children or []))
            self._box = ""
        elif kind in ("fence", "code_block"):
            self._out.append(self._code(token))
        elif kind == "formula":
            self._out.append(f"<p>{self._formula(token)}</p>")
        elif kind == "definition":
            self._out.append(self._definition(token))
        elif kind == "hr":
            self._out.append("<hr>")
        elif token.nesting == 1:
            self._out.append(self._opened(index, token))
        elif token.nesting == -1 and not token.hidden:
            self._out.append(f"</{token.tag}>")

    def _opened(self, index: int, token: Token) -> str:
        """The start of an element that holds others."""
        if token.type in SIMPLE:
            start = f' start="{int(token.attrs["start"])}"' if "start" in token.attrs else ""
            direction = ' dir="rtl"' if self._rtl and _begins_right(self._tokens[index:]) else ""
            return f"<{token.tag}{start}{direction}>"
        if token.type in ("thead_open", "tbody_open", "tr_open"):
            return f"<{token.tag}>"
        if token.hidden:
            return ""
        shared = token.type == "paragraph_open" and index > 0 and self._tokens[index - 1].type == "list_item_open"
        direction = ' dir="auto"' if self._rtl and not shared else ""
        return f"<{token.tag}{direction}{self._own(token)}>"

    def _own(self, token: Token) -> str:
        """The attributes that one kind of element has."""
        if token.type == "list_item_open" and "checked" in token.meta:
            self._box = BOX[bool(token.meta["checked"])]
            return ' style="list-style-type:none"'
        aligned = ALIGN.search(str(token.attrs.get("style", "")))
        return f' align="{aligned[1]}"' if aligned else ""

    def _code(self, token: Token) -> str:
        word = LANGUAGE.match(token.info.strip())
        language = LANGUAGES.get(word[0].lower(), word[0]) if word else ""
        kind = f' class="language-{language}"' if language else ""
        box = f"<pre><code{kind}>{self._text(token.content)}</code></pre>"
        return f'<div dir="ltr">{box}</div>' if self._rtl else box

    def _definition(self, token: Token) -> str:
        """A link's definition is shown unless something uses it: then it is in the link."""
        used = self._parsed.env["references"].labels
        if token.meta["labels"] and used.issuperset(token.meta["labels"]):
            return ""
        return f"<p>{'<br>'.join(self._text(line.strip()) for line in token.content.splitlines())}</p>"

    def _inline(self, tokens: Sequence[Token]) -> str:
        return "".join(self._piece(token) for token in tokens)

    def _piece(self, token: Token) -> str:
        """One token of running text."""
        match token.type:
            case "text":
                return self._text(token.content)
            case "softbreak" | "hardbreak":
                return "<br>"
            case "code_inline":
                direction = ' dir="auto"' if self._rtl else ""
                return f"<code{direction}>{self._text(token.content)}</code>"
            case "formula":
                return self._formula(token)
            case "link_open":
                return self._link(str(token.attrs.get("href", "")), str(token.attrs.get("title", "")))
            case "link_close":
                return self._closing.pop() + (self._aside.pop() if self._aside and not self._closing else "")
            case "image":
                return self._image(token)
            case "footnote_ref":
                return f"<sup>{int(token.meta['id']) + 1}</sup>"
            case _:
                return f"<{'/' * (token.nesting == -1)}{token.tag}>" if token.tag in ("em", "strong", "s") else ""

    def _text(self, text: str) -> str:
        return escape(self._put_back(text), quote=False)

    def _formula(self, token: Token) -> str:
        written = (
            f"{token.markup}{token.content}{CLOSED_BY[token.markup]}" if token.markup in CLOSED_BY else token.content
        )
        self._formulas += 1
        if self._formulas > MAX_FORMULAS:
            return self._text(written)
        kind = "formula-block" if token.meta["display"] else "formula"
        return f'<span class="{kind}">{self._text(written)}</span>'

    def _link(self, href: str, title: str) -> str:
        """The start of a link, or of mere text where an address leads nowhere or the text's links grow too long."""
        self._addresses += len(href)
        if _may_be_link(href) and self._addresses <= MAX_ADDRESSES:
            self._closing.append("</a>")
            named = f' title="{escape(title)}"' if title else ""
            return f'<a href="{escape(href)}"{named}>'
        self._closing.append("</span>")
        told = bool(href) and self._addresses <= MAX_ADDRESSES
        return f'<span title="{escape(href[:MAX_ADDRESS])}">' if told else "<span>"

    def _image(self, token: Token) -> str:
        """A picture, or a link to it. Inside another link it follows that one, so that both can be taken."""
        address = self._put_back(str(token.attrs.get("src", "")))
        alt, title = _plain(token.children or []), str(token.attrs.get("title", ""))
        self._pictures += address.startswith("data:")
        if self._pictures <= MAX_IMAGES and address.startswith("data:") and (source := shown(address)):
            return picture(source, alt, title)
        label = " ".join(part for part in (alt, f"({where(address)})") if part)
        if not self._closing:
            return f"{self._link(address, title)}{escape(label, quote=False)}{self._closing.pop()}"
        following = f"{self._link(address, title)}({escape(where(address), quote=False)}){self._closing.pop()}"
        self._aside = [f"{''.join(self._aside)} {following}"]
        return escape(alt, quote=False)


def _may_be_link(href: str) -> bool:
    return len(href) <= MAX_ADDRESS and href.partition(":")[0].lower() in SCHEMES


def _plain(tokens: Sequence[Token]) -> str:
    """What tokens say without their markup: a picture's description."""
    parts = []
    for token in tokens:
        if token.type in ("softbreak", "hardbreak"):
            parts.append(" ")
        elif token.type == "image":
            parts.append(_plain(token.children or []))
        else:
            parts.append(token.content)
    return "".join(parts)


def _begins_right(tokens: Sequence[Token]) -> bool:
    """Whether the first letter in a list, quotation or table belongs to a script that runs from right to left."""
    for token in tokens:
        if token.type == "inline":
            for sign in token.content:
                if (direction := unicodedata.bidirectional(sign)) in ("L", "R", "AL"):
                    return direction != "L"
    return False


def _top_level(tokens: Sequence[Token]) -> Iterator[Sequence[Token]]:
    """The tokens of each block that stands in no other."""
    start = 0
    for index, token in enumerate(tokens):
        if token.level == 0 and token.nesting <= 0:
            yield tokens[start : index + 1]
            start = index + 1


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
