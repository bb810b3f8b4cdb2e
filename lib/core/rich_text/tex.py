"""Whether what stands between the signs of a formula is one, or a price, a variable, a sentence."""

import re

MAX_DEPTH = 50
"""Braces inside braces: the browser's typesetter recurses."""
STRONG = re.compile(r"\\[A-Za-z]|\\[{}|,;!%]|\^|(?<![A-Za-z0-9])[A-Za-z]_[A-Za-z0-9{\\]")
"""What only TeX has: a command, a power, a letter with an index."""
RELATION = re.compile(r"[A-Za-z0-9)\]}'|!]\s*[=<>+*]\s*[-A-Za-z0-9(\[{\\|]")
RELATED_WORDS = re.compile(r"[\w()（） ]+=[\w()（）+\-*/.% ×÷−]+")
"""Names of any script, set equal: 速度 = 路程 / 时间."""
SENTENCE = re.compile(r"[A-Za-z]{2,}[,;:]? +(?:[a-z] +)?[A-Za-z]{2,}")
LONG_SENTENCE = re.compile(r"(?<!\\)(?:\b[A-Za-z]{3,}[,;:]? +){2}[A-Za-z]{3,}")
TEXT_INSIDE = re.compile(r"\\(?:text|mathrm|operatorname|mbox|textbf|textit|mathbf|mathit)\*?\{[^{}]*\}|\\[A-Za-z]+")
WORD = re.compile(r"(?<![\\A-Za-z])[A-Za-z]{4,}")
FUNCTIONS = frozenset({"sinh", "cosh", "tanh", "arcsin", "arccos", "arctan", "sqrt", "diag", "rank", "prob", "span"})
LITTLE_WORDS = frozenset(
    {"and", "as", "at", "by", "for", "if", "in", "is", "it", "no", "of", "on", "or", "per", "the", "to"}
)
PRICE = re.compile(r"\d[\d.,]*(?:\s*[-–/]\s*\d[\d.,]*)?(?:\s+|/)[A-Za-z]{2,}")
COMPARING = ("<", ">")
CURRENCY = re.compile("[€£¥￥₩₹₽¢]")
ADDRESS = re.compile(r"://|www\.|@[A-Za-z0-9-]+\.|[A-Za-z]:\\[A-Za-z]|\]\(|`|\*\*")
CJK = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uff00-\uffef\u3000-\u303f]")
HUGE = re.compile(r"\d{2}(?:\.\d*)?\s*(?:em|ex|cm|in|pc|cc)\b|\d{3}(?:\.\d*)?\s*(?:mu|mm|pt|bp|dd|sp|nd|nc)\b")
"""A length that would draw over what stands elsewhere."""
FOREIGN = re.compile(
    r"\\(?:href|url|includegraphics|html[A-Za-z]*|def|gdef|edef|xdef|let|futurelet|global|newcommand|renewcommand"
    r"|providecommand|input|write|catcode)(?![A-Za-z])"
)
"""Commands that link, load or define: they are shown as they were written."""
SIGNS = re.compile(r"\\.|\S", re.DOTALL)
DELIMITERS = frozenset({"$", "\\(", "\\)", "\\[", "\\]"})


def is_formula(tex: str, opening: str, alone: bool = False) -> bool:
    """Whether what stands between `opening` and its end is TeX; `alone` when both stand on lines of their own."""
    body = tex.strip()
    if not body or not _harmless(body):
        return False
    if CURRENCY.search(body) and opening == "$":
        return False
    if ADDRESS.search(body) or LONG_SENTENCE.search(TEXT_INSIDE.sub(" ", body)):
        return False
    if opening.startswith("\\begin"):
        return True
    spaces = (tex[0].isspace(), tex[-1].isspace()) if opening == "$" else (False, False)
    if spaces[0] != spaces[1]:
        return False
    if STRONG.search(body) or tex in COMPARING:
        return True
    if "\n\n" in body or SENTENCE.search(body) or PRICE.match(body):
        return False
    if spaces[0] and not (body.isalpha() and len(body) == 1) and (body[0].isdigit() or not RELATION.search(body)):
        return False
    return _is_plain_formula(tex, opening, alone)


def _is_plain_formula(tex: str, opening: str, alone: bool) -> bool:
    """The same for what has no sign that only TeX has."""
    body = tex.strip()
    if not any(sign.isalnum() for sign in body):
        return False
    related = RELATION.search(body) is not None
    words = {word.lower() for word in WORD.findall(body)} - FUNCTIONS | ({body.lower()} & LITTLE_WORDS)
    if CJK.search(body):
        return (related or RELATED_WORDS.fullmatch(body) is not None) and not body[0].isdigit()
    if opening == "\\[":
        apart = tex[0].isspace() and tex[-1].isspace()
        return related if apart and words else not words and (related or alone)
    if opening == "\\(":
        return not words
    return (not words or related) and "\n" not in body.strip("\n")


def _harmless(tex: str) -> bool:
    """Whether the browser's typesetter can be given `tex`: no links, no definitions, no boxes larger than the page, and
    nothing that it would only show as an error."""
    if FOREIGN.search(tex) or HUGE.search(tex) or tex.count("\\begin{") != tex.count("\\end{"):
        return False
    depth = 0
    signs = SIGNS.findall(tex)
    for sign in signs:
        depth += (sign == "{") - (sign == "}")
        if depth > MAX_DEPTH or depth < 0:
            return False
    return depth == 0 and not DELIMITERS.intersection(signs) and signs[-1:] not in (["^"], ["_"], ["\\"])
