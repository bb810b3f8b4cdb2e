"""The inspector: what will be sent, what was sent, what came, and the code for it."""

import json
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from lib.calls.code_samples import SAMPLES
from lib.gateway import raw_answers
from lib.ui.shared import resources
from tests.fake_api import FakeApi
from tests.pages import KEY, ask, beside, bodies, click, new_tab, shown, switch_on
from tests.sample_programs import printed

pytestmark = pytest.mark.usefixtures("settings_open")


def codes(app: AppTest) -> list[str]:
    return [str(code.value) for code in app.code]


def inspected(app: AppTest, name: str = "0", part: str = "request") -> AppTest:
    """The page with the inspector open for an answer."""
    app.button(key=f"figures_{name}").click()
    app.run()
    click(app, f"inspect_{name}")
    return show(app, part)


def show(app: AppTest, part: str) -> AppTest:
    app.button_group(key="inspector_part").set_value(part).run()
    assert not app.exception
    return app


def body(app: AppTest) -> dict[str, Any]:
    """The request that is shown."""
    shown_body: dict[str, Any] = json.loads(codes(app)[-1])
    return shown_body


@pytest.mark.row("C24")
def test_the_request_is_shown_as_it_was_sent(app: AppTest, api: FakeApi) -> None:
    switch_on(app, "temperature", "slider", 0.3)
    ask(ask(app, "one"), "two")
    inspected(app, "1")

    assert body(app) == bodies(api)[-1]
    assert codes(app)[-2] == f"{api.base_url}/chat/completions"


@pytest.mark.row("C24", "C10")
def test_a_field_that_was_left_out_is_not_in_it(service: FakeApi, api: FakeApi) -> None:
    app = new_tab(model="refuses-temperature", temperature="0.3")
    inspected(ask(app, "Hello"))

    assert body(app) == bodies(api)[-1]
    assert "temperature" not in body(app)


@pytest.mark.row("C24")
def test_the_answer_is_shown_as_it_came(app: AppTest) -> None:
    raw = codes(inspected(ask(app, "Hello"), part="answer"))[-1]

    assert raw.startswith("data: {") and raw.endswith("data: [DONE]")
    assert '"usage"' in raw


@pytest.mark.row("C24", "T4")
def test_a_key_in_an_answer_is_masked(app: AppTest, api: FakeApi) -> None:
    api.script("echo", json.dumps({"choices": [{"message": {"content": f"Your key is {KEY}."}}]}).encode())
    raw = codes(inspected(ask(app, "Hello"), part="answer"))[-1]

    assert "Your key is " in raw
    assert KEY not in raw


@pytest.mark.row("C24")
def test_only_the_last_answers_are_kept(app: AppTest) -> None:
    ask(app, "Hello")
    for other in range(raw_answers.KEPT["chat"]):
        resources.services().dispatcher.raw_answers.begin("eve", str(other), "")
    inspected(app, part="answer")

    assert "this one is not known any more" in shown(app)


@pytest.mark.row("C24", "C26")
def test_a_temporary_chats_answer_is_not_kept(app: AppTest, api: FakeApi) -> None:
    ask(click(app, "chat_new_temporary"), "A secret")
    assert body(inspected(app)) == bodies(api)[-1]
    assert "not for temporary chats" in shown(show(app, "answer"))


@pytest.mark.row("C24", "C9")
def test_the_next_request_is_shown_before_it_is_sent(app: AppTest, api: FakeApi) -> None:
    ask(app, "one")
    click(app, "inspect_next")
    show(app, "request")
    assert "temperature" not in body(app)

    switch_on(app, "temperature", "slider", 0.3)
    assert body(app)["temperature"] == 0.3
    words = [message["content"] for message in body(app)["messages"]]
    assert words == ["one", "You said: one", "(what you type)"]
    assert len(bodies(api)) == 1


@pytest.mark.row("C24", "C16")
def test_with_several_models_each_has_its_own_request(app: AppTest) -> None:
    ask(app, "one")
    beside(app, "reason")
    click(app, "inspect_next")
    show(app, "request")
    assert body(app)["model"] == "echo"

    app.button_group(key="inspector_model").set_value(1).run()
    assert body(app)["model"] == "reason"


@pytest.mark.row("C23")
def test_the_code_of_an_answer_is_shown_in_four_languages_without_the_key(app: AppTest, api: FakeApi) -> None:
    inspected(ask(app, "Hello"), part="code")
    seen = []
    for language in ("curl", "Python (httpx)", "Python (openai)", "JavaScript"):
        app.button_group(key="inspector_language").set_value(language).run()
        seen.append(codes(app)[-1])

    assert len(set(seen)) == 4
    assert all("Hello" in code and api.base_url in code and KEY not in code for code in seen)


@pytest.mark.row("C23")
@pytest.mark.parametrize(
    "title", ["curl", *(pytest.param(title, marks=pytest.mark.soak) for title in SAMPLES if title != "curl")]
)
def test_the_code_on_the_page_makes_the_answers_request_again(
    app: AppTest, api: FakeApi, title: str, tmp_path: Path
) -> None:
    """Run as it stands there."""
    switch_on(app, "temperature", "slider", 0.3)
    inspected(ask(ask(app, "Hello, it's me"), 'And "again"?'), "1", part="code")
    app.button_group(key="inspector_language").set_value(title).run()
    sent = bodies(api)[-1]
    words = printed(title, codes(app)[-1], tmp_path)

    assert "again" in words
    assert len(bodies(api)) == 3 and bodies(api)[-1] == sent


@pytest.mark.row("C24")
def test_a_request_too_long_for_the_page_can_be_saved(app: AppTest) -> None:
    ask(app, "x" * 120_000)
    inspected(app)

    assert "The first 20,000 characters of 120," in shown(app)
    assert [button.proto.label for button in app.get("download_button")][-1] == "Save as a file"
