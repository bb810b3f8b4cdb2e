"""Running text as safe HTML: words, code, links, formulas, pictures. Every character of a stranger is escaped here."""

from collections.abc import Callable, Sequence
from html import escape
from typing import NamedTuple

from markdown_it.token import Token

from lib.core.images import MAX_IMAGES
from lib.core.rich_text.formulas import CLOSED_BY
from lib.core.rich_text.inline_rules import SCHEMES
from lib.core.rich_text.pictures import file_name, picture, shown, where

MAX_ADDRESS = 2_000
MAX_ADDRESSES = 200_000
"""Characters of addresses in a text's links; a definition that is used again and again must not make a page of them."""
MAX_FORMULAS = 1_000
MARKS = ("em", "strong", "s")


class Spent(NamedTuple):
    """What a text has used of what is bounded: characters of addresses, pictures, formulas."""

    addresses: int = 0
    pictures: int = 0
    formulas: int = 0


class Words:
    """Makes HTML of running text. `put_back` restores the data of pictures; `rtl` tells whether some of the block runs
    from right to left, so that code and formulas have to be kept apart from it."""

    def __init__(self, put_back: Callable[[str], str], before: Spent) -> None:
        self.rtl = False
        self._put_back = put_back
        self._addresses, self._pictures, self._formulas = before
        self._closing: list[str] = []
        self._aside = ""

    @property
    def spent(self) -> Spent:
        """What is used up so far."""
        return Spent(self._addresses, self._pictures, self._formulas)

    def html(self, tokens: Sequence[Token]) -> str:
        """The HTML of one run of text."""
        return "".join(self._piece(token) for token in tokens)

    def text(self, text: str) -> str:
        """A text, escaped."""
        return escape(self._put_back(text), quote=False)

    def formula(self, token: Token) -> str:
        """TeX as it was written, for a typesetter to find by its class."""
        closing = CLOSED_BY[token.markup] if token.markup else ""
        written = f"{token.markup}{token.content}{closing}{token.info}"
        self._formulas += 1
        if self._formulas > MAX_FORMULAS:
            return self.text(written)
        kind = "formula-block" if token.meta["display"] else "formula"
        direction = ' dir="ltr"' if self.rtl else ""
        return f'<span class="{kind}"{direction}>{self.text(written)}</span>'

    def _piece(self, token: Token) -> str:
        """One token of running text."""
        match token.type:
            case "text":
                return self.text(token.content)
            case "softbreak" | "hardbreak":
                return "<br>"
            case "code_inline":
                direction = ' dir="auto"' if self.rtl else ""
                return f"<code{direction}>{self.text(token.content)}</code>"
            case "formula":
                return self.formula(token)
            case "link_open":
                return self._link(str(token.attrs.get("href", "")), str(token.attrs.get("title", "")))
            case "link_close":
                return self._link_end()
            case "image":
                return self._image(token)
            case "footnote_ref":
                return f"<sup>{int(token.meta['id']) + 1}</sup>"
            case _:
                return f"<{'/' * (token.nesting == -1)}{token.tag}>" if token.tag in MARKS else ""

    def _link(self, href: str, title: str) -> str:
        """The start of a link, or of mere text where an address leads nowhere or the text's links grow too long."""
        self._addresses += len(href)
        bounded = self._addresses <= MAX_ADDRESSES
        if bounded and len(href) <= MAX_ADDRESS and href.partition(":")[0].lower() in SCHEMES:
            self._closing.append("</a>")
            named = f' title="{escape(title)}"' if title else ""
            return f'<a href="{escape(href)}"{named}>'
        self._closing.append("</span>")
        return f'<span title="{escape(href[:MAX_ADDRESS])}">' if bounded and href else "<span>"

    def _link_end(self) -> str:
        """The end of a link, and what could not stand inside it."""
        end, aside = self._closing.pop(), self._aside
        self._aside = ""
        return end + aside

    def _image(self, token: Token) -> str:
        """A picture, or a link to it. Inside another link it follows that one, so that both can be taken."""
        address = self._put_back(str(token.attrs.get("src", "")))
        alt, title = plain(token.children or []), str(token.attrs.get("title", ""))
        if source := self._shown(address):
            return picture(source, alt, title)
        label = f"{alt or file_name(address)} ({where(address)})".strip()
        if not self._closing:
            return self._link(address, title) + escape(label, quote=False) + self._closing.pop()
        self._aside += f" {self._link(address, title)}({escape(where(address), quote=False)}){self._closing.pop()}"
        return escape(alt, quote=False)

    def _shown(self, address: str) -> str | None:
        """The data of a picture that is shown; None for all others."""
        if not address.startswith("data:"):
            return None
        self._pictures += 1
        return shown(address) if self._pictures <= MAX_IMAGES else None


def plain(tokens: Sequence[Token]) -> str:
    """What tokens say without their markup: a picture's description."""
    ends = ("softbreak", "hardbreak")
    return "".join(
        " " if token.type in ends else plain(token.children) if token.children else token.content for token in tokens
    )
