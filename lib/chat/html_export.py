"""Writes a chat as a web page: one file that needs nothing else, runs no script, and prints well."""

from collections.abc import Iterator
from html import escape
from pathlib import Path

from lib.chat.attachments import parted
from lib.chat.branch import Turn
from lib.chat.export import Document
from lib.chat.reader import Reader, settings
from lib.core import parts
from lib.core.parts import Part
from lib.core.request import Role
from lib.core.rich_text import FORMULA_STYLES, as_typed, to_html, typeset

STYLE = Path(__file__).with_name("html_export.css")
POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"
"""Nothing is loaded and nothing runs, whatever the chat holds; `style` attributes are the renderer's own."""


def to_html_page(document: Document, reader: Reader) -> bytes:
    """The open branch as a page for `reader`."""
    title = escape(document.chat.title)
    page = f"""<!doctype html>
<html lang="{escape(reader.html_language)}">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{POLICY}">
<meta name="referrer" content="no-referrer">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
{STYLE.read_text("utf-8")}{FORMULA_STYLES}</style>
</head>
<body>
<header><h1>{title}</h1><p class="facts">{escape(_facts(document, reader))}</p></header>
<main>
{"".join(_sections(document, reader))}</main>
</body>
</html>
"""
    # Half a surrogate pair, which a model may send, has no UTF-8.
    return page.encode("utf-8", "replace")


def _facts(document: Document, reader: Reader) -> str:
    """When, and who answered: the model that the chat is set to now may never have been asked. No service is named, as
    its address may be one of the sharer's own network. The chat's settings only where no answer tells its own."""
    made_by = [turn.made_by for turn in document.open_turns if turn.made_by]
    models = dict.fromkeys(one.model for one in made_by if one.model)
    asked = [] if any(one.settings for one in made_by) else settings(document.form.params.to_send())
    return " · ".join([reader.time(document.chat.created_at), *models, *asked])


def _sections(document: Document, reader: Reader) -> Iterator[str]:
    if document.form.system:
        yield _section("system", reader.names["system"], as_typed(document.form.system))
    for turn in document.open_turns:
        made_by = turn.made_by.model if turn.made_by else ""
        name = made_by if turn.role == "assistant" and made_by else reader.names[turn.role]
        yield _section(turn.role, name, "\n".join(_contents(turn, document)), reader.line(turn))


def _section(role: Role, name: str, contents: str, figures: str = "") -> str:
    line = f'<p class="facts">{escape(figures)}</p>\n' if figures else ""
    return f'<section class="{role}">\n<h2>{escape(name)}</h2>\n<div>{contents}</div>\n{line}</section>\n'


def _contents(turn: Turn, document: Document) -> Iterator[str]:
    yield from (_picture(document.images[id]) for id in turn.images if id in document.images)
    if turn.role != "assistant":
        typed, files = parted(turn.text)
        yield as_typed(typed) if typed else ""
        for one in files:
            summary = f"<summary>{escape(one.name)} · {len(one.text):,}</summary>"
            yield f"<details>{summary}<pre>{escape(one.text)}</pre></details>"
        return
    yield typeset(to_html(turn.text))
    pictures = [part for part in turn.parts if _is_picture(part)]
    yield from (_picture(parts.text_of(part, "url")) for part in pictures)
    yield typeset(to_html(parts.to_markdown([part for part in turn.parts if part not in pictures])))


def _is_picture(part: Part) -> bool:
    return part.get("type") == "image" and parts.text_of(part, "url").startswith("data:image/")


def _picture(url: str) -> str:
    return f'<img alt="" src="{escape(url)}">'
