"""Safe HTML as `st.markdown(…, unsafe_allow_html=True)` has to get it, so that Streamlit's own dialect finds nothing.

Streamlit (1.67) reads the body as Markdown first: arrows, colours, shortcodes and `$` are looked for in every text that
is no raw HTML, and `:material/` even in raw HTML and in code. A raw block ends at the first blank line. Therefore a
block without formulas is one line of HTML. One with formulas is HTML around islands: paragraphs of Markdown between
blank lines, the only place where `$…$` reaches the typesetter, with every sign in them written as a number.
"""

import re
from html import escape
from html.parser import HTMLParser
from itertools import groupby

from lib.core.rich_text.commands import known, with_plain_texts
from lib.core.rich_text.formulas import taken_apart

PARAGRAPHS = frozenset({"p", "h1", "h2", "h3", "h4", "h5", "h6"})
LEAVES = PARAGRAPHS | {"li", "td", "th"}
CONTAINERS = frozenset({"ul", "ol", "blockquote", "table", "thead", "tbody", "tr", "div", "pre"})
EMPTY = frozenset({"br", "hr", "img"})
CONTROL = re.compile(r"[\n\r\t$]|:(?=material/|[\w+-]+:)")
FIRST_LINE = re.compile(r"(<pre><code[^>]*>)(?=&#10;)")
BLANKS = str.maketrans("\n\r\t", "   ")
SIGN = re.compile(r"[!-/:-@\[-`{-~]")
SPLIT_AFTER = frozenset("-<>~:@=.")
SPLIT = "<!---->"
"""An empty comment. It parts a text in two, so that no `->`, `:smile:` or address is found in either half."""
LEFT_TO_RIGHT = ('<div dir="ltr">', "</div>")
TOGETHER = ('<span style="white-space:nowrap">', "</span>")
STOP = re.compile("[.,;:!?)，。；：！？、）]+")
SHORT = 40
"""Characters of a formula that fits into a line of its own, so that what follows may be kept beside it."""
NO_GAP = ('<div style="margin-bottom:-1rem">', "</div>")
"""Where HTML has no paragraph, an island is one, with the space below that Streamlit gives it."""
COMMANDS = re.compile(r"\\.|[%#]", re.DOTALL)
CLOSERS = re.compile(r"(?:&#10;)?(?:</[a-z0-9]+>|\n)*\Z")


def piece(html: str) -> str:
    """A block of safe HTML for Streamlit: one element of a page."""
    return f"<div>{_with_islands(html)}</div>" if 'class="formula' in html else raw(html)


def with_cursor(last: str, cursor: str) -> str:
    """`last`, the piece that still grows, with a cursor behind its last letter."""
    end = CLOSERS.search(last)
    before, after = (last[: end.start()], end[0]) if end else (last, "")
    apart = "\n\n" if before.endswith("\n$$") else ""
    return f"{before}{apart}{cursor}{after}"


def raw(html: str) -> str:
    """HTML in one line, with what Streamlit looks for even there written as numbers. From the start of a code box it
    takes one line end away."""
    return FIRST_LINE.sub(r"\1&#10;", CONTROL.sub(lambda found: f"&#{ord(found[0])};", html))


class _Node:
    """An element with what it holds: elements and texts."""

    def __init__(self, tag: str, start: str) -> None:
        self.tag, self.start = tag, start
        self.children: list[_Node | str] = []

    @property
    def attributes(self) -> str:
        """As in the start of the element, with the space before them."""
        return self.start[1 + len(self.tag) : -1]

    @property
    def is_formula(self) -> bool:
        return self.tag == "span" and 'class="formula' in self.start

    @property
    def holds_formula(self) -> bool:
        return self.is_formula or any(isinstance(child, _Node) and child.holds_formula for child in self.children)

    @property
    def text(self) -> str:
        return "".join(child if isinstance(child, str) else child.text for child in self.children)

    @property
    def html(self) -> str:
        """The element in one line of raw HTML."""
        inside = "".join(
            child.html if isinstance(child, _Node) else raw(escape(child, quote=False)) for child in self.children
        )
        return f"{self.start}{inside}" if self.tag in EMPTY else f"{self.start}{inside}</{self.tag}>"


class _Tree(HTMLParser):
    """The elements of a block of HTML that the guard wrote: well formed, each tag closed."""

    def __init__(self) -> None:
        super().__init__()
        self.root = _Node("div", "")
        self._open = [self.root]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        node = _Node(tag, raw(self.get_starttag_text() or ""))
        self._open[-1].children.append(node)
        if tag not in EMPTY:
            self._open.append(node)

    def handle_endtag(self, tag: str) -> None:
        self._open.pop()

    def handle_data(self, data: str) -> None:
        self._open[-1].children.append(data)


def _with_islands(html: str) -> str:
    tree = _Tree()
    tree.feed(html)
    tree.close()
    return "".join(_block(child) for child in tree.root.children)


def _block(node: "_Node | str") -> str:
    """An element that holds others, or text between such elements."""
    if isinstance(node, str):
        return raw(escape(node, quote=False))
    if not node.holds_formula:
        return node.html
    start, end = node.start, f"</{node.tag}>"
    if node.tag in PARAGRAPHS:  # the island becomes the paragraph; a `div` around it holds its direction
        start, end = (f"<div{node.attributes}>", "</div>") if node.attributes else ("", "")
    runs = groupby(node.children, lambda child: isinstance(child, _Node) and child.tag in CONTAINERS | LEAVES)
    inside = "".join("".join(map(_block, run)) if blocks else _run(list(run), node.tag) for blocks, run in runs)
    return f"{start}{inside}{end}"


def _run(nodes: "list[_Node | str]", within: str) -> str:
    """Running text: an island when it holds formulas."""
    formulas = [node for node in nodes if isinstance(node, _Node) and node.holds_formula]
    if not formulas:
        return "".join(_block(node) for node in nodes)
    if len(nodes) == 1 and formulas[0].is_formula and "formula-block" in formulas[0].start:
        return f"{LEFT_TO_RIGHT[0]}\n\n$$\n{_tex(formulas[0].text)}\n$$\n\n{LEFT_TO_RIGHT[1]}"
    heading = "#" * int(within[1]) + " " if within in PARAGRAPHS - {"p"} else ""
    island = f"\n\n{heading}{_islands(nodes)}\n\n"
    return f"{NO_GAP[0]}{island}{NO_GAP[1]}" if within in ("li", "td", "th") else island


def _islands(nodes: "list[_Node | str]") -> str:
    """Running text with formulas, of which the short ones keep the full stop behind them on their line."""
    made, short = "", ""
    for node in nodes:
        stop = STOP.match(node) if short and isinstance(node, str) else None
        if stop and isinstance(node, str):
            short, node = f"{TOGETHER[0]}{short}{_island(stop[0])}{TOGETHER[1]}", node[stop.end() :]
        made, short, drawn = made + short, "", _island(node)
        if isinstance(node, _Node) and node.is_formula and len(node.text) <= SHORT:
            short = drawn
        else:
            made += drawn
    return made + short


def _island(node: "_Node | str") -> str:
    """Running text as Markdown that means itself; emphasis, links and code stay HTML."""
    if isinstance(node, str):
        return SIGN.sub(_sign, node.translate(BLANKS))
    if node.is_formula:
        formula = f"{_in_line(node.text, 'formula-block' in node.start)}{SPLIT}"
        return f'<span dir="ltr">{formula}</span>' if "dir=" in node.start else formula
    inside = "".join(map(_island, node.children))
    return f"{node.start}{inside}" if node.tag in EMPTY else f"{node.start}{inside}</{node.tag}>"


def _sign(found: "re.Match[str]") -> str:
    sign = found[0]
    before = SPLIT if sign == "." and found.start() else ""
    return f"{before}&#{ord(sign)};{SPLIT if sign in SPLIT_AFTER else ''}"


def _tex(written: str) -> str:
    """The TeX of a formula that is written with its delimiters, without blank lines. What would begin a comment or end
    the formula is written as the sign that it is."""
    inside, stop = taken_apart(written)
    tex = COMMANDS.sub(_command, with_plain_texts(known(inside))).replace(":material/", ":{}material/")
    whole = "\n".join(line.strip() for line in tex.splitlines() if line.strip())
    return f"{whole}\\text{{{stop}}}" if stop else whole


def _command(found: "re.Match[str]") -> str:
    return {"\\$": "\\text{\\textdollar}", "%": "\\%", "#": "\\#"}.get(found[0], found[0])


def _in_line(written: str, display: bool) -> str:
    style = "\\displaystyle " if display else ""
    return f"${style}{_tex(written)}$".replace("\n", " ")
