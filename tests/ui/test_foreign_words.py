"""Foreign words in labels, options, captions and tips stand there to the letter: where Streamlit reads Markdown, they
are escaped."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from google.protobuf.message import Message
from streamlit.testing.v1 import AppTest

from lib.ui.shared import resources
from tests.fake_api import FakeApi
from tests.pages import ask, click, new_tab, run_sweep, shown, switch_page

pytestmark = pytest.mark.usefixtures("settings_open")

LINK = "[Sign in](javascript:evil)"
HOSTILE = f"{LINK} www.evil.example <b>x"
LETTERS = {
    *("Code.code_text", "TextInput.default", "TextArea.default", "ChatInput.default", "ChatInput.value"),
    *("TextInput.placeholder", "Selectbox.options", "Selectbox.raw_value", "MultiSelect.options"),
    *("MultiSelect.raw_values", "Text.body"),
    "BidiComponent.json",  # read by the grid of a sweep, a script of ours
}
"""The fields of Streamlit's elements that are shown to the letter; in all others it reads Markdown."""


@pytest.fixture
def api() -> Iterator[FakeApi]:
    """A service whose models have such names."""
    with FakeApi(models=[f"{name} {HOSTILE}" for name in ("echo", "two")], keys_optional=True) as service:
        yield service


@pytest.fixture
def app(api: FakeApi, data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[AppTest]:
    """A tab of an app in which the operator's service has such a name."""
    monkeypatch.setenv("TEMPERA_ENDPOINTS", json.dumps({HOSTILE: {"base_url": api.base_url}}))
    monkeypatch.setenv("TEMPERA_LOCAL_MODEL", "false")
    yield new_tab()
    resources.close()


def strings(message: Message) -> Iterator[tuple[str, str]]:
    """Every string in a message that is drawn, with the message's and the field's name."""
    for field, value in message.ListFields():
        for one in value if field.is_repeated else [value]:
            if isinstance(one, Message):
                yield from strings(one)
            elif isinstance(one, str) and field.name != "id":
                yield f"{type(message).__name__}.{field.name}", one


def read_as_markdown(app: AppTest) -> set[tuple[str, str]]:
    """Where a hostile text stands on the page as it is. What is drawn as HTML is made of tokens, and tested there."""
    drawn = [node.proto for node in app._tree if isinstance(getattr(node, "proto", None), Message)]
    texts = [found for proto in drawn if not getattr(proto, "allow_html", False) for found in strings(proto)]
    return {(field, text[:80]) for field, text in texts if LINK in text and field not in LETTERS}


def preset(app: AppTest) -> AppTest:
    """A preset of such a name."""
    app.text_input(key="chat_preset_name").set_value(HOSTILE)
    return click(app, "chat_preset_save")


def chosen_prompt(app: AppTest) -> AppTest:
    """A saved prompt with a variable of such a name, chosen in its dialog."""
    click(app, "chat_templates_open")
    app.text_input(key="chat_template_name").set_value(HOSTILE)
    app.text_area(key="chat_template_text").set_value(f"Praise {{{{{HOSTILE}}}}}")
    click(app, "chat_template_keep")
    return app.selectbox(key="chat_template").set_value(HOSTILE).run()


def several_models(app: AppTest) -> AppTest:
    """An answer of two models, and what will be sent to them."""
    app.multiselect(key="chat_models_beside").set_value([f"{HOSTILE}/two {HOSTILE}"]).run()
    ask(app, HOSTILE)
    return click(app, "inspect_next")


def in_a_sweep(_app: AppTest) -> AppTest:
    """A sweep of that model, in another tab."""
    return run_sweep(new_tab("sweep", prompt=HOSTILE, temperatures="0", models=f"{HOSTILE}/echo {HOSTILE}"))


STEPS: list[tuple[str, Callable[[AppTest], AppTest]]] = [
    ("the first page", lambda app: app),
    ("an answer", lambda app: ask(app, HOSTILE)),
    ("its figures", lambda app: click(app, "figures_0")),
    ("its request", lambda app: click(app, "inspect_0")),
    ("the connection", lambda app: click(app, "connection_open")),
    ("all models", lambda app: click(app, "chat_models_open")),
    ("a preset", preset),
    ("a saved prompt", chosen_prompt),
    ("several models", several_models),
    ("a sweep", in_a_sweep),
    ("usage", lambda app: switch_page(app, "usage")),
]


@pytest.mark.row("T8")
def test_no_foreign_word_is_read_as_markdown(app: AppTest, subtests: pytest.Subtests) -> None:
    """With such a service, model, chat, preset, saved prompt and sweep."""
    for name, step in STEPS:
        app = step(app)
        with subtests.test(name):
            assert read_as_markdown(app) == set()


def test_another_dialog_gives_way_to_the_connections(app: AppTest) -> None:
    """Its keys work in a dialog too, and Streamlit refuses a page with two."""
    click(app, "chat_templates_open")
    click(app, "connection_open")

    assert [one.proto.dialog.title for one in app._tree if one.type == "dialog"] == ["Services"]


@pytest.mark.usefixtures("service")
def test_a_slash_in_a_services_name_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Models are named by it, up to the first slash."""
    resources.close()
    monkeypatch.setenv("TEMPERA_ENDPOINTS", '{"a/b": {"base_url": "https://api.example.com/v1"}}')

    assert "The setting “endpoints.a/b" in shown(new_tab())
