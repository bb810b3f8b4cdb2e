"""The body on the wire: every field of the API at its ends, outside and off, byte for byte on a real socket."""

import asyncio
import json
from typing import Any

import pytest
from pydantic import SecretStr
from streamlit.testing.v1 import AppTest

from lib.core.errors import InvalidInput
from lib.core.parameters import RANGES, Params
from lib.core.request import ChatRequest, Message
from lib.gateway.client import Client
from lib.gateway.endpoints import Endpoint
from lib.sweep.plan import Plan
from lib.ui.shared import resources
from lib.visitor.presets import PRESETS
from tests.fake_api import FakeApi
from tests.pages import KEY, bodies, host, new_tab, owner, shown

START = '{"model":"echo","messages":[{"role":"user","content":"Hello"}]'
STREAMED = ',"stream":true,"stream_options":{"include_usage":true}'

CURL_EXAMPLE = """
{
  "model": "gpt-4o",
  "messages": [
    {
      "role": "system",
      "content": "You are a helpful assistant."
    },
    {
      "role": "user",
      "content": "Hello, please introduce yourself."
    }
  ],
  "temperature": 0.7,
  "max_tokens": 1000
}
"""


def raw(api: FakeApi) -> list[str]:
    """The bodies of all chat requests, to the letter."""
    return [request.raw for request in api.requests if request.path.endswith("/chat/completions")]


def sent(api: FakeApi, request: ChatRequest) -> str:
    """The body that arrives when the client sends `request`."""

    async def ask() -> None:
        client = Client()
        async for _delta in client.ask(Endpoint("fake", api.base_url, SecretStr(KEY)), request):
            pass
        await client.aclose()

    asyncio.run(ask())
    return raw(api)[-1]


def question(params: Params, model: str = "echo") -> ChatRequest:
    return ChatRequest(model, (Message(role="user", content="Hello"),), params)


INSIDE = [
    ("temperature", 0, "0.0"),
    ("temperature", 0.7, "0.7"),
    ("temperature", 2, "2.0"),
    ("max_tokens", 1, "1"),
    ("max_tokens", 10_000_000, "10000000"),
    ("top_p", 0, "0.0"),
    ("top_p", 1, "1.0"),
    ("n", 1, "1"),
    ("n", 8, "8"),
    ("n", 128, "128"),
    ("presence_penalty", -2, "-2.0"),
    ("presence_penalty", 2, "2.0"),
    ("frequency_penalty", -2, "-2.0"),
    ("frequency_penalty", 2, "2.0"),
    ("stop", "END", '["END"]'),
    ("stop", ["a"], '["a"]'),
    ("stop", ["1", "2", "3", "\n"], '["1","2","3","\\n"]'),
    ("user", "ada", '"ada"'),
    ("user", "小明 “q”", '"小明 “q”"'),
    ("stream", False, "false"),
]


@pytest.mark.row("C7", "C8")
def test_a_field_from_its_lowest_to_its_highest_is_sent_as_it_is(subtests: pytest.Subtests, api: FakeApi) -> None:
    for field, value, json_text in INSIDE:
        with subtests.test(field=field, value=value):
            assert sent(api, question(Params.checked({field: value}))) == f'{START},"{field}":{json_text}}}'


def test_stream_asks_for_its_usage_too(api: FakeApi) -> None:
    assert sent(api, question(Params(stream=True))) == f"{START}{STREAMED}}}"


@pytest.mark.row("C9")
def test_a_field_that_is_off_is_not_sent(subtests: pytest.Subtests, api: FakeApi) -> None:
    for field in [*RANGES, "stream", "stop", "user"]:
        with subtests.test(field=field):
            assert sent(api, question(Params.checked({field: None}))) == f"{START}}}"


@pytest.mark.parametrize(("field", "nothing"), [("stop", []), ("user", "")])
def test_an_empty_text_or_list_counts_as_off(api: FakeApi, field: str, nothing: Any) -> None:
    assert sent(api, question(Params.checked({field: nothing}))) == f"{START}}}"


def test_every_field_at_once_comes_in_the_order_of_the_api(api: FakeApi) -> None:
    values = {"user": "ada", "stop": "x", "n": 2, "top_p": 0.5, "temperature": 1, "max_tokens": 9}
    values |= {"frequency_penalty": -1, "presence_penalty": 1, "stream": True}

    assert sent(api, question(Params.checked(values))) == (
        f'{START},"temperature":1.0,"max_tokens":9,"top_p":0.5,"n":2,"stream":true,"stop":["x"],'
        '"presence_penalty":1.0,"frequency_penalty":-1.0,"user":"ada","stream_options":{"include_usage":true}}'
    )


def test_models_that_want_it_get_max_completion_tokens(subtests: pytest.Subtests, api: FakeApi) -> None:
    for model in ["o1", "o3", "o4-mini", "gpt-5-chat-latest"]:
        with subtests.test(model=model):
            body = sent(api, question(Params(max_tokens=7), model))

            assert body == START.replace('"echo"', f'"{model}"') + ',"max_completion_tokens":7}'


OUTSIDE = [
    *[("temperature", value, "has to be a number from 0 to 2.") for value in (-0.01, 2.01, float("inf"))],
    *[("top_p", value, "has to be a number from 0 to 1.") for value in (-0.01, 1.01, float("nan"))],
    *[("presence_penalty", value, "has to be a number from -2 to 2.") for value in (-2.01, 2.01)],
    *[("frequency_penalty", value, "has to be a number from -2 to 2.") for value in (-2.01, 2.01)],
    *[("max_tokens", value, "has to be a whole number from 1 to 10,000,000.") for value in (0, -1, 1.5, 10_000_001)],
    *[("n", value, "has to be a whole number from 1 to 128.") for value in (0, -1, 1.5, 129, 5_000_000, 10**9)],
    ("stop", ["1", "2", "3", "4", "5"], "There can be at most 4 stop sequences."),
    ("stop", ["x" * 1_001], "A stop sequence can have at most 1,000 characters."),
    ("user", 7, "“user” can't be sent with this value."),
    ("user", "x" * 257, "“user” can have at most 256 characters."),
    ("extra_fields", {"x": "y" * 20_000}, "The further fields are longer than 20,000 characters."),
]


def test_just_outside_is_refused_in_a_sentence(subtests: pytest.Subtests) -> None:
    for field, value, sentence in OUTSIDE:
        with subtests.test(field=field, value=value):
            with pytest.raises(InvalidInput) as refused:
                Params.checked({field: value})
            assert sentence in str(refused.value)


def test_what_was_stored_before_there_were_bounds_is_read_but_not_sent_anew() -> None:
    """Plans, records and presets of earlier versions keep their meaning; only new requests are held to the bounds."""
    stored = {"n": 500, "max_tokens": 50_000_000, "user": "x" * 1_000, "seed": 7}
    params = Params.recorded(stored)
    plan = Plan("hi", ("a/echo",), (0.0,), params=params)

    assert params.to_send() == stored
    assert Plan.from_json(plan.to_json()) == plan
    for refused in (question(params).checked, plan.checked):
        with pytest.raises(InvalidInput, match="“max_tokens” has to be a whole number from 1 to 10,000,000"):
            refused()


LINKS = [(field, value, sentence) for field, value, sentence in OUTSIDE if field in RANGES and value != 1.5]


@pytest.mark.row("C7")
@pytest.mark.usefixtures("service")
def test_just_outside_is_said_on_the_page_and_nothing_is_sent(subtests: pytest.Subtests, api: FakeApi) -> None:
    for field, value, sentence in LINKS:
        with subtests.test(field=field, value=value):
            tab = new_tab(prompt="Hello", **{field: str(value)})

            assert f"“{field}” {sentence}" in shown(tab)
            assert raw(api) == []


@pytest.mark.usefixtures("settings_open")
def test_a_preset_from_before_there_were_bounds_leaves_the_page_whole(app: AppTest, api: FakeApi) -> None:
    old = {"n": 5_000_000, "n_on": True}
    resources.services().store.write(lambda db: PRESETS.save(db, owner(app), "Old", old)).result()
    app.run().pills(key="chat_preset").set_value("Old").run()
    app.chat_input(key="chat_input").set_value("Hello").run()

    assert not app.exception
    assert "“n” has to be a whole number from 1 to 128." in shown(app)
    assert raw(api) == []


@pytest.mark.usefixtures("service")
def test_a_number_of_thousands_of_digits_in_a_link_is_a_sentence() -> None:
    assert "has to be a whole number from 1 to 50" in shown(new_tab("sweep", repeats="9" * 5_000))


@pytest.mark.row("C7", "C8")
@pytest.mark.parametrize("end", ["lowest", "highest"])
@pytest.mark.usefixtures("service")
def test_the_ends_of_every_control_of_the_page_arrive(api: FakeApi, end: str) -> None:
    values = {name: getattr(bounds, end) for name, bounds in RANGES.items()}
    tab = new_tab(model=f"{host(api)}/echo", **{name: str(value) for name, value in values.items()})
    tab.chat_input(key="chat_input").set_value("Hello").run()

    assert not tab.exception
    assert {name: bodies(api)[-1][name] for name in values} == values


@pytest.mark.row("C9")
def test_a_new_page_sends_model_messages_and_stream_only(app: AppTest, api: FakeApi) -> None:
    app.chat_input(key="chat_input").set_value("Hello").run()

    assert raw(api) == [f"{START}{STREAMED}}}"]


@pytest.mark.row("C6", "C7")
@pytest.mark.usefixtures("service")
def test_the_page_sends_the_documented_curl_example_byte_for_byte(api: FakeApi) -> None:
    tab = new_tab(
        model=f"{host(api)}/gpt-4o",
        system="You are a helpful assistant.",
        temperature="0.7",
        max_tokens="1000",
        stream="false",
    )
    tab.chat_input(key="chat_input").set_value("Hello, please introduce yourself.").run()

    assert raw(api) == [json.dumps(json.loads(CURL_EXAMPLE), separators=(",", ":"))]
    request = api.requests[-1]
    assert (request.method, request.path) == ("POST", "/v1/chat/completions")
    assert request.headers["content-type"] == "application/json"
    assert request.authorization == "…" + KEY[-4:]
