"""Answers that are no plain text, or no plain end, as the page shows them: the gateways' own, from tests/cases."""

import json
import re
from datetime import UTC
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from lib.chat import chat_import, export
from lib.chat.reader import Reader
from lib.ui.shared import resources
from lib.ui.shared.texts import LANGUAGE_KEY
from tests.case_files import cases
from tests.fake_api import FakeApi
from tests.pages import (
    ask,
    click,
    figures,
    host,
    new_tab,
    owner,
    run_sweep,
    shown,
    standing,
    switch_on,
    switch_page,
)

CALLED = "The model wants to call the tool “get_weather”."
SEEN = {
    "tool-call-stream": CALLED,
    "tool-call-legacy-json": CALLED,
    "image-elsewhere-json": "https://img.example/a.png",
    "audio-with-transcript-stream": "The answer came as sound, too: 1 kB.",
    "audio-alone-json": "The answer came as sound: 1 kB.",
    "sources-search_results-stream": "A: https://a.example/x",
    "refusal-stream": "The model declined to answer.",
    "part-unknown-json": "something that can't be shown here: video_url",
    "finish-safety-stream": "Stopped by the service's content rules",
    "finish-length-stream": "Cut off ",
    "cut-role-only": "ended before an answer had come",
    "reasoning-tags-closed-only-stream": "Yes",
}
"""What the page says under each answer."""
CASES: dict[str, dict[str, Any]] = {case["name"]: case for case in cases("answers")}


def asked(app: AppTest, api: FakeApi, name: str, model: str = "", answered: str = "") -> AppTest:
    """A new chat in which the model `name`, or `model`, answers as its case does."""
    click(app, "chat_new")
    script(api, name, model, answered)
    return ask(app, "Go on", model=model or name)


def script(api: FakeApi, name: str, model: str = "", answered: str = "") -> None:
    """Let the service answer as a case does; the model calls itself `answered`, or as it was called."""
    said = f'"model": "{answered or model or name}"'
    api.script(model or name, *(one.replace('"model": "m"', said).encode() for one in CASES[name]["steps"]))


def last_line(app: AppTest) -> str:
    """The line of figures under the last answer, as it is read."""
    line = [button.label for button in app.button if str(button.key).startswith("figures_")][-1]
    return re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", re.sub(r":color\[(.*?)\]\{\}", r"\1", line))


@pytest.mark.row("C12", "C33")
def test_what_is_no_plain_text_is_shown_as_what_it_is(app: AppTest, api: FakeApi, subtests: pytest.Subtests) -> None:
    for name, expected in SEEN.items():
        text = shown(asked(app, api, name)) + "".join(one.value for one in app.markdown)
        with subtests.test(name):
            assert expected in text
            assert "empty answer" not in text and "llow a longer" not in text

    assert any('"city": "Paris"' in one.value for one in asked(app, api, "tool-call-stream").code)
    assert len(asked(app, api, "image-message-images-stream").get("image")) == 1
    saved = [one.proto.label for one in asked(app, api, "audio-alone-stream").get("download_button")]
    assert "Save the sound" in saved


@pytest.mark.row("C14", "C33")
def test_each_end_is_named_but_the_normal_one(app: AppTest, api: FakeApi, subtests: pytest.Subtests) -> None:
    for name, english, chinese in [
        ("finish-safety-stream", "stopped by content rules", "被内容规则中止"),
        ("finish-length-stream", "cut off", "未写完"),
        ("tool-call-stream", "wants to call a tool", "想调用工具"),
        ("finish-something_new-stream", "ended: something_new", "结束原因：something_new"),
        ("cut-no-finish", "broken off", "中途断开"),
    ]:
        with subtests.test(name):
            assert english in last_line(asked(app, api, name))
            app.session_state[LANGUAGE_KEY] = "zh_Hans"
            assert chinese in last_line(app.run())
        app.session_state[LANGUAGE_KEY] = "en"
    for name in ("finish-null-but-usage-and-done", "finish-STOP-spelled-stream", "sources-annotations-stream"):
        with subtests.test(name):
            assert re.fullmatch(r"[\d.]+ s( · (about )?\d+ tokens?)? · no price ›", last_line(asked(app, api, name)))


@pytest.mark.row("C11")
def test_thoughts_whose_beginning_never_came_are_not_sent_back(app: AppTest, api: FakeApi) -> None:
    asked(app, api, "reasoning-tags-closed-only-stream")
    ask(app, "And now?", model="echo")

    assert [one["content"] for one in api.requests[-1].body["messages"]] == ["Go on", "Yes", "And now?"]
    assert [one.label for one in app.expander if one.label.startswith("Thinking")] == ["Thinking: about 3 tokens"]


@pytest.mark.row("X12")
def test_refusals_say_what_is_meant(app: AppTest, api: FakeApi, subtests: pytest.Subtests) -> None:
    for name, words in [
        ("mock-no-fixture-stream", "does not have what this request asks for (status 404)"),
        ("not-a-chat-model-stream", "makes no chats"),
        ("messages-roles-stream", "does not take this conversation as it is"),
        ("cloudflare-524-stream", "with “stream” on it comes sooner"),
        ("moved-307-stream", "This address sends requests on to another one; nothing was sent there."),
        ("wait-seconds-stream", "It asks to wait 30 seconds"),
    ]:
        case = next(one for one in cases("refusals") if one["name"] == name)
        api.script(name, *(one.encode() for one in case["steps"]), status=case["status"], headers=case["headers"])
        text = shown(ask(click(app, "chat_new"), "Go on", model=name))
        with subtests.test(name):
            assert words in text
            assert "Switch that setting off" not in text and "no chat service" not in text


@pytest.mark.row("X12")
def test_what_was_sent_twice_says_so(app: AppTest, api: FakeApi) -> None:
    ask(app, "Hello", model="error-408-once")
    assert "You said: Hello" in shown(app)
    assert "Sent twice: the service gave up waiting the first time, and may bill that too." in shown(app)

    ask(click(app, "chat_new"), "Hello", model="error-408")
    assert "It was sent twice and may be billed twice." in shown(app)
    for model in ("error-504", "error-524"):
        ask(click(app, "chat_new"), "Hello", model=model)
        assert sum(one.model == model for one in api.requests) == 1
    ask(click(app, "chat_new"), "Hello", model="error-500-once")
    assert "Sent twice" not in shown(app)


@pytest.mark.row("C14", "U7")
def test_a_reported_cost_goes_before_the_list_price_and_is_called_so(app: AppTest, api: FakeApi) -> None:
    assert "$0.25 reported" in last_line(asked(app, api, "usage-cost-stream", "gpt-4o"))
    assert "Cost | $0.25 (reported by the service)" in figures(app)
    asked(app, api, "usage-x_groq-stream", "gpt-4o")
    assert "(list price)" in figures(app)
    asked(app, api, "usage-x_groq-stream", "gpt-4o:free")
    assert "Cost | free" in figures(app)

    switch_page(app, "usage")
    assert "about $0.25: as services report it, else at list prices" in shown(app)
    assert "1 with the cost that the service reported, 1 free at the service" in shown(app)


@pytest.mark.row("U8")
@pytest.mark.usefixtures("settings_open")
def test_what_a_service_counted_of_one_version_only_is_said(app: AppTest, api: FakeApi) -> None:
    switch_on(app, "n", "number_input", 3)
    script(api, "usage-json-llama-three")
    ask(app, "Go on", model="usage-json-llama-three")

    assert "6 (the service counted one of 3 versions, 4; the rest is our estimate)" in figures(app)


@pytest.mark.row("U7")
def test_what_is_free_is_called_so_before_and_after(service: FakeApi) -> None:
    name = f"{host(service)}/echo:free"
    app = new_tab("sweep", models=name, prompt="Go on", temperatures="0", repeats="1")
    assert shown(app).count("about 9 input tokens · free") == 1
    assert standing(run_sweep(app)) == "1 answer, not failed nor cut off · free"

    switch_page(app, "usage")
    assert "all of it was free" in shown(app)
    assert next(one.value for one in app.metric if one.label == "Cost") == "free"


@pytest.mark.row("C14")
def test_the_model_that_answered_is_named_where_it_is_another(app: AppTest, api: FakeApi) -> None:
    for model, answered in [("gpt-4o", "gpt-4o-2024-08-06"), ("openai/gpt-4o", "gpt-4o"), ("gpt-4o", "gpt-4o-mini")]:
        asked(app, api, "usage-cost-stream", model, answered)
        assert ("answered by gpt-4o-mini" in last_line(app)) is (answered == "gpt-4o-mini")
    assert "gpt-4o-mini (asked: gpt-4o)" in figures(app)


@pytest.mark.row("C21", "C33")
def test_what_is_no_text_stands_in_what_is_saved_and_is_never_sent_back(app: AppTest, api: FakeApi) -> None:
    for name in ("tool-call-stream", "image-message-images-stream", "sources-annotations-stream", "audio-alone-stream"):
        script(api, name)
        ask(app, "Go on", model=name)
    script(api, "image-in-markdown-stream")
    ask(app, "Go on", model="image-in-markdown-stream")
    ask(app, "Go on", model="echo")
    sent = json.dumps(api.requests[-1].body)
    assert "tool_calls" not in sent and "base64" not in sent

    chat = resources.services().conversation(owner(app), "s", app.session_state["open_chat"], False)
    saved = export.to_json(chat.document()).decode()
    reader = Reader("en", "en", UTC, {"user": "You", "assistant": "Model"}, figures=lambda call: "")
    read = export.to_markdown(chat.document(), reader).decode()
    for found in ("get_weather", "data:image/png;base64,", "https://a.example/x", "UklGRg=="):
        assert found in saved and found in read
    [back], lost = chat_import.chosen(saved.encode(), {0}), chat_import.listing(saved.encode()).lost
    assert [one.role for one in back.branch].count("user") == 6
    assert (lost["image"], lost["part"]) == (1, 1)


@pytest.mark.row("S16")
def test_a_cell_shows_what_is_no_text_and_how_it_ended(service: FakeApi) -> None:
    names = ["tool-call-stream", "finish-safety-stream", "refusal-stream", "usage-cost-stream"]
    for name in names:
        script(service, name)
    models = ",".join(f"{host(service)}/{name}" for name in names)
    app = new_tab("sweep", models=models, prompt="Go on", temperatures="0", repeats="1")

    text = shown(run_sweep(app))
    for words in (CALLED, "stopped by content rules", "The model declined to answer.", "$0.25 reported"):
        assert words in text
    assert "$0.25 reported by the service" in text
    switch_page(app, "usage")
    assert app.button(key="usage_open_filtered").label == "1 stopped by content rules"


LETTERS = (
    "\n\n  Roses\n\tand tabs  \r\nWindows\n\n\n\n",
    "$5 and $6, :smile: :red[x] -> <b>bold</b> **stars** `code` \\(y\\) \\_ &amp;",
    "- a\n\n  ```py\n  x = 1\n  ```\n\n| a | b |\n|---|---|\n| 1 | 2 |",
    "שלום\u200f \u202eab\u202c a\u200bb 👨\u200d👩\u200d👧 🏳️\u200d🌈 e\u0301 \u2028 　全角",
    "1. <script>alert(1)</script>\n===\n--- ***",
)
"""What Markdown, Streamlit, HTML, CSV or a trim would make something else of."""


@pytest.mark.row("C17", "C21", "C24")
def test_what_is_shown_to_be_copied_and_what_is_saved_is_what_came_letter_for_letter(
    app: AppTest, api: FakeApi, subtests: pytest.Subtests
) -> None:
    for number, text in enumerate(LETTERS):
        message = {"role": "assistant", "content": text}
        answer = {"model": "letters", "choices": [{"index": 0, "message": message, "finish_reason": "stop"}]}
        api.script("letters", json.dumps(answer).encode())
        ask(app, text, model="letters")
        with subtests.test(text[:20]):
            click(app, f"copy_{number}")
            assert app.code[0].value == text
            assert api.requests[-1].body["messages"][-1]["content"] == text
    chat = resources.services().conversation(owner(app), "s", app.session_state["open_chat"], False)
    reader = Reader("en", "en", UTC, {"user": "You", "assistant": "Model"}, figures=lambda call: "")
    saved, read = export.to_json(chat.document()), export.to_markdown(chat.document(), reader)
    [back] = chat_import.chosen(saved, {0})
    assert [one["content"] for one in json.loads(saved)["messages"]] == [text for text in LETTERS for _ in range(2)]
    assert [turn.content for turn in back.branch] == [text for text in LETTERS for _ in range(2)]
    assert all(read.decode().count(text) == 2 for text in LETTERS)
