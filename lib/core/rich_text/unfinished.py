"""How the end of a growing text is drawn: as it will probably go on, so that nothing flashes by that does not stay."""

import re

SEEN = 2_500
"""Characters of the end that are looked at."""
LINE = r"(?:\A|(?<=\n))"
FENCE = re.compile(LINE + r"[ \t>]*[`~]+\Z")
WHOLE = re.compile(r"\$\$.*?\$\$|\\\[.*?\\\]|\\begin\{(\w+\*?)\}.*?\\end\{\1\}", re.DOTALL)
BLOCKS = (
    re.compile(r"(?:\A|(?<=\n\n))[ \t]*\|[^\n]*(?:\n[ \t|:\-]*)?\Z"),
    re.compile(LINE + r"[ \t]*(?:\$\$|\\\[|\\begin\{).{0,2000}\Z|" + LINE + r"[ \t]*\\b?e?g?i?n?\Z", re.DOTALL),
    re.compile(LINE + r"(?:[-=*_+#`~|:$\\> \t]+|[ \t>]*\d{1,9}[.)]?[ \t]*)\Z"),
)
"""A table's first row, half a formula, a line of nothing but marks (a heading's underline, a list, a fence are still
possible)."""
RUN = re.compile(r"`+")
WORDS = (
    re.compile(r"!?\[(?:[^\[\]\n]|\[[^\[\]\n]*\]){0,300}(?:\](?:\([^()\s<>]{0,2000}|\[[^\[\]\n]{0,100})?)?\Z"),
    re.compile(
        r"(?<![A-Za-z0-9$\\])\$\$?[A-Za-z\\({|][^$\n]{0,60}(?:\$[a-z]?)?\Z|\\[(\[](?:(?!\\[)\]])[^\n]){0,200}\Z"
    ),
    re.compile(r"<(?:b(?:r[ \t]*/?)?)?\Z|<https?:[^\s<>]{0,500}\Z|&[#A-Za-z0-9]{0,30}\Z|!\Z", re.IGNORECASE),
    re.compile(r"[*~_`$\\]+\Z"),
)
"""Half a link, half a formula, half a tag or entity, marks."""
PAIRS = ("***", "**", "*", "~~", "__")


def presentable(text: str) -> str:
    """`text`, the end of which is still being written, without what would turn into something else at the next letter,
    and with the ends of what has only begun. Not for text that stands in a code box."""
    start = max(0, len(text) - SEEN)
    recent = WHOLE.sub(lambda found: "x" * len(found[0]), text[start:])
    for waiting in BLOCKS:
        if found := waiting.search(recent):
            return text[: start + found.start()]
    line = start + recent.rfind("\n") + 1
    last, code = _without_code(recent[line - start :])
    if code:
        run, inside = code, text[line + len(last) + len(code) :].rstrip("` \t")
        return text[: line + len(last)] + (f"{run}{inside}{run}" if inside else "")
    while found := next(filter(None, (waiting.search(last) for waiting in WORDS)), None):
        last = last[: found.start()]
    return _closed(text[: line + len(last)], last)


def _without_code(line: str) -> tuple[str, str]:
    """A line with its code masked, up to code that has only begun, and the backticks that begin it."""
    runs = list(RUN.finditer(line))
    while runs:
        begin, *runs = runs
        end = next((number for number, run in enumerate(runs) if run[0] == begin[0]), None)
        if end is None:
            return (line[: begin.start()], begin[0]) if begin.end() < len(line) else (line, "")
        line = f"{line[: begin.start()]}{'x' * (runs[end].end() - begin.start())}{line[runs[end].end() :]}"
        runs = runs[end + 1 :]
    return line, ""


def presentable_code(text: str) -> str:
    """The same for text that ends in a code box: without half the fence that may close it."""
    return FENCE.sub("", text)


def _closed(text: str, last: str) -> str:
    """`text` with the ends of the bold and the struck words that its last line begins."""
    for pair, (mark, begun) in MARKS.items():
        if len(mark.findall(last)) % 2 and begun.search(last):
            return f"{text.rstrip()}{pair}"
    return text


def _marks(pair: str) -> tuple[re.Pattern[str], re.Pattern[str]]:
    """How a pair's mark is found, and where it begins something in the last line."""
    sign = re.escape(pair[0])
    mark = rf"(?<!{sign}){re.escape(pair)}(?!{sign})"
    return re.compile(mark), re.compile(rf"(?<![A-Za-z0-9]){mark}(?=\S)(?:(?!{mark})[^\n]){{0,300}}\Z")


MARKS = {pair: _marks(pair) for pair in PAIRS}
