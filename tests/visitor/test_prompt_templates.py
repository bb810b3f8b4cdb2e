"""Prompts to be used again: their variables, and the page that fills them in."""

import pytest
from streamlit.testing.v1 import AppTest

from tests.fake_api import FakeApi
from tests.pages import bodies, click, draft, new_tab, owner, shown, tab_of


@pytest.fixture
def app(service: FakeApi) -> AppTest:
    """The app with the prompts open."""
    app = new_tab()
    app.session_state["open_dialog"] = ("chat_templates", True)
    return app.run()


def choose(app: AppTest, name: str) -> AppTest:
    app.selectbox(key="chat_template").set_value(name).run()
    assert not app.exception
    return app


@pytest.mark.row("C25")
def test_a_prompt_is_filled_in_and_put_into_the_message(app: AppTest, api: FakeApi) -> None:
    choose(app, "translate")
    app.text_area(key="chat_variable_language").set_value("Latin")
    app.text_area(key="chat_variable_text").set_value("Good {{morning}}")
    click(app, "chat_template_use")

    assert draft(app) == "Translate into Latin:\n\nGood {{morning}}"
    assert not bodies(api)


@pytest.mark.row("C25")
def test_an_own_prompt_is_there_in_the_next_tab_until_it_is_deleted(app: AppTest) -> None:
    app.text_input(key="chat_template_name").set_value("Rhyme")
    app.text_area(key="chat_template_text").set_value("A rhyme on {{word}}.")
    click(app, "chat_template_keep")
    assert app.text_area(key="chat_variable_word").label == "word"

    again = tab_of(owner(app))
    again.session_state["open_dialog"] = ("chat_templates", True)
    choose(again.run(), "Rhyme")
    click(again, "chat_template_delete")

    assert "Rhyme" not in app.run().selectbox(key="chat_template").options


@pytest.mark.row("C25", "S5")
def test_an_own_prompt_begins_a_sweep_and_its_variables_bring_their_table(app: AppTest) -> None:
    app.text_input(key="chat_template_name").set_value("list")
    app.text_area(key="chat_template_text").set_value("A rhyme on {{word}}.")
    click(app, "chat_template_keep")
    sweep = new_tab("sweep")
    menu = sweep.menu_button(key="sweep_example")
    assert menu.label == "Start from a prompt of yours or an example"

    menu.click("own:list").run()

    assert not sweep.exception
    assert sweep.text_area(key="sweep_prompt").value == "A rhyme on {{word}}."
    assert list(sweep.data_editor[0].value.columns) == ["word"]


def test_a_prompt_without_a_name_is_refused_with_its_text_kept(app: AppTest) -> None:
    app.text_area(key="chat_template_text").set_value("Nameless")
    click(app, "chat_template_keep")

    assert "It needs a name." in shown(app)
    assert app.text_area(key="chat_template_text").value == "Nameless"
