"""A run on the page: what holds it back, what it may cost, what can be sent again, and how a sweep grows."""

import asyncio
import re
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
import streamlit as st
from sqlalchemy import select
from streamlit.testing.v1 import AppTest

from lib.calls import records
from lib.calls.outcome_writer import Outcome, OutcomeWriter
from lib.store.schema import calls
from lib.sweep import ratings
from lib.sweep.progress import Progress
from lib.sweep.ratings import Rating
from lib.sweep.sending import Sending
from lib.ui.shared import resources
from tests.fake_api import UNTIL_TOLD, FakeApi
from tests.pages import (
    bodies,
    buttons,
    cells,
    click,
    host,
    new_tab,
    owner,
    run_sweep,
    shown,
    standing,
    sweep_ended,
    sweep_id,
)

ANSWER = b'{"choices":[{"index":0,"message":{"content":"Fine."},"finish_reason":"stop"}]}'
USAGE = b'{"choices":[{"index":0,"message":{"content":"Fine."},"finish_reason":"stop"}],"usage":{"prompt_tokens":5,"completion_tokens":100}}'  # noqa: E501


@pytest.fixture
def app(service: FakeApi) -> AppTest:
    """The sweep page with one service, the fake one."""
    return new_tab("sweep")


def link(api: FakeApi, models: str, **more: str) -> AppTest:
    """The page as a link opens it; `models` without their endpoint."""
    named = ",".join(f"{host(api)}/{model}" for model in models.split(","))
    return new_tab("sweep", **{"models": named, "prompt": "Praise tea.", "temperatures": "0,0.7", **more})


def progress(app: AppTest) -> Progress:
    return resources.services().sweeps.progress.of(owner(app), sweep_id(app))


def asked(api: FakeApi, model: str) -> int:
    return sum(body["model"] == model for body in bodies(api))


def in_the_list(app: AppTest) -> str:
    """What the sidebar says of the open sweep."""
    return str(app.button(key=f"sweep_open_{sweep_id(app)}").label).replace("\\", "")


@pytest.mark.row("S8", "S12")
@pytest.mark.usefixtures("service")
def test_an_empty_account_pauses_its_service_and_continue_sends_the_rest(api: FakeApi) -> None:
    api.script("echo", b'{"error":{"message":"Insufficient Balance"}}', status=402)
    tab = run_sweep(link(api, "echo", repeats="4", concurrency="1"))
    assert "is paused at 0 of 8." in shown(tab) and "has not enough money" in shown(tab)
    assert asked(api, "echo") == 1, "the others would have been refused too"
    assert "sweep_resume" not in buttons(tab) and "sweep_retry" not in buttons(tab)
    api.script("echo", ANSWER)
    click(tab, f"sweep_continue_{host(api)}")
    assert standing(sweep_ended(tab)).startswith("8 answers")
    assert "is paused" not in shown(tab) and asked(api, "echo") == 9


@pytest.mark.row("S9")
@pytest.mark.usefixtures("service")
def test_an_unknown_model_stops_its_row_after_one_call(api: FakeApi) -> None:
    tab = run_sweep(link(api, "error-404,echo", repeats="3", concurrency="1"))
    assert standing(tab).startswith("6 of 12 answers · 6 failed")
    kinds = [option for one in tab.get("button_group") if one.key == "sweep_show" for option in one.options]
    assert "failed 6" in kinds, "those too that were never sent"
    assert asked(api, "error-404") == 1 and progress(tab).left == () and len(progress(tab).stopped) == 5
    assert tab.button(key="sweep_retry").label == "Retry the 6 failed"
    assert "· 6/12 · 6 failed]" in in_the_list(tab), "as above the grid, though five were never sent"


@pytest.mark.row("S23")
@pytest.mark.usefixtures("service")
def test_a_model_that_takes_no_temperature_is_asked_once_for_all_of_them(api: FakeApi) -> None:
    tab = run_sweep(link(api, "refuses-temperature,echo", temperatures="0,0.7,1.3", concurrency="1"))
    assert standing(tab).startswith("4 answers")
    assert asked(api, "refuses-temperature") == 2, "one that was refused, one without the temperature"
    assert len(progress(tab).spared) == 2 and progress(tab).left == ()
    assert "· 4/4]" in in_the_list(tab)
    # Known from then on, before anything is sent.
    again = run_sweep(link(api, "refuses-temperature", temperatures="0.3,0.7,1.3", concurrency="4"))
    assert standing(again).startswith("1 answer") and asked(api, "refuses-temperature") == 3


@pytest.mark.row("S10")
@pytest.mark.usefixtures("service")
def test_the_failed_are_sent_again_and_their_attempts_are_kept(api: FakeApi) -> None:
    tab = run_sweep(link(api, "error-400,echo"))
    api.script("error-400", ANSWER)
    tab.number_input(key="sweep_ask_answers").set_value(1)
    click(tab, "sweep_retry")
    assert "That makes 2 answers" in shown(tab) and asked(api, "error-400") == 2, "Run would have asked too"
    click(tab, "sweep_retry_not_yet")
    click(tab, "sweep_retry")
    click(tab, "sweep_retry_anyway")
    assert standing(sweep_ended(tab)).startswith("4 answers")
    query = select(calls.c.attempt, calls.c.state).where(calls.c.model == "error-400").order_by(calls.c.seq)
    assert resources.services().store.read(lambda db: [tuple(row) for row in db.execute(query)]) == [
        *[(1, "error")] * 2,
        *[(2, "ok")] * 2,
    ]
    cell = progress(tab).cells[0]
    tab.session_state["open_dialog"] = ("opened_cell", cell.id)
    click(tab.run(), "sweep_cell_again")
    sweep_ended(tab)
    assert progress(tab).results[cell.id].attempt == 3 and asked(api, "error-400") == 5


@pytest.mark.row("S3")
@pytest.mark.usefixtures("service")
def test_a_sweep_stops_at_its_cap_and_goes_on_when_that_is_raised(api: FakeApi) -> None:
    """gpt-4o costs more than $0.0005 for 100 tokens; at worst, with 200, about twice as much."""
    api.script("gpt-4o", USAGE)
    tab = link(api, "gpt-4o", repeats="4", concurrency="8")
    tab.number_input(key="sweep_cap").set_value(0.006)
    run_sweep(tab)
    sent = asked(api, "gpt-4o")
    assert 0 < sent < 8 and "The sweep stopped at its limit" in shown(tab)
    assert any("stops at" in panel.label for panel in tab.expander), "the folded set-up tells of it too"
    spent = progress(tab).spent
    assert 0 < spent <= 0.006
    tab.number_input(key="sweep_raised_cap").set_value(1.0)
    click(tab, "sweep_resume")
    assert standing(sweep_ended(tab)).startswith("8 answers") and asked(api, "gpt-4o") == 8


@pytest.mark.row("S3")
@pytest.mark.usefixtures("service")
def test_a_cap_of_nothing_sends_nothing_that_has_a_price_and_says_so(api: FakeApi) -> None:
    tab = link(api, "gpt-4o,echo")
    tab.number_input(key="sweep_cap").set_value(0.0).run()
    assert "can't count 2 of these answers" in shown(tab)
    run_sweep(tab)
    assert asked(api, "gpt-4o") == 0 and asked(api, "echo") == 2, "a model without a price is not counted"
    assert "The sweep stopped at its limit: $0.00 of $0.00 is spent" in shown(tab)
    assert tab.button(key="sweep_resume").label == "Finish the missing 2"


@pytest.mark.row("S3")
@pytest.mark.usefixtures("service")
def test_what_was_foreseen_stands_beside_what_it_cost(api: FakeApi) -> None:
    api.script("gpt-4o", USAGE)
    tab = run_sweep(link(api, "gpt-4o"))
    first, then = "2 answers, none failed or cut off", r"\$[0-9.]+ at list prices · about \$[0-9.]+ was foreseen"
    assert re.match(f"{first} · {then}", standing(tab))

    assert tab.button(key="sweep_run").proto.type == "secondary", "what it asks is there"
    repeats = tab.number_input(key="sweep_repeats")
    repeats.set_value(4 * repeats.value).run()
    added, anew = (float(one) for one in re.findall(r"about \\?\$([0-9.]+)", shown(tab))[:2])
    assert "6 new answers" in shown(tab) and "all 8 once more: about" in shown(tab) and added < anew
    tab.button(key="sweep_grow").click().run()
    now = standing(sweep_ended(tab))
    [foreseen] = re.findall(r"about \\?\$([0-9.]+) was foreseen", now)
    assert abs(float(foreseen) - anew) < 0.0005, "what was added was foreseen, too"


@pytest.mark.row("S12", "S20")
@pytest.mark.usefixtures("service")
def test_the_pick_and_its_stars_stay_told_while_answers_are_added(api: FakeApi) -> None:
    api.script("gpt-4o", USAGE)
    tab = link(api, "gpt-4o", temperatures="0", repeats="1")
    tab.button(key="sweep_run").click().run()
    words = "Stars that you give, and your pick, are summed up here."
    assert words in shown(sweep_ended(tab))
    [call], who, store = progress(tab).results.values(), owner(tab), resources.services().store
    store.write(lambda db: ratings.rate(db, who, call.id, Rating(4))).result()
    tab.run().selectbox(key="sweep_pick").set_value(call.cell_id).run()
    api.script("gpt-4o", UNTIL_TOLD, USAGE)
    tab.number_input(key="sweep_repeats").set_value(2).run()
    tab.button(key="sweep_grow").click().run()
    api.wait(lambda fake: asked(fake, "gpt-4o") == 2)

    seen = shown(tab.run()).replace("*", "")
    assert "sweep_stop" in buttons(tab) and "sweep_pick" not in [one.key for one in tab.selectbox]
    assert "Your pick: gpt-4o at 0, 4.0 stars, 1 of 2 answers rated" in seen and words not in seen
    api.go_on()
    assert "Your pick: gpt-4o at 0, 4.0 stars, 1 of 2" in shown(sweep_ended(tab)).replace("*", "")


@pytest.mark.row("S3")
@pytest.mark.usefixtures("service")
def test_while_it_runs_it_tells_what_it_cost_and_will_have_cost(api: FakeApi) -> None:
    api.script("gpt-4o", UNTIL_TOLD, USAGE)
    tab = link(api, "gpt-4o", concurrency="1", max_tokens="1000")
    tab.button(key="sweep_run").click().run()
    api.wait(lambda fake: asked(fake, "gpt-4o") == 1)
    assert re.search(r"\$0\.00 so far, about \$[0-9.]+ at the end", standing(tab.run()))
    api.go_on()
    api.wait(lambda fake: asked(fake, "gpt-4o") == 2)
    wait_for(lambda: progress(tab).spent > 0)
    [(so_far, at_the_end)] = re.findall(r"\$([0-9.]+) so far, about \$([0-9.]+) at the end", standing(tab.run()))
    assert float(at_the_end) == pytest.approx(2 * float(so_far), rel=0.1), "from the first answer, not from a guess"
    api.go_on()
    assert standing(sweep_ended(tab)).startswith("2 answers")


@pytest.mark.row("S13")
@pytest.mark.usefixtures("service")
def test_two_tabs_show_the_same_run(api: FakeApi) -> None:
    tab = link(api, "silent", temperatures="0")
    tab.button(key="sweep_run").click().run()
    api.wait(lambda fake: len(bodies(fake)) == 1)
    other = new_tab("sweep", sweep=sweep_id(tab))
    assert "sweep_stop" in buttons(other) and standing(other).startswith("0 of 1 answer")
    run = resources.services().sweeps.running(sweep_id(tab))
    assert run is not None
    before = run.outlook
    wait_for(lambda: run.outlook is not before)  # the last ones are counted down, too
    click(other, "sweep_stop")
    assert "Finish the missing 1" in {button.label for button in sweep_ended(tab).button}


@pytest.mark.row("S6", "C45")
@pytest.mark.usefixtures("service")
def test_the_title_of_a_tab_counts_a_sweep_that_it_has_seen_running(
    api: FakeApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    titles: list[str] = []
    configure = st.set_page_config

    def noted(**facts: Any) -> None:
        titles.append(facts["page_title"])
        configure(**facts)

    monkeypatch.setattr(st, "set_page_config", noted)
    tab = link(api, "held", temperatures="0")
    tab.button(key="sweep_run").click().run()
    assert titles[-1] == "0/1 · Tempera"
    api.wait(lambda fake: len(bodies(fake)) == 1)
    api.go_on()
    sweep_ended(tab)
    assert titles[-1] == "Done 1/1 · Tempera"
    new_tab("sweep", sweep=sweep_id(tab))
    assert titles[-1] == "Tempera", "there it was over before"


@pytest.mark.row("S6")
@pytest.mark.usefixtures("service")
def test_what_is_counted_as_done_is_not_shown_as_being_written(api: FakeApi, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between the moment in which an answer is recorded and the end of its job."""
    whole, may_end = OutcomeWriter.write, threading.Event()

    async def recorded_and_not_ended(writer: OutcomeWriter, record: Outcome) -> bool:
        written = await whole(writer, record)
        await asyncio.to_thread(may_end.wait, 20)
        return written

    monkeypatch.setattr(OutcomeWriter, "write", recorded_and_not_ended)
    tab = link(api, "echo")
    tab.button(key="sweep_run").click().run()
    wait_for(lambda: {call.state for call in progress(tab).results.values()} == {"ok"})
    run = resources.services().sweeps.running(sweep_id(tab))
    assert run is not None and not any(answer.finished for answer in run.answers.values())
    tab.run()
    states = {cell["state"] for cell in cells(tab).values()}
    may_end.set()
    assert standing(tab).startswith("2 answers") and states == {"ok"}
    sweep_ended(tab)


@pytest.mark.row("S6", "S10", "S13")
@pytest.mark.usefixtures("service")
@pytest.mark.soak
def test_a_tab_that_has_seen_all_of_a_sweep_shows_what_a_new_one_shows(api: FakeApi) -> None:
    """It reads what has changed only; the other one reads it all."""
    services = resources.services()

    def is_as_if_new(tab: AppTest) -> bool:
        seen = cells(sweep_ended(tab)), shown(tab)
        services.sweeps.progress._kept.clear()
        fresh = new_tab("sweep", sweep=sweep_id(tab))
        return seen == (cells(fresh), shown(fresh)) and len(seen[0]) > 0

    tab = link(api, "slow-20,echo,error-400", repeats="3", prompt="slowly " * 20)
    tab.button(key="sweep_run").click().run()
    while services.sweeps.running(sweep_id(tab)) is not None:
        assert not tab.run().exception
    assert is_as_if_new(tab)
    api.script("error-400", ANSWER)
    click(tab, "sweep_retry")
    assert is_as_if_new(tab) and standing(tab).startswith("18 answers")
    first, *_, last = progress(tab).cells
    services.sweeps.rerun(owner(tab), "tab", sweep_id(tab), first.id)
    assert is_as_if_new(tab) and progress(tab).results[first.id].attempt == 2
    gone = progress(tab).results[last.id].id
    services.store.write(lambda db: records.delete_calls(db, owner(tab), [gone])).result()
    assert is_as_if_new(tab) and standing(tab).startswith("17 of 18 answers · 1 failed")


@pytest.mark.row("S8")
@pytest.mark.usefixtures("service")
def test_what_fails_is_asked_twice_more_and_what_may_be_billed_never_again(
    api: FakeApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lib.gateway.retry.backoff", lambda *_: 0.01)
    failing, billed = ("error-500", "error-502", "error-503", "error-529"), ("error-504", "error-524")
    tab = run_sweep(link(api, ",".join(failing + billed), temperatures="0"))
    assert standing(tab).startswith("0 of 6 answers · 6 failed")
    assert {model: asked(api, model) for model in failing + billed} == dict.fromkeys(failing, 3) | dict.fromkeys(
        billed, 1
    )


@pytest.mark.row("S8")
@pytest.mark.usefixtures("service")
def test_what_a_service_refuses_for_too_long_is_given_up_said_and_finished_later(
    api: FakeApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Sending, "gives_up_at", property(lambda sending: sending._last_answer + 0.3))
    tab = run_sweep(link(api, "error-429", concurrency="1"))
    assert "No answer came for 30 minutes, as the services took no more requests" in shown(tab)
    api.script("error-429", ANSWER)
    for button in ("sweep_resume", "sweep_retry"):
        if button in buttons(tab):
            sweep_ended(click(tab, button))
    assert standing(tab).startswith("2 answers")


@pytest.mark.row("S8")
@pytest.mark.usefixtures("service")
def test_what_waits_in_line_says_how_long_and_the_others_go_on(api: FakeApi, monkeypatch: pytest.MonkeyPatch) -> None:
    api.script("busy", b'{"error":{"message":"slow down"}}', status=429, headers={"Retry-After": "50"})
    tab = link(api, "busy,echo", repeats="2", concurrency="1")
    tab.button(key="sweep_run").click().run()
    api.wait(lambda fake: asked(fake, "echo") == 4, 20)
    run, clock = resources.services().sweeps.running(sweep_id(tab)), time.time
    assert run is not None
    wait_for(lambda: run.outlook.limits and run.outlook.seconds is not None)
    before = run.outlook
    monkeypatch.setattr(time, "time", lambda: clock() + 3_600)  # summer time, or somebody sets the computer's clock
    wait_for(lambda: run.outlook is not before)
    page = shown(tab.run())
    assert re.search(r"^busy: 4 requests wait in line, about \d+ s to go\.", page, re.MULTILINE)
    [left] = re.findall(r" · (\d+) s left", page)
    assert int(left) > 20, "the sweep ends no sooner than what waits"
    assert asked(api, "busy") == 1, "none is sent that will be refused"
    click(tab, "sweep_stop")
    assert "Finish the missing 4" in {button.label for button in sweep_ended(tab).button}
    assert "billed twice" not in shown(tab), "the one that was refused costs nothing"
    [stopped] = [one for one in cells(tab).values() if one["state"] == "cancelled"]
    assert not stopped["rated"]


def wait_for(condition: Callable[[], object]) -> None:
    """Until it holds; the outlook is renewed twice a second."""
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        threading.Event().wait(0.05)
