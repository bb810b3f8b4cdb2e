"""Random texts of all the signs that Markdown or Streamlit's dialect knows: nothing foreign, nothing lost."""

import html as entities
import re
from html.parser import HTMLParser

from hypothesis import given, settings
from hypothesis import strategies as st

from lib.core.rich_text import Growing, as_typed, literal, render, to_html
from tests.examples import examples
from tests.seen import Words, seen

SIGNS = "*_~`$\\[]()<>#+-=|!:;.,&@/^{}'\"?% \n\tab1中。א"
PARTS = [
    *SIGNS, "\n\n", "    ", "->", "<->", "--", ":smile:", ":red[", ":material/home:", "](", "![", "```", "~~", "**",
    "http://x.y/z", "www.a.b", "a@b.c", "javascript:a", "\\(", "\\)", "\\[", "\\]", "<br>", "<img src=x>", "&amp;",
    "&#36;", "&#13;", "&#10;", "- ", "1. ", "> ", "| a | b |\n|---|---|\n", "$x^2$", "$x$",
    "[^1]", "[^1]: n\n", "[a]: /u\n", "- [x] ",
    "[a]: http://u.v\n", "---\n", "\\begin{align}", "\\end{align}", "word", "# ", "===\n", "$$", "\r", "\x00",
    "data:image/png;base64,AAAA", "\ud800", "\u2028",
]  # fmt: skip
TEXTS = st.lists(st.sampled_from(PARTS), max_size=40).map("".join)
STARTS = [
    "", "word", "w $x^2$", "- item", "  more", "1. one", "2) two", "```", "````", "~~~", "$$", "\\[", "\\]", "x=1",
    "| a | b |", "|---|---|", "# head", "===", "---", "> q", "\t", "    code", "\\begin{align}", "\\end{align}",
    "[a]: /u", "[a]", "[^1]: n", "w[^1]", "***", "**b", "-", "1", "`", "<br>", "https://x.y", "text $$", "> $$", "- $$",
]  # fmt: skip
LINES = st.lists(st.sampled_from(STARTS), max_size=12).map("\n".join)
NOT_LOST = [
    *"*_\\]()>#+-=|!:;.,/^{}'\"? \n\tab",
    "\n\n",
    "    ",
    "->",
    "**",
    "$$",
    "$x^2$",
    "$",
    "- ",
    "---\n",
    "word",
    "# ",
    "\n\n| a | b |\n|---|---|\n",
    "| 1 | 2 | 3 |\n",
    "`x|y`",
]
"""Without what takes letters out of sight: addresses, entities, definitions, a list's numbers, a code's language."""
ELEMENTS = {"p", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "li", "blockquote", "pre", "hr", "div"}
ELEMENTS |= {"table", "thead", "tbody", "tr", "th", "td", "strong", "em", "s", "code", "a", "img", "sup", "span", "br"}
ATTRIBUTES = {"href", "title", "target", "rel", "src", "alt", "start", "align", "class", "dir", "style", "value"}
ISLAND_MARK = re.compile(r"<!---->")


class Elements(HTMLParser):
    """The elements of a piece, its attributes, and the text between them."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: dict[str, set[str]] = {}
        self.said = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        for name, value in attrs:
            self.attributes.setdefault(name, set()).add(value or "")

    def handle_data(self, data: str) -> None:
        self.said += data


@given(TEXTS)
@settings(max_examples=examples(200), deadline=None)
def test_nothing_but_our_elements_comes_out(text: str) -> None:
    for piece in [*render(text), to_html(text), as_typed(text)]:
        found = Elements(re.sub(r"\$\$\n.*?\n\$\$|\$[^$]+\$", "", piece, flags=re.DOTALL) if "\n\n" in piece else piece)
        assert found.tags <= ELEMENTS
        assert found.attributes.keys() <= ATTRIBUTES
        assert all(re.match("(https?|mailto):", href, re.IGNORECASE) for href in found.attributes.get("href", ()))
        assert all(src.startswith("data:image/png;base64,") for src in found.attributes.get("src", ()))
        assert found.attributes.get("target", {"_blank"}) == {"_blank"}
        assert found.attributes.get("rel", {"noopener noreferrer nofollow"}) == {"noopener noreferrer nofollow"}


@given(TEXTS)
@settings(max_examples=examples(200), deadline=None)
def test_streamlit_is_left_nothing_to_read(text: str) -> None:
    """Outside an island a piece is one line of HTML; inside, each sign is a number but for elements and formulas."""
    for piece in render(text):
        assert ":material/" not in piece and "\r" not in piece
        for number, line in enumerate(piece.split("\n\n")):
            if number % 2 == 0:
                assert line.startswith("<") and "\n" not in line and "$" not in line
            elif not line.startswith("$$\n"):
                rest = re.sub(r"<[^>]*>|&#\d+;|\$[^$]+\$|^#{1,6} ", "", line)
                assert not re.search(r"[!-/:-@\[-`{-~]", rest), line


@given(TEXTS)
@settings(max_examples=examples(200), deadline=None)
def test_the_pieces_say_what_the_html_says(text: str) -> None:
    formula = re.compile(r'<span class="formula[^>]*>.*?</span>', re.DOTALL)
    said = "".join(one.text for one in seen(formula.sub("", to_html(text))) if isinstance(one, Words))
    pieces = []
    for piece in render(text):
        plain = re.sub(r"\$\$\n.*?\n\$\$|\$[^$]+\$", "", ISLAND_MARK.sub("", piece), flags=re.DOTALL)
        pieces.append(Elements(re.sub(r"(?m)^#{1,6} ", "", plain)).said)

    assert "".join("".join(pieces).split()) == "".join(said.split())


@given(st.lists(st.sampled_from(NOT_LOST), max_size=40).map("".join))
@settings(max_examples=examples(200), deadline=None)
def test_no_letter_is_lost(text: str) -> None:
    said = "".join(one.text for one in seen(to_html(text)) if isinstance(one, Words))

    assert re.sub(r"[\W_]", "", said) == re.sub(r"[\W_]", "", text)


@given(TEXTS)
@settings(max_examples=examples(200), deadline=None)
def test_typed_text_is_itself(text: str) -> None:
    typed = re.sub("[\x00\ud800]", "\ufffd", re.sub("\r\n?", "\n", text))
    lines = as_typed(text).replace('</div><div dir="auto">', "\n")

    assert entities.unescape(re.sub("<[^>]*>", "", lines)) == typed


@given(TEXTS)
@settings(max_examples=examples(200), deadline=None)
def test_a_literal_is_itself_and_parts_what_streamlit_looks_for(text: str) -> None:
    shown = literal(text)
    itself = re.sub(r"\\(.)", r"\1", re.sub(r":color\[(.*?)\]\{\}", r"\1", shown))

    assert itself == " ".join(re.sub("[\x00\ud800]", "\ufffd", text).split())
    texts = re.split(r":color\[|\]\{\}", shown)
    assert not any(
        re.search(r"->|<-|--|>=|<=|~=|:.*:|https?:|www\.|@.", re.sub(r"\\(.)", r"\1", part)) for part in texts
    )


@given(st.one_of(LINES, TEXTS), st.data())
@settings(max_examples=examples(200), deadline=None)
def test_a_growing_text_has_the_pieces_of_the_text_so_far(text: str, data: st.DataObject) -> None:
    growing = Growing()
    end = 0
    while end < len(text):
        end += data.draw(st.integers(1, 9))
        growing.pieces(text[:end], "▌")
        assert growing.pieces(text[:end]) == render(text[:end])
