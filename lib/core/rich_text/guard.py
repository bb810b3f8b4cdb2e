"""The second guard behind our own escaping: what is no element or attribute of ours falls out (ammonia, by nh3)."""

import re

import nh3

HEADINGS = {"h1", "h2", "h3", "h4", "h5", "h6"}
BLOCKS = {"p", "div", "ul", "ol", "li", "blockquote", "pre", "hr", "table", "thead", "tbody", "tr", "th", "td"}
WORDS = {"strong", "em", "s", "code", "a", "img", "sup", "span", "br"}
SHARED = {"dir"}
OWN = {
    "a": {"href", "title"},
    "img": {"src", "alt", "title"},
    "ul": {"style"},
    "ol": {"start", "style"},
    "th": {"align", "style"},
    "td": {"align", "style"},
    **{paragraph: {"style"} for paragraph in HEADINGS | {"p"}},
    "code": {"class"},
    "span": {"class", "title"},
    "li": {"style", "value"},
    "div": {"style"},
}
VALUES = {
    ("a", "href"): re.compile(r"(?:https?|mailto):", re.IGNORECASE),
    ("img", "src"): re.compile(r"data:image/(?:png|jpeg|webp|gif);base64,"),
    ("code", "class"): re.compile(r"language-[A-Za-z0-9_.+#-]+$"),
    ("span", "class"): re.compile(r"formula(?:-block)?$"),
    ("li", "value"): re.compile(r"\d{1,9}$", re.ASCII),
}
STYLES = {"list-style-type", "padding-right", "text-align", "white-space", "overflow-wrap"}

MATH = {"math", "mrow", "mi", "mn", "mo", "mtext", "mspace", "mstyle", "mpadded", "mphantom"}
MATH |= {"mfrac", "msqrt", "mroot", "msub", "msup", "msubsup", "munder", "mover", "munderover", "mtable", "mtr", "mtd"}
IS = re.compile(r"(?:true|false)")
LENGTH = re.compile(r"[+-]?[0-3]?(?:\.\d{1,4})?(?:em|px)?")
MATH_VALUES = {
    "accent": IS,
    "alttext": re.compile(r".*", re.DOTALL),
    "columnalign": re.compile(r"(?:left|center|right)"),
    "dir": re.compile(r"ltr"),
    "display": re.compile(r"block"),
    "displaystyle": IS,
    "fence": IS,
    "form": re.compile(r"(?:prefix|postfix)"),
    "intent": re.compile(r"boxed|overline|underline"),
    "linethickness": re.compile(r"0"),
    "mathvariant": re.compile(r"normal"),
    "movablelimits": IS,
    "scriptlevel": re.compile(r"[012]"),
    "separator": IS,
    "stretchy": IS,
    **dict.fromkeys(("depth", "height", "lspace", "maxsize", "minsize", "rspace", "voffset", "width"), LENGTH),
}


def _kept(tag: str, attribute: str, value: str) -> str | None:
    """`value`, unless it is none that ours can have."""
    allowed = VALUES.get((tag, attribute))
    return value if allowed is None or allowed.match(value) else None


_cleaner = nh3.Cleaner(
    tags=HEADINGS | BLOCKS | WORDS,
    attributes={"*": SHARED, **OWN},
    attribute_filter=_kept,
    link_rel="noopener noreferrer nofollow",
    set_tag_attribute_values={"a": {"target": "_blank"}},
    url_schemes={"http", "https", "mailto", "data"},
    url_relative="deny",
    filter_style_properties=STYLES,
)


def _drawing(_tag: str, attribute: str, value: str) -> str | None:
    """`value`, unless it is none that a formula of ours can have."""
    return value if attribute in MATH_VALUES and MATH_VALUES[attribute].fullmatch(value) else None


_formula_cleaner = nh3.Cleaner(
    tags=MATH,
    attributes={"*": set(MATH_VALUES)},
    attribute_filter=_drawing,
    link_rel=None,
    url_schemes=set(),
    generic_attribute_prefixes=set(),
)


def guarded(html: str) -> str:
    """`html` with nothing in it but the elements of this package. Links open a page of their own and say nothing of
    where they were."""
    return _cleaner.clean(html)


def guarded_formula(mathml: str) -> str:
    """MathML with nothing in it but elements that draw, and attributes that say how: none links, names or styles."""
    return _formula_cleaner.clean(mathml)
