"""What a model or a service does not do as asked, on the page: refused settings, missing versions, a dead address."""

import socket
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from lib.calls.records import CallRecord
from lib.gateway import endpoints
from lib.sweep import repository as sweeps
from lib.ui.shared import resources
from tests.fake_api import FakeApi
from tests.pages import (
    KEY,
    ask,
    bodies,
    buttons,
    choose_model,
    click,
    figures,
    host,
    new_tab,
    owner,
    run_sweep,
    shown,
    standing,
    sweep_id,
)
from tests.store_fixtures import calls_of

pytestmark = pytest.mark.usefixtures("settings_open")

STREAMED = {"stream": True, "stream_options": {"include_usage": True}}
LEFT_OUT = "“{}” was left out: this model does not take it."


def set_up(app: AppTest, model: str, **params: Any) -> AppTest:
    """Choose any model, and switch these parameters on."""
    choose_model(app, model)
    for field, value in params.items():
        app.session_state[f"chat_{field}_on"] = True
        app.session_state[f"chat_{field}"] = value
    return app.run()


def calls_made(app: AppTest) -> list[CallRecord]:
    """The visitor's calls, oldest first."""
    return resources.services().store.read(lambda db: calls_of(db, owner(app)))[::-1]


@pytest.mark.row("C10")
def test_a_refused_parameter_is_dropped_said_and_left_out_at_once_next_time(app: AppTest, api: FakeApi) -> None:
    ask(set_up(app, "refuses-temperature", temperature=0.3, top_p=0.5))

    assert "You said: Hello" in shown(app)
    assert LEFT_OUT.format("temperature") in shown(app)
    assert [("temperature" in body, body["top_p"]) for body in bodies(api)] == [(True, 0.5), (False, 0.5)]

    ask(app, "And now?")
    assert shown(app).count(LEFT_OUT.format("temperature")) == 2
    assert ["temperature" in body for body in bodies(api)] == [True, False, False]
    first, second = calls_made(app)
    assert first.params_asked == second.params_asked == {"temperature": 0.3, "top_p": 0.5, "stream": True}
    assert first.params_sent == second.params_sent == {"top_p": 0.5, **STREAMED}
    assert (first.state, first.attempts, second.attempts) == ("ok", 2, 1)


@pytest.mark.row("C10")
def test_what_was_learned_outlives_a_restart_and_holds_for_that_model_only(app: AppTest, api: FakeApi) -> None:
    ask(set_up(app, "refuses-temperature", temperature=0.3))
    resources.close()
    ask(app, "Again")
    assert ["temperature" in body for body in bodies(api)] == [True, False, False]

    ask(set_up(app, "echo"), "Again")
    assert bodies(api)[-1]["temperature"] == 0.3
    assert shown(app).count(LEFT_OUT.format("temperature")) == 2


@pytest.mark.row("C10")
def test_another_browser_of_the_same_person_knows_it_too(app: AppTest, api: FakeApi) -> None:
    """That another owner finds out alone is tested in tests/calls/test_unsupported_params.py."""
    ask(set_up(app, "refuses-temperature", temperature=0.3))
    ask(set_up(new_tab(), "refuses-temperature", temperature=0.3))

    assert ["temperature" in body for body in bodies(api)] == [True, False, False]


@pytest.mark.row("C10")
def test_two_refused_parameters_are_dropped_one_after_the_other(app: AppTest, api: FakeApi) -> None:
    ask(set_up(app, "refuses-temperature+top_p", temperature=0.3, top_p=0.5))

    assert len(bodies(api)) == 3
    assert LEFT_OUT.format("temperature") in shown(app) and LEFT_OUT.format("top_p") in shown(app)


@pytest.mark.row("C10")
def test_a_third_one_is_an_error_and_try_again_goes_through(app: AppTest, api: FakeApi) -> None:
    ask(set_up(app, "refuses-temperature+top_p+n", temperature=0.3, top_p=0.5, n=2))
    assert len(bodies(api)) == 3
    assert "refused a setting of this request (n)" in shown(app)

    click(app, "chat_regenerate")
    assert len(bodies(api)) == 4
    assert "You said: Hello" in shown(app)
    assert LEFT_OUT.format("n") in shown(app)


@pytest.mark.row("C10")
def test_a_refused_value_is_an_error_and_nothing_is_learned(app: AppTest, api: FakeApi) -> None:
    api.script(
        "strict", b'{"error":{"message":"temperature must be between 0 and 1","param":"temperature"}}', status=400
    )
    ask(ask(set_up(app, "strict", temperature=1.5)), "Again")

    assert shown(app).count("refused a setting of this request (temperature)") == 2
    assert [body["temperature"] for body in bodies(api)] == [1.5, 1.5]


@pytest.mark.row("C10")
def test_after_a_word_was_shown_nothing_is_sent_again(app: AppTest, api: FakeApi) -> None:
    word = b'data: {"choices":[{"index":0,"delta":{"content":"Well, "}}]}\n\n'
    refusal = b'data: {"error":{"message":"Unsupported parameter: temperature","param":"temperature","code":400}}\n\n'
    api.script("late", word, refusal, headers={"content-type": "text/event-stream"})
    ask(set_up(app, "late", temperature=0.3))

    assert len(bodies(api)) == 1
    assert "Well," in shown(app)
    assert calls_made(app)[0].state == "partial"


@pytest.mark.row("C10", "U8")
def test_refused_stream_options_are_left_out_in_silence_and_tokens_are_estimated(app: AppTest, api: FakeApi) -> None:
    ask(set_up(app, "refuses-stream_options"))
    ask(app, "Again")

    assert ["stream_options" in body for body in bodies(api)] == [True, False, False]
    assert all(body["stream"] for body in bodies(api))
    assert "left out" not in shown(app)
    assert [call.usage.source for call in calls_made(app)] == ["estimated", "estimated"]


@pytest.mark.row("C10")
def test_a_model_that_wants_max_completion_tokens_gets_them(app: AppTest, api: FakeApi) -> None:
    ask(ask(set_up(app, "wants-max_completion_tokens", max_tokens=2)), "Again")

    assert [(body.get("max_tokens"), body.get("max_completion_tokens")) for body in bodies(api)] == [
        (2, None),
        (None, 2),
        (None, 2),
    ]
    assert "left out" not in shown(app)
    assert "cut off at the longest answer allowed (max_tokens)" in figures(app)
    assert calls_made(app)[0].params_sent == {"max_completion_tokens": 2, **STREAMED}


def sweep(api: FakeApi, model: str) -> AppTest:
    """A sweep of one model over two temperatures, run one by one until it has ended."""
    query = {"prompt": "Praise tea.", "temperatures": "0,0.7", "concurrency": "1"}
    tab = new_tab("sweep", models=f"{host(api)}/{model}", **query)
    return run_sweep(tab)


@pytest.mark.row("S23", "C10")
@pytest.mark.usefixtures("service")
def test_in_a_sweep_a_model_that_refuses_temperatures_is_asked_once_and_its_row_says_so(api: FakeApi) -> None:
    tab = sweep(api, "refuses-temperature")

    assert standing(tab).startswith("1 answer")
    assert "One temperature: this model takes none, so it was asked once for all." in shown(tab)
    assert shown(tab).count("Fixed: this model does not take “temperature”.") == 1
    assert ["temperature" in body for body in bodies(api)] == [True, False]
    results = resources.services().store.read(lambda db: sweeps.results(db, owner(tab), sweep_id(tab)))
    assert [call.params_asked["temperature"] for call in results.values()] == [0.0]
    assert all("temperature" not in call.params_sent for call in results.values())


@pytest.mark.row("S23")
@pytest.mark.usefixtures("service")
def test_a_sweep_over_a_model_that_takes_everything_says_nothing_of_it(api: FakeApi) -> None:
    assert "Fixed" not in shown(sweep(api, "echo"))


@pytest.mark.row("C13")
def test_versions_that_did_not_come_are_said_and_fetched_beside_the_others(app: AppTest, api: FakeApi) -> None:
    app.text_area(key="chat_system").set_value("Be brief.").run()
    ask(set_up(app, "n-short", n=3, temperature=0.3))
    assert shown(app).count("You said: Hello") == 2
    assert "2 of 3 versions came." in shown(app)

    click(app, "chat_fetch_rest")
    first, rest = bodies(api)
    assert (first["n"], rest.get("n")) == (3, None)
    assert {**first, "n": None} == {**rest, "n": None}
    assert "versions came" not in shown(app) and "chat_fetch_rest" not in buttons(app)
    assert shown(app).count("You said: Hello") == 1

    click(app, "version_back_0")
    assert shown(app).count("You said: Hello") == 2
    assert "2 of 3 versions came." in shown(app) and "chat_fetch_rest" not in buttons(app)


@pytest.mark.row("C13")
def test_a_model_that_ignores_n_is_asked_for_the_rest_until_all_are_there(app: AppTest, api: FakeApi) -> None:
    ask(set_up(app, "n-ignored", n=3))
    assert "1 of 3 versions came." in shown(app)
    click(app, "chat_fetch_rest")
    assert "1 of 2 versions came." in shown(app)
    click(app, "chat_fetch_rest")

    assert "versions came" not in shown(app)
    assert "3/3" in shown(app)
    assert [body.get("n") for body in bodies(api)] == [3, 2, None]


@pytest.mark.row("C13")
def test_the_rest_is_asked_as_the_first_ones_were_whatever_the_form_says_now(app: AppTest, api: FakeApi) -> None:
    ask(set_up(app, "n-ignored", n=2, temperature=0.3))
    set_up(app, "echo", temperature=1.9)
    click(app, "chat_fetch_rest")

    assert [(body["model"], body["temperature"]) for body in bodies(api)] == [("n-ignored", 0.3)] * 2


@pytest.mark.row("C13", "T6")
def test_the_rest_goes_to_no_other_service_than_the_first_ones(
    app: AppTest, api: FakeApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask(set_up(app, "n-ignored", n=2))
    resources.close()
    with FakeApi() as other:
        monkeypatch.setenv("TEMPERA_BASE_URL", other.base_url)
        click(app.run(), "chat_fetch_rest")

        assert "is not connected any more" in shown(app)
        assert bodies(other) == [] and len(bodies(api)) == 1


@pytest.mark.row("C13")
def test_when_all_versions_came_nothing_is_said_of_it(app: AppTest, api: FakeApi) -> None:
    ask(set_up(app, "echo", n=3))

    assert "versions came" not in shown(app) and "chat_fetch_rest" not in buttons(app)


def dead_address() -> str:
    """A base URL at which nothing listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{taken.getsockname()[1]}/v1"


@pytest.fixture
def first_address_dead(api: FakeApi, data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    """The app at a service with two addresses, of which only the second answers."""
    pair = (dead_address(), api.base_url)
    monkeypatch.setattr(endpoints, "APIYI_ADDRESSES", pair)
    monkeypatch.setenv("TEMPERA_BASE_URL", pair[0])
    monkeypatch.setenv("TEMPERA_API_KEY", KEY)
    monkeypatch.setenv("TEMPERA_LOCAL_MODEL", "false")
    return new_tab()


@pytest.mark.row("X3")
def test_the_second_address_is_offered_and_asked_only_when_pressed(first_address_dead: AppTest, api: FakeApi) -> None:
    """Both addresses are APIYI's, so the same key may go to either; never by itself."""
    app = ask(set_up(first_address_dead, "echo", temperature=0.3, n=2))
    assert "Nothing answers at 127.0.0.1" in shown(app)
    assert api.requests == []

    click(app, "chat_second_address")
    assert shown(app).count("You said: Hello") == 2
    assert "chat_second_address" not in buttons(app)
    request = api.requests[-1]
    assert request.authorization == "…" + KEY[-4:]
    assert (request.body["temperature"], request.body["n"]) == (0.3, 2)
    assert [call.state for call in calls_made(app)] == ["error", "ok"]


def test_the_key_stays_at_the_first_address_when_it_answers_with_an_error(
    api: FakeApi, data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Something was sent: asking elsewhere might be billed twice."""
    monkeypatch.setattr(endpoints, "APIYI_ADDRESSES", (api.base_url, dead_address()))
    monkeypatch.setenv("TEMPERA_BASE_URL", api.base_url)
    monkeypatch.setenv("TEMPERA_API_KEY", KEY)
    app = new_tab()
    for model in ("error-401", "error-404", "cut"):
        ask(set_up(app, model))
        assert "chat_second_address" not in buttons(app)


def test_a_service_with_one_address_gets_no_such_button(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEMPERA_BASE_URL", dead_address())
    monkeypatch.setenv("TEMPERA_API_KEY", KEY)
    monkeypatch.setenv("TEMPERA_LOCAL_MODEL", "false")  # it would be asked, once it is ready
    app = ask(set_up(new_tab(), "echo"))

    assert "Nothing answers at 127.0.0.1" in shown(app)
    assert "chat_second_address" not in buttons(app)


def test_apiyis_two_addresses_lead_to_each_other_with_the_same_key() -> None:
    name = endpoints.name_of("https://api.apiyi.com/v1")
    first = endpoints.Endpoint(name, "https://api.apiyi.com/v1", endpoints.SecretStr(KEY))
    second = endpoints.second_address(first)

    assert second is not None and name == "apiyi"
    assert (second.name, second.base_url, second.api_key) == ("apiyi", "https://vip.apiyi.com/v1", first.api_key)
    assert endpoints.second_address(second) == first
    assert endpoints.second_address(endpoints.Endpoint("openai", "https://api.openai.com/v1")) is None
