"""How the end of a growing text is drawn: as it will probably go on, so that nothing flashes by that does not stay."""

import re

SEEN = 2_500
"""Characters of the end that are looked at."""
LINE = r"(?:\A|(?<=\n))"
BLOCKS = (
    re.compile(LINE + r"(?:[-=*_+#`~|:$\\> \t]+|[ \t>]*\d{1,9}[.)]?[ \t]*)\Z"),
    re.compile(r"(?:\A|(?<=\n\n))[ \t]*\|[^\n]*(?:\n[ \t|:\-]*)?\Z"),
    re.compile(LINE + r"[ \t]*(?:\$\$|\\\[|\\begin\{)(?:(?!\$\$|\\\]|\\end\{).){0,2000}(?:\$|\\|\\e\w*)?\Z", re.DOTALL),
)
"""A line of nothing but marks (a heading's underline, a list, a fence are still possible), a table's first row, half a
formula."""
SPAN = re.compile(r"(`+)(?!`).*?(?<!`)\1(?!`)")
CODE = re.compile(r"`[^`\n]+\Z")
WORDS = (
    re.compile(r"!?\[(?:[^\[\]\n]|\[[^\[\]\n]*\]){0,300}(?:\](?:\([^()\s<>]{0,2000}|\[[^\[\]\n]{0,100})?)?\Z"),
    re.compile(r"(?:\\[(\[](?:(?!\\[)\]])[^\n]){0,200}|(?<![\w$\\])\$\$?[A-Za-z\\({|][^$\n]{0,60}|\\|(?<!\\)\$)\Z"),
    re.compile(r"<(?:b(?:r[ \t]*/?)?)?\Z|<https?:[^\s<>]{0,500}\Z|&[#A-Za-z0-9]{0,30}\Z|!\Z", re.IGNORECASE),
)
"""Half a link, half a formula, half a tag or entity."""
PAIRS = (
    (re.compile(r"(?<!\*)\*\*(?!\*)"), re.compile(r"(?<![A-Za-z0-9*])\*\*(?=[^\s*])[^\n]{0,300}\Z"), "**"),
    (re.compile(r"(?<!\*)\*(?!\*)"), re.compile(r"(?<![A-Za-z0-9*])\*(?=[^\s*])[^\n]{0,300}\Z"), "*"),
    (re.compile(r"(?<!~)~~(?!~)"), re.compile(r"(?<![A-Za-z0-9~])~~(?=[^\s~])[^\n]{0,300}\Z"), "~~"),
)


def presentable(text: str) -> str:
    """`text`, the end of which is still being written, without what would turn into something else at the next letter,
    and with the ends of what has only begun. Not for text that stands in a code box."""
    start = max(0, len(text) - SEEN)
    for waiting in BLOCKS:
        if found := waiting.search(text, start):
            return text[: found.start()]
    line = max(text.rfind("\n") + 1, start)
    last = SPAN.sub(lambda span: "x" * len(span[0]), text[line:])
    if CODE.search(last):
        return f"{text.rstrip()}`"
    for waiting in WORDS:
        if found := waiting.search(last):
            text, last = text[: line + found.start()], last[: found.start()]
    return _closed(text, last)


def _closed(text: str, last: str) -> str:
    """`text` with the ends of the bold and the struck words that its last line begins."""
    for mark, begun, pair in PAIRS:
        if len(mark.findall(last)) % 2 and begun.search(last):
            text = f"{text.rstrip().rstrip(pair[0]).rstrip()}{pair}"
    return text
