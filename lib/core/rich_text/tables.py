"""The tables of a text as tab-separated lines, as spreadsheets take them from the clipboard."""

from lib.core.rich_text.parser import parse
from lib.core.rich_text.source import prepared
from lib.core.rich_text.words import plain


def tables(text: str) -> list[str]:
    """Each table of `text`, which is Markdown: a line a row, a tab between cells, the words without their marks."""
    source = prepared(text)
    found: list[list[list[str]]] = []
    inside = False
    for token in parse(source.marked).tokens:
        if token.type == "table_open":
            found.append([])
        if token.type in ("table_open", "table_close"):
            inside = token.type == "table_open"
        elif inside and token.type == "tr_open":
            found[-1].append([])
        elif inside and token.type == "inline":
            words = source.put_back(plain(token.children or []))
            found[-1][-1].append(" ".join(words.split()))
    return ["\n".join("\t".join(row) for row in rows) for rows in found]
