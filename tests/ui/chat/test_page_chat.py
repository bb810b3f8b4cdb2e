"""The chat page, from the main script on, against a fake service on a real socket."""

import asyncio
import json
import re
from base64 import b64encode
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from streamlit.testing.v1 import AppTest

from lib.calls.outcome_writer import Outcome, OutcomeWriter
from lib.chat import repository as chats
from lib.chat.imported import ImportedChat
from lib.core.request import Message
from lib.store import schema
from lib.ui.shared import resources
from tests.fake_api import FakeApi
from tests.pages import (
    KEY,
    as_read,
    ask,
    bodies,
    buttons,
    chat_titles,
    choose_model,
    click,
    connect,
    draft,
    figures,
    host,
    new_tab,
    owner,
    shown,
    switch_on,
)


@pytest.fixture
def unconnected(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[AppTest]:
    """The app without any service or practice model."""
    monkeypatch.setenv("TEMPERA_LOCAL_MODEL", "false")
    yield new_tab()
    resources.close()


@pytest.mark.row("C1")
def test_a_new_visitor_sees_a_model_and_an_open_field(app: AppTest, api: FakeApi) -> None:
    assert app.selectbox(key="chat_model").value == f"{host(api)}/echo"
    assert not app.chat_input(key="chat_input").disabled


@pytest.mark.row("C2")
def test_an_answer_comes_once_and_stays(app: AppTest, api: FakeApi) -> None:
    ask(app, "Good morning")

    assert "You said: Good morning" in shown(app)
    assert "You said: Good morning" in shown(app.run())
    assert len(bodies(api)) == 1


def test_what_is_sent_before_a_model_is_drawn_goes_to_the_first_one(app: AppTest, api: FakeApi) -> None:
    """Typed and sent right after a service was connected, before the page has drawn the field of models."""
    app.session_state["chat_model"] = None
    ask(app, "at once")

    assert "No model is chosen" not in shown(app) and bodies(api)[-1]["model"] == "echo"


@pytest.mark.row("C19")
def test_what_had_come_before_a_kill_is_there_and_says_what_cut_it(app: AppTest) -> None:
    ask(app, "Good morning")
    # As a process leaves it that was killed then.
    cut = f"UPDATE calls SET state = 'started', process = '{'0123' * 8}'"
    resources.services().store.write(lambda db: db.exec_driver_sql(cut)).result()
    resources.close()
    app = new_tab()
    click(app, next(str(one.key) for one in app.button if str(one.key).startswith("chat_open_")))

    assert "You said: Good morning" in shown(app)
    assert [one.label for one in app.button if one.key == "figures_0" and "cut by a restart" in one.label]


@pytest.mark.row("C6")
@pytest.mark.usefixtures("settings_open")
def test_the_conversation_is_sent_along_with_the_system_prompt(app: AppTest, api: FakeApi) -> None:
    app.text_area(key="chat_system").set_value("Be brief.").run()
    ask(ask(app, "one"), "two")

    assert bodies(api)[-1]["messages"] == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "one"},
        {"role": "assistant", "content": "You said: one"},
        {"role": "user", "content": "two"},
    ]


@pytest.mark.row("C7", "C8", "C9")
@pytest.mark.usefixtures("settings_open")
def test_only_what_is_switched_on_is_sent(app: AppTest, api: FakeApi) -> None:
    ask(app, "hello")
    assert bodies(api)[-1].keys() == {"model", "messages", "stream", "stream_options"}

    switch_on(app, "temperature", "slider", 0.3)
    switch_on(app, "max_tokens", "number_input", 2)
    switch_on(app, "top_p", "slider", 0.5)
    switch_on(app, "n", "number_input", 2)
    switch_on(app, "presence_penalty", "slider", -1.5)
    switch_on(app, "frequency_penalty", "slider", 1.5)
    switch_on(app, "user", "text_input", "ada")
    app.toggle(key="chat_stream").set_value(False).run()
    ask(app, "hello")

    sent = {name: value for name, value in bodies(api)[-1].items() if name not in ("model", "messages")}
    assert sent == {
        "temperature": 0.3,
        "max_tokens": 2,
        "top_p": 0.5,
        "n": 2,
        "presence_penalty": -1.5,
        "frequency_penalty": 1.5,
        "user": "ada",
    }


@pytest.mark.row("C14")
def test_the_figures_of_an_answer_say_where_they_are_from(app: AppTest) -> None:
    ask(app, "Good morning")

    numbers = figures(app)
    assert "counted by the service" in numbers
    assert "First word after" in numbers
    assert "the model had finished" in numbers


@pytest.mark.row("C14", "U8")
def test_tokens_the_service_does_not_count_are_called_an_estimate(app: AppTest) -> None:
    ask(app, "Good morning", model="no-usage")

    assert "our estimate" in figures(app)


@pytest.mark.row("C12")
@pytest.mark.usefixtures("settings_open")
def test_an_answer_cut_at_its_limit_says_so(app: AppTest) -> None:
    switch_on(app, "max_tokens", "number_input", 2)
    ask(app, "a long question, please", model="long-300")

    assert "cut off at the longest answer allowed (max_tokens)" in figures(app)


@pytest.mark.row("C11")
def test_reasoning_stands_apart_and_is_not_sent_back(app: AppTest, api: FakeApi) -> None:
    ask(ask(app, "one", model="think"), "two")

    labels = [expander.label for expander in app.expander if expander.label.startswith("Thinking")]
    assert len(labels) == 2 and all(re.fullmatch(r"Thinking: (about )?\d+ tokens", label) for label in labels)
    assert "<think>" not in str(bodies(api)[-1])


@pytest.mark.row("C5")
def test_try_again_keeps_the_old_answer_as_a_version(app: AppTest, api: FakeApi) -> None:
    ask(app, "hello", model="echo")
    choose_model(app, "long-300")
    app.button(key="chat_regenerate").click().run()
    assert "You said: hello" not in shown(app)

    app.button(key="version_back_0").click().run()
    assert "You said: hello" in shown(app)
    assert [body["model"] for body in bodies(api)] == ["echo", "long-300"]


@pytest.mark.row("C4")
def test_an_edited_question_becomes_a_version_and_the_old_one_stays(app: AppTest, api: FakeApi) -> None:
    ask(ask(app, "one"), "two")
    app.button(key="edit_0").click().run()
    app.text_area(key="edited_message").set_value("uno")
    app.button(key="edit_send").click().run()
    assert bodies(api)[-1]["messages"] == [{"role": "user", "content": "uno"}]
    assert "You said: uno" in shown(app)
    assert "You said: two" not in shown(app)

    app.button(key="version_back_question_0").click().run()
    assert "You said: two" in shown(app)


def test_an_edit_can_be_left(app: AppTest, api: FakeApi) -> None:
    ask(app, "one")
    app.button(key="edit_0").click().run()
    app.button(key="edit_cancel").click().run()

    assert "You said: one" in shown(app)
    assert len(bodies(api)) == 1


def test_a_long_chat_draws_its_last_turns_and_the_others_on_demand(app: AppTest) -> None:
    turns = [{"role": ("user", "assistant")[at % 2], "content": f"message {at}."} for at in range(34)]
    app.sidebar.get("file_uploader")[0].upload("chat.json", json.dumps(turns).encode(), "application/json").run()
    assert app.sidebar.get("file_uploader")[0].value is None, "the field is empty again"
    assert "message 26." in shown(app) and "message 25." not in shown(app)
    assert app.button(key="chat_earlier").label == "Show 26 earlier messages"

    for _turn in range(11):  # what is drawn stays, so that nothing is drawn anew in another's place
        ask(app, "more")
    assert "message 26." in shown(app) and "message 25." not in shown(app)
    ask(app, "one too many")
    assert app.button(key="chat_earlier").label == "Show 50 earlier messages"

    click(app, "chat_earlier")
    assert "message 20." in shown(app) and "message 19." not in shown(app)
    click(app, "chat_earlier")
    assert "message 0." in shown(app) and "chat_earlier" not in buttons(app)


@pytest.mark.row("C13")
@pytest.mark.usefixtures("settings_open")
def test_alternatives_stand_side_by_side_and_one_is_picked(app: AppTest, api: FakeApi) -> None:
    switch_on(app, "n", "number_input", 2)
    ask(app, "hello")
    second = [words for words in map(as_read, app.markdown) if words.startswith("You said: hello")][1]
    app.button(key="pick_0_1").click().run()
    app.toggle(key="chat_n_on").set_value(False).run()
    ask(app, "and now?")

    assert bodies(api)[-1]["messages"][1]["content"] == second


@pytest.mark.row("C18")
def test_chats_stay_in_the_list_and_open_again(app: AppTest) -> None:
    ask(app, "first talk")
    app.button(key="chat_new").click().run()
    assert "You said" not in shown(app)
    ask(app, "second talk")

    opened = next(button for button in app.sidebar.button if button.label.startswith("first talk"))
    opened.click().run()
    assert "You said: first talk" in shown(app)


@pytest.mark.row("C21")
@pytest.mark.usefixtures("settings_open")
def test_a_chat_is_brought_in_from_a_file_and_goes_on(app: AppTest, api: FakeApi) -> None:
    file = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "from elsewhere"}]
    uploader = app.sidebar.get("file_uploader")[0]
    uploader.upload("chat.json", json.dumps(file).encode(), "application/json").run()
    assert "from elsewhere" in shown(app)
    assert app.text_area(key="chat_system").value == "Be brief."

    ask(app, "go on")
    assert [message["content"] for message in bodies(api)[-1]["messages"]] == ["Be brief.", "from elsewhere", "go on"]


@pytest.mark.row("T23")
def test_a_file_that_is_no_chat_is_refused(app: AppTest) -> None:
    app.sidebar.get("file_uploader")[0].upload("x.json", b"{}", "application/json").run()

    assert "This file is not a chat" in shown(app)


@pytest.mark.row("C18")
def test_chats_are_found_by_what_was_said_in_them(app: AppTest) -> None:
    ask(app, "tell me about penguins")
    app.button(key="chat_new").click().run()
    ask(app, "tell me about volcanoes")
    app.text_input(key="chat_search").set_value("penguins").run()
    assert chat_titles(app) == ["tell me about **penguins**"]
    app.text_input(key="chat_search").set_value("SAID vol").run()
    assert chat_titles(app) == ["tell me about **vol**canoes"]
    found = [one.value for one in app.sidebar.caption if "background" in one.value]
    assert found == ["You :orange-background[**said**]:color[\\:]{} tell me about :orange-background[**vol**]canoes"]

    ask(click(app, "chat_new"), "**Ice** melts at [home](https://ice.example)\n\nslowly")
    app.text_input(key="chat_search").set_value("said").run()
    excerpts = [one.value for one in app.sidebar.caption if "background" in one.value]
    assert any(one.endswith("Ice melts at home slowly") for one in excerpts), "an answer's words, not its Markdown"
    app.text_input(key="chat_search").set_value("glaciers").run()
    assert "No chat has these words." in [caption.value for caption in app.sidebar.caption]


@pytest.mark.row("C18")
def test_a_chat_can_be_renamed_deleted_and_brought_back(app: AppTest) -> None:
    ask(app, "hello")
    chat = app.session_state["open_chat"]
    chat_menu(app, chat, "rename")
    next(field for field in app.sidebar.text_input if field.label == "Title").set_value("Greetings")
    click(app, "chat_rename_keep")
    assert chat_titles(app) == ["Greetings"]

    chat_menu(app, chat, "delete")
    assert "You said: hello" not in shown(app) and chat_titles(app) == []
    click(app, "chat_undelete")
    assert "You said: hello" in shown(app) and chat_titles(app) == ["Greetings"]

    # One that is not open: the open one stays.
    other = ask(click(app, "chat_new"), "another").session_state["open_chat"]
    chat_menu(app, chat, "delete")
    assert chat_titles(app) == ["another"] and app.session_state["open_chat"] == other
    click(app, "chat_undelete")
    assert chat_titles(app) == ["another", "Greetings"] and app.session_state["open_chat"] == other


@pytest.mark.row("C21", "X13")
def test_the_open_chat_is_saved_and_shared_from_its_own_head(app: AppTest) -> None:
    def menus(tab: AppTest) -> list[str]:
        return [str(one.key) for one in tab.menu_button if one.key == "chat_hand_on"]

    def saved(tab: AppTest) -> set[str]:
        return {str(one.key) for one in tab.get("download_button")} - {"backup_save"}

    assert not menus(app), "there is nothing to save yet"
    ask(app, "Praise *tea*")
    app.menu_button(key="chat_hand_on").click("save").run()
    assert "**Praise \\*tea\\***" in [one.value for one in app.markdown]
    assert saved(app) == {"chat_save_html", "chat_save_md", "chat_save_json"}
    assert app.session_state["open_dialog"][1].id == app.session_state["open_chat"]

    app.menu_button(key="chat_hand_on").click("share").run()
    assert "chat_link_make" in buttons(app) and saved(app) == {"chat_link_file"}, "one dialog takes the other's place"

    app.session_state["open_dialog"] = None  # it is closed
    ask(click(app, "chat_new_temporary"), "Forget this")
    assert not menus(app), "what is kept in memory only is not handed on"


@pytest.mark.row("C22")
@pytest.mark.usefixtures("service", "settings_open")
def test_a_link_fills_the_form_and_sends_nothing(api: FakeApi) -> None:
    tab = new_tab(model="slow-1", system="Be brief.", prompt="What is tea?", temperature="0.4", max_tokens="50")

    assert tab.selectbox(key="chat_model").value == "slow-1"
    assert tab.text_area(key="chat_system").value == "Be brief."
    assert draft(tab) == "What is tea?"
    assert (tab.slider(key="chat_temperature").value, tab.toggle(key="chat_temperature_on").value) == (0.4, True)
    assert tab.number_input(key="chat_max_tokens").value == 50
    assert dict(tab.query_params) == {}
    assert bodies(api) == []


@pytest.mark.usefixtures("service", "settings_open")
def test_nonsense_in_a_link_is_said_and_left_out(subtests: pytest.Subtests) -> None:
    for name, value, sentence in [
        ("temperature", "3", "“temperature” has to be a number from 0 to 2."),
        ("temperature", "hot", "The link's “temperature” is not a number."),
        ("temperature", "nan", "“temperature” has to be a number from 0 to 2."),
        ("max_tokens", "0", "“max_tokens” has to be a whole number from 1 to 10,000,000."),
    ]:
        with subtests.test(name=name, value=value):
            tab = new_tab(prompt="hi", **{name: value})

            assert sentence in shown(tab)
            assert not tab.toggle(key=f"chat_{name}_on").value
            assert draft(tab) == "hi"


def test_what_is_said_while_an_answer_is_written_is_still_there_when_it_has_ended(app: AppTest) -> None:
    """The page runs anew by itself then, and nobody can have read it before."""
    choose_model(app, "slow-50")
    app.query_params["temperature"] = "hot"
    ask(app, "hi")
    assert "You said: hi" in shown(app) and "The link's “temperature” is not a number." in shown(app)
    assert "is not a number" not in shown(app.run())


def test_an_empty_message_sends_nothing(app: AppTest, api: FakeApi) -> None:
    ask(app, "   ")

    assert "The message is empty." in shown(app)
    assert bodies(api) == []


def test_an_over_long_message_comes_back_into_the_field(app: AppTest, api: FakeApi) -> None:
    text = "x" * 1_000_001
    ask(app, text)

    assert "longer than 1,000,000 characters" in shown(app)
    assert draft(app) == text
    assert bodies(api) == []


@pytest.mark.row("X12")
def test_what_goes_wrong_is_said_for_people_and_the_message_stays(subtests: pytest.Subtests, app: AppTest) -> None:
    for model, sentence in [
        ("error-401", "does not accept this key"),
        ("error-402", "not enough money"),
        ("error-404", "does not know the model “error-404”"),
        ("cut", "broke in the middle of the answer"),
        ("empty", "sent an empty answer"),
        ("html", "There is no chat service at this address"),
    ]:
        with subtests.test(model=model):
            ask(click(app, "chat_new"), "Good morning", model=model)

            assert sentence in shown(app)
            assert "Good morning" in shown(app)
            assert app.button(key="chat_regenerate")
            assert sentence in shown(app.run())


@pytest.mark.usefixtures("service")
def test_the_operator_sets_how_long_a_service_may_take(api: FakeApi, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEMPERA_FIRST_TOKEN_SECONDS", "1")
    tab = ask(new_tab(), "Good morning", model="silent")

    assert "1 seconds" in shown(tab)


@pytest.mark.row("T3")
@pytest.mark.usefixtures("settings_open")
def test_a_key_that_the_service_repeats_is_masked(app: AppTest) -> None:
    ask(app, "hello", model="error-401")
    everything = str([element.proto for element in app.main])

    assert KEY not in everything
    assert "0001" in "".join(code.value for code in app.code)


@pytest.mark.row("T2")
@pytest.mark.usefixtures("settings_open")
def test_a_key_in_a_good_answer_is_neither_shown_nor_stored(app: AppTest, api: FakeApi, data_dir: Path) -> None:
    """Wherever it stands and however it is cut; the rest is as it came."""
    events = [
        {
            "model": KEY,
            "choices": [{"index": 0, "delta": {"reasoning_content": KEY, "content": f"pk_user_id {KEY[:9]}"}}],
        },
        {"choices": [{"index": 0, "delta": {"content": f"{KEY[9:]} int"}, "finish_reason": KEY}]},
        {"choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 4, "for": [KEY], KEY: 1}},
    ]
    steps = [f"data: {json.dumps(event)}\n\n".encode() for event in events]
    api.script("echo", *steps, b"data: [DONE]\n\n", headers={"x-request-id": KEY})
    ask(app, "hello")

    assert f"pk_user_id …{KEY[-4:]} int" in shown(app)
    assert KEY not in str([element.proto for element in app.main]) and KEY not in str(app.session_state)
    resources.close()
    files = [path for path in data_dir.rglob("*") if path.is_file()]
    assert any(b"pk_user_id" in path.read_bytes() for path in files)
    assert not any(KEY.encode() in path.read_bytes() for path in files)


@pytest.mark.row("T2")
@pytest.mark.usefixtures("settings_open")
def test_a_key_in_a_question_is_sent_as_it_was_typed_and_neither_shown_nor_stored(
    app: AppTest, api: FakeApi, data_dir: Path
) -> None:
    """Pasted with a command line, say. Also where the database takes nothing, and it waits in the fallback file."""
    typed = f"curl -H 'Bearer {KEY}' and {b64encode(KEY.encode()).decode()}: why 401?"
    ask(app, typed)
    assert bodies(api)[0]["messages"][-1]["content"] == typed
    assert f"'Bearer …{KEY[-4:]}'" in shown(app) and "why 401?" in shown(app)
    store = resources.services().store
    store.write(lambda db: db.exec_driver_sql("PRAGMA query_only=ON")).result()
    ask(app, typed + " Again.")
    assert bodies(api)[1]["messages"][-1]["content"] == typed + " Again."

    assert KEY not in str([element.proto for element in app.main]) + str(app.sidebar) + str(app.session_state)
    resources.close()
    files = [path for path in data_dir.rglob("*") if path.is_file()]
    assert any(b"why 401?" in path.read_bytes() for path in files)
    for form in (KEY.encode(), b64encode(KEY.encode()).rstrip(b"=")[:-1]):
        assert not [path for path in files if form in path.read_bytes()]


@pytest.mark.row("C1")
def test_without_any_service_the_page_says_what_to_do(unconnected: AppTest) -> None:
    assert "chat_connect" in buttons(unconnected)
    looks = [unconnected.button(key=key).proto.type for key in ("connection_open", "chat_connect")]
    unconnected.radio(key="language_choice").set_value("zh_Hans").run()
    assert [unconnected.button(key=key).proto.type for key in ("connection_open", "chat_connect")] == looks
    unconnected.radio(key="language_choice").set_value("en").run()

    ask(unconnected, "hello")
    assert "No service is connected yet." in shown(unconnected)
    assert draft(unconnected) == "hello"


@pytest.mark.row("X2")
@pytest.mark.usefixtures("settings_open")
def test_connecting_fills_the_model_list_and_forgets_the_typed_key(unconnected: AppTest, api: FakeApi) -> None:
    app = connect(unconnected, api.base_url, f" {KEY}\n")

    assert "is connected" in shown(app)
    assert str(app.selectbox(key="chat_model").value).endswith("/echo")
    assert KEY not in str(app.session_state)
    ask(app, "hello")
    assert "You said: hello" in shown(app)


@pytest.mark.row("X2", "T3", "T6")
def test_connect_tells_apart_what_is_wrong(subtests: pytest.Subtests, unconnected: AppTest, api: FakeApi) -> None:
    for address, key, sentence in [
        ("{api}", "sk-bad", "does not accept this key"),
        ("http://127.0.0.1:1/v1", KEY, "Nothing answers at"),
        ("http://nobody.invalid/v1", KEY, "can't be found"),
        ("ftp://example.com", KEY, "This address can't be used"),
        ("http://169.254.169.254/v1", KEY, "belongs to the network itself"),
        ("{api}", "sk-two\nlines", "The key holds characters"),
    ]:
        with subtests.test(address=address, key=key):
            app = connect(unconnected, address.format(api=api.base_url), key)

            assert sentence in shown(app)
            assert not app.exception
            assert app.text_input(key="connection_base_url").value == address.format(api=api.base_url)


@pytest.mark.row("X2")
def test_a_service_without_a_model_list_is_connected_all_the_same(unconnected: AppTest, api: FakeApi) -> None:
    api.script_models("not found", status=404)
    app = connect(unconnected, api.base_url, KEY)

    assert "It has no list of models" in shown(app)
    assert "gpt-4o" in str(app.selectbox(key="chat_model").options)


@pytest.mark.row("T20")
def test_a_data_folder_that_cannot_be_written_is_said_and_the_chat_works(
    api: FakeApi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("TEMPERA_DATA_DIR", str(tmp_path / "file" / "data"))
    monkeypatch.setenv("TEMPERA_BASE_URL", api.base_url)
    monkeypatch.setenv("TEMPERA_API_KEY", KEY)
    app = new_tab()
    ask(app, "hello")
    resources.close()

    assert "Nothing can be saved" in shown(app)
    assert "You said: hello" in shown(app)
    assert str(tmp_path) not in shown(app)


def test_an_answer_that_cannot_be_saved_is_shown_all_the_same(app: AppTest) -> None:
    """Never lose an answer because the store failed, never claim recorded when it is not."""
    full = "CREATE TRIGGER full BEFORE UPDATE OF seconds ON calls BEGIN SELECT RAISE(FAIL, 'disk is full'); END"
    resources.services().store.write(lambda db: db.exec_driver_sql(full)).result()
    ask(app, "hello")

    assert "You said: hello" in shown(app)
    assert "This answer is not saved yet" in shown(app)


@pytest.mark.parametrize("place", ["lib.calls.runner._take_in", "lib.calls.runner._end", "lib.calls.runner._final"])
def test_a_bug_in_a_call_is_shown_with_its_number_where_the_answer_would_stand(
    app: AppTest, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, place: str
) -> None:
    monkeypatch.setattr(place, lambda *_: 1 / 0)
    ask(app, "hello")

    found = re.search(r"Something unforeseen happened \(number ([0-9a-f]{8})\)", shown(app))
    assert found and found[1] in caplog.text
    assert ("You said: hello" in shown(app)) is (place != "lib.calls.runner._take_in")


def test_a_wrong_setting_is_a_sentence(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEMPERA_MODE", "public")
    app = new_tab()

    assert "The setting “mode” can't be read." in shown(app)
    assert not app.exception


@pytest.mark.row("X7")
def test_chinese_is_one_click_away_and_stays(app: AppTest) -> None:
    app.radio(key="language_choice").set_value("zh_Hans").run()

    assert app.button(key="chat_new").label == "新对话"
    assert app.run().button(key="chat_new").label == "新对话"


def chat_menu(app: AppTest, chat: str, action: str) -> None:
    """Choose something in the menu of a chat of the list."""
    app.menu_button(key=f"chat_menu_{chat}").click(action).run()
    assert not app.exception


@pytest.mark.row("C18")
def test_the_list_is_by_days_of_the_reader_and_tells_equal_titles_apart_by_their_models(app: AppTest) -> None:
    """In Kiritimati, 14 hours ahead: what is yesterday in UTC is today there."""
    ask(ask(click(ask(app, "Twice"), "chat_new"), "Twice", model="long-300"), "more")
    store, who, zone = resources.services().store, owner(app), ZoneInfo("Pacific/Kiritimati")
    now = datetime.now(zone)
    noon, midnight = now.replace(hour=12, minute=0), now.replace(hour=0, minute=0, second=0, microsecond=0)
    # Today, and before the chats above, at whatever hour this runs.
    made = {
        "Late": midnight + (now - midnight) / 2,
        "Early": noon - timedelta(hours=13),
        "Six": noon - timedelta(days=6),
    }
    made |= {"Twenty": noon - timedelta(days=20), "Long ago": datetime(2024, 3, 31, 23, 30, tzinfo=zone)}
    for title, moment in made.items():
        chat = ImportedChat(title, updated_at=int(moment.timestamp() * 1_000_000))
        chat.add(Message(role="user", content="x"), None)
        store.write(lambda db, chat=chat: chats.add_chat(db, who, chat)).result()
    app.context["timezone"] = "Pacific/Kiritimati"
    app.run()

    spans = ("Today", "Yesterday", "Previous 7 days", "Previous 30 days", "March 2024")
    assert [one.value for one in app.sidebar.caption if one.value in spans] == list(spans)
    assert chat_titles(app) == ["Twice · long-300", "Twice · echo", *made]
    labels = " ".join(button.label for button in app.sidebar.button).replace("\u202f", " ")
    assert "Long ago :small[Mar 31]" in labels and "Early :small[11:00 PM]" in labels
    app.radio(key="language_choice").set_value("zh_Hans").run()
    captions = [one.value for one in app.sidebar.caption]
    assert [one for one in ("今天", "昨天", "过去 7 天", "过去 30 天", "2024年3月") if one not in captions] == []


@pytest.mark.row("C18")
def test_every_chat_is_one_press_away_in_a_list_of_any_length(app: AppTest) -> None:
    """What is not listed at once is listed by its month."""
    store, who, now = resources.services().store, owner(app), datetime.now(UTC)
    march, december = datetime(2024, 3, 1, 9, tzinfo=UTC), datetime(2023, 12, 1, 9, tzinfo=UTC)
    used = (
        [now] * 45
        + [march + timedelta(hours=n) for n in range(25)]
        + [december + timedelta(hours=n) for n in range(210)]
    )

    def write(db: Any) -> None:
        for number, moment in enumerate(used):
            chat = schema.chats.c.id == chats.new_chat(db, who, f"chat {number}")
            db.execute(schema.chats.update().where(chat).values(updated_at=round(moment.timestamp() * 1e6)))

    store.write(write).result()
    more = {str(one.key): one.label for one in app.run().sidebar.button if "chat_list_more" in str(one.key)}
    assert len(chat_titles(app)) == 20
    assert more == {
        "chat_list_more_today": "Today: 25 more",
        "chat_list_more_2024-03": "March 2024: 25 more",
        "chat_list_more_2023-12": "December 2023: 210 more",
    }
    click(app, "chat_list_more_2024-03")
    assert chat_titles(app)[20:] == [f"chat {number}" for number in reversed(range(45, 70))]
    click(click(app, "chat_list_more_2023-12"), "chat_list_more_today")
    click(app, "chat_list_more_2023-12")

    assert sorted(chat_titles(app)) == sorted(f"chat {number}" for number in range(len(used)))
    assert not [one for one in app.button if "chat_list_more" in str(one.key)]


@pytest.mark.row("C3")
def test_a_press_of_stop_draws_the_page_once_and_with_the_end(
    service: FakeApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where the disk takes its time; drawn before the end, the page would have to be drawn twice."""
    write = OutcomeWriter.write

    async def slowly(outcomes: OutcomeWriter, record: Outcome) -> bool:
        await asyncio.sleep(0.1)
        return await write(outcomes, record)

    monkeypatch.setattr(OutcomeWriter, "write", slowly)
    # Below a dialog the page's script does not wait for the answer.
    app = click(new_tab(model=f"{host(service)}/slow-1000"), "chat_models_open")
    app.session_state["chat_stream"] = False
    app.chat_input(key="chat_input").set_value("Hello").run()
    assert "This chat waits for the whole answer (stream is off)…" in shown(app)
    click(app, "chat_stop")

    assert "chat_stop" not in buttons(app) and "chat_regenerate" in buttons(app)
    assert "Stopped by you before anything had come." in shown(app)


def test_the_words_below_an_error_are_said_to_be_whose_they_are(
    service: FakeApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where nothing answers they are the operating system's, after the answer has ended too."""
    tab = ask(new_tab(), "Hello", "error-402")
    assert "What the service said" in [one.label for one in tab.expander]

    monkeypatch.setattr("lib.gateway.retry.RETRIES", {})
    monkeypatch.setenv("TEMPERA_BASE_URL", "http://127.0.0.1:1/v1")
    resources.close()
    tab = ask(new_tab(model="127.0.0.1:1/x"))
    assert "Nothing answers at" in shown(tab)
    labels = [one.label for one in tab.expander]
    assert "Details" in labels and "What the service said" not in labels
