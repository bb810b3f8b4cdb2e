"""What the tests of the pages share: a new tab, what a visitor does there, and what stands on the page."""

import json
import re
import secrets
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

from streamlit.runtime.scriptrunner import RerunData
from streamlit.testing.v1 import AppTest, local_script_runner

from lib.ui.shared import resources
from lib.visitor import LOCAL_OWNER
from tests import seen
from tests.fake_api import FakeApi

ROOT = Path(__file__).parents[1]
MAIN = str(ROOT / "lib" / "ui" / "main.py")
KEY = "sk-test-key-0001"
SECONDS = 30
PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c6360000002000001e221bc330000"
    "000049454e44ae426082"
)
"""A PNG of one pixel."""


BEGINS_WITH: dict[str, object] = {}
"""What the session state of a new tab holds: what the fixture `settings_open` puts there."""


def tab_of(_visitor: str) -> AppTest:
    """A new tab of the one person there is on a computer of one's own, not yet run."""
    app = AppTest.from_file(MAIN, default_timeout=SECONDS)
    for name, value in BEGINS_WITH.items():
        app.session_state[name] = value
    return app


def new_tab(page: str = "", **query: str) -> AppTest:
    """A tab of a visitor nobody has seen, on the first page or on `page`."""
    app = tab_of("")
    if page:
        # Before the first run a page is known by its file's name, which is our pages' place in the address, too.
        app.switch_page(str(ROOT / "pages" / f"{page}.py"))
    for name, value in query.items():
        app.query_params[name] = value
    return app.run()


def owner(_app: AppTest) -> str:
    """The visitor, as rows of the store name them."""
    return LOCAL_OWNER


def switch_page(app: AppTest, page: str) -> AppTest:
    """Go to another page."""
    app.switch_page(str(ROOT / "pages" / f"{page}.py")).run()
    assert not app.exception
    return app


def go_back(app: AppTest, **query: str) -> AppTest:
    """Go to an entry of the browser's history with this query."""
    app.query_params.clear()
    app.query_params.update(query)
    by_history = partial(RerunData, is_history_navigation=True)
    with patch.object(local_script_runner, "RerunData", by_history):
        app.run()
    assert not app.exception
    return app


def turn_settings(app: AppTest, to_open: bool) -> AppTest:
    """Open Chat's settings, or close them."""
    app.session_state["settings_open"] = to_open
    return app.run()


def changed_settings(app: AppTest) -> str:
    """What stands beside them."""
    dot = ":primary[●] "
    return next((one.value.removeprefix(dot) for one in app.caption if one.value.startswith(dot)), "")


def click(app: AppTest, name: str) -> AppTest:
    """Press a button."""
    app.button(key=name).click().run()
    assert not app.exception
    return app


def choose_model(app: AppTest, model: str) -> AppTest:
    """Choose a model of the one service: from the list, or as a link does where the list has it not."""
    name = _full_name(app, model)
    if name in app.selectbox(key="chat_model").options:
        app.selectbox(key="chat_model").set_value(name)
    else:
        app.query_params["model"] = name
        app.query_params["link"] = secrets.token_hex(4)  # each is another link: one that was used does nothing
    return app.run()


def _full_name(app: AppTest, model: str) -> str:
    offered = [str(option) for option in app.selectbox(key="chat_model").options]
    # A service that can't be reached offers nothing; any id can be typed all the same.
    return f"{offered[0].partition('/')[0]}/{model}" if offered else model


def ask(app: AppTest, text: str = "Hello", model: str = "") -> AppTest:
    """Send `text`, to a model that is chosen before if need be, and run until the answer has ended."""
    if model:
        picker, name = app.selectbox(key="chat_model"), _full_name(app, model)
        # One run less than with a link. What is not for chats would be typed with the words that say so.
        if name not in picker.options and picker.format_func(name) == name:
            picker.options.append(name)
        if name in picker.options:
            picker.set_value(name)
        else:
            choose_model(app, model)
    app.chat_input(key="chat_input").set_value(text).run()
    assert not app.exception
    return app


def switch_on(app: AppTest, field: str, widget: str, value: object) -> None:
    """Switch a parameter on, and set it."""
    app.toggle(key=f"chat_{field}_on").set_value(True)
    getattr(app, widget)(key=f"chat_{field}").set_value(value).run()


def connect(app: AppTest, address: str, key: str) -> AppTest:
    """Connect a service in the connection's dialog."""
    app.button(key="connection_open").click().run()
    app.text_input(key="connection_base_url").set_value(address)
    app.text_input(key="connection_key").set_value(key)
    return app.button(key="connection_save").click().run()


def message_menu(app: AppTest, name: str, action: str) -> AppTest:
    """Choose something in the menu of a turn."""
    app.menu_button(key=f"more_{name}").click(action).run()
    assert not app.exception
    return app


def beside(app: AppTest, *models: str) -> None:
    """Ask these models too."""
    name = str(app.selectbox(key="chat_model").options[0]).partition("/")[0]
    app.multiselect(key="chat_models_beside").set_value([f"{name}/{model}" for model in models]).run()


def run_sweep(app: AppTest) -> AppTest:
    """Press Run and wait until the sweep has ended."""
    app.button(key="sweep_run").click().run()
    return sweep_ended(app)


def sweep_ended(app: AppTest) -> AppTest:
    """The page when the open sweep has ended."""
    running = resources.services().sweeps.running(sweep_id(app))
    assert running is None or running.wait_until_finished(SECONDS)
    assert not app.run().exception
    return app


def sweep_id(app: AppTest) -> str:
    """The open sweep."""
    return str(app.session_state["open_sweep"])


def chat_titles(app: AppTest) -> list[str]:
    """The entries of the list of chats as they are read, without the time; what was found in bold."""
    labels = [str(one.label) for one in app.sidebar.button if str(one.key).startswith("chat_open_")]
    bare = [re.sub(r" :small\[[^]]*\]$", "", label) for label in labels]
    bare = [re.sub(r"  \n:small\[(.*?)\]$", r" · \1", label) for label in bare]
    return [_to_the_letter(re.sub(r":orange-background\[(.*?)\]", r"\1", label)) for label in bare]


def draft(app: AppTest) -> str:
    """What stands in the composer."""
    return str(app.chat_input(key="chat_input").proto.value)


def shown(app: AppTest) -> str:
    """All text on the page as it is read, notices and errors included."""
    parts = (app.markdown, app.info, app.warning, app.error, app.caption, app.title, app.subheader, app.toast)
    texts = [as_read(element) for kind in parts for element in kind]
    rows = [row for table in app.table for row in table.value.itertuples(index=False)]
    texts += [" | ".join(_to_the_letter(str(cell)) for cell in row) for row in rows]
    return "\n".join([*texts, *(bar.proto.text for bar in app.get("progress")), *map(_in_cell, cells(app).values())])


def standing(app: AppTest) -> str:
    """How far the open sweep is, as its line says; "" where none is open."""
    lines = [*(bar.proto.text for bar in app.get("progress")), *(as_read(one) for one in app.caption)]
    return next((line for line in lines if re.match(r"[\d,]+( of [\d,]+)? answers?( ·|, (none|not) |$)", line)), "")


def answer_data(app: AppTest) -> dict[str, Any]:
    """What the component that draws a sweep's answers gets; nothing where it is not on the page."""
    drawn = _answers_drawn(app)
    return dict(json.loads(drawn[0])) if len(drawn) > 1 else {}


def cells(app: AppTest) -> dict[str, dict[str, Any]]:
    """The cells of a sweep that are looked at on the page, by `<row>_<column>_<repeat>`."""
    found = answer_data(app)
    if not found:
        return {}
    [version, stock] = _answers_drawn(app)[1].split(b"\n", 1)
    assert version.decode() == found["base"]
    all_of_it = json.loads(stock) | found["changed"]
    among = all_of_it if found["among"] is None else found["among"]
    wanted = set(found["kinds"])
    return {place: all_of_it[place] for place in among if not wanted or wanted & set(all_of_it[place]["kinds"])}


def _answers_drawn(app: AppTest) -> list[bytes]:
    """What the components get that draw a sweep's answers; without those that have nothing to tell."""
    drawn = [one.proto for one in app.get("bidi_component") if one.proto.component_name == "tempera.answers"]
    return [bytes(one.bytes) for one in drawn if one.bytes]


def _in_cell(cell: dict[str, Any]) -> str:
    """All text of a cell as it is read."""
    return " · ".join(
        [
            seen.text(cell["html"]),
            *cell["marks"],
            *cell["badges"],
            *cell["notes"],
            cell["figures"],
            cell.get("error") or "",
            cell.get("wait") or "",
        ]
    )


def as_read(element: Any) -> str:
    """The words of an element: of HTML without its tags, of a sentence without what keeps foreign words harmless."""
    if getattr(element.proto, "allow_html", False):
        return seen.text(element.value)
    return _to_the_letter(element.value)


def _to_the_letter(text: str) -> str:
    return re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", re.sub(r":color\[(.*?)\]\{\}", r"\1", text))


def figures(app: AppTest, name: str = "0") -> str:
    """All text on the page with the figures of an answer open."""
    return shown(app.button(key=f"figures_{name}").click().run())


def buttons(app: AppTest) -> set[str]:
    """The keys of all buttons on the page."""
    return {str(button.key) for button in app.button}


def bodies(api: FakeApi) -> list[dict[str, Any]]:
    """The JSON bodies of all chat requests; those without messages only ask whether the service is there."""
    chats = [request.body for request in api.requests if request.path.endswith("/chat/completions")]
    return [body for body in chats if body["messages"]]


def host(api: FakeApi) -> str:
    """The endpoint's name: host and port of the address."""
    return api.base_url.removeprefix("http://").removesuffix("/v1")
