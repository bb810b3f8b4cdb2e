"""Formulas as MathML, which browsers draw without a script: for HTML that no typesetter of ours reaches, a file or a
component. What is not wholly understood stays TeX.

latex2mathml reads the TeX, behind a list of the commands that may be in it. Its own writing of MathML lets a tag in a
`\\text{}` through, so that only its tree is taken, and written here; the guard looks at the result once more.
"""

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from html import escape, unescape
from xml.etree.ElementTree import Element

from latex2mathml import exceptions
from latex2mathml.commands import CONVERSION_MAP, FUNCTIONS
from latex2mathml.converter import convert_to_element
from latex2mathml.symbols_parser import SYMBOLS

from lib.core.rich_text.commands import known as in_known_words
from lib.core.rich_text.formulas import taken_apart
from lib.core.rich_text.guard import guarded_formula

LONGEST = 2_000
"""Characters of one formula."""
MOST_LETTERS = 40_000
"""Characters of all formulas of one text: half a second's work. What follows stays TeX."""
WIDEST = 90
"""Letters beside each other, as a page of paper has room for: browsers break no formula into lines, but TeX wraps."""
DEEPEST = 40
"""Elements in elements: a browser lays them out by recursion."""
ALIGNED, LINES = ("\\begin{align*}", "\\end{align*}"), ("\\begin{displaylines}", "\\end{displaylines}")
ENVIRONMENTS = {
    **{name: (f"\\begin{{{name}}}", f"\\end{{{name}}}") for name in ("array", "cases", "matrix", "smallmatrix")},
    "pmatrix": (r"\left(\begin{matrix}", r"\end{matrix}\right)"),
    "bmatrix": (r"\left[\begin{matrix}", r"\end{matrix}\right]"),
    "Bmatrix": (r"\left\{\begin{matrix}", r"\end{matrix}\right\}"),
    "vmatrix": (r"\left|\begin{matrix}", r"\end{matrix}\right|"),
    "Vmatrix": (r"\left\|\begin{matrix}", r"\end{matrix}\right\|"),
    **dict.fromkeys(("align", "align*", "aligned", "flalign", "flalign*", "split"), ALIGNED),
    **dict.fromkeys(("gather", "gather*", "gathered", "multline", "multline*"), LINES),
    **dict.fromkeys(("equation", "equation*"), ("{", "}")),
}
"""Those that may be used, each with what the library draws it by."""
STRUCTURES = (
    "frac dfrac tfrac cfrac binom dbinom tbinom sqrt overset underset stackrel substack "
    "hat widehat bar vec dot ddot tilde widetilde check acute grave breve overline underline overbrace underbrace "
    "overrightarrow overleftarrow xrightarrow xleftarrow left right middle big Big bigg Bigg "
    "bigl bigr bigm Bigl Bigr Bigm biggl biggr biggm Biggl Biggr Biggm "
    "text textbf textit textrm textnormal mbox operatorname mathrm mathbf mathit mathbb mathcal mathfrak mathscr "
    "mathsf mathtt boldsymbol bm displaystyle textstyle limits nolimits not mod pmod bmod pod tag boxed phantom "
    "quad qquad enspace space nobreakspace hline nonumber notag "
    "lim max min sup inf limsup liminf det gcd argmax argmin Pr"
)
SPACES = {
    "negativethinmathspace": "-0.167em",
    "negativemediummathspace": "-0.222em",
    "negativethickmathspace": "-0.278em",
    "thinmathspace": "0.167em",
    "thickmathspace": "0.278em",
}
ALLOWED = (
    frozenset(f"\\{name}" for name in STRUCTURES.split())
    | frozenset(FUNCTIONS)
    | (SYMBOLS.keys() - CONVERSION_MAP.keys())
)
"""Every command that may be in a formula; a sign of latex2mathml's table is but a letter."""
BOUNDED = frozenset("∑∏∐⋃⋂⋁⋀⨁⨂") | {"lim", "max", "min", "sup", "inf", "det", "gcd", "Pr"}
"""What has its bounds above and below itself, where there is room."""
ACCENTS = {"^": "\u02c6", "~": "\u02dc"}
"""Signs above others, as fonts have them in several widths."""
LINES_BESIDE = {"mover": "overline", "munder": "underline"}
LINE = "\u2015"
"""How the library writes a line above or below; fonts have it in one width."""
UNDER = {"msub": "munder", "msup": "mover", "msubsup": "munderover"}
LETTERS = {
    "bold": "BOLD",
    "italic": "ITALIC",
    "bold-italic": "BOLD ITALIC",
    "double-struck": "DOUBLE-STRUCK",
    "script": "SCRIPT",
    "fraktur": "FRAKTUR",
    "sans-serif": "SANS-SERIF",
    "monospace": "MONOSPACE",
}
"""Kinds of letters by the names that Unicode has for them."""
PARTS = {"mfrac": 2, "mroot": 2, "msub": 2, "msup": 2, "munder": 2, "mover": 2, "msubsup": 3, "munderover": 3}
"""How many elements have to stand in one."""
ABOVE_EACH_OTHER = frozenset({"mfrac", "munder", "mover", "munderover", "mtable"})
WRONG: tuple[type[Exception], ...] = (
    *(kind for kind in vars(exceptions).values() if isinstance(kind, type)),
    *(LookupError, TypeError, ValueError, AttributeError, RuntimeError, StopIteration),
)
"""How the library says that TeX is broken: in a dozen errors of its own, and by what falls over inside it."""
COMMAND = re.compile(r"\\(?:\\|(begin|end)\s*\{([^{}]*)\}|[A-Za-z]+)")
OTHERWISE = (
    (re.compile(r"\\arg(?![A-Za-z])"), r"\\operatorname{arg}"),
    (re.compile(r"\\tag\s*\{([^{}]*)\}"), r"\\qquad\\text{(\1)}"),
)
"""What the library has not, or has in another way, and what is written instead."""
CELL = re.compile(r"(?<!\\)&")
COMMENT = re.compile(r"(\\.)|%", re.DOTALL)
STYLES = """
math {
  /* Fonts whose signs grow with what they enclose. */
  font-family: "Latin Modern Math", "STIX Two Math", "Cambria Math", "Noto Sans Math", "DejaVu Math TeX Gyre", math;
}
math[display="block"] {
  max-width: 100%;
  overflow: auto hidden;
}
/* Of the two alignments Chromium takes the second only. */
mtd[columnalign="right"] {
  text-align: right;
  text-align: -webkit-right;
  padding-right: 0;
}
mtd[columnalign="left"] {
  text-align: left;
  text-align: -webkit-left;
  padding-left: 0;
}
[intent="boxed"] {
  border: 1px solid;
  padding: 0.2em 0.35em;
}
[intent="overline"] {
  border-top: 1px solid;
}
[intent="underline"] {
  border-bottom: 1px solid;
}
@media print {
  math[display="block"] {
    overflow: visible;
    break-inside: avoid;
  }
}
"""
"""What goes into the styles of whatever shows formulas."""
FORMULA = re.compile(r'<span class="formula(-block)?"( dir="ltr")?>([^<]*)</span>')


def typeset(html: str) -> str:
    """Safe HTML, as `to_html` writes it, with its formulas as MathML; the TeX of each is its `alttext`."""
    left = MOST_LETTERS

    def drawn(found: re.Match[str]) -> str:
        nonlocal left
        left -= len(found[3])
        tex, stop = taken_apart(unescape(found[3]))
        made = mathml(tex.strip(), found[1] is not None) if left >= 0 else None
        return found[0] if made is None else made + escape(stop, quote=False)

    return FORMULA.sub(drawn, html)


@lru_cache(maxsize=4_096)
def mathml(tex: str, display: bool) -> str | None:
    """A formula as safe MathML; None where something in it is not known, broken, too long or too deep."""
    known = _known(in_known_words(tex)) if len(tex) <= LONGEST else None
    if known is None:
        return None
    try:
        (row,) = convert_to_element(known, display="block" if display else "inline")
        drawn = "".join(_written(row, 0)) if _width(row) <= WIDEST else ""
    except WRONG:
        return None
    if not drawn:
        return None
    kind = ' display="block"' if display else ""
    return guarded_formula(f'<math dir="ltr"{kind} alttext="{escape(tex)}">{drawn}</math>')


def _known(tex: str) -> str | None:
    """TeX as the library knows it; None where it has a command that may not be in it."""
    for found in COMMAND.finditer(tex):
        if found[2] not in ENVIRONMENTS if found[1] else found[0] not in ALLOWED and found[0] not in ("\\arg", "\\\\"):
            return None
    if "$" in tex.replace("\\$", "") or (CELL.search(tex) and "\\begin" not in tex):
        return None
    renamed = COMMAND.sub(_renamed, tex)
    for written, otherwise in OTHERWISE:
        renamed = written.sub(otherwise, renamed)
    # To the library the rest of such a line would be a comment.
    return COMMENT.sub(lambda found: found[1] or r"\%", renamed)


def _renamed(found: re.Match[str]) -> str:
    if not found[1]:
        return found[0]
    return ENVIRONMENTS[found[2]][found[1] == "end"]


def _written(element: Element, depth: int) -> Iterator[str]:
    """An element as MathML of the kind that all browsers know (MathML Core). Raises ValueError where that can't be."""
    text = unescape(element.text or "")
    whole = len(element) == PARTS.get(element.tag, len(element))
    if depth > DEEPEST or not whole or "\\" in text or element.get("linebreak"):
        raise ValueError(element.tag)
    tag, given, children = _known_everywhere(element, text)
    attributes = "".join(f' {name}="{escape(SPACES.get(value, value))}"' for name, value in given.items())
    yield f"<{tag}{attributes}>{escape(_lettered(ACCENTS.get(text, text), element.get('mathvariant')), quote=False)}"
    for child in children:
        yield from _written(child, depth + 1)
    yield f"</{tag}>"


def _known_everywhere(element: Element, text: str) -> tuple[str, dict[str, str], list[Element]]:
    """An element's name, attributes and children. Boxes and lines are drawn by our styles, which go by `intent`: the
    elements for them are not known to every browser."""
    given, children = dict(element.attrib), list(element)
    if element.tag == "menclose":
        return "mrow", {"intent": "boxed"}, children
    if element.tag in LINES_BESIDE and len(children) == 2 and children[1].text and unescape(children[1].text) == LINE:
        return "mrow", {"intent": LINES_BESIDE[element.tag]}, children[:1]
    if element.tag == "mo" and text in BOUNDED:
        given["movablelimits"] = "true"
    if len(text) > 1 and text.replace("\u2009", "").isalpha() and element.tag in ("mi", "mo"):
        return "mo", {**given, "form": "prefix", "lspace": "0.167em", "rspace": "0.167em"}, children
    if element.tag == "mo" and text in ACCENTS:
        given |= {"accent": "true", "stretchy": "true"}
    first = children[0] if children else None
    bounds = first is not None and first.tag == "mo" and unescape(first.text or "") in BOUNDED
    return UNDER.get(element.tag, element.tag) if bounds else element.tag, given, children


def _width(element: Element) -> int:
    """About how many letters stand beside each other in an element."""
    parts = [_width(child) for child in element]
    if element.tag in ABOVE_EACH_OTHER:
        return max(parts, default=0)
    return len(unescape(element.text or "")) + sum(parts)


def _lettered(text: str, kind: str | None) -> str:
    """Letters and digits of a kind, of which browsers know only those that are signs of their own."""
    return "".join(_letter(sign, LETTERS[kind]) for sign in text) if kind in LETTERS else text


def _letter(sign: str, kind: str) -> str:
    if not sign.isascii() or not sign.isalnum():
        return sign
    case = "DIGIT" if sign.isdigit() else "CAPITAL" if sign.isupper() else "SMALL"
    name = f"{case} {unicodedata.name(sign).rpartition(' ')[2]}"
    # Some had been signs before the others came.
    older = "BLACK-LETTER" if kind == "FRAKTUR" else kind
    for whole in (f"MATHEMATICAL {kind} {name}", f"{older} {name}"):
        try:
            return unicodedata.lookup(whole)
        except KeyError:
            continue
    return sign
