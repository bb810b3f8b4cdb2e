"""The connection's dialog: what it says of an address and a key, and what a visitor has afterwards."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from lib.ui.shared import resources
from lib.visitor import LOCAL_OWNER
from tests.fake_api import FakeApi
from tests.pages import (
    KEY,
    as_read,
    ask,
    bodies,
    buttons,
    click,
    connect,
    draft,
    host,
    new_tab,
    run_sweep,
    shown,
    standing,
    sweep_ended,
    switch_page,
)
from tests.routes import NO_MESSAGES, PAGE, WRONG_KEY, Routes, listing

OWN = "sk-own-key-of-the-visitor-7777"
SERVICE = {"GET /v1/models": listing("m", "text-embedding-m"), "POST /v1/chat/completions": NO_MESSAGES}


@pytest.fixture
def alone(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[AppTest]:
    """The app with nothing but the practice model's place, which is empty."""
    monkeypatch.setenv("TEMPERA_LOCAL_MODEL", "false")
    yield new_tab()
    resources.close()


def keys_sent(api: FakeApi) -> list[str]:
    """The last four characters of the keys that came with messages."""
    return [one.authorization[-4:] for one in api.requests if one.body and one.body.get("messages")]


@pytest.mark.row("X2")
def test_a_missing_version_is_found_and_the_address_is_said(alone: AppTest) -> None:
    with Routes(SERVICE, rest=PAGE) as routes:
        app = connect(alone, routes.url.removeprefix("http://"), KEY)

        assert f"is connected: 2 models. Its address is {routes.url}/v1." in shown(app)
        assert app.selectbox(key="chat_model").value == routes.url.removeprefix("http://") + "/m"
        assert routes.asked.count("GET /v1/models") == 1, "the list is known from the test"


@pytest.mark.row("X2")
def test_what_is_wrong_stands_in_the_dialog_and_what_was_typed_stays(alone: AppTest, subtests: pytest.Subtests) -> None:
    refusing = {"GET /v1/models": WRONG_KEY, "POST /v1/chat/completions": WRONG_KEY}
    for name, routes, rest, key, said in [
        ("nothing there", {}, (404, {"detail": "Not Found"}), KEY, "There is no chat service at this address."),
        ("a public list", {**refusing, "GET /v1/models": listing("m")}, PAGE, KEY, "does not accept this key"),
        ("no key", refusing, PAGE, "", "asks for a key, and none was sent"),
        ("a wrong key", refusing, PAGE, KEY, "does not accept this key"),
    ]:
        with subtests.test(name), Routes(routes, rest) as server:
            app = connect(alone, f"{server.url}/v1", key)

            assert said in shown(app)
            assert app.text_input(key="connection_base_url").value == f"{server.url}/v1"
            assert app.text_input(key="connection_key").value == key
            assert said in shown(app.run()), "and stays there when the dialog is drawn anew"
            assert ("Type it in above" in shown(app)) == (name == "no key")
            assert resources.services().registry.own(LOCAL_OWNER) == []


@pytest.mark.row("C16", "X2")
def test_who_has_one_model_only_is_led_on_to_more_where_several_are_compared(alone: AppTest) -> None:
    for models, led_on in ((("echo",), True), (("echo", "json"), False)):
        with FakeApi(models=models) as service:
            app = connect(alone, service.base_url, KEY)
            assert ("chat_beside_connect" in buttons(app)) == led_on
            if led_on:
                assert "connection_save" in buttons(click(app, "chat_beside_connect"))
                app.session_state["open_dialog"] = None
                app.run()


@pytest.mark.row("X2")
def test_without_a_key_it_is_said_that_none_was_sent(alone: AppTest) -> None:
    with Routes(SERVICE) as routes:
        assert "No key was sent." in shown(connect(alone, f"{routes.url}/v1", "  "))


@pytest.mark.row("X2", "T7")
def test_another_host_that_the_service_names_is_asked_only_after_a_press(alone: AppTest) -> None:
    with Routes(SERVICE) as there, Routes({}, rest=(308, f"{there.url}/v1/models")) as here:
        app = connect(alone, f"{here.url}/v1", KEY)
        assert there.asked == []
        click(app, "connection_use")

        assert "is connected: 2 models." in shown(app)
        assert there.keys == {f"Bearer {KEY}"}


@pytest.mark.row("X2", "T5")
def test_an_own_key_for_the_operators_address_is_used_until_it_is_forgotten(app: AppTest, api: FakeApi) -> None:
    ask(connect(app, f"{api.base_url}/chat/completions", OWN), "mine")
    assert len(app.selectbox(key="chat_model").options) == len(set(app.selectbox(key="chat_model").options))
    click(app, "connection_open")
    click(app, f"connection_forget_{host(api)}")
    ask(app, "the operator's")
    assert "Its key is that of whoever runs this Tempera." in shown(connect(app, api.base_url, ""))
    ask(app, "the operator's again")

    assert keys_sent(api) == [OWN[-4:], KEY[-4:], KEY[-4:]]
    assert resources.services().registry.own(LOCAL_OWNER) == []


@pytest.mark.row("X2", "T5")
def test_another_address_under_the_operators_name_is_refused_in_a_sentence(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Routes(
        {**SERVICE, "GET /other/v1/models": listing("m"), "POST /other/v1/chat/completions": NO_MESSAGES}
    ) as at:
        monkeypatch.setenv("TEMPERA_BASE_URL", f"{at.url}/v1")
        app = connect(new_tab(), f"{at.url}/other/v1", OWN)

        assert f"has set {at.url.removeprefix('http://')} to {at.url}/v1" in shown(app)
        assert resources.services().registry.own(LOCAL_OWNER) == []
    resources.close()


@pytest.mark.row("S11", "T5")
@pytest.mark.usefixtures("service")
def test_resume_without_a_key_asks_in_place_and_goes_on(api: FakeApi, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a restart: the address stands there, the key is typed, and what is missing is sent."""
    resources.close()
    monkeypatch.setenv("TEMPERA_LOCAL_MODEL", "false")
    monkeypatch.delenv("TEMPERA_BASE_URL")
    connect(new_tab(), api.base_url, OWN)
    tab = new_tab("sweep", models=f"{host(api)}/silent", prompt="Praise tea.", temperatures="0")
    click(tab, "sweep_run")
    api.wait(lambda fake: len(bodies(fake)) == 1)
    resources.close()
    api.script("silent", b'{"choices": [{"message": {"content": "at last"}, "finish_reason": "stop"}]}')

    click(tab.run(), "sweep_resume")
    assert f"{host(api)} is not connected any more." in shown(tab)
    assert tab.text_input(key="connection_base_url").value == api.base_url
    tab.text_input(key="connection_key").set_value(OWN)
    click(tab, "connection_save")
    api.wait(lambda fake: len(bodies(fake)) == 2)

    assert keys_sent(api) == [OWN[-4:], OWN[-4:]]
    assert "connection_save" not in buttons(tab)


@pytest.mark.row("S8")
@pytest.mark.usefixtures("service")
def test_a_key_that_is_refused_in_a_sweep_is_changed_in_place_and_the_rest_goes_on(
    api: FakeApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    resources.close()
    monkeypatch.setenv("TEMPERA_LOCAL_MODEL", "false")
    monkeypatch.delenv("TEMPERA_BASE_URL")
    connect(new_tab(), api.base_url, OWN)
    api.script("echo", b'{"error": {"message": "Incorrect API key"}}', status=401)
    tab = run_sweep(new_tab("sweep", models=f"{host(api)}/echo", prompt="Hi", temperatures="0,1", concurrency="1"))
    click(tab, f"sweep_key_{host(api)}")
    assert tab.text_input(key="connection_base_url").value == api.base_url
    api.script("echo", b'{"choices": [{"message": {"content": "at last"}, "finish_reason": "stop"}]}')
    tab.text_input(key="connection_key").set_value("sk-made-up-another-2222")
    click(tab, "connection_save")
    assert standing(sweep_ended(tab)).startswith("2 answers")
    assert keys_sent(api) == [OWN[-4:], "2222", "2222"]


@pytest.mark.row("S1", "X2")
def test_a_sweep_goes_on_with_the_service_that_was_connected_there(data_dir: Path) -> None:
    app = new_tab("sweep")
    with Routes(SERVICE) as routes:
        connect(app, f"{routes.url}/v1", KEY)

        assert app.run().multiselect(key="sweep_models").value == [routes.url.removeprefix("http://") + "/m"]
    resources.close()


@pytest.mark.row("X2")
def test_the_service_is_the_one_of_the_address(alone: AppTest, subtests: pytest.Subtests) -> None:
    """Whoever pastes another address is not left with the name and the key page of the first."""
    click(alone, "connection_open")
    for address, service, page in [
        ("https://gateway.example.com/v1", "custom", ""),
        ("api.openai.com/v1/chat/completions", "openai", "https://platform.openai.com/api-keys"),
        ("http://127.0.0.1:11434/v1", "ollama", ""),
        ("http://[", "custom", ""),
    ]:
        with subtests.test(address):
            alone.text_input(key="connection_base_url").set_value(address).run()
            assert next(one for one in alone.selectbox if one.label == "Service").value == service
            assert alone.text_input(key="connection_base_url").value == address
            assert page in shown(alone) and ("Where to get a key" in shown(alone)) == bool(page)


@pytest.mark.row("X2")
def test_an_address_that_is_told_when_the_dialog_is_closed_already_does_no_harm(alone: AppTest) -> None:
    click(alone, "connection_open")
    alone.text_input(key="connection_base_url").set_value("http://127.0.0.1:9/v1").run()
    alone.text_input(key="connection_base_url").set_value("https://api.openai.com/v1")
    alone.session_state["open_dialog"], alone.session_state["field_turns"] = None, {}
    alone.run()

    assert not alone.exception
    assert "connection_save" not in buttons(alone)


@pytest.mark.row("X1", "X2")
@pytest.mark.usefixtures("settings_open")
def test_what_is_connected_stands_first_and_forgetting_it_is_said_and_seen_at_once(alone: AppTest) -> None:
    with Routes(SERVICE) as routes:
        name = routes.url.removeprefix("http://")
        app = click(connect(alone, f"{routes.url}/v1", KEY), "connection_open")
        words = shown(app)
        assert f"**{name}** is connected" in words and f"{routes.url}/v1 · your key …{KEY[-4:]}" in words
        assert as_read(app.selectbox(key="chat_model")) == f"{name}/m"

        click(app, f"connection_forget_{name}")
        assert f"{name} is forgotten, and your key with it." in "".join(as_read(one) for one in app.success)
        assert "connection_save" in buttons(app), "the dialog is still open"
        assert app.text_input(key="connection_base_url").value != f"{routes.url}/v1", "the address is forgotten too"
        assert app.button(key="connection_open").label == "Connect a service"
        assert app.selectbox(key="chat_model").value is None
        assert app.run().multiselect == [] or name not in str(
            switch_page(app, "sweep").multiselect(key="sweep_models").value
        )


@pytest.mark.row("X2")
def test_a_key_is_changed_in_the_row_of_its_service_and_the_new_one_is_told_by_its_end(
    app: AppTest, api: FakeApi
) -> None:
    ask(connect(app, api.base_url, OWN))
    click(click(app, "connection_open"), f"connection_change_{host(api)}")
    assert f"A new key for {host(api)}" in shown(app)
    assert app.text_input(key="connection_base_url").value == api.base_url
    app.text_input(key="connection_key").set_value("sk-another-one-6666")
    click(app, "connection_save")

    assert "Your key there is …6666." in shown(app)
    ask(app)
    assert keys_sent(api) == [OWN[-4:], "6666"]


@pytest.mark.row("X2")
def test_once_its_service_is_forgotten_an_answer_is_tried_again_by_another_model_by_name(app: AppTest) -> None:
    with FakeApi() as other:
        ask(connect(app, other.base_url, OWN))
        name = host(other)
        assert app.button(key="chat_regenerate").label == "Try again"
        click(click(app, "connection_open"), f"connection_forget_{name}")

        chosen = str(app.selectbox(key="chat_model").value)
        assert not chosen.startswith(name) and f"From now on {chosen} answers." in as_read(app.success[0])
        assert app.button(key="chat_regenerate").label == f"Try again with {chosen.partition('/')[2]}"


@pytest.mark.row("C1", "X2")
def test_what_nobody_could_answer_is_sent_once_a_service_is_connected(alone: AppTest, api: FakeApi) -> None:
    """The dialog opens in place; what was typed is kept until then."""
    ask(alone, "Hello")
    assert "No service is connected yet. Connect one here" in shown(alone)
    assert draft(alone) == "Hello" and bodies(api) == []

    app = connect(alone, api.base_url, KEY)
    assert "You said: Hello" in shown(app.run()) and draft(app) == ""
    click(app, "connection_open")
    click(app, f"connection_forget_{host(api)}")
    sweep = new_tab("sweep", prompt="Praise tea.", temperatures="0", models="echo")
    click(sweep, "sweep_run")
    assert "No service is connected yet. Connect one here" in shown(sweep)
    connect(sweep, api.base_url, KEY)
    api.wait(lambda fake: len(bodies(fake)) == 2)
