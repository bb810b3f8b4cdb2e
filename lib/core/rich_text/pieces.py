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

LEAVES = frozenset({"p", "li", "td", "th", "h1", "h2", "h3", "h4", "h5", "h6"})
CONTAINERS = frozenset({"ul", "ol", "blockquote", "table", "thead", "tbody", "tr", "div", "pre"})
EMPTY = frozenset({"br", "hr", "img"})
CONTROL = re.compile(r"[\n\r\t$]|:(?=material/|[\w+-]+:)")
FIRST_LINE = re.compile(r"(<pre><code[^>]*>)(?=&#10;)")
SIGN = re.compile(r"[!-/:-@\[-`{-~]")
SPLIT_AFTER = frozenset("-<>~:@=.")
SPLIT = "<!---->"
"""An empty comment. It parts a text in two, so that no `->`, `:smile:` or address is found in either half."""
DELIMITERS = re.compile(r"\A(\$\$|\$|\\\(|\\\[)(.*?)(?:\$\$|\$|\\\)|\\\])\Z", re.DOTALL)
CLOSERS = re.compile(r"(?:&#10;)?(?:</[a-z0-9]+>|\n)*\Z")


def piece(html: str) -> str:
    """A block of safe HTML for Streamlit: one element of a page."""
    inside = _with_islands(html) if 'class="formula' in html else raw(html)
    return f"<div>{inside}</div>"


def with_cursor(last: str, cursor: str) -> str:
    """`last`, the piece that still grows, with a cursor behind its last letter."""
    end = CLOSERS.search(last)
    before, after = (last[: end.start()], end[0]) if end else (last, "")
    apart = "\n\n" if before.endswith("\n$$") else ""
    return f"{before}{apart}{cursor}{after}"


def raw(html: str) -> str:
    """HTML in one line, with what Streamlit looks for even there written as numbers. Of a code box's first line it drops
    one line end."""
    return FIRST_LINE.sub(r"\1&#10;", CONTROL.sub(lambda found: f"&#{ord(found[0])};", html))


class _Node:
    """An element with what it holds: elements and texts."""

    def __init__(self, tag: str, start: str) -> None:
        self.tag, self.start = tag, start
        self.children: list[_Node | str] = []

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
    if node.tag == "p":  # the island becomes the paragraph; a `div` around it holds its direction
        start, end = ("", "") if node.start == "<p>" else (node.start.replace("<p", "<div", 1), "</div>")
    runs = groupby(node.children, lambda child: isinstance(child, _Node) and child.tag in CONTAINERS | LEAVES)
    inside = "".join("".join(map(_block, run)) if blocks else _run(list(run)) for blocks, run in runs)
    return f"{start}{inside}{end}"


def _run(nodes: "list[_Node | str]") -> str:
    """Running text: an island when it holds formulas."""
    formulas = [node for node in nodes if isinstance(node, _Node) and node.holds_formula]
    if not formulas:
        return "".join(_block(node) for node in nodes)
    if len(nodes) == 1 and formulas[0].is_formula and "formula-block" in formulas[0].start:
        return f"\n\n{_displayed(formulas[0].text)}\n\n"
    return f"\n\n{''.join(map(_island, nodes))}\n\n"


def _island(node: "_Node | str") -> str:
    """Running text as Markdown that means itself; emphasis, links and code stay HTML."""
    if isinstance(node, str):
        return SIGN.sub(_sign, _raw_spaces(node))
    if node.is_formula:
        return f"{_in_line(node.text, 'formula-block' in node.start)}{SPLIT}"
    inside = "".join(map(_island, node.children))
    return f"{node.start}{inside}" if node.tag in EMPTY else f"{node.start}{inside}</{node.tag}>"


def _raw_spaces(text: str) -> str:
    return text.replace("\n", " ").replace("\r", " ").replace("\t", " ")


def _sign(found: "re.Match[str]") -> str:
    sign = found[0]
    before = SPLIT if sign == "." and found.start() else ""
    return f"{before}&#{ord(sign)};{SPLIT if sign in SPLIT_AFTER else ''}"


def _tex(written: str) -> str:
    """The TeX of a formula that is written with its delimiters, as remark-math can take it."""
    inside = DELIMITERS.match(written)
    tex = (
        (inside[2] if inside else written).replace(":material/", ":{}material/").replace("\\$", "\\text{\\textdollar}")
    )
    lines = [line.strip() for line in tex.splitlines()]
    whole = "\n".join(line for line in lines if line)
    return f"{whole} {{}}" if (len(whole) - len(whole.rstrip("\\"))) % 2 else whole


def _fence(tex: str, least: int) -> str:
    """Dollars as many as no run of dollars in the TeX has."""
    runs = {len(run) for run in re.findall(r"\$+", tex)}
    return "$" * next(count for count in range(least, least + len(runs) + 1) if count not in runs)


def _displayed(written: str) -> str:
    tex = _tex(written)
    fence = "$" * max(2, 1 + max((len(run) for run in re.findall(r"\$+", tex)), default=0))
    return f"{fence}\n{tex}\n{fence}"


def _in_line(written: str, display: bool) -> str:
    tex = _tex(written).replace("\n", " ")
    fence = _fence(tex, 1)
    space = " " if "$" in tex else ""
    style = "\\displaystyle " if display else ""
    return f"{fence}{space}{style}{tex}{space}{fence}"
