"""The sweep page, from the main script on, against a fake service on a real socket."""

import csv
import io
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy import Connection, update
from streamlit.testing.v1 import AppTest

from lib.core.request import ChatRequest
from lib.practice.endpoint import available
from lib.store import schema
from lib.sweep import report
from lib.sweep import repository as sweeps
from lib.sweep.axis import Axis
from lib.sweep.plan import Plan
from lib.ui.shared import resources
from tests.fake_api import FakeApi
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
    switch_page,
)


@pytest.fixture
def app(service: FakeApi) -> AppTest:
    """The sweep page with one service, the fake one."""
    return new_tab("sweep")


def link(api: FakeApi, models: str, **more: str) -> AppTest:
    """The page as a link opens it; `models` without their endpoint."""
    named = ",".join(f"{host(api)}/{model}" for model in models.split(","))
    return new_tab("sweep", **{"models": named, "prompt": "Praise tea.", "temperatures": "0,0.7", **more})


def sheet(app: AppTest) -> list[dict[str, str]]:
    """The rows of the sweep's CSV."""
    store, who, open_sweep = resources.services().store, owner(app), sweep_id(app)
    cells = store.read(lambda db: sweeps.cells_of(db, who, open_sweep))
    results = store.read(lambda db: sweeps.results(db, who, open_sweep))
    text = report.csv(cells, results).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text, newline="")))


@pytest.mark.row("S1")
def test_the_first_grid_takes_three_actions(app: AppTest, api: FakeApi) -> None:
    assert app.multiselect(key="sweep_models").value == [f"{host(api)}/echo"]
    app.text_area(key="sweep_prompt").set_value("Praise tea.")
    app.pills(key="sweep_temperatures").set_value([0.0, 1.3])
    run_sweep(app)

    assert standing(app).startswith("4 answers")
    assert shown(app).count("You said: Praise tea.") == 4


@pytest.mark.row("S2")
def test_without_a_prompt_the_page_asks_for_one_and_speaks_of_nothing_typed(app: AppTest, api: FakeApi) -> None:
    app.button(key="sweep_run").click().run()

    assert "Write a prompt first." in shown(app) and "what you typed" not in shown(app) and bodies(api) == []


@pytest.mark.row("S2")
@pytest.mark.usefixtures("service")
def test_the_plan_line_counts_before_anything_is_sent(api: FakeApi) -> None:
    tab = link(api, "echo,json,sse", repeats="2", concurrency="8")

    assert "12 answers, about 120 input tokens" in shown(tab)
    assert tab.button(key="sweep_run").label == "Run 12 answers"
    assert (tab.number_input(key="sweep_repeats").value, tab.number_input(key="sweep_concurrency").value) == (2, 8)
    assert bodies(api) == []


@pytest.mark.row("S1", "S28", "S7")
@pytest.mark.usefixtures("service")
def test_a_link_makes_a_grid_of_six_models_and_five_temperatures_in_one_click(api: FakeApi) -> None:
    models = "echo,long-300,json,sse,no-usage,reason"
    tab = run_sweep(link(api, models, temperatures="0,0.3,0.7,1,1.5", concurrency="8"))

    assert standing(tab).startswith("30 answers")
    sent = {(body["model"], body["temperature"]) for body in bodies(api)}
    assert sent == {(model, value) for model in models.split(",") for value in (0, 0.3, 0.7, 1, 1.5)}
    assert api.most_at_once <= 8


@pytest.mark.row("S9")
@pytest.mark.usefixtures("service")
def test_an_always_failing_model_fails_its_own_row_only(api: FakeApi) -> None:
    tab = run_sweep(link(api, "echo,error-400,json"))

    assert standing(tab).startswith("4 of 6 answers · 2 failed")
    assert shown(tab).count("refused this request (status 400)") == 2
    assert shown(tab).count("The service's words: The server had an error.") == 2, "with its text"
    assert [row["state"] for row in sheet(tab)] == ["ok", "ok", "error", "error", "ok", "ok"]
    failed = resources.services().sweeps.progress.of(owner(tab), sweep_id(tab)).failed[0]
    tab.session_state["open_dialog"] = ("opened_cell", failed.id)
    keys = [str(one.key) for one in tab.run().text_input]
    assert "sweep_cell_again" in buttons(tab) and not [key for key in keys if key.startswith("sweep_rate_")]
    tab.session_state["open_dialog"] = None
    tab.session_state["sweep_hide_names"] = True
    assert "(status 400)" in shown(tab.run()) and "The server had" not in shown(tab), "they may hold a name"


@pytest.mark.row("S15")
@pytest.mark.usefixtures("service")
def test_all_cells_are_drawn_at_once_by_their_places(api: FakeApi) -> None:
    tab = run_sweep(link(api, "echo,json", repeats="15"))
    places = {f"{row}_{column}_{repeat}" for row in range(2) for column in range(2) for repeat in range(15)}

    assert set(cells(tab)) == places
    assert shown(tab).count("You said: Praise tea.") == 60


@pytest.mark.row("S26", "T10")
@pytest.mark.usefixtures("service")
def test_the_csv_has_every_cell_and_no_formula(api: FakeApi) -> None:
    tab = run_sweep(link(api, "echo", prompt="=1+1", repeats="2"))
    rows = sheet(tab)

    assert [(row["temperature"], row["repeat"]) for row in rows] == [
        ("0.0", "1"),
        ("0.0", "2"),
        ("0.7", "1"),
        ("0.7", "2"),
    ]
    assert {row["text"] for row in rows} == {"You said: =1+1"}
    assert sum(int(row["completion_tokens"]) for row in rows) > 0
    assert [one for one in tab.get("download_button") if one.key == "sweep_csv"]


@pytest.mark.row("S21", "S22")
@pytest.mark.usefixtures("service")
def test_the_chart_shows_how_different_answers_are_at_each_temperature(api: FakeApi) -> None:
    tab = run_sweep(link(api, "long-300", repeats="2"))

    tab.session_state["sweep_view"] = "charts"
    drawn = next(element.value for element in tab.run().markdown if "data:image/svg+xml" in element.value)
    assert 'alt="long-300: 0: 0%, 0.7: 0%"' in drawn


@pytest.mark.row("S11", "S12")
@pytest.mark.usefixtures("service")
def test_stop_keeps_what_came_and_resume_sends_only_the_rest(api: FakeApi) -> None:
    tab = link(api, "echo,silent", concurrency="4")
    tab.button(key="sweep_run").click().run()
    api.wait(lambda fake: len(bodies(fake)) == 4)
    running = resources.services().sweeps.running(sweep_id(tab))
    assert running is not None
    for answer in list(running.answers.values()):
        if answer.call.request.model == "echo":
            assert answer.wait_until_finished(10)
    tab.run().button(key="sweep_stop").click().run()
    api.wait(lambda fake: sum(request.closed_by_client is not None for request in fake.requests) == 2)
    sweep_ended(tab)

    assert standing(tab).startswith("2 of 4 answers")
    assert tab.button(key="sweep_resume").label == "Finish the missing 2"
    assert "2 of them were cut or stopped and may be billed twice." in shown(tab)
    api.script("silent", b'{"choices":[{"message":{"content":"now"},"finish_reason":"stop"}]}')
    tab.button(key="sweep_resume").click().run()
    sweep_ended(tab)
    assert standing(tab).startswith("4 answers")
    assert [body["model"] for body in bodies(api)].count("echo") == 2


@pytest.mark.usefixtures("service")
def test_an_answer_that_failed_is_not_sent_again(api: FakeApi) -> None:
    """DONE: it may have been paid, and asking again is for the person to say."""
    tab = run_sweep(link(api, "error-400,echo"))
    who, sent = owner(tab), len(bodies(api))
    services = resources.services()

    assert sent == 4
    assert services.sweeps.progress.of(who, sweep_id(tab)).left == ()
    services.sweeps.resume(who, "tab", sweep_id(tab))
    assert services.sweeps.running(sweep_id(tab)) is None
    assert len(bodies(api)) == sent


@pytest.mark.row("T5")
@pytest.mark.usefixtures("service")
def test_what_is_missing_goes_nowhere_but_to_its_own_service(api: FakeApi, monkeypatch: pytest.MonkeyPatch) -> None:
    """Resume without a key asks in place."""
    tab = link(api, "silent", temperatures="0")
    tab.button(key="sweep_run").click().run()
    api.wait(lambda fake: len(bodies(fake)) == 1)
    resources.close()
    with FakeApi() as other:
        monkeypatch.setenv("TEMPERA_BASE_URL", other.base_url)
        tab.run().button(key="sweep_resume").click().run()

        assert f"{host(api)} is not connected any more." in shown(tab)
        assert tab.text_input(key="connection_key")
        assert bodies(other) == []


@pytest.mark.row("S8")
@pytest.mark.usefixtures("service")
def test_a_call_that_waits_to_be_tried_again_gives_its_place_to_another(api: FakeApi) -> None:
    tab = run_sweep(link(api, "error-429-once,echo", temperatures="0", concurrency="1"))

    assert standing(tab).startswith("2 answers")
    assert [body["model"] for body in bodies(api)] == ["error-429-once", "echo", "error-429-once"]


@pytest.mark.row("U1")
@pytest.mark.usefixtures("service")
def test_the_usage_page_adds_up_to_the_sweep(api: FakeApi) -> None:
    tab = run_sweep(link(api, "echo", repeats="3"))
    completion = sum(int(row["completion_tokens"]) for row in sheet(tab))
    switch_page(tab, "usage")
    tiles = {metric.label: metric.value for metric in tab.metric}

    assert (tiles["Calls"], tiles["Output tokens (completion)"]) == ("6", str(completion))


@pytest.mark.usefixtures("service")
def test_nonsense_in_a_link_is_said(subtests: pytest.Subtests, api: FakeApi) -> None:
    for query, sentence in [
        ({"temperatures": "9"}, "“temperature” has to be a number from 0 to 2."),
        ({"temperatures": "hot"}, "The link's “temperatures” is not a number."),
        ({"repeats": "0"}, "The link's “repeats” has to be a whole number from 1 to 50."),
        ({"concurrency": "1000"}, "The link's “concurrency” has to be a whole number from 1 to 64."),
    ]:
        with subtests.test(query=query):
            assert sentence in shown(link(api, "echo", **query))


@pytest.mark.usefixtures("service")
def test_a_dead_service_is_said_in_every_cell(api: FakeApi, monkeypatch: pytest.MonkeyPatch) -> None:
    resources.close()
    monkeypatch.setenv("TEMPERA_BASE_URL", "http://127.0.0.1:1/v1")
    tab = run_sweep(new_tab("sweep", models="127.0.0.1:1/x", prompt="hi", temperatures="0,1"))

    assert shown(tab).count("Nothing answers at 127.0.0.1:1") == 3, "in two cells, and where its models would be"
    assert standing(tab).startswith("0 of 2 answers · 2 failed")


@pytest.mark.row("T13")
@pytest.mark.usefixtures("service")
def test_another_owners_sweep_is_not_found_by_its_id(api: FakeApi) -> None:
    tab = run_sweep(link(api, "echo"))
    theirs = update(schema.sweeps).where(schema.sweeps.c.owner == owner(tab)).values(owner="somebody else")
    resources.services().store.write(lambda db: db.execute(theirs)).result()
    other = new_tab("sweep", sweep=sweep_id(tab))

    assert "Praise tea" not in shown(other)


@pytest.mark.usefixtures("service")
def test_an_end_that_nobody_foresaw_is_shown_with_its_number_and_the_rest_can_be_sent(
    api: FakeApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    tab = link(api, "echo,json", temperatures="0")
    with monkeypatch.context() as broken:
        broken.setattr("lib.sweep.waiting_calls.Line.send_next", lambda *_: 1 / 0)
        run_sweep(tab)
    assert "Something unforeseen happened (number " in shown(tab)
    tab.button(key="sweep_resume").click().run()
    assert standing(sweep_ended(tab)).startswith("2 answers") and "unforeseen" not in shown(tab)


@pytest.mark.usefixtures("service")
def test_a_cell_that_nobody_foresaw_is_a_failed_one_and_says_so_in_its_place(
    api: FakeApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    tab = link(api, "echo,json", temperatures="0")
    request = Plan.request

    def broken(plan: Plan, model: str, temperature: float | None, *place: int) -> ChatRequest:
        if model == "json":
            raise KeyError("a bug")
        return request(plan, model, temperature, *place)

    monkeypatch.setattr(Plan, "request", broken)
    run_sweep(tab)
    assert standing(tab).startswith("1 of 2 answers · 1 failed") and "Something unforeseen happened (number " in shown(
        tab
    )
    assert tab.button(key="sweep_resume").label == "Finish the missing 1"


def test_every_sweep_can_be_reached_from_the_list(app: AppTest, api: FakeApi) -> None:
    store, plan = resources.services().store, Plan("tea", (f"{host(api)}/echo",), (0.0,))
    march = round(datetime(2024, 3, 1, tzinfo=UTC).timestamp() * 1e6)

    def fill(db: Connection) -> None:
        for number in range(131):
            sweeps.add_plan(db, owner(app), "s1", name := f"sweep-{number:03}", plan)
            sweeps.add_cells(db, owner(app), name, list(plan.cells(name)))
        db.execute(update(schema.sweeps).where(schema.sweeps.c.id < "sweep-050").values(created_at=march))

    store.write(fill).result()
    more = [str(one.label) for one in app.run().sidebar.button if str(one.key).startswith("sweep_list_more")]
    assert more == ["Today: 61 more", "March 2024: 50 more"]
    click(click(app, "sweep_list_more_2024-03"), "sweep_list_more_today")
    assert len([one for one in app.sidebar.button if str(one.key).startswith("sweep_open_")]) == 131
    assert [one.value for one in app.sidebar.caption if one.value in ("Today", "March 2024")] == ["Today", "March 2024"]


@pytest.mark.skipif(not available(), reason="the practice model is not installed")
@pytest.mark.row("S2")
def test_a_plan_for_the_practice_model_says_once_how_long_it_takes(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def line(repeats: int) -> str:
        app = new_tab(
            "sweep", models="local/SmolLM2-135M-Instruct", prompt="Hi", temperatures="0,1", repeats=str(repeats)
        )
        return shown(app)

    try:
        assert " · free · about 18 s · " in line(3)
        assert " · free · about 2 min · " in line(20)
        local = resources.services().local
        assert local
        clock = count(step=20)
        monkeypatch.setattr("lib.practice.pace.monotonic", lambda: next(clock))
        for _ in range(3):
            with local.pace.running(1):
                pass
        assert " · about 14 min · " in line(20), "as it was on this computer"
    finally:
        resources.close()


def _inputs_field(tab: AppTest) -> list[str]:
    return [str(one.key) for one in tab.selectbox if str(one.key).startswith("sweep_input_")]


@pytest.mark.row("S4", "S5")
def test_a_sweep_with_inputs_and_a_further_axis_shows_the_grid_of_one_of_each(app: AppTest, api: FakeApi) -> None:
    inputs = ({"x": "red"}, {"x": "blue"})
    plan = Plan("Say {{x}}.", (f"{host(api)}/echo",), (0.0, 1.0), inputs=inputs, axis=Axis("top_p", (0.2, 0.9)))
    app.session_state["open_sweep"] = resources.services().sweeps.launch(owner(app), "tab", plan)
    tab = sweep_ended(app)

    assert standing(tab).startswith("8 answers") and shown(tab).count("You said: Say red.") == 2
    tab.selectbox(key=f"sweep_input_{sweep_id(tab)}").set_value(1).run()
    assert shown(tab).count("You said: Say blue.") == 2 and "Say red." not in shown(tab)
    tab.segmented_control(key="sweep_view").set_value("charts").run()
    assert not _inputs_field(tab), "charts are of all inputs"
    tab.segmented_control(key="sweep_view").set_value("grid").run()
    assert shown(tab).count("You said: Say blue.") == 2, "the input is the one that was chosen before"
    tab.selectbox(key="sweep_pick").select_index(1).run()
    assert shown(tab).count("your pick") == 1, "a setting is picked whatever the input"
    asked = {(body["messages"][0]["content"], body["temperature"], body["top_p"]) for body in bodies(api)}
    assert asked == {(f"Say {x}.", t, p) for x in ("red", "blue") for t in (0, 1) for p in (0.2, 0.9)}
    assert [(row["text"], row["input"], row["variant"]) for row in sheet(tab)][1:3] == [
        ("You said: Say red.", "1", "2"),
        ("You said: Say blue.", "2", "1"),
    ]
