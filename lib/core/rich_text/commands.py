r"""LaTeX that no typesetter of ours knows, in words that they know: KaTeX writes such a command in red, and shows the
whole formula as an error where it is an environment.

What a document has and a formula on a page has not (`\label`, `\mbox`, `eqnarray`), and what well-known packages add:
physics (`\dv`), mhchem (`\ce`), siunitx (`\SI`), amssymb.
"""

import re

from lib.core.rich_text.chemistry import chemistry

NAMES = "arccot csch diag erf grad lcm rank sech sgn sen sinc Var Cov tr Tr"
MEANINGS: dict[str, tuple[int, str]] = {
    **{name: (0, rf"\operatorname{{{name}}}") for name in NAMES.split()},
    **dict.fromkeys(("label", "require"), (1, "")),
    **dict.fromkeys(("mbox", "textsc", "ref"), (1, r"\text{#1}")),
    "eqref": (1, r"\text{(#1)}"),
    **dict.fromkeys(("mathds", "mathbbm"), (1, r"\mathbb{#1}")),
    **dict.fromkeys(("nicefrac", "sfrac"), (2, r"\tfrac{#1}{#2}")),
    **dict.fromkeys(("SI", "qty"), (2, r"#1\,\mathrm{#2}")),
    **dict.fromkeys(("si", "unit", "pu"), (1, r"\mathrm{#1}")),
    **dict.fromkeys(("dd", "diff"), (0, r"\mathrm{d}")),
    "dv": (2, r"\frac{\mathrm{d}#1}{\mathrm{d}#2}"),
    "pdv": (2, r"\frac{\partial #1}{\partial #2}"),
    "abs": (1, r"\left|#1\right|"),
    "norm": (1, r"\left\|#1\right\|"),
    "C": (0, r"\mathbb{C}"),
    "Q": (0, r"\mathbb{Q}"),
    "celsius": (0, r"^{\circ}\mathrm{C}"),
    "textdegree": (0, r"^{\circ}"),
    "euro": (0, r"\text{€}"),
    "cancelto": (2, r"\overset{#1}{\cancel{#2}}"),
    "displaylines": (1, r"\begin{gathered}#1\end{gathered}"),
    "framebox": (1, r"\boxed{#1}"),
    "uline": (1, r"\underline{#1}"),
    "idotsint": (0, r"\int\cdots\int"),
    **dict.fromkeys(("overarc", "wideparen"), (1, r"\overset{\frown}{#1}")),
    **dict.fromkeys(("iddots", "adots"), (0, "⋰")),
    "qed": (0, r"\square"),
    "hfill": (0, r"\quad"),
    "slashed": (1, r"\not{#1}"),
    "textbackslash": (0, r"\backslash"),
    "textasciitilde": (0, r"\sim"),
}
"""How many groups follow a command, and what stands for both."""
ENVIRONMENTS = {
    "multline": ("gathered", ""),
    "flalign": ("aligned", ""),
    "eqnarray": ("array", "{rcl}"),
}
COMMAND = re.compile(
    rf"\\(?:\\|(begin|end)\{{({'|'.join(ENVIRONMENTS)})\*?\}}|({'|'.join((*MEANINGS, 'ce'))})(?![A-Za-z]))"
)
"""The first is the end of a line, behind which no command has begun."""
TEXT = re.compile(r"(\\text(?:bf|it|rm|normal|sf|tt)? *\{)((?:[^{}$\\]|\\.)*)(?=\})", re.DOTALL)
SIGN = re.compile(r"(\\.)|[_&^]", re.DOTALL)
AS_WORDS = {"_": r"\_", "&": r"\&", "^": r"\textasciicircum{}"}


def known(tex: str) -> str:
    """`tex` with what is not known elsewhere in other words."""
    made, at = "", 0
    for found in COMMAND.finditer(tex):
        if found.start() < at or not (found[1] or found[3]):
            continue  # inside a group that is done, or the end of a line
        meant = _environment(found) if found[1] else _command(tex, found)
        if meant is not None:
            made, at = made + tex[at : found.start()] + meant[0], meant[1]
    return made + tex[at:]


def with_plain_texts(tex: str) -> str:
    """`tex` for KaTeX, to which even between words some signs are those of a formula (`\\text{total_cost}`)."""
    return TEXT.sub(lambda found: found[1] + SIGN.sub(_as_word, found[2]), tex)


def _as_word(found: re.Match[str]) -> str:
    return found[1] or AS_WORDS[found[0]]


def _environment(found: re.Match[str]) -> tuple[str, int]:
    name, columns = ENVIRONMENTS[found[2]]
    return f"\\{found[1]}{{{name}}}{columns if found[1] == 'begin' else ''}", found.end()


def _command(tex: str, found: re.Match[str]) -> tuple[str, int] | None:
    """What a command with its groups means, and where they end; None where a group is missing."""
    count, meaning = MEANINGS.get(found[3], (1, "#1"))
    groups, end = [], found.end()
    for _ in range(count):
        group = _group(tex, end)
        if group is None:
            return None
        groups.append(group)
        end += len(group) + 2
    if found[3] == "ce":
        return f"{{{chemistry(groups[0])}}}", end
    for number, group in enumerate(groups, 1):
        meaning = meaning.replace(f"#{number}", known(group))
    return meaning if not meaning or count else f"{meaning} ", end


def _group(tex: str, start: int) -> str | None:
    """What stands in the braces at `start`."""
    depth = 0
    for found in re.compile(r"\\.|[{}]", re.DOTALL).finditer(tex, start):
        if depth == 0 and found.start() != start:
            return None
        depth += (found[0] == "{") - (found[0] == "}")
        if depth == 0:
            return tex[start + 1 : found.start()] if found[0] == "}" else None
    return None
