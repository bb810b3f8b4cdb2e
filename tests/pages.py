"""What the tests of the pages share: a new tab, and what stands on the page."""

from pathlib import Path
from typing import Any

from streamlit.testing.v1 import AppTest

from tests.fake_api import FakeApi

ROOT = Path(__file__).parents[1]
MAIN = str(ROOT / "lib" / "ui" / "main.py")
KEY = "sk-test-key-0001"
SECONDS = 30


def new_tab(page: str = "", **query: str) -> AppTest:
    """A tab of a visitor nobody has seen, on the first page or on `page`."""
    app = AppTest.from_file(MAIN, default_timeout=SECONDS)
    if page:
        app.run()
        app.switch_page(str(ROOT / "pages" / f"{page}.py"))
    for name, value in query.items():
        app.query_params[name] = value
    return app.run()


def shown(app: AppTest) -> str:
    """All text on the page that is shown as Markdown, notices and errors included."""
    parts = (app.markdown, app.info, app.warning, app.error, app.caption, app.subheader)
    texts = [element.value for kind in parts for element in kind]
    return "\n".join([*texts, *(bar.proto.text for bar in app.get("progress"))])


def figures(app: AppTest, name: str = "0") -> str:
    """All text on the page with the figures of an answer open."""
    return shown(app.button(key=f"figures_{name}").click().run())


def bodies(api: FakeApi) -> list[dict[str, Any]]:
    """The JSON bodies of all chat requests."""
    return [request.body for request in api.requests if request.path.endswith("/chat/completions")]


def host(api: FakeApi) -> str:
    """The endpoint's name: host and port of the address."""
    return api.base_url.removeprefix("http://").removesuffix("/v1")
