"""Foreign texts in a Markdown file: to the letter in one line, as a title or a name, or in a box of code; or as the
Markdown that they are, without reaching into what follows."""

import re

from markdown_it import MarkdownIt

_MARK = re.compile(r"\A[-+#]|[\\`*_\[\]<>|~$&]")
_NUMBER = re.compile(r"\A(\d{1,9})(?=[.)])")
_HTML_ENDS = {"<!--": "-->", "<?": "?>", "<![CDATA[": "]]>", "<!": ">"}
"""What ends HTML that goes on over blank lines; of an element it is its end tag."""
_ELEMENT = re.compile(r"<(script|pre|style|textarea)", re.IGNORECASE)
_reader = MarkdownIt("commonmark")


def markdown_line(text: str) -> str:
    """`text` with what Markdown would read as a mark of its own behind a backslash; what begins a list or a heading
    does so at the start of a line alone."""
    return _NUMBER.sub(r"\1\\", _MARK.sub(r"\\\g<0>", " ".join(text.split())))


def boxed(text: str, language: str = "") -> str:
    """`text` in a box of code that nothing in it can close."""
    fence = "```"
    while fence in text:
        fence += "`"
    return f"{fence}{language}\n{text}\n{fence}"


def ended(text: str) -> str:
    """`text`, which is Markdown, with an end for the box of code, or the HTML, that it leaves open: whoever stops an
    answer in the middle of one would see all that follows it in that box, or not at all."""
    last = _reader.parse(f"{text}\n\nx")[-1]
    if last.type == "fence":
        return f"{text}\n{last.markup}"
    if last.type != "html_block":
        return text
    opening = last.content.lstrip()
    if element := _ELEMENT.match(opening):
        return f"{text}\n</{element[1]}>"
    return f"{text}\n{next((end for start, end in _HTML_ENDS.items() if opening.startswith(start)), '')}"
