"""The words of safe HTML as a browser has them in its text nodes."""

from html.parser import HTMLParser

from lib.core.rich_text.guard import WORDS


class _Text(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[str] = []
        self._box_begins = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._box_begins = tag == "pre"

    def handle_data(self, data: str) -> None:
        # A browser leaves out the line end that follows the start of a `pre`.
        self.found.append(data[1:] if self._box_begins and data.startswith("\n") else data)
        self._box_begins = False


class _Line(_Text):
    """The same with a blank where a line, a block or a cell ends."""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        super().handle_starttag(tag, attrs)
        if tag == "br":
            self.found.append(" ")

    def handle_endtag(self, tag: str) -> None:
        if tag not in WORDS:
            self.found.append(" ")


def line_of_html(html: str) -> str:
    """The words of `html` in one line, those of one block apart from those of the next."""
    return " ".join(_read(_Line(), html).split())


def text_of_html(html: str) -> str:
    """What `textContent` is in a browser that shows `html`, which is well formed, as `to_html` writes it."""
    return _read(_Text(), html)


def _read(parser: _Text, html: str) -> str:
    parser.feed(html)
    parser.close()
    return "".join(parser.found)
