"""The pages where many share Tempera: everybody has only their own, within what the operator allows."""

import asyncio
import io
import json
import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest
from pydantic import SecretStr

from lib.access.sign_ins import COOKIE
from lib.calls import call_log
from lib.chat.form import Form
from lib.core.budget import Budget
from lib.core.errors import BeingStopped, ChatNotFound
from lib.core.prices import Price
from lib.settings import Provider, Settings
from lib.sweep import ratings
from lib.sweep.plan import Plan
from lib.sweep.ratings import Rating
from lib.ui.shared import resources
from lib.ui.shared import visitor as visitor_module
from lib.visitor import own_budgets
from tests.accounts import hash_of
from tests.fake_api import FakeApi
from tests.over_http import opened_link
from tests.pages import (
    ask,
    buttons,
    chat_titles,
    choose_model,
    click,
    draft,
    host,
    new_tab,
    run_sweep,
    shown,
    sweep_ended,
    sweep_id,
)
from tests.store_fixtures import calls_of, record

pytestmark = pytest.mark.usefixtures("settings_open")

PASSWORD = "four unrelated words"
HASH = hash_of(PASSWORD)
AUTH = Provider(
    redirect_uri="http://localhost/oauth2callback",
    cookie_secret=SecretStr("made up"),
    client_id="tempera",
    client_secret=SecretStr("made up"),
    server_metadata_url="http://localhost/.well-known/openid-configuration",
)
SetLimits = Callable[..., None]


@pytest.fixture
def cookies(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """What the browser has sent: in an AppTest there is none."""
    sent: dict[str, str] = {}
    monkeypatch.setattr(visitor_module, "cookie", lambda name: sent.get(name, ""))
    return sent


@pytest.fixture
def shared(service: FakeApi, cookies: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Iterator[SetLimits]:
    """Sets the operator's settings and signs somebody in."""
    monkeypatch.setenv("TEMPERA_MODE", "shared")
    monkeypatch.setenv("TEMPERA_PASSWORD_HASH", HASH)
    monkeypatch.setenv("TEMPERA_LOCAL_MODEL", "false")

    def set_up(**settings: Any) -> None:
        for name, value in settings.items():
            monkeypatch.setenv(f"TEMPERA_{name}", value if isinstance(value, str) else json.dumps(value))
        resources.close()
        sign_in(cookies)

    yield set_up
    resources.close()


def sign_in(cookies: dict[str, str]) -> None:
    """Somebody else."""
    known = resources.services().sign_ins
    assert known
    cookies[COOKIE] = asyncio.run(known.enter(PASSWORD, "203.0.113.1"))


def asked(api: FakeApi) -> list[Any]:
    return [one.body for one in api.requests if isinstance(one.body, dict) and one.body.get("messages")]


@pytest.mark.row("T17")
def test_a_page_shows_nothing_to_who_is_not_signed_in(shared: SetLimits, cookies: dict[str, str]) -> None:
    """Behind the gate, for a WebSocket whose sign-in ends while a script begins."""
    shared()
    known = resources.services().sign_ins
    assert known
    ask(new_tab(), "A secret", "echo")
    for forged in ("", "local", cookies[COOKIE][:-2]):
        cookies[COOKIE] = forged
        tab = new_tab()
        assert "You are not signed in any more." in shown(tab) and "A secret" not in shown(tab)
        assert not tab.chat_input and not tab.button


@pytest.mark.row("T13")
def test_what_one_visitor_has_is_not_there_for_another(
    shared: SetLimits, cookies: dict[str, str], service: FakeApi, subtests: pytest.Subtests
) -> None:
    """Every id of the one, used by the other in every way."""
    shared()
    ada = new_tab()
    ask(ada, "The secret of ada", "echo")
    chat = str(ada.session_state["open_chat"])
    models = f"{host(service)}/echo"
    sweep = run_sweep(new_tab("sweep", models=models, temperatures="0", prompt="A secret sweep", repeats="1"))
    theirs = sweep_id(sweep)
    services = resources.services()
    [cell] = services.sweeps.progress.of(visitor_module.visitor().owner, theirs).results.values()
    before = visitor_module.visitor().owner
    calls = len(asked(service))
    sign_in(cookies)
    eve = visitor_module.visitor().owner
    assert eve != before

    for page, query, words in (
        ("", {"chat": chat}, "There is no such chat here."),
        ("sweep", {"sweep": theirs}, "There is no such sweep here."),
        ("usage", {}, "Ask a model something, and what it used is shown here."),
        ("usage", {"call": cell.id}, "Ask a model something, and what it used is shown here."),
    ):
        with subtests.test(f"{page} {query}"):
            tab = new_tab(page, **query)
            assert words in shown(tab) and "secret" not in shown(tab).lower()
            assert not [one for one in tab.sidebar.button if "secret" in str(one.label).lower()]
    call_dialog = ("usage_call", cell.id)
    for page, name, value in (
        ("", "open_chat", chat),
        ("sweep", "open_sweep", theirs),
        ("usage", "open_dialog", call_dialog),
    ):
        with subtests.test(name):
            tab = new_tab(page)
            tab.session_state[name] = value
            assert "secret" not in shown(tab.run()).lower()

    conversation = services.conversation(eve, "s", chat)
    form = Form(model=models)
    assert conversation.branch() == []
    for name, work in (
        ("document", conversation.document),
        ("send", lambda: conversation.send_text("mine now", form)),
        ("resume", lambda: services.sweeps.resume(eve, "s", theirs)),
        ("retry", lambda: services.sweeps.retry_failed(eve, "s", theirs)),
        ("rerun", lambda: services.sweeps.rerun(eve, "s", theirs, cell.cell_id or "")),
        ("delete", lambda: services.sweeps.delete(eve, theirs)),
        ("rate", lambda: services.store.write(lambda db: ratings.rate(db, eve, cell.id, Rating(stars=1))).result()),
    ):
        with subtests.test(name), suppress(ChatNotFound):
            work()
    assert len(asked(service)) == calls, "nothing was asked in the other's name"
    cookies[COOKIE] = ""
    branch = services.conversation(before, "s", chat).branch()
    assert [turn.text for turn in branch][:1] == ["The secret of ada"] and len(branch) == 2
    assert services.sweeps.progress.of(before, theirs).results.keys() == {cell.cell_id}


@pytest.mark.row("T5", "T6", "X2")
def test_visitors_use_the_services_that_are_set_and_connect_no_others(shared: SetLimits, service: FakeApi) -> None:
    shared()
    tab = new_tab()
    tab.button(key="connection_open").click().run()
    assert "others can't be connected" in shown(tab)
    assert not [one for one in tab.text_input if str(one.key).startswith("connection")]
    backup = [str(one.key) for kind in ("file_uploader", "download_button") for one in tab.get(kind)]
    assert not [key for key in backup if key.startswith("backup")]

    with FakeApi() as evil:
        tab.session_state["connection_base_url"], tab.session_state["connection_key"] = evil.base_url, "sk-of-eve-0001"
        tab.session_state["connection_test"] = True
        tab.run()
        ask(tab, "Hello", "echo")
        assert evil.requests == []
    assert {one.authorization[-4:] for one in service.requests} == {"0001"}


@pytest.mark.row("T6")
def test_own_services_are_on_the_public_internet_where_they_are_allowed(shared: SetLimits) -> None:
    shared(OWN_SERVICES="true")
    with FakeApi() as inside:
        tab = new_tab()
        tab.button(key="connection_open").click().run()
        tab.text_input(key="connection_base_url").set_value(inside.base_url)
        tab.button(key="connection_save").click().run()

        assert "Only services on the public internet can be connected here." in shown(tab)
        assert inside.requests == []


@pytest.mark.row("T15")
def test_more_than_is_allowed_is_said_and_not_asked(shared: SetLimits, service: FakeApi) -> None:
    at = host(service)
    shared(LIMITS__MODELS=[f"{at}/echo", f"{at}/long-*"], LIMITS__PROMPT_CHARACTERS="100", LIMITS__SWEEP_ANSWERS="3")
    tab = new_tab()
    assert {str(one) for one in tab.selectbox(key="chat_model").options} == {f"{at}/echo", f"{at}/long-300"}
    for text, model, words in (
        ("Hello", "error-402", "The model “error-402” can't be used here."),
        ("x" * 101, "echo", "This is 101 characters long; here a request can have at most 100."),
    ):
        ask(tab, text, model)
        assert words in shown(tab) and draft(tab) == text, "nothing typed is lost"
        assert chat_titles(tab) == [], "and nothing was begun"
    choose_model(tab, "echo")
    ask(tab, "Hello")
    assert [one["max_tokens"] for one in asked(service)] == [8_192], "the longest answer is always bounded"

    sweep = new_tab("sweep", models=f"{at}/echo", temperatures="0,1", prompt="Hi", repeats="2")
    click(sweep, "sweep_run")
    assert "This asks for 4 answers; here a sweep can have at most 3." in shown(sweep)
    sweep = new_tab("sweep", models=f"{at}/json", temperatures="0", prompt="Hi", repeats="1")
    click(sweep, "sweep_run")
    assert "The model “json” can't be used here." in shown(sweep)
    assert len(asked(service)) == 1


@pytest.mark.row("T16")
def test_who_has_all_places_reads_what_the_next_answer_waits_for(shared: SetLimits, service: FakeApi) -> None:
    shared(LIMITS__AT_ONCE="1")
    at, services, owner = host(service), resources.services(), visitor_module.visitor().owner
    conversation = services.conversation(owner, "s1")
    conversation.send_text("First", Form(model=f"{at}/slow-1000"))
    # Below a dialog the page's script does not wait for the answer.
    tab = click(new_tab(model=f"{at}/echo"), "chat_models_open")
    tab.chat_input(key="chat_input").set_value("Second").run()

    assert "Waiting for a place. Most answers at a time for one person here: 1." in shown(tab)
    assert len(asked(service)) <= 1


@pytest.mark.row("T14")
def test_what_is_used_up_is_said_in_chat_and_sweep_and_holds_after_a_restart(
    shared: SetLimits, service: FakeApi, cookies: dict[str, str]
) -> None:
    shared(CAPS__VISITOR__DAY__CALLS="3")
    tab = ask(new_tab(), "One", "echo")
    assert "may use" not in shown(tab)
    at = host(service)
    sweep = new_tab("sweep", models=f"{at}/echo", temperatures="0,0.5,1", prompt="Hi", repeats="1")
    click(sweep, "sweep_run")
    assert "Each person may use 3 calls a day here. Left: 0 calls" in shown(sweep_ended(sweep))
    assert len(asked(service)) == 3

    resources.close()
    tab = new_tab()
    ask(tab, "Four", "echo")
    assert "Each person may use 3 calls a day here. Left: 0 calls; this may take 1 call." in shown(tab)
    assert "It begins anew in" in shown(tab) and draft(tab) == "Four"
    click(sweep, "sweep_resume")
    assert "Each person may use 3 calls a day here" in shown(sweep)
    assert len(asked(service)) == 3
    sign_in(cookies)
    ask(new_tab(), "Somebody else", "echo")
    assert len(asked(service)) == 4


@pytest.mark.row("T14")
def test_a_price_of_ones_own_does_not_loosen_a_cap_on_money(shared: SetLimits, service: FakeApi) -> None:
    shared(CAPS__ALL__DAY__COST="0.000001")
    owner, services = visitor_module.visitor().owner, resources.services()
    services.registry.set_prices(owner, {host(service): {"gpt-4o": Price(0.0, 0.0)}})
    tab = ask(new_tab(), "Hello", "gpt-4o")

    assert "All together may use $0.000001 a day here" in shown(tab) and asked(service) == []
    assert "usage_prices" not in buttons(tab)


@pytest.mark.row("T13")
def test_what_everybody_uses_is_told_to_an_operator_alone(
    shared: SetLimits, cookies: dict[str, str], service: FakeApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Settings, "load", lambda: Settings(auth=AUTH))
    shared(INVITED="@example.com", OPERATORS="ada@example.com", CAPS__ALL__DAY__CALLS="10")
    ask(new_tab(), "A secret", "echo")
    known = resources.services().sign_ins
    assert known
    for mail, told in (("ada@example.com", True), ("eve@example.com", False)):
        cookies[COOKIE] = known.enter_with_account({"email": mail, "exp": time.time() + 60})
        ask(new_tab(), "Hello", "echo")
        if told:
            record(resources.services().store, mail, cost=0.0, cost_source="free")
        usage = new_tab("usage")
        assert ("What everybody uses" in [one.label for one in usage.expander]) == told, mail
        everybody = [frame.value for frame in usage.dataframe if "Who" in frame.value]
        assert bool(everybody) == told
        if told:
            assert set(everybody[0]["Who"]) >= {mail} and len(everybody[0]) == 2
            assert set(everybody[0]["Cost"]) == {"no price"}, "never 0, and not free where that is so in part"
            assert "All together, a day: 2 calls of 10 calls" in shown(usage)
            assert "secret" not in shown(usage)


def test_the_log_has_one_line_for_each_call_and_no_word_of_it(shared: SetLimits, service: FakeApi) -> None:
    shared()
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    call_log.log.addHandler(handler)
    try:
        tab = ask(new_tab(), "A secret\nfor nobody", "echo")
        ask(tab, "Another", "error-500")
    finally:
        call_log.log.removeHandler(handler)
    lines = [json.loads(line) for line in written.getvalue().splitlines()]

    assert [(one["state"], one["model"], one["error"]) for one in lines] == [
        ("ok", "echo", None),
        ("error", "error-500", "upstream"),
    ]
    assert lines[0]["prompt_tokens"] and lines[0]["visitor"] == visitor_module.visitor().owner
    assert "secret" not in written.getvalue() and "Another" not in written.getvalue()


def test_when_it_is_stopped_answers_come_to_their_end_and_nothing_new_begins(
    shared: SetLimits, service: FakeApi, caplog: pytest.LogCaptureFixture
) -> None:
    shared(LIMITS__AT_ONCE="2")
    services, owner, at = resources.services(), visitor_module.visitor().owner, host(service)
    form = Form(model=f"{at}/slow-50")
    services.sweeps.launch(owner, "s", Plan("Hi", (f"{at}/slow-50",), (0.0, 0.5, 1.0, 1.5), concurrency=1))
    service.wait(lambda api: len(asked(api)) == 1, 20)
    services.conversation(owner, "s").send_text("Hello", form)
    service.wait(lambda api: len(asked(api)) == 2, 20)
    stopped = threading.Thread(target=resources.close)
    stopped.start()
    while stopped.is_alive() and not services.dispatcher.stopping:
        stopped.join(0.01)  # nothing tells when it has begun; this only paces the asking
    with pytest.raises(BeingStopped):
        services.conversation(owner, "s").send_text("Too late", form)
    stopped.join(30)

    assert len(asked(service)) == 2
    states = [call.state for call in resources.services().store.read(lambda db: calls_of(db, owner))]
    assert states == ["ok", "ok"]
    assert [one.getMessage() for one in caplog.records if one.levelname == "ERROR"] == []


@pytest.mark.row("X13", "T17")
def test_links_for_reading_are_there_only_where_the_operator_wants_them(
    shared: SetLimits, cookies: dict[str, str], service: FakeApi
) -> None:
    shared(SHARED_LINKS="true")
    tab = ask(new_tab(), "Read this", "echo")
    chat, before = str(tab.session_state["open_chat"]), cookies[COOKIE]
    tab.menu_button(key=f"chat_menu_{chat}").click("share").run()
    files = {one.key: one.proto.type for one in tab.get("download_button")}
    assert files["chat_link_file"] == "primary", "the link would open on this computer only"
    click(tab, "chat_link_make")
    [token] = [str(one.value).rpartition("/")[2] for one in tab.code if "/shared/" in one.value]
    cookies[COOKIE] = ""
    assert opened_link(token).status_code == 200 and "Read this" in opened_link(token).text

    shared(SHARED_LINKS="false")
    assert opened_link(token).status_code == 404
    cookies[COOKIE] = before
    tab = new_tab("", chat=chat)
    for menu in (f"chat_menu_{chat}", "chat_hand_on"):
        options = tab.menu_button(key=menu).options
        assert any("Save" in words for words in options) and not any("Share" in words for words in options)
    assert "links_open" not in buttons(tab)


def test_a_budget_of_ones_own_holds_after_a_restart(shared: SetLimits, service: FakeApi) -> None:
    shared()
    owner, services = visitor_module.visitor().owner, resources.services()
    services.store.write(lambda db: own_budgets.save(db, owner, [Budget("day", 1, "tokens")])).result()
    resources.close()
    tab = ask(new_tab(), "Hello", "echo")

    assert asked(service) == [] and "Today's budget of 1 token" in shown(tab)
