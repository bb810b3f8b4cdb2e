"""What can be done with turns on the chat page: delete, write by hand, continue, ask several models, ask first."""

import json
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest
from streamlit.testing.v1 import AppTest

from lib.core.limits import Limits
from lib.ui.shared import resources
from lib.visitor import LOCAL_OWNER
from tests.fake_api import FakeApi
from tests.pages import (
    PIXEL,
    ask,
    beside,
    bodies,
    buttons,
    chat_titles,
    click,
    draft,
    figures,
    host,
    message_menu,
    new_tab,
    shown,
    switch_on,
    switch_page,
)


@pytest.fixture
def narrow(service: FakeApi) -> AppTest:
    """The same with a model that has a price and reads 8,192 tokens."""
    return new_tab(model="gpt-4")


def texts(api: FakeApi) -> list[str]:
    """What the last request said, message by message."""
    return [message["content"] for message in bodies(api)[-1]["messages"]]


def roles(api: FakeApi) -> list[str]:
    return [message["role"] for message in bodies(api)[-1]["messages"]]


def write(app: AppTest, role: str, text: str, button: str = "written_add") -> None:
    """Add a turn by hand."""
    if "chat_write_first" in [one.key for one in app.button]:
        click(app, "chat_write_first")
    else:
        message_menu(app, "question_0", "write")
    app.button_group(key="written_role").set_value(role)
    app.text_area(key="written_turn").set_value(text)
    click(app, button)


def test_ones_own_message_is_shown_as_typed_or_as_markdown(app: AppTest) -> None:
    ask(app, "# run")
    for shown_as, there in (("", False), ("markdown", True), ("typed", False)):
        if shown_as:
            message_menu(app, "question_0", shown_as)
        assert ("<h1>run</h1>" in [one.value for one in app.markdown]) == there, shown_as


@pytest.mark.row("C17")
def test_a_table_is_there_to_be_copied_as_tab_separated_text(app: AppTest) -> None:
    ask(app, "\n\n| name | price |\n|---|--:|\n| **tea** | $5 |\n| a `b` | 6<br>7 |")
    click(app, "copy_0")

    assert "name\tprice\ntea\t$5\na b\t6 7" in [one.value for one in app.code]


@pytest.mark.row("C4")
def test_a_deleted_message_is_not_sent_any_more_and_can_be_brought_back(app: AppTest, api: FakeApi) -> None:
    ask(ask(app, "one"), "two")
    message_menu(app, "0", "delete")
    ask(app, "three")
    assert texts(api) == ["one", "two", "You said: two", "three"]

    click(app, "turn_undelete")
    ask(app, "four")
    assert texts(api)[:4] == ["one", "You said: one", "two", "You said: two"]


def test_a_deleted_version_shows_the_one_before_it(app: AppTest) -> None:
    ask(app, "one")
    click(app, "chat_regenerate")
    assert "2/2" in shown(app)
    message_menu(app, "0", "delete")
    assert "2/2" not in shown(app) and "You said: one" in shown(app)


@pytest.mark.row("C5")
def test_another_model_can_answer_again(app: AppTest, api: FakeApi) -> None:
    ask(app, "one")
    model = f"{host(api)}/reason"
    message_menu(app, "0", "again").selectbox(key="again_model_0").set_value(model).run()

    assert [body["model"] for body in bodies(api)] == ["echo", "reason"]
    assert texts(api) == ["one"] and "2/2" in shown(app)
    assert app.selectbox(key="chat_model").value == f"{host(api)}/echo"


@pytest.mark.row("C27")
def test_an_answer_can_be_edited_and_goes_on_as_edited(app: AppTest, api: FakeApi) -> None:
    ask(app, "one")
    message_menu(app, "0", "edit")
    app.text_area(key="edited_message").set_value("Something else")
    click(app, "edit_send")
    ask(app, "two")

    assert len(bodies(api)) == 2 and texts(api) == ["one", "Something else", "two"]


@pytest.mark.row("C27")
@pytest.mark.usefixtures("settings_open")
def test_turns_written_by_hand_are_sent_as_examples(app: AppTest, api: FakeApi) -> None:
    write(app, "user", "2 + 2")
    write(app, "assistant", "four")
    assert bodies(api) == []
    ask(app, "3 + 3")

    assert texts(api) == ["2 + 2", "four", "3 + 3"] and roles(api) == ["user", "assistant", "user"]


@pytest.mark.row("C27")
@pytest.mark.usefixtures("settings_open")
def test_turn_after_turn_is_written_in_one_editor(app: AppTest, api: FakeApi) -> None:
    click(app, "chat_write_first")
    assert "Ask anything." not in shown(app), "the editor is what stands there"
    for role, text in (("user", "2 + 2"), ("assistant", "four"), ("user", "1 + 1"), ("assistant", "two")):
        assert app.button_group(key="written_role").value == role and not app.text_area(key="written_turn").value
        app.text_area(key="written_turn").set_value(text)
        click(app, "written_add")
    app.text_area(key="written_turn").set_value("not yet")
    ask(app, "3 + 3")
    assert app.text_area(key="written_turn").value == "not yet", "what was typed stays"
    app.text_area(key="written_turn").set_value("")
    ask(app, "and 4 + 4")
    assert not app.text_area, "else it closes by itself"
    assert texts(api)[:5] == ["2 + 2", "four", "1 + 1", "two", "3 + 3"]


@pytest.mark.row("C27")
@pytest.mark.usefixtures("settings_open")
def test_the_model_goes_on_with_an_answer_that_was_begun_by_hand(app: AppTest, api: FakeApi) -> None:
    write(app, "user", "Tell me a story")
    write(app, "assistant", "Once upon a time ", "written_go_on")

    assert roles(api) == ["user", "assistant"] and texts(api)[-1] == "Once upon a time "
    assert "Once upon a time You said: Tell me a story" in shown(app)


@pytest.mark.row("C12")
@pytest.mark.usefixtures("settings_open")
def test_a_cut_answer_can_be_continued_in_place(app: AppTest, api: FakeApi) -> None:
    switch_on(app, "max_tokens", "number_input", 2)
    ask(app, "one two three")
    assert "You said:" in shown(app)
    click(app, "chat_continue")

    assert roles(api) == ["user", "assistant", "user"] and texts(api)[1] == "You said:"
    assert "You said:You said:" in shown(app) and "2/2" in shown(app)


@pytest.mark.row("C12")
@pytest.mark.usefixtures("settings_open")
def test_a_cut_answer_is_gone_on_with_in_its_own_language(
    app: AppTest, api: FakeApi, subtests: pytest.Subtests
) -> None:
    """Whatever the page's language is: asked in another one a model goes on in that."""
    for model, begun, words in (
        ("zh", "从前有一个卖保温杯的人，他叫 Wei，", "请从你上一条回答中断的地方接着写"),
        ("en", "A thermos is called 保温杯 and", "Continue your last answer exactly where it stopped"),
        ("ja", "むかしむかし、一人の商人が", "Continue your last answer exactly where it stopped"),
    ):
        with subtests.test(language=model):
            answer = {"index": 0, "message": {"content": begun}, "finish_reason": "length"}
            api.script(model, json.dumps({"choices": [answer]}).encode())
            click(app, "chat_new")
            ask(app, "Hi", model=model)
            click(app, "chat_continue")
            assert texts(api)[1] == begun and texts(api)[2].startswith(words)


@pytest.mark.row("C12")
@pytest.mark.usefixtures("settings_open")
def test_a_cut_answer_says_what_cut_it_and_can_be_asked_for_with_twice_the_length(
    app: AppTest, api: FakeApi, subtests: pytest.Subtests
) -> None:
    """By max_tokens, or by a service's own limit. Nothing beyond the operator's, or the model's context, is offered."""
    limited, limits = resources.services().dispatcher, resources.services().dispatcher.limits
    said = {model: OWN_LIMIT.format(*used).encode() for model, used in OWN_LIMITS.items()}
    for name, model, asked, allowed, words, again in (
        ("max_tokens", "echo", 2, None, "Cut off at the 2 tokens allowed", 4),
        ("operator", "echo", 2, 3, "Cut off at the 2 tokens allowed", 3),
        ("operator's limit reached", "echo", 2, 2, "Cut off at the 2 tokens allowed", None),
        ("own", "own", None, None, "Cut off after 7 tokens, where the service stops by itself", 14),
        ("what the model reads", "gpt-4", None, None, "Cut off after 60 tokens, where the service stops by itself", 92),
        ("context", "fuller", 1000, None, "Cut off after 3 tokens, the model's own limit", None),
    ):
        with subtests.test(name):
            click(app, "chat_new")
            limited.limits = Limits(max_tokens=allowed)
            api.script(model, said[model]) if model in said else None
            if asked:
                switch_on(app, "max_tokens", "number_input", asked)
            ask(app, "one two three", model=model)
            assert words in "".join(one.value for one in app.markdown)
            assert ("chat_longer" in buttons(app)) == (again is not None)
            if again:
                assert app.button(key="chat_longer").label == f"Ask again, up to {again} tokens"
                click(app, "chat_longer")
                assert bodies(api)[-1]["max_tokens"] == again and texts(api) == ["one two three"]
    limited.limits = limits


@pytest.mark.usefixtures("settings_open")
@pytest.mark.row("C12", "C16")
def test_of_answers_side_by_side_the_one_that_is_gone_on_with_says_what_cut_it(app: AppTest, api: FakeApi) -> None:
    switch_on(app, "max_tokens", "number_input", 2)
    beside(app, "long-300")
    ask(app, "one two three")
    assert "Cut off at the 2 tokens allowed" in "".join(one.value for one in app.markdown)
    click(app, "chat_longer")
    assert [body["max_tokens"] for body in bodies(api)] == [2, 2, 4, 4]

    click(app, "chat_continue")
    assert roles(api) == ["user", "assistant", "user"] and bodies(api)[-1]["model"] == "echo"


OWN_LIMIT = (
    '{{"choices": [{{"index": 0, "message": {{"content": "one two"}}, "finish_reason": "length"}}],'
    ' "usage": {{"prompt_tokens": {}, "completion_tokens": {}}}}}'
)
OWN_LIMITS = {"own": (3, 7), "fuller": (3, 3), "gpt-4": (8_100, 60)}
"""Answers that were cut off: how many tokens each model has read, and written."""
"""A whole answer that the service has cut off after so many tokens."""


@pytest.mark.row("C16")
def test_several_models_get_the_same_turn_and_one_is_gone_on_with(app: AppTest, api: FakeApi) -> None:
    beside(app, "reason", "long-300")
    ask(app, "hello")
    assert sorted(body["model"] for body in bodies(api)) == ["echo", "long-300", "reason"]
    assert {tuple(message["content"] for message in body["messages"]) for body in bodies(api)} == {("hello",)}
    assert "**long-300**" in shown(app)
    assert {"copy_0", "copy_0_1", "copy_0_2"} <= set(buttons(app)), "each has its own"
    assert app.button(key="chat_regenerate").label == "Try all again" and "version_on_0" not in buttons(app)
    named = [one.value for one in app.markdown if one.value.startswith("**")]
    assert named[-3:] == ["**echo**", "**reason**", "**long\\-300**"], "whose figures the next message's are"

    click(app, "pick_0_2")
    beside(app)
    ask(app, "next")
    assert texts(api)[1].split()[-1] == "cloud" and len(texts(api)[1].split()) == 300
    assert {"copy_0_0", "copy_0_1", "copy_0"} <= set(buttons(app)), "they still stand side by side"
    assert "Model | echo" in figures(app, "0_0")


@pytest.mark.row("C16")
def test_a_model_that_fails_beside_others_leaves_them_alone(app: AppTest) -> None:
    beside(app, "error-402")
    ask(app, "hello")

    assert len(app.error) == 1 and "You said: hello" in shown(app)


@pytest.mark.row("C16")
@pytest.mark.usefixtures("settings_open")
def test_versions_per_question_are_not_asked_of_several_models(app: AppTest, api: FakeApi) -> None:
    switch_on(app, "n", "number_input", 2)
    beside(app, "reason")
    assert "“n” is not sent" in shown(app)
    ask(app, "hello")

    assert all("n" not in body for body in bodies(api)) and len(bodies(api)) == 2


@pytest.mark.row("C26")
def test_no_text_of_a_temporary_chat_reaches_the_disk(app: AppTest, data_dir: Path) -> None:
    click(app, "chat_new_temporary")
    ask(ask(app, "CANARY one"), "CANARY two")
    assert "You said: CANARY two" in shown(app) and "in memory only" in shown(app)
    assert not [button for button in app.button if str(button.key).startswith("chat_open_")]
    stored = b"".join(path.read_bytes() for path in data_dir.rglob("*") if path.is_file())
    assert b"CANARY" not in stored

    switch_page(app, "usage")
    assert "2" in [metric.value for metric in app.metric]


@pytest.mark.row("C26")
def test_a_temporary_chat_is_gone_when_it_is_left(app: AppTest) -> None:
    click(app, "chat_new_temporary")
    ask(app, "CANARY")
    services, chat = resources.services(), app.session_state["open_chat"]
    assert chat in services.temporary_chats(LOCAL_OWNER)
    click(app, "chat_new")
    assert services.temporary_chats(LOCAL_OWNER) == set()
    ask(app, "kept")
    assert chat_titles(app) == ["kept"]


def test_an_image_goes_along_as_a_data_url_and_stays_in_the_conversation(app: AppTest, api: FakeApi) -> None:
    app.chat_input(key="chat_input").upload("dot.png", PIXEL, "image/png").set_value("What is this?").run()
    parts = bodies(api)[0]["messages"][0]["content"]
    assert parts[0] == {"type": "text", "text": "What is this?"}
    assert parts[1]["type"] == "image_url" and parts[1]["image_url"]["url"].startswith("data:image/png;base64,iVBOR")
    assert len(app.get("image")) == 1

    ask(app, "And now?")
    assert bodies(api)[1]["messages"][0]["content"] == parts


def test_a_file_that_is_no_image_is_refused_and_the_text_stays(app: AppTest, api: FakeApi) -> None:
    app.chat_input(key="chat_input").upload("dot.png", b"<svg onload=x>", "image/png").set_value("Look").run()

    assert "not an image" in shown(app) and draft(app) == "Look" and bodies(api) == []


@pytest.mark.row("C15")
def test_a_message_that_does_not_fit_is_asked_about_and_the_oldest_turns_can_stay_behind(
    narrow: AppTest, api: FakeApi
) -> None:
    ask(ask(narrow, "apple" * 3000), "pear" * 1000)
    ask(narrow, "plum" * 1000)
    assert len(bodies(api)) == 2 and "the model reads 8,192" in shown(narrow)

    click(narrow, "chat_held_leave_out")
    assert [text[:4] for text in texts(api)] == ["pear", "You ", "plum"]
    assert "The oldest 2 messages were not sent." in shown(narrow)


@pytest.mark.row("C15")
def test_a_held_message_can_be_taken_back_or_sent_all_the_same(narrow: AppTest, api: FakeApi) -> None:
    ask(narrow, "plum" * 9000)
    assert bodies(api) == [] and "chat_held_leave_out" not in [button.key for button in narrow.button]
    click(narrow, "chat_held_back")
    assert draft(narrow).startswith("plumplum")
    ask(narrow, "plum" * 9000)
    click(narrow, "chat_held_send")
    assert len(bodies(api)) == 1


@pytest.mark.row("C15", "U17")
def test_a_dear_message_is_asked_about_first(narrow: AppTest, api: FakeApi) -> None:
    ask(narrow, "hello")
    narrow.number_input(key="chat_ask_from").set_value(0.02).run()
    ask(narrow, "plum" * 1000)
    assert len(bodies(api)) == 1 and "you wanted to be asked from" in shown(narrow)
    click(narrow, "chat_held_send")
    assert len(bodies(api)) == 2


@pytest.mark.row("C15")
def test_the_bar_says_what_the_next_turn_costs_and_how_full_the_context_is(narrow: AppTest) -> None:
    ask(narrow, "plum " * 2600)
    bar = next(block.proto.popover.label for block in narrow.get("popover") if "about" in block.proto.popover.label)
    assert bar == r"about \$0\.17 · context 64 % full"
    assert "of 8,192 tokens" in shown(narrow)


@pytest.mark.row("C22")
@pytest.mark.usefixtures("settings_open")
def test_a_link_brings_another_tab_the_same_question_model_and_settings(narrow: AppTest) -> None:
    switch_on(narrow, "temperature", "slider", 0.3)
    narrow.text_area(key="chat_system").set_value("Be brief & kind.").run()
    ask(narrow, "Why? 为什么 & how=1")
    link = next(code.value for code in message_menu(narrow, "question_0", "share").code if "prompt=" in code.value)
    other = new_tab(**dict(parse_qsl(urlsplit(link).query)))

    assert draft(other) == "Why? 为什么 & how=1" and other.text_area(key="chat_system").value == "Be brief & kind."
    assert other.selectbox(key="chat_model").value.endswith("/gpt-4")
    assert other.slider(key="chat_temperature").value == 0.3 and other.toggle(key="chat_temperature_on").value


@pytest.mark.row("T11")
@pytest.mark.parametrize("words", ["\u202egnp.exe", "a\0b", "x\u2066y"])
def test_hidden_characters_in_a_message_are_sent_and_shown_without_harm(app: AppTest, api: FakeApi, words: str) -> None:
    ask(app, words)
    assert texts(api) == [words] and not app.error
