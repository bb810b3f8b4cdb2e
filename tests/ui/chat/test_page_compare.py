"""Who wrote an answer, what it took, and the same question again with other settings, beside it."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from lib.core.limits import Limits
from lib.ui.shared import resources
from tests.fake_api import FakeApi
from tests.pages import (
    ask,
    bodies,
    buttons,
    changed_settings,
    choose_model,
    click,
    figures,
    message_menu,
    new_tab,
    shown,
    switch_page,
    turn_settings,
)

pytestmark = pytest.mark.usefixtures("settings_open")


def authors(app: AppTest) -> list[str]:
    """The lines above the answers."""
    return [one.value for one in app.caption if one.value.startswith("**")]


def lines(app: AppTest) -> list[str]:
    """The quiet lines below them, without what keeps their signs harmless."""
    found = [button.label for button in app.button if str(button.key).startswith("figures_")]
    return [one.replace("\\", "") for one in found]


@pytest.mark.row("C10", "C29")
def test_moving_a_slider_switches_its_field_on(app: AppTest, api: FakeApi) -> None:
    """Nobody moves one to have it not sent; a dot beside the settings says what is set."""
    assert changed_settings(app) == ""
    app.slider(key="chat_temperature").set_value(0.4).run()
    assert app.toggle(key="chat_temperature_on").value
    app.number_input(key="chat_max_tokens").set_value(9).run()
    assert changed_settings(app) == "temperature 0.4 · max_tokens 9"
    ask(app)

    assert (bodies(api)[-1]["temperature"], bodies(api)[-1]["max_tokens"]) == (0.4, 9)


@pytest.mark.row("C14", "C16")
def test_the_same_again_with_other_settings_stands_beside_the_answer(app: AppTest, api: FakeApi) -> None:
    """Both stay, each with its author and its figures; the button is there only while it would change something."""
    ask(app, "one two three", model="echo")
    assert "chat_ask_again" not in buttons(app)
    app.slider(key="chat_temperature").set_value(0.4).run()
    click(app, "chat_ask_again")

    assert authors(app) == ["**echo** · temperature not sent", "**echo** · temperature 0.4"]
    assert [body.get("temperature") for body in bodies(api)] == [None, 0.4]
    assert len(lines(app)) == 2
    assert all(re.fullmatch(r"[\d.]+ s · 5 tokens · no price ›", line) for line in lines(app))
    assert "chat_ask_again" not in buttons(app)

    choose_model(app, "long-3")
    click(app, "chat_ask_again")
    assert authors(app)[2:] == ["**long\\-3** · temperature 0.4"]
    click(app, "pick_0_1")
    assert "Model | echo" in figures(app, "0_1")
    app.text_area(key="chat_system").set_value("Be brief").run()
    assert "chat_ask_again" in buttons(app)
    ask(app, "go on")
    assert "long" not in bodies(api)[-1]["messages"][-2]["content"]
    assert "chat_ask_again" not in buttons(app)


@pytest.mark.row("C14", "C16")
@pytest.mark.parametrize("cases", [slice(1, 2), pytest.param(slice(None), marks=pytest.mark.soak)], ids=["some", "all"])
def test_nothing_offers_to_ask_again_where_no_setting_was_changed(
    app: AppTest, api: FakeApi, subtests: pytest.Subtests, cases: slice
) -> None:
    """Whatever was asked with, and whatever is done after it: only a setting that was changed brings the button."""
    dispatcher = resources.services().dispatcher
    limits = dispatcher.limits
    for name, set_to in [*ASKED_WITH.items()][cases]:
        click(app, "chat_new")
        dispatcher.limits = Limits(max_tokens=700) if name == "operator's limit" else limits
        for key, value in set_to.items():
            app.session_state[key] = value
        ask(app.run(), "one two three four", model="echo")
        for did, act in AFTERWARDS.items():
            with subtests.test(f"{name}: {did}"):
                act(app)
                assert "chat_ask_again" not in buttons(app)
        with subtests.test(f"{name}: after a reload"):
            again = new_tab(chat=app.session_state["open_chat"])
            assert "chat_ask_again" not in buttons(again) and "chat_regenerate" in buttons(again)
            again.slider(key="chat_temperature").set_value(1.7).run()
            assert "chat_ask_again" in buttons(again)
    dispatcher.limits = limits


def another_model(app: AppTest) -> None:
    """One answer by another model, while the page's own stays."""
    message_menu(app, "0", "again")
    model = app.selectbox(key="chat_model").options[1]
    app.selectbox(key="again_model_0").set_value(model).run()
    click(app, "version_back_0")


def another_chat(app: AppTest) -> None:
    chat = app.session_state["open_chat"]
    click(click(app, "chat_new"), f"chat_open_{chat}")


def in_language(app: AppTest, name: str) -> None:
    app.radio(key="language_choice").set_value(name).run()


ASKED_WITH: dict[str, dict[str, Any]] = {
    "nothing": {},
    "operator's limit": {"chat_json": '{"seed": 3, "metadata": {"b": [1, 2.0]}}', "chat_system": "Be brief"},
    "numbers": {"chat_temperature_on": True, "chat_temperature": 0.3, "chat_max_tokens_on": True, "chat_max_tokens": 2},
    "versions": {"chat_n_on": True, "chat_n": 2},
    "words": {"chat_stop_on": True, "chat_stop_words": ["\\n", "three"], "chat_user_on": True, "chat_user": "me"},
    "further": {"chat_json": '{"seed": 3, "metadata": {"b": [1, 2.0]}}', "chat_system": "Be brief"},
}
AFTERWARDS: dict[str, Callable[[AppTest], Any]] = {
    "answered": AppTest.run,
    "in Chinese": lambda app: in_language(app, "zh_Hans"),
    "in English": lambda app: in_language(app, "en"),
    "settings closed": lambda app: turn_settings(app, to_open=False),
    "settings open": lambda app: turn_settings(app, to_open=True),
    "another page and back": lambda app: switch_page(switch_page(app, "usage"), "chat"),
    "shown anew": lambda app: app.toggle(key="chat_stream").set_value(False).run(),
    "tried again": lambda app: click(app, "chat_regenerate"),
    "by another model": another_model,
    "another chat and back": another_chat,
}


def test_a_normal_answer_has_nothing_to_explain(app: AppTest) -> None:
    ask(app, "Hello", model="no-usage")
    assert "about 4 tokens" in lines(app)[0] and "estimated" not in lines(app)[0]
    assert "our estimate" in shown(app.button(key="figures_0").click().run())


def test_how_many_models_may_be_asked_beside_the_first_one_is_told_as_it_is(
    app: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    def told(tab: AppTest) -> tuple[str, int]:
        field = tab.multiselect(key="chat_models_beside").proto
        return field.placeholder, field.max_selections

    assert told(app) == ("Up to 3 more models", 3)
    monkeypatch.setattr("lib.ui.chat.models_beside.MOST_BESIDE", 2)
    assert told(app.run()) == ("Up to 1 more model", 1)
    in_language(app, "zh_Hans")
    assert told(app) == ("最多再选 1 个模型", 1)
    app.button(key="help_open").click().run()
    assert "最多 4 个模型并排" in "\n".join(one.value for one in app.markdown)
