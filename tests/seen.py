"""What a reader sees of HTML: blocks, line ends, and words with the marks that they carry."""

import re
from html.parser import HTMLParser
from typing import NamedTuple

BLOCKS = {"p", "ul", "ol", "li", "blockquote", "pre", "table", "thead", "tbody", "tr", "th", "td"}
BLOCKS |= {"h1", "h2", "h3", "h4", "h5", "h6", "hr"}
MARKS = {"strong": "strong", "em": "em", "s": "s", "del": "s", "code": "code", "a": "a"}
TOLD = ("start", "align")


class Words(NamedTuple):
    """A text with its marks: emphasis, code, the address of a link."""

    text: str
    marks: frozenset[str] = frozenset()


class Block(NamedTuple):
    """The start or the end of a block, or a picture."""

    name: str


LINE_END = Words("\n")


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[Block | Words] = []
        self._marks: list[str] = []
        self._pre = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag in BLOCKS:
            self._pre = self._pre or tag == "pre"
            self.found.append(Block(" ".join([tag, *(given[name] for name in TOLD if name in given)])))
        elif tag in MARKS:
            self._marks.append(f"a {given.get('href')}" if tag == "a" else MARKS[tag])
        elif tag == "br":
            self.found.append(LINE_END)
        elif tag == "img":
            self.found.append(Block(f"img {given.get('src')} {given.get('alt')}"))
        elif tag == "input":
            self.handle_data("☑ " if "checked" in given else "☐ ")

    def handle_endtag(self, tag: str) -> None:
        if tag in BLOCKS:
            self._pre = self._pre and tag != "pre"
            self.found.append(Block(f"/{tag}"))
        elif tag in MARKS and self._marks:
            self._marks.pop()

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)

    def handle_data(self, data: str) -> None:
        marks = frozenset(self._marks)
        if self._pre:
            self.found.append(Words(data, marks | {"pre"}))
            return
        for number, line in enumerate(data.split("\n")):
            self.found += [LINE_END] * bool(number) + [Words(re.sub(r"[ \t]+", " ", line), marks)]


def seen(html: str) -> list[Block | Words]:
    """What is seen, in order. A line end in running text is one, as `<br>` is."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    result: list[Block | Words] = []
    run: list[Words] = []
    for one in [*reader.found, Block("end")]:
        if isinstance(one, Words):
            run.append(one)
        else:
            result += [*_trimmed(run), one]
            run = []
    return result[:-1]


def text(html: str) -> str:
    """The words alone, a line end where a block or a line ends."""
    parts = [one.text if isinstance(one, Words) else "\n" for one in seen(html)]
    return re.sub(r"\n+", "\n", "".join(parts)).strip()


def _trimmed(run: list[Words]) -> list[Words]:
    """Words without the spaces that a browser drops, those with the same marks as one."""
    joined: list[Words] = []
    for word in run:
        before = joined[-1] if joined else LINE_END
        if "pre" in word.marks or word == LINE_END:
            value = word.text
            if word == LINE_END and joined and before != LINE_END:
                joined[-1] = before._replace(text=before.text.rstrip(" "))
        else:
            value = (
                word.text.lstrip(" ") if before.text[-1:] in ("\n", " ") and "pre" not in before.marks else word.text
            )
        if joined and before.marks == word.marks and LINE_END not in (before, word):
            joined[-1] = before._replace(text=joined[-1].text + value)
        elif value:
            joined.append(word._replace(text=value))
    joined = [word for word in joined if word.text]
    while joined and joined[-1] == LINE_END:
        joined.pop()
    while joined and joined[0] == LINE_END:
        joined.pop(0)
    if joined and "pre" not in joined[-1].marks:
        joined[-1] = joined[-1]._replace(text=joined[-1].text.rstrip(" "))
    return joined
