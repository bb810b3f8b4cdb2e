"""Sweeps run to their end: nothing ends one silently, nothing is asked twice without consent."""

import asyncio
import logging
import threading
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import Connection, event, text

from lib.calls import records, unsupported_params
from lib.core.budget import Budget
from lib.core.errors import CapReached, NoAnswersCame, StoreError, StoreGone, Unforeseen
from lib.core.parameters import Params
from lib.core.prices import Price
from lib.core.request import Message
from lib.erasing import Span, erase
from lib.services import Services
from lib.settings import Settings
from lib.sweep import history, judge, learned_rates, sending
from lib.sweep import plan as plan_module
from lib.sweep import repository as sweeps
from lib.sweep.claims import Claims, Taken
from lib.sweep.history import History, Usual
from lib.sweep.judge import JudgeRun
from lib.sweep.plan import Cell, Plan
from lib.sweep.progress import ProgressReader
from lib.sweep.run import SweepRun
from lib.sweep.scheduler import SweepScheduler
from lib.sweep.sending import Sending
from lib.sweep.study import read_study
from lib.visitor import own_prices
from tests.fake_api import FakeApi
from tests.pages import bodies, host
from tests.store_fixtures import refuses
from tests.studies import cell_id


@pytest.fixture
def services(api: FakeApi, tmp_path: Path) -> Iterator[Services]:
    """The services with the fake one connected, and no practice model."""
    opened = open_services(api, tmp_path)
    yield opened
    opened.close()


def open_services(api: FakeApi, folder: Path) -> Services:
    settings = {"base_url": api.base_url, "api_key": SecretStr("sk-test-key-0001"), "local_model": False}
    return Services.open(Settings(data_dir=folder / "data", **settings))


def plan(api: FakeApi, *models: str, **facts: Any) -> Plan:
    names = tuple(f"{host(api)}/{model}" for model in models)
    return Plan(**{"prompt": "tea", "models": names, "temperatures": (0.0, 0.7), **facts})


def launch(services: Services, planned: Plan) -> str:
    return services.sweeps.launch("ann", "s1", planned)


def ended(services: Services, sweep_id: str) -> SweepRun:
    run = services.sweeps.last_run("ann", sweep_id)
    assert run is not None and run.wait_until_finished(30)
    return run


def states(services: Services, sweep_id: str) -> list[str]:
    progress = services.sweeps.progress.of("ann", sweep_id)
    return [progress.results[cell.id].state if cell.id in progress.results else "" for cell in progress.cells]


def test_one_failing_cell_is_one_failed_cell_and_is_logged_with_its_number(
    services: Services, api: FakeApi, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    adapted = unsupported_params.adapted

    def broken(db: Connection, owner: str, base_url: str, request: Any) -> Any:
        if request.model == "json" and request.params.temperature == 0.7:
            raise KeyError("a bug")
        return adapted(db, owner, base_url, request)

    monkeypatch.setattr(unsupported_params, "adapted", broken)
    with caplog.at_level(logging.ERROR):
        sweep_id = launch(services, plan(api, "echo", "json", "sse", concurrency=1))
        run = ended(services, sweep_id)
    assert sorted(states(services, sweep_id)) == ["", "ok", "ok", "ok", "ok", "ok"]
    [(failed, why)] = run.failed.items()
    [left] = services.sweeps.progress.of("ann", sweep_id).left
    assert failed == left.id and isinstance(why, Unforeseen) and str(why.facts["number"]) in caplog.text
    assert run.trouble is None


def test_the_end_of_a_run_that_nobody_foresaw_is_kept_for_the_page(
    services: Services, api: FakeApi, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("lib.sweep.waiting_calls.Line.send_next", lambda *_: 1 / 0)
    with caplog.at_level(logging.ERROR):
        run = ended(services, launch(services, plan(api, "echo")))
    assert isinstance(run.trouble, Unforeseen) and str(run.trouble.facts["number"]) in caplog.text


def test_a_service_that_is_gone_in_the_middle_fails_its_cells_and_gets_nothing_sent_elsewhere(
    services: Services, api: FakeApi
) -> None:
    planned = Plan("tea", (f"{host(api)}/echo",), (0.0,))
    sweep_id = launch(services, planned)
    ended(services, sweep_id)
    elsewhere = Plan("tea", ("gone/echo",), (0.0,))
    cells = list(elsewhere.cells(sweep_id))
    run = SweepRun(sweep_id, "ann", "s1", elsewhere, cells)
    services.sweeps.start(run)
    assert run.wait_until_finished(20)
    assert len(bodies(api)) == 1 and [why.kind for why in run.failed.values()] == ["not_connected"]


def test_answers_that_wait_to_be_saved_are_done_and_are_not_asked_again(
    services: Services, api: FakeApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    refusing = [True]

    refuses(monkeypatch, services.store, lambda: OSError("No space left on device") if refusing[0] else None)
    sweep_id = launch(services, plan(api, "echo"))
    ended(services, sweep_id)
    progress = services.sweeps.progress.of("ann", sweep_id)
    assert (progress.unsaved, progress.left) == (2, ())
    assert [call.choices[0].text for call in progress.results.values()] == ["You said: tea"] * 2
    services.sweeps.resume("ann", "s1", sweep_id)
    assert len(bodies(api)) == 2
    refusing[0] = False
    services.dispatcher.outcomes.flush()
    assert services.sweeps.progress.of("ann", sweep_id).unsaved == 0 and states(services, sweep_id) == ["ok", "ok"]


def test_a_budget_that_has_room_for_one_call_at_a_time_lets_one_go_after_the_other(
    services: Services, api: FakeApi
) -> None:
    """What a call was reserved comes back when it is recorded, a moment after its place."""
    services.dispatcher.budgets.set("ann", [Budget("session", 1_500, "tokens")])
    sweep_id = launch(services, plan(api, "echo", repeats=3, params=Params(max_tokens=1_000)))
    assert ended(services, sweep_id).trouble is None
    assert states(services, sweep_id) == ["ok"] * 6


def test_a_deleted_sweeps_answers_are_still_saved_and_an_erased_ones_are_not(
    services: Services, api: FakeApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Deleting can be undone, and what was paid stays counted; erasing leaves nothing."""
    refusing = [True]

    refuses(monkeypatch, services.store, lambda: OSError("No space left on device") if refusing[0] else None)
    sweep_id = launch(services, plan(api, "echo", prompt="CANARY"))
    ended(services, sweep_id)
    spilled = services.settings.data_dir / "unsaved-1.spill"
    services.sweeps.delete("ann", sweep_id)
    assert b"CANARY" in spilled.read_bytes() and len(services.dispatcher.outcomes) == 2
    refusing[0] = False
    services.dispatcher.outcomes.flush()
    services.store.write(lambda db: sweeps.undelete(db, "ann", sweep_id)).result(20)
    assert states(services, sweep_id) == ["ok", "ok"] and b"CANARY" not in spilled.read_bytes()

    refusing[0] = True
    ended(services, launch(services, plan(api, "echo", prompt="CANARY 2")))
    assert b"CANARY" in spilled.read_bytes()
    erase(services.dispatcher, services.sweeps, "ann", Span())
    assert b"CANARY" not in spilled.read_bytes() and len(services.dispatcher.outcomes) == 0


def test_what_earlier_calls_tell_is_read_once_between_two_calls(
    services: Services, api: FakeApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads, whole = [], history.of_models
    monkeypatch.setattr(history, "of_models", lambda db, owner: reads.append(owner) or whole(db, owner))
    assert services.sweeps.usual("ann") == services.sweeps.usual("ann") == {} and reads == ["ann"]
    ended(services, launch(services, plan(api, "echo")))
    reads.clear()
    assert services.sweeps.usual("ann") == services.sweeps.usual("ann") != {} and reads == ["ann"]


def test_planning_that_was_cut_is_finished_at_the_next_start_and_nothing_is_sent(
    api: FakeApi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    services = open_services(api, tmp_path)
    planned, written = plan(api, "echo", repeats=50, temperatures=(0.0, 0.3, 0.5, 0.7, 1.0)), []
    whole = sweeps.add_cells

    def cut(db: Connection, **facts: Any) -> None:
        if written:
            raise KeyError("killed here")
        written.append(facts["sweep_id"])
        whole(db, **facts)

    monkeypatch.setattr(sweeps, "add_cells", cut)
    with pytest.raises(KeyError):
        launch(services, planned)
    monkeypatch.setattr(sweeps, "add_cells", whole)
    services.close()
    again = open_services(api, tmp_path)
    cells = again.store.read(lambda db: sweeps.cells_of(db, "ann", written[0]))
    assert cells == list(planned.cells(written[0])) and bodies(api) == []
    again.sweeps.finish_planning()
    assert len(again.store.read(lambda db: sweeps.cells_of(db, "ann", written[0]))) == planned.size
    again.close()


def test_cells_are_named_as_ever(api: FakeApi) -> None:
    """Growing a sweep compares the names: the quick way gives those of the plain one."""
    history = (
        Message(role="user", content="é\ud83d", images=("data:image/png;base64,AA==",)),
        Message(role="assistant", content="x"),
    )
    values = {"max_tokens": 5, "stream": True, "extra_fields": {"seed": 3, "a": 1, "zz": [None, "ü"]}}
    params = Params.checked(values)
    for more in ({}, {"history": history, "system": "be brief"}, {"params": params}):
        planned = plan(api, "echo", "gpt-5", repeats=2, temperatures=(None, 0.7), **more)
        for cell in planned.cells("sweep"):
            body = planned.request(cell.model, cell.temperature).body()
            assert cell.id == cell_id("sweep", body, cell.repeat)


def test_no_write_of_a_large_plan_holds_the_others_for_long(
    services: Services, api: FakeApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    """2,000 cells over 200 kB: the shared part is written out once, outside the writer, and rows go in by pieces."""
    rows, pieces, written = [0], list[int](), list[str]()

    def count(conn: Any, cursor: Any, *rest: Any) -> None:
        rows[0] += max(cursor.rowcount, 0)

    def committed(conn: Any) -> None:
        pieces.append(rows[0])
        rows[0] = 0

    event.listen(services.store._writer, "after_cursor_execute", count)
    event.listen(services.store._writer, "commit", committed)
    whole = plan_module._canonical
    monkeypatch.setattr(plan_module, "_canonical", lambda value: written.append(whole(value)) or written[-1])
    history = tuple(Message(role="user", content="word " * 2000) for _ in range(20))
    temperatures = tuple(number / 10 for number in range(20))
    planned = plan(api, "echo", "json", repeats=50, temperatures=temperatures, history=history)

    cells = list(planned.cells("sweep"))
    assert sum(map(len, written)) < 1_000_000, "each cell would add 200,000"
    services.store.write(lambda db: sweeps.add_plan(db, "ann", "s1", "sweep", planned)).result(20)
    services.sweeps._write_cells("ann", "sweep", cells)

    assert services.store.read(lambda db: sweeps.cells_of(db, "ann", "sweep")) == cells
    assert sum(pieces) >= planned.size and max(pieces) <= 250


def test_a_finished_sweep_is_read_and_compared_once(
    services: Services, api: FakeApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    sweep_id = launch(services, plan(api, "echo", repeats=3))
    ended(services, sweep_id)
    reads: list[str] = []
    whole = sweeps.results
    monkeypatch.setattr(sweeps, "results", lambda *place: reads.append("results") or whole(*place))
    frames = [services.sweeps.progress.of("ann", sweep_id).overview for _ in range(3)]
    assert frames[0] is frames[2] and reads == ["results"]
    assert not services.sweeps.progress.of("bob", sweep_id).cells
    services.store.write(lambda db: db.execute(text("UPDATE calls SET state = 'cancelled'"))).result(20)
    services.sweeps.progress._kept.clear()
    services.sweeps.resume("ann", "s1", sweep_id)
    ended(services, sweep_id)
    assert services.sweeps.progress.of("ann", sweep_id).left == () and len(bodies(api)) == 12
    assert [call.attempt for call in services.sweeps.progress.of("ann", sweep_id).results.values()] == [2] * 6


def test_while_a_sweep_runs_only_what_has_changed_is_read_and_drawn_anew(
    services: Services, api: FakeApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each look gives what a first look would."""
    sweep_id = launch(services, plan(api, "echo", "slow-50", repeats=2, prompt="slowly " * 20, concurrency=2))
    read, whole = list[str](), records.record
    monkeypatch.setattr(records, "record", lambda facts, said: read.append(facts["id"]) or whole(facts, said))
    while not (looked := services.sweeps.progress.of("ann", sweep_id)).ended or looked.left:
        fresh = ProgressReader(services.store, services.dispatcher.outcomes).of("ann", sweep_id)
        ended_by_then = {call.id for call in looked.results.values() if call.state != "started"}
        read.clear()
        again = services.sweeps.progress.of("ann", sweep_id)
        assert ended_by_then.isdisjoint(read) and again.drawn is looked.drawn
        assert ended_by_then <= {call.id for call in fresh.results.values() if call.state != "started"}
    fresh = ProgressReader(services.store, services.dispatcher.outcomes).of("ann", sweep_id)
    assert services.sweeps.progress.of("ann", sweep_id).results == fresh.results and len(fresh.results) == 8


def test_requests_that_stay_refused_are_given_up_and_the_rest_can_be_sent_later(
    services: Services, api: FakeApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    began = time.monotonic()
    monkeypatch.setattr(Sending, "gives_up_at", property(lambda _: began + 1.0))
    sweep_id = launch(services, plan(api, "error-429", "echo", repeats=10, concurrency=2))
    run = ended(services, sweep_id)
    assert isinstance(run.trouble, NoAnswersCame) and run.trouble.facts["minutes"] == 30
    progress = services.sweeps.progress.of("ann", sweep_id)
    assert {call.error_kind for call in progress.results.values()} == {"", "rate_limited"}
    assert {cell.model.rpartition("/")[2] for cell in progress.left} == {"error-429"}
    assert states(services, sweep_id).count("ok") == 20
    refused = [body for body in bodies(api) if body["model"] == "error-429"]
    assert len(refused) < 15, "it asks to wait a tenth of a second each time"


@pytest.mark.parametrize("trouble", [StoreGone, StoreError])
def test_a_sweep_whose_calls_no_store_takes_ends_with_a_sentence_and_can_go_on_later(
    services: Services, api: FakeApi, monkeypatch: pytest.MonkeyPatch, trouble: type[StoreError]
) -> None:
    """Where others may take the same cells nothing unrecorded is sent; for a while the store is waited for."""
    asked, take, patience, refusals = list[str](), Claims.take, 0.3, 10_000
    monkeypatch.setattr(Claims, "shared", True)
    monkeypatch.setattr(sending, "LOOK_SECONDS", 0.02)
    monkeypatch.setattr(sending, "STATEMENT_SECONDS", 0.3)
    monkeypatch.setattr(Sending, "gives_up_at", property(lambda one: one._last_answer + patience))

    def refuse(claims: Claims, db: Connection, cell: Cell, *rest: Any) -> Taken | None:
        asked.append(cell.id)
        if len(asked) > refusals:
            return take(claims, db, cell, *rest)
        raise trouble("The database is away.")

    monkeypatch.setattr(Claims, "take", refuse)
    sweep_id = launch(services, plan(api, "echo"))
    run = ended(services, sweep_id)
    assert type(run.trouble) is trouble and len(asked) > 4
    assert not bodies(api) and states(services, sweep_id) == ["", ""]

    asked.clear()
    patience, refusals = 60, 6
    services.sweeps.resume("ann", "s1", sweep_id)
    assert ended(services, sweep_id).trouble is None
    assert states(services, sweep_id) == ["ok", "ok"] and len(bodies(api)) == 2


def test_as_many_calls_go_at_once_as_were_taken_together_before(services: Services, api: FakeApi) -> None:
    echo = plan(api, "echo", repeats=3, concurrency=6)
    first = ended(services, launch(services, echo))
    known = services.store.read(lambda db: history.read(db, "ann", echo)).concurrency[host(api), "echo"]
    again = SweepRun("again", "ann", "s1", echo, echo.cells("again"))
    services.sweeps.prepare(again)
    assert first.history.concurrency == {} and 2 <= known <= 6
    assert again.lane(echo.models[0]).proven == known


def test_a_request_that_took_long_once_is_not_taken_for_as_long_as_one_that_always_does() -> None:
    asked = Plan("tea", ("s/m",), (0.0,))
    [cell] = asked.cells("sweep")
    named = records.request_hash("m", "tip", asked.params_of(0.0).to_send()) or ""
    usual = {("s", "m"): Usual(9, 2.0, None, None)}
    for count, seconds in [(0, None), (1, 6.0), (4, 22 / 3), (1_000_000, 8.0)]:
        known = History(usual, {("s", named): (count, 8.0)}, {(0, 0): "tip"}).seconds(asked, cell)
        assert known == (None if seconds is None else pytest.approx(seconds, abs=0.01)), count


def test_a_pace_is_kept_for_a_day_by_any_clock(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    hour, at = 3_600 * 1_000_000, learned_rates.now()
    for name, moment, kept in [
        ("now", at, True),
        ("an hour ahead", at + hour, True),
        ("long ago", at - 30 * hour, False),
    ]:
        monkeypatch.setattr(learned_rates, "now", lambda moment=moment: moment)
        services.store.write(
            lambda db, name=name: learned_rates.save(db, "ann", "https://a/v1", {name: (2.0, 3)})
        ).result()
        monkeypatch.setattr(learned_rates, "now", lambda: at)
        found = services.store.read(lambda db: learned_rates.load(db, "ann"))
        assert found.get(("https://a/v1", name)) == ((2.0, 3) if kept else None), name
    services.store.write(lambda db: learned_rates.save(db, "ann", "https://a/v1", {"now": None})).result()
    assert ("https://a/v1", "now") not in services.store.read(lambda db: learned_rates.load(db, "ann"))
    assert services.store.read(lambda db: learned_rates.load(db, "bob")) == {}


def test_a_pace_of_before_is_where_the_next_run_begins(services: Services, api: FakeApi) -> None:
    services.store.write(lambda db: learned_rates.save(db, "ann", api.base_url, {"echo": (2.0, 1)})).result()
    ended(services, launch(services, plan(api, "echo")))
    first, second = sorted(request.arrived for request in api.requests if request.model == "echo")
    # The first one has a connection to open. Without a pace both leave together.
    assert second - first > 0.25, "two a second"


def test_of_two_processes_that_come_to_a_cell_one_sends_it(services: Services, api: FakeApi) -> None:
    sweep_id = launch(services, plan(api, "echo"))
    run = ended(services, sweep_id)
    cells = services.sweeps.progress.of("ann", sweep_id).cells
    services.sweeps.start(SweepRun(sweep_id, "ann", "s2", run.plan, cells))
    ended(services, sweep_id)
    assert len(bodies(api)) == 2, "this run did not know that they were answered"


def test_stop_closes_every_connection_and_waits_for_nothing(
    services: Services, api: FakeApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither for the run's own turn on a busy loop, nor for the disk."""
    whole, closed = Sending._end, threading.Event()

    async def late(sending: Sending) -> None:
        await asyncio.to_thread(closed.wait, 30)
        await whole(sending)

    monkeypatch.setattr(Sending, "_end", late)
    sweep_id = launch(services, plan(api, "silent", repeats=8, concurrency=16))
    api.wait(lambda fake: len(bodies(fake)) == 16, 30)
    written = services.store.write(lambda db: closed.wait(30))
    services.sweeps.running(sweep_id).cancel()  # type: ignore[union-attr]
    api.wait(lambda fake: all(request.closed_by_client for request in fake.requests if request.model == "silent"), 30)
    assert not written.done()
    closed.set()
    ended(services, sweep_id)
    assert len(bodies(api)) == 16, "and nothing is sent in their places"
    assert set(states(services, sweep_id)) == {"cancelled"}


def test_answers_and_their_judge_together_keep_to_the_limit_of_a_sweep(services: Services, api: FakeApi) -> None:
    """Whichever of them is under way when the other begins; an answer is 0.10 dollars at worst, a judgement 0.20."""
    for model in ("echo", "slow-50"):
        put = partial(own_prices.put, owner="ann", endpoint=host(api), model=model, price=Price(0.0, 1_000.0))
        services.store.write(put).result(20)
    services.know("ann")
    planned = plan(api, "echo", "slow-50", temperatures=(0.0,), params=Params(max_tokens=100), cap=0.24)
    sweep_id = launch(services, planned)
    ended(services, sweep_id)
    echo, slow = services.sweeps.progress.of("ann", sweep_id).cells

    def judged_by(model: str) -> JudgeRun:
        study = read_study(services.store, services.sweeps.progress, "ann", sweep_id)
        assert study is not None
        name = f"{host(api)}/{model}"
        run = JudgeRun("ann", "s1", sweep_id, name, judge.tasks(study, name, "Is it warm?")[:1])
        judge.start(services.dispatcher, services.registry, run)
        return run

    asked = len(bodies(api))
    judging = judged_by("slow-50")
    api.wait(lambda fake: len(bodies(fake)) == asked + 1, 30)
    services.sweeps.rerun("ann", "s1", sweep_id, echo.id)
    assert isinstance(ended(services, sweep_id).trouble, CapReached) and len(bodies(api)) == asked + 1
    assert judging.wait_until_finished(30) and judging.last_error is None

    services.sweeps.rerun("ann", "s1", sweep_id, slow.id)
    api.wait(lambda fake: len(bodies(fake)) == asked + 2, 30)
    judging = judged_by("echo")
    assert judging.wait_until_finished(30) and isinstance(judging.last_error, CapReached)
    ended(services, sweep_id)
    assert len(bodies(api)) == asked + 2


@pytest.mark.row("T13")
def test_nobody_else_stops_a_sweep_or_looks_at_its_run(services: Services, api: FakeApi) -> None:
    """By its id, while it runs in this process."""
    sweep_id = launch(services, plan(api, "slow-50"))
    api.wait(lambda fake: len(bodies(fake)) == 2, 30)
    assert services.sweeps.last_run("eve", sweep_id) is None and not services.sweeps.is_running("eve", sweep_id)
    assert services.sweeps.is_running("ann", sweep_id) and not services.sweeps.under_way("eve")
    for cell in services.sweeps.progress.of("ann", sweep_id).cells:
        services.sweeps.stop_cell("eve", sweep_id, cell.id)
    services.sweeps.stop("eve", sweep_id)
    ended(services, sweep_id)

    assert states(services, sweep_id) == ["ok", "ok"]


def test_headers_that_say_that_a_quota_is_used_up_are_heeded_before_a_refusal(services: Services, api: FakeApi) -> None:
    """OpenAI's and Groq's x-ratelimit headers come with every answer."""
    answer = b'{"choices":[{"index":0,"message":{"content":"ok"},"finish_reason":"stop"}]}'
    headers = {"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "700ms"}
    api.script("few", answer, headers=headers)
    api.script("many", answer, headers=headers | {"x-ratelimit-remaining-requests": "7"})
    ended(services, launch(services, plan(api, "few", "many", concurrency=1)))
    few, many = (
        sorted(request.arrived for request in api.requests if request.model == name) for name in ("few", "many")
    )
    assert few[1] - few[0] >= 0.7 and many[1] < few[1], "only the model whose quota is used up waits"


@pytest.mark.row("S23")
def test_what_another_sweep_has_learnt_meanwhile_spares_a_row_too(
    services: Services, api: FakeApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepare = SweepScheduler.prepare

    def learnt_just_after(scheduler: SweepScheduler, run: SweepRun) -> None:
        prepare(scheduler, run)
        learn = ("ann", api.base_url, "echo", ["temperature"])
        services.store.write(lambda db: unsupported_params.remember(db, *learn)).result()

    monkeypatch.setattr(SweepScheduler, "prepare", learnt_just_after)
    sweep_id = launch(services, plan(api, "echo", temperatures=(0.0, 0.7, 1.3), concurrency=3))
    ended(services, sweep_id)
    assert [body.get("temperature") for body in bodies(api)] == [None]
    assert states(services, sweep_id) == ["ok", "", ""]
    assert services.sweeps.progress.of("ann", sweep_id).left == ()
