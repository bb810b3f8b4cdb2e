r"""Chemistry as LaTeX's mhchem writes it (`\ce{2H2 + O2 -> 2H2O}`), in words that every typesetter knows."""

import re

ARROWS = {
    "->": r"\rightarrow",
    "<-": r"\leftarrow",
    "<->": r"\leftrightarrow",
    "<=>": r"\rightleftharpoons",
    "<=>>": r"\rightleftharpoons",
    "<<=>": r"\rightleftharpoons",
}
SINGLE = {"v": r"\downarrow ", "^": r"\uparrow ", "*": r"\cdot ", ".": r"\cdot ", "#": r"\equiv "}
PIECE = re.compile(
    r"(?P<arrow><<=>|<=>>?|<->|->|<-)(?:\[(?P<above>[^\[\]]*)\])?(?:\[(?P<below>[^\[\]]*)\])?"
    r"|(?<!\S)(?P<single>[v^])(?!\S)|(?P<point>\s*[*]\s*|(?:(?<=[A-Za-z)])|(?<=[A-Za-z)]\d))\.(?=\d*[A-Z(])|#)"
    r"|(?P<raised>\^)(?P<charge>\{[^{}]*\}|\d*[+\-]?)|(?P<ion>(?<=[A-Za-z0-9)\]])(?:[+\-](?![A-Za-z0-9(])|[+\-](?=\((?:aq|s|l|g)\))))"
    r"|(?<=[A-Za-z)\]}])(?P<count>\d+)|(?P<command>\\text\{[^{}]*\}|\\[A-Za-z]+|_\{[^{}]*\})|(?P<letters>[A-Za-z]+)"
)


def chemistry(group: str) -> str:
    r"""What `\ce` has in its braces, as TeX without it."""
    return PIECE.sub(_piece, group)


def _piece(found: re.Match[str]) -> str:
    kind = found.lastgroup
    if found["arrow"]:
        return _arrow(found)
    if found["letters"]:
        return f"\\mathrm{{{found[0]}}}"
    if found["count"]:
        return f"_{{{found[0]}}}"
    if found["raised"]:
        return f"^{{{found['charge'].strip('{}')}}}"
    if found["ion"]:
        return f"^{{{found[0]}}}"
    return found[0] if kind == "command" else SINGLE[found[0].strip()]


def _arrow(found: re.Match[str]) -> str:
    above, below = found["above"], found["below"]
    if not above and not below:
        return f"{ARROWS[found['arrow']]} "
    return rf"\overset{{{_over(above)}}}{{\underset{{{_over(below)}}}{{{ARROWS[found['arrow']]}}}}} "


def _over(text: str | None) -> str:
    return chemistry(text) if text else ""
