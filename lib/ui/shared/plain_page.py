"""Pages of plain HTML around the app, for who sees nothing of it yet: no script, and nothing that is loaded."""

from base64 import b64encode
from functools import cache
from html import escape
from pathlib import Path

from starlette.datastructures import Headers
from starlette.types import Scope

from lib.ui.shared.page_style import colours
from lib.ui.shared.texts import browser_language

ASSETS = Path(__file__).parents[1] / "assets"


def asked_language(scope: Scope) -> str:
    """The language of whoever asks, by the header Accept-Language."""
    return browser_language(Headers(scope=scope).get("accept-language", ""))


def plain_page(language: str, title: str, body: str, again_seconds: int = 0) -> str:
    """A page with a title and a body, which is HTML; it loads itself anew after so many seconds, 0 for never."""
    again = f'\n    <meta http-equiv="refresh" content="{again_seconds}">' if again_seconds else ""
    return f"""<!doctype html>
<html lang="{language.replace("_", "-")}">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">{again}
    <title>{escape(title)} · Tempera</title>
    <link rel="icon" href="{_icon()}">
    <style>:root {{ {colours()} }} {_text("plain_page.css")}</style>
  </head>
  <body>
    <main>
      {_text("logo.svg")}
      <h1>{escape(title)}</h1>{body}
    </main>
  </body>
</html>
"""


def sentence_page(language: str, title: str, sentence: str, again_seconds: int = 0) -> str:
    """A page with a title and one sentence; it loads itself anew after so many seconds, 0 for never."""
    return plain_page(language, title, f"<p>{escape(sentence)}</p>", again_seconds)


@cache
def _text(name: str) -> str:
    return (ASSETS / name).read_text("utf-8").strip()


def _icon() -> str:
    # Every address but these pages' own is closed to who is not signed in.
    return f"data:image/svg+xml;base64,{b64encode(_text('icon.svg').encode()).decode()}"
