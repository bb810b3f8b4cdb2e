"""Budgets, from the pages on: set on Usage, asked about in Chat, met by a sweep."""

import json

import pytest
from streamlit.testing.v1 import AppTest

from lib.ui.shared import resources
from tests.fake_api import FakeApi
from tests.pages import ask, choose_model, click, draft, host, new_tab, shown, standing, sweep_ended, switch_page

USED = {"prompt_tokens": 40_000, "completion_tokens": 40_000, "total_tokens": 80_000}
ANSWER = {"choices": [{"index": 0, "message": {"content": "Tea."}, "finish_reason": "stop"}], "usage": USED}
DEAR = json.dumps(ANSWER).encode()
"""gpt-4o: $0.10 for the prompt and $0.40 for the answer."""


def asked(api: FakeApi) -> int:
    return sum(one.model == "gpt-4o" for one in api.requests)


def budget(app: AppTest, limit: float | None, span: str = "day", unit: str = "USD") -> AppTest:
    """Set a budget on the Usage page, from where there is no call yet or from among the sections."""
    switch_page(app, "usage")
    if [one for one in app.button if one.key == "usage_to_budget"]:
        click(app, "usage_to_budget")
    else:
        app.segmented_control(key="usage_more").set_value("budget").run()
    if unit != "USD":
        app.selectbox(key=f"usage_budget_{span}_unit").set_value(unit).run()
    app.number_input(key=f"usage_budget_{span}_limit").set_value(limit).run()
    assert not app.exception
    return app


def said(app: AppTest) -> str:
    """What stands on the page, as it is read."""
    return shown(app).replace("\\", "")


def line(app: AppTest) -> str:
    """The quiet line beside the composer."""
    return app.button(key="chat_budget").label.replace("\\", "")


def reserved(app: AppTest) -> float:
    services = resources.services()
    return sum(one.reserved for one in services.budgets.standings("local", "any"))


@pytest.mark.row("U17")
def test_a_days_budget_stops_a_message_and_asks(app: AppTest, api: FakeApi) -> None:
    api.script("gpt-4o", DEAR, headers={"Content-Type": "application/json"})
    budget(app, 0.6)
    assert "$0.00 spent, $0.60 left." in said(app) and "Begins anew on" in said(app)
    switch_page(app, "chat")
    ask(app, "First", "gpt-4o")
    assert asked(api) == 1 and "83% of today's budget of $0.60 is used" in line(app)

    ask(app, "Second")
    assert asked(api) == 1, "an answer may cost up to $0.16, and $0.10 is left"
    assert "Today's budget of $0.60 has $0.10 left, and this may take up to $0.16." in said(app)
    assert draft(app) == "Second", "what was typed is there again"
    click(app, "budget_not_now")
    assert asked(api) == 1

    ask(app, "Second")
    click(app, "budget_once").run()
    assert asked(api) == 2 and draft(app) == "" and reserved(app) == 0
    assert "Today's budget of $0.60 is spent" in line(app)

    ask(app, "Third")
    assert asked(api) == 2, "once was once"
    assert "Today's budget of $0.60 is spent." in said(app)
    app.number_input(key="budget_raised").set_value(5.0)
    click(app, "budget_raise").run()
    assert asked(api) == 3 and resources.services().budgets.of("local")[0].limit == 5.0

    resources.close()
    tab = budget(new_tab(), 1.6)
    assert "$1.50 spent, $0.10 left." in said(tab), "after a restart it is the same"
    ask(switch_page(tab, "chat"), "Fourth", "gpt-4o")
    assert asked(api) == 3 and draft(tab) == "Fourth"


@pytest.mark.row("U17")
def test_every_way_to_ask_again_asks_first_and_nothing_changes(app: AppTest, api: FakeApi) -> None:
    api.script("gpt-4o", DEAR, headers={"Content-Type": "application/json"})
    ask(app, "First", "gpt-4o")
    switch_page(budget(app, 100, "session", "tokens"), "chat")
    for way in ("chat_regenerate", "edited"):
        if way == "edited":
            click(app, "chat_edit_last")
            app.text_area(key="edited_message").set_value("Other")
        click(app, "edit_send" if way == "edited" else way)
        assert "The budget of 100 tokens for this session is spent." in said(app), way
        click(app, "budget_not_now")
        assert asked(api) == 1, way


@pytest.mark.row("U17")
def test_a_sweep_pauses_at_the_budget_and_continues(app: AppTest, api: FakeApi) -> None:
    api.script("gpt-4o", DEAR, headers={"Content-Type": "application/json"})
    budget(app, 1.2)
    tab = new_tab("sweep", models=f"{host(api)}/gpt-4o", prompt="Praise tea.", temperatures="0,1", repeats="4")
    tab.number_input(key="sweep_concurrency").set_value(1)
    tab.number_input(key="sweep_max_tokens").set_value(60_000)
    click(tab, "sweep_run")
    assert "Today's budget of $1.20 has $1.20 left, and this may take up to $4.80." in said(tab)
    assert asked(api) == 0, "a sweep that would cross it asks first"
    click(tab, "sweep_run_anyway")
    sweep_ended(tab)

    assert asked(api) == 2 and "Today's budget of $1.20 has $0.20 left" in said(tab)
    assert "The sweep has paused; what has come is kept." in said(tab)
    assert tab.button(key="sweep_resume").label == "Finish the missing 6" and reserved(tab) == 0
    click(tab, "sweep_resume")
    assert asked(api) == 2, "it asks before it goes on"
    click(tab, "budget_once")
    assert standing(sweep_ended(tab.run())).startswith("8 answers") and asked(api) == 8
    click(tab, "sweep_run")
    click(tab, "budget_not_now")
    assert asked(api) == 8


@pytest.mark.row("U17")
def test_what_a_budget_can_t_count_it_says_and_tokens_can(app: AppTest, api: FakeApi) -> None:
    ask(app, "Hello", "echo")
    budget(app, 0.01)
    assert "1 call has no price; a budget of money can't count it." in said(app)
    assert "a budget in tokens can" in said(switch_page(app, "chat")), "before the next message is sent"
    tab = new_tab("sweep", models=f"{host(api)}/echo", prompt="Tea?", temperatures="0")
    assert "a budget in tokens can" in said(tab), "before a sweep is run"
    switch_page(app, "usage")
    click(app, "usage_budget_day_tokens")
    app.number_input(key="usage_budget_day_limit").set_value(4.0).run()
    assert "has no price" not in said(app) and "It is spent: before anything more is sent, you are asked." in said(app)
    ask(switch_page(app, "chat"), "More")
    assert sum(one.model == "echo" for one in api.requests) == 1
    click(app, "budget_not_now")
    budget(app, None)
    ask(switch_page(app, "chat"), "More")
    assert sum(one.model == "echo" for one in api.requests) == 2


@pytest.mark.row("U17")
def test_a_message_that_waited_its_turn_is_asked_about_too(app: AppTest, api: FakeApi) -> None:
    api.script("gpt-4o", DEAR, headers={"Content-Type": "application/json"})
    budget(app, 0.6)
    switch_page(app, "chat")
    choose_model(app, "gpt-4o")
    app.session_state["waiting_message"] = "Second"
    ask(app, "First")
    app.run()
    assert not app.exception


@pytest.mark.row("U17")
def test_a_budget_in_ones_own_currency_is_one_of_dollars_at_ones_own_rate(app: AppTest, api: FakeApi) -> None:
    api.script("gpt-4o", DEAR, headers={"Content-Type": "application/json"})
    budget(app, 4.32, unit="CNY")
    assert "once you say what a US dollar is worth in CNY" in said(app), "without a rate nothing can be converted"
    assert "left." not in said(app) and not resources.services().budgets.of("local")
    assert app.number_input(key="usage_budget_day_limit").value == 4.32, "what was typed waits for it"
    app.number_input(key="usage_budget_day_rate").set_value(7.2).run()
    assert "A budget in CNY takes a dollar for CN¥7.20: your own rate." in said(app)
    assert "CN¥0.00 spent, CN¥4.32 left." in said(app)
    assert list(app.selectbox(key="usage_budget_month_unit").options) == ["US dollars", "tokens", "CNY"]

    switch_page(app, "chat")
    ask(app, "First", "gpt-4o")
    assert asked(api) == 1
    ask(app, "Second")
    assert asked(api) == 1 and "Today's budget of CN¥4.32 has CN¥0.72 left" in said(app)
    assert app.number_input(key="budget_raised").value == 8.64
    click(app, "budget_raise")
    assert asked(api) == 2

    budget(app, 10.0, unit="CNY")
    assert "CN¥7.20 spent, CN¥2.80 left." in said(app)
    app.number_input(key="usage_budget_rate").set_value(8.0).run()
    assert app.number_input(key="usage_budget_day_limit").value == 10.0 and "CN¥8.00 spent" in said(app)
    app.selectbox(key="usage_budget_currency").set_value("USD").run()
    assert app.number_input(key="usage_budget_day_limit").value == 1.25 and "$1.00 spent, $0.25 left." in said(app)
