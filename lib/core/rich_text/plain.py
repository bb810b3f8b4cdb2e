"""The words of safe HTML as a browser has them in its text nodes."""

from html.parser import HTMLParser


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


def text_of_html(html: str) -> str:
    """What `textContent` is in a browser that shows `html`, which is well formed, as `to_html` writes it."""
    parser = _Text()
    parser.feed(html)
    parser.close()
    return "".join(parser.found)
