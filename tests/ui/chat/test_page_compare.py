"""Who wrote an answer, what it took, and the same question again with other settings, beside it."""

import re

import pytest
from streamlit.testing.v1 import AppTest

from tests.fake_api import FakeApi
from tests.pages import ask, bodies, buttons, changed_settings, choose_model, click, figures, shown


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

    assert authors(app) == ["**echo**", "**echo** · temperature 0.4"]
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


def test_a_normal_answer_has_nothing_to_explain(app: AppTest) -> None:
    ask(app, "Hello", model="no-usage")
    assert "about 4 tokens" in lines(app)[0] and "estimated" not in lines(app)[0]
    assert "our estimate" in shown(app.button(key="figures_0").click().run())
