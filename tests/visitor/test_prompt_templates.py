"""Prompts to be used again: their variables, and the page that fills them in."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from streamlit.testing.v1 import AppTest

from lib.visitor.prompt_templates import filled, variables
from tests.fake_api import FakeApi
from tests.pages import bodies, new_tab, shown
from tests.ui.chat.test_page_chat import draft
from tests.ui.chat.test_page_turns import click


@pytest.fixture
def app(service: FakeApi) -> AppTest:
    """The app with the prompts open."""
    app = new_tab()
    app.session_state["chat_templates"] = True
    return app.run()


def choose(app: AppTest, name: str) -> AppTest:
    app.selectbox(key="chat_template").set_value(name).run()
    assert not app.exception
    return app


def test_variables_are_named_once_in_their_order() -> None:
    text = "{{b}} {{ a }} {{b}} {{语言}} {{two words}} {{}} {{ }} {{_x}} {single} {{a"
    assert variables(text) == ["b", "a", "语言", "two words"]


@given(st.text(), st.text())
def test_what_is_filled_in_is_never_read_as_a_variable(one: str, two: str) -> None:
    """T24"""
    values = {"one": one + "{{two}} {0} {one.__class__} %s", "two": two}
    assert filled("{{one}}|{{two}}|{{three}}", values) == f"{values['one']}|{two}|{{{{three}}}}"


def test_a_prompt_is_filled_in_and_put_into_the_message(app: AppTest, api: FakeApi) -> None:
    """C25"""
    choose(app, "translate")
    app.text_area(key="chat_variable_language").set_value("Latin").run()
    app.text_area(key="chat_variable_text").set_value("Good {{morning}}").run()
    click(app, "chat_template_use")

    assert draft(app) == "Translate into Latin:\n\nGood {{morning}}"
    assert not bodies(api)


def test_an_own_prompt_is_there_in_the_next_tab_until_it_is_deleted(app: AppTest) -> None:
    """C25"""
    app.text_input(key="chat_template_name").set_value("Rhyme").run()
    app.text_area(key="chat_template_text").set_value("A rhyme on {{word}}.").run()
    click(app, "chat_template_keep")
    assert app.text_area(key="chat_variable_word").label == "word"

    again = new_tab()
    again.session_state["chat_templates"] = True
    choose(again.run(), "Rhyme")
    click(again, "chat_template_delete")

    assert "Rhyme" not in app.run().selectbox(key="chat_template").options


def test_a_prompt_without_a_name_is_refused_with_its_text_kept(app: AppTest) -> None:
    app.text_area(key="chat_template_text").set_value("Nameless").run()
    click(app, "chat_template_keep")

    assert "It needs a name." in shown(app)
    assert app.text_area(key="chat_template_text").value == "Nameless"
