"""Model, system prompt and parameters belong to the chat; a new one begins with the visitor's defaults."""

import json
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from sqlalchemy import update
from streamlit.testing.v1 import AppTest

from lib.chat import export
from lib.store import schema
from lib.ui.chat import chat_settings
from lib.ui.shared import frame, menu, resources
from lib.visitor import LOCAL_OWNER
from lib.web_server import SESSION_COOKIE
from tests.fake_api import FakeApi
from tests.pages import (
    KEY,
    ask,
    bodies,
    click,
    connect,
    draft,
    go_back,
    host,
    new_tab,
    shown,
    switch_on,
    switch_page,
    tab_of,
)

pytestmark = pytest.mark.usefixtures("settings_open")


def settings(app: AppTest) -> tuple[Any, ...]:
    """The page's settings as they stand."""
    temperature = app.slider(key="chat_temperature").value if app.toggle(key="chat_temperature_on").value else None
    model = str(app.selectbox(key="chat_model").value).partition("/")[2]
    return model, app.text_area(key="chat_system").value, temperature, app.text_area(key="chat_json").value


def address(app: AppTest) -> str:
    """The chat that the address names."""
    named = app.query_params["chat"]
    return named if isinstance(named, str) else named[-1]


def two_chats(app: AppTest) -> tuple[str, str]:
    """Chat A with settings of its own, then chat B with others; their ids."""
    app.text_area(key="chat_system").set_value("Be A.").run()
    switch_on(app, "temperature", "slider", 0.2)
    app.text_area(key="chat_json").set_value('{"seed": 7}').run()
    first = str(ask(app, "I am A", model="echo").session_state["open_chat"])
    click(app, "chat_new")
    app.text_area(key="chat_system").set_value("Be B.").run()
    switch_on(app, "temperature", "slider", 1.5)
    return first, str(ask(app, "I am B", model="long-300").session_state["open_chat"])


def stored(chat_id: str) -> Any:
    """The chat as its JSON file."""
    services = resources.services()
    return json.loads(export.to_json(services.conversation(LOCAL_OWNER, "s", chat_id).document()))


@pytest.mark.row("C6", "C7", "C18")
def test_a_chat_is_asked_with_its_own_settings_whatever_came_between(app: AppTest, api: FakeApi) -> None:
    """In the same tab, in another one, after a reload, and after a page change."""
    first, second = two_chats(app)
    a, b = ("echo", "Be A.", 0.2, '{\n "seed": 7\n}'), ("long-300", "Be B.", 1.5, "")
    assert settings(app) == b
    assert settings(click(app, f"chat_open_{first}")) == a
    ask(app, "again")
    body = bodies(api)[-1]
    assert (body["model"], body["messages"][0]["content"], body["temperature"], body["seed"]) == (
        "echo",
        "Be A.",
        0.2,
        7,
    )
    for tab in (new_tab(chat=first), switch_page(switch_page(app, "usage"), "chat")):
        assert "I am A" in shown(tab) and settings(tab) == a
    assert settings(new_tab(chat=second)) == b

    # What is changed without asking belongs to the chat too.
    app.slider(key="chat_temperature").set_value(0.9).run()
    resources.services().store.write(lambda _: None).result()  # no page waits until a change of settings is written
    click(app, f"chat_open_{second}")
    assert settings(click(app, f"chat_open_{first}")) == (*a[:2], 0.9, a[3])
    assert settings(new_tab(chat=first))[2] == 0.9


@pytest.mark.row("C18", "C25")
def test_a_new_chat_begins_with_the_visitors_defaults_and_not_with_what_the_last_one_had(
    app: AppTest, api: FakeApi
) -> None:
    two_chats(app)
    assert settings(click(app, "chat_new"))[1:] == ("", None, "")
    app.text_area(key="chat_system").set_value("Rhyme.").run()
    app.text_input(key="chat_preset_name").set_value("Poet")
    click(app, "chat_preset_save")
    app.checkbox(key="chat_preset_default_Poet").check().run()
    switch_on(app, "temperature", "slider", 1.9)

    assert settings(click(app, "chat_new"))[1:] == ("Rhyme.", None, "")
    assert settings(new_tab())[1:] == ("Rhyme.", None, "")
    assert app.pills(key="chat_preset").value == "Poet"
    app.text_input(key="chat_preset_name").set_value("Bard")
    click(app, "chat_preset_rename")
    app.checkbox(key="chat_preset_default_Bard").uncheck().run()
    assert settings(click(app, "chat_new"))[1:] == ("", None, ""), "they begin at rest again"
    app.pills(key="chat_preset").set_value("Bard").run()
    app.checkbox(key="chat_preset_default_Bard").check().run()
    click(app, "chat_preset_delete")
    assert settings(click(app, "chat_new"))[1:] == ("", None, "")


@pytest.mark.row("C22")
def test_a_link_fills_one_chat_once(app: AppTest, api: FakeApi) -> None:
    first, _second = two_chats(app)
    app.query_params.clear()
    tab = new_tab(model=f"{host(api)}/slow-50", system="Linked.", prompt="Hello?", temperature="0.7")
    assert draft(tab) == "Hello?" and settings(tab) == ("slow-50", "Linked.", 0.7, "")
    ask(tab, "Hello?")
    assert settings(click(tab, "chat_new"))[1:] == ("", None, "")
    # Back leads to the link's entry once more.
    for name, value in {"model": f"{host(api)}/slow-50", "system": "Linked.", "prompt": "Hello?"}.items():
        tab.query_params[name] = value
    tab.query_params["temperature"] = "0.7"
    assert settings(tab.run())[1:] == ("", None, "") and dict(tab.query_params) == {}
    assert settings(click(tab, f"chat_open_{first}"))[1] == "Be A."


@pytest.mark.row("C21")
def test_the_settings_and_the_models_of_answers_go_with_the_file_and_come_back(app: AppTest, api: FakeApi) -> None:
    first, _second = two_chats(app)
    saved = stored(first)
    assert (saved["model"], saved["system"]) == (f"{host(api)}/echo", "Be A.")
    assert saved["settings"] == {"temperature": 0.2, "stream": True, "seed": 7}

    click(app, "chat_new")
    app.sidebar.get("file_uploader")[0].upload("chat.json", json.dumps(saved).encode(), "application/json").run()
    assert settings(app) == ("echo", "Be A.", 0.2, '{\n "seed": 7\n}')
    again = stored(str(app.session_state["open_chat"]))
    assert {name: again[name] for name in ("model", "system", "settings", "beside")} == {
        name: saved[name] for name in ("model", "system", "settings", "beside")
    }
    assert [again["messages"][1][name] for name in ("service", "model")] == [host(api), "echo"]
    ask(app, "go on")
    assert bodies(api)[-1]["seed"] == 7 and bodies(api)[-1]["messages"][0]["content"] == "Be A."


def test_a_chat_whose_service_is_gone_says_so_and_keeps_its_model(app: AppTest, api: FakeApi) -> None:
    first, _second = two_chats(app)
    saved = stored(first)
    saved["model"] = "elsewhere/gpt-9"
    app.sidebar.get("file_uploader")[0].upload("chat.json", json.dumps(saved).encode(), "application/json").run()

    assert "This chat’s model, elsewhere/gpt-9, can’t be asked: its service is not connected." in shown(app)
    assert settings(app)[0] == "long-300"
    assert stored(str(app.run().session_state["open_chat"]))["model"] == "elsewhere/gpt-9"

    gone = update(schema.chats).where(schema.chats.c.id == first).values(model="elsewhere/gpt-9")
    resources.services().store.write(lambda db: db.execute(gone)).result()
    tab = new_tab(chat=first)
    assert under_answer(tab)["chat_regenerate"] == "Try again with long\\-300", "said at once"


def under_answer(app: AppTest) -> dict[str, str]:
    """What can be done with the last answer: the buttons' words by their keys."""
    return {str(one.key): one.label for one in app.button if one.key in ("chat_regenerate", "chat_ask_again")}


@pytest.mark.soak
def test_nothing_under_an_old_answer_changes_by_a_run_in_which_nothing_was_set(app: AppTest, api: FakeApi) -> None:
    """Whatever the chat is set to: a service that is gone, nothing at all (a chat from before), another model."""
    first, second = two_chats(app)
    services = resources.services()
    with FakeApi() as other:
        connect(app, other.base_url, KEY)
        ask(click(app, "chat_new"), "Hello")
        assert str(app.selectbox(key="chat_model").value).startswith(host(other))
        gone = str(app.session_state["open_chat"])
        click(click(app, "connection_open"), f"connection_forget_{host(other)}")
    unset = update(schema.chats).where(schema.chats.c.id == second).values(model=None, settings=None)
    services.store.write(lambda db: db.execute(unset)).result()
    for chat in (gone, second, first):
        for tab in (new_tab(chat=chat), click(app, f"chat_open_{chat}")):
            before = under_answer(tab)
            tab.menu_button(key=f"chat_menu_{chat}").click("save").run()
            assert under_answer(tab) == before and "chat_ask_again" not in before


@pytest.mark.row("C42")
@pytest.mark.usefixtures("service")
def test_an_unknown_id_says_so_and_a_message_begins_a_new_chat(api: FakeApi) -> None:
    tab = new_tab(chat="no-such-chat")
    assert "There is no such chat here." in shown(tab) and address(tab) == "no-such-chat"
    assert "Ask anything." not in shown(tab)
    ask(tab, "hello")
    assert "You said: hello" in shown(tab) and "There is no such chat here." not in shown(tab)
    assert address(tab) == tab.session_state["open_chat"]

    sweep = new_tab("sweep", sweep="gone")
    assert "There is no such sweep here." in shown(sweep)

    other = new_tab(chat="gone")
    click(other, "chat_missing_new")
    assert "Ask anything." in shown(other) and dict(other.query_params) == {}


@pytest.mark.row("C42")
def test_the_address_leads_back_and_forth_between_chats(app: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    """As the browser's Back and Forward do: they change the address, and the page runs."""
    first, second = two_chats(app)
    assert address(app) == second
    for chat, text in ((first, "I am A"), (second, "I am B"), (None, "Ask anything."), (first, "I am A")):
        assert text in shown(go_back(app, **{"chat": chat} if chat else {})) and app.session_state["open_chat"] == chat
    # A link between the pages names no chat: the open one stays.
    switch_page(app, "usage")
    app.query_params.clear()
    assert "I am A" in shown(switch_page(app, "chat")) and address(app) == first
    # One that does opens it, though its first run is cut short, by a press say.
    switch_page(app, "usage")
    app.query_params["chat"] = second
    with monkeypatch.context() as patch:
        patch.setattr(frame, "bar", lambda *_: st.stop())
        switch_page(app, "chat")
    assert "I am B" in shown(app.run()) and address(app) == second
    # So does a step back, whether its run had come to the chat or not.
    for module, name in ((menu, "restore_choices"), (chat_settings, "begin")):
        with monkeypatch.context() as patch:
            patch.setattr(module, name, lambda *_: st.stop())
            go_back(app, chat=first)
        assert "I am A" in shown(app.run()) and address(app) == first, name
        go_back(app, chat=second)
    assert "There is no such chat here." in shown(go_back(app, chat="gone"))


@pytest.mark.row("C42")
def test_a_run_that_was_asked_for_at_an_earlier_address_leaves_open_what_is(app: AppTest) -> None:
    """As a browser asks that has not heard of the address of the chat yet."""
    first, second = two_chats(app)
    for chat in (first, second, None):
        app.query_params.clear()
        if chat:
            app.query_params["chat"] = chat
        assert "I am B" in shown(app.run()) and address(app) == second


def the_same_browser(app: AppTest, **query: str) -> AppTest:
    """A reload, or another tab, in the same browser session, once what a page keeps by the way is written."""
    resources.services().store.write(lambda _db: None).result(20)
    tab = tab_of(LOCAL_OWNER)
    tab.session_state[SESSION_COOKIE] = app.session_state[SESSION_COOKIE]
    for name, value in query.items():
        tab.query_params[name] = value
    return tab.run()


@pytest.mark.row("C18", "C43")
def test_a_reload_keeps_what_was_set_for_a_new_chat_but_nothing_of_an_open_one(app: AppTest, api: FakeApi) -> None:
    app.text_area(key="chat_system").set_value("Not sent yet.").run()
    assert settings(the_same_browser(app))[1] == "Not sent yet."
    first, _second = two_chats(app)
    assert "I am B" in shown(the_same_browser(app))
    assert settings(the_same_browser(app, chat="gone"))[1:] == ("", None, "")
    assert settings(the_same_browser(app, prompt="Hello"))[1:] == ("", None, "")
    assert settings(the_same_browser(app, chat=first))[1] == "Be A."


@pytest.mark.row("C19")
def test_a_temporary_chat_leaves_no_word_of_its_settings_behind(app: AppTest, api: FakeApi, data_dir: Path) -> None:
    click(app, "chat_new_temporary")
    app.text_area(key="chat_system").set_value("CANARY-SYSTEM")
    app.text_area(key="chat_json").set_value('{"metadata": "CANARY-JSON"}').run()
    ask(app, "CANARY-TEXT", model="echo")
    assert bodies(api)[-1]["metadata"] == "CANARY-JSON"
    assert settings(new_tab(chat=str(app.session_state["open_chat"])))[1] == "CANARY-SYSTEM"
    resources.close()
    assert not [path for path in data_dir.rglob("*") if path.is_file() and b"CANARY" in path.read_bytes()]
