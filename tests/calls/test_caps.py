"""The operator's caps are never passed, whatever runs beside whatever, and after a restart too."""

import secrets
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import Connection

from lib import recovery
from lib.background import Jobs
from lib.calls import budgets as budgets_module
from lib.calls import caps as caps_module
from lib.calls import records, reservations
from lib.calls.budgets import Budgets
from lib.calls.caps import Caps
from lib.calls.dispatcher import Dispatcher
from lib.calls.outcome_writer import OutcomeWriter
from lib.calls.owner_line import InLine
from lib.calls.records import IMPORTED
from lib.core.budget import Budget, Use
from lib.core.errors import BudgetReached, CapOfTheOperator, NotAllowed
from lib.core.limits import Cap, Limits
from lib.core.reply import Reply, Usage
from lib.gateway.client import Client
from lib.gateway.endpoints import Endpoint
from lib.store import process_lock
from lib.store.database import Store
from tests.fake_api import FakeApi
from tests.pages import KEY
from tests.store_fixtures import a_call, record

HOUR = 3_600_000_000
NOW = 500_000 * HOUR + HOUR // 4  # a quarter past
AT_ONCE = 50


@pytest.fixture
def quarter_past(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (caps_module, budgets_module):
        monkeypatch.setattr(module, "now", lambda: NOW)


def counting(store: Store, *some: Cap) -> Budgets:
    """A process that has just started, with these caps."""
    return Budgets(store, OutcomeWriter(store), Caps(store, some))


def used(found: Budgets, owner: str = "ann") -> dict[tuple[str, str], float]:
    return {(one.cap.whose, one.cap.unit): one.used for one in found.caps.standings(owner)}


def at_once(ask: Callable[[int], object]) -> list[object]:
    """What fifty threads that begin together come to: a value, or the error."""
    start, results = threading.Barrier(AT_ONCE), list[object]()

    def run(number: int) -> None:
        start.wait(20)
        try:
            results.append(ask(number))
        except (BudgetReached, CapOfTheOperator, NotAllowed) as refused:
            results.append(refused)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(AT_ONCE)]
    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)  # each may be interrupted everywhere
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
    finally:
        sys.setswitchinterval(usual)
    return results


@pytest.mark.row("T14")
def test_fifty_sessions_at_once_do_not_pass_a_cap_by_one_call(store: Store, quarter_past: None) -> None:
    """Of one visitor, and of fifty; by calls, tokens and money; and what is over is told with what is left."""
    for some, of_whom, fits in (
        ([Cap("visitor", "hour", "calls", 20)], lambda _: "ann", 20),
        ([Cap("all", "day", "calls", 20)], str, 20),
        ([Cap("all", "hour", "tokens", 1_000), Cap("visitor", "day", "calls", 1)], str, 14),
        ([Cap("all", "hour", "USD", 1.0), Cap("visitor", "hour", "USD", 1.0)], lambda _: "ann", 20),
    ):
        found, name = counting(store, *some), secrets.token_hex(4)
        results = at_once(
            lambda number: found.reserve(of_whom(number), "s", {f"{name} {number}": Use(0.05, 70)})  # noqa: B023
        )
        refused = [one for one in results if isinstance(one, CapOfTheOperator)]
        assert len(results) == AT_ONCE and len(refused) == AT_ONCE - fits, some
        assert "may use" in refused[0].sentence() and "begins anew in" in refused[0].sentence()
        for number in range(AT_ONCE):
            found.give_back(of_whom(number), [f"{name} {number}"])
        store.write(lambda db: None).result(20)


@pytest.mark.row("T14")
def test_fifty_sessions_of_two_processes_together_pass_no_cap_and_no_budget_by_one_call(store: Store, url: str) -> None:
    """On PostgreSQL: of the operator, and of one's own; what a sweep may cost is in `sweep/test_workers.py`."""
    if not store.on_server:
        return
    other = Store.open(url)
    cap, budget = Cap("all", "day", "tokens", 1_000), Budget("session", 1.0)
    for caps, budgets, fits in (([cap], [], 14), ([], [budget], 20), ([cap], [budget], 14)):
        both = [counting(one, *caps) for one in (store, other)]
        for found in both:
            found.set("ann", budgets)
        results = at_once(
            lambda number: both[number % 2].reserve("ann", "s", {f"call {number}": Use(0.05, 70)})  # noqa: B023
        )
        refused = [one for one in results if one is not None]
        assert len(results) == AT_ONCE and len(refused) == AT_ONCE - fits, (caps, budgets)
        for number in range(AT_ONCE):
            both[number % 2].give_back("ann", [f"call {number}"])
        for one in (store, other):
            one.write(lambda db: None).result(20)
    other.close()


@pytest.mark.row("T14")
def test_a_call_whose_row_stayed_behind_is_set_aside_anew_and_counts_once(store: Store) -> None:
    """On PostgreSQL: it was refused, and the database was away when its row should have gone."""
    if not store.on_server:
        return
    found, hour = counting(store), budgets_module.now() // HOUR * HOUR
    for tokens, moment in ((70, hour - HOUR), (90, hour)):
        some = {"refused": Use(0.5, tokens), f"with {tokens}": Use(0.5, 5)}
        process = process_lock.ID
        store.write(lambda db: reservations.put(db, "ann", "s", some, process, moment)).result(20)  # noqa: B023
    count = reservations.reserved
    assert store.read(lambda db: count(db, "tokens", "ann")) == 90 + 5 + 5
    assert store.read(lambda db: count(db, "tokens", "ann", since=hour)) == 90 + 5
    found.give_back("ann", ["refused"])
    store.write(lambda db: None).result(20)
    assert store.read(lambda db: count(db, "tokens", "ann")) == 5 + 5


@pytest.mark.row("T14")
def test_what_a_dead_process_had_under_way_counts_as_reserved_and_what_a_visitor_erases_counts_on(store: Store) -> None:
    """On PostgreSQL, where others go on; nothing is left set aside, and nobody gets anything back by erasing."""
    if not store.on_server:
        return
    found, dead, here = counting(store, Cap("visitor", "day", "calls", 9)), a_call("ann"), a_call("ann")
    moment = budgets_module.now()

    def begun(db: Connection) -> None:
        for call, process in ((dead, "0" * 32), (here, process_lock.ID)):
            records.start_call(db, call, process, moment)
            reservations.put(db, "ann", "s", {call.id: Use(0.5, 70), call.id + "x": Use(0.5, 70)}, process, moment)

    store.write(begun).result(20)
    assert used(found) == {("visitor", "calls"): 4}
    store.write(lambda db: records.interrupt_orphans(db, process_lock.ID)).result(20)
    assert store.read(reservations.processes_with_some) == {process_lock.ID}
    assert used(found) == {("visitor", "calls"): 4}
    store.write(lambda db: records.delete_calls(db, "ann", [dead.id])).result(20)
    assert used(found) == {("visitor", "calls"): 4} == used(counting(store, *found.caps.caps))


@pytest.mark.row("T14")
def test_a_call_that_is_asked_for_again_is_set_aside_once_and_not_refused_for_what_it_left(store: Store) -> None:
    """On PostgreSQL: what it had set aside is still there where the database was away when it was given back."""
    if not store.on_server:
        return
    found = counting(store, Cap("all", "day", "tokens", 100))
    found.set("ann", [Budget("session", 1.0)])
    worst = {"call": Use(0.6, 70)}
    for _attempt in range(3):
        store.write(lambda db: found.reserve_in(db, "ann", "s", worst)).result(20)
    assert used(counting(store, *found.caps.caps)) == {("all", "tokens"): 70}
    with pytest.raises(CapOfTheOperator):
        store.write(lambda db: found.reserve_in(db, "ann", "s", {"another": Use(0.1, 40)})).result(20)


@pytest.mark.row("T14")
def test_a_cap_that_is_set_anew_counts_what_was_used_before(store: Store, jobs: Jobs) -> None:
    for owner in ("ann", "eve"):
        record(store, owner, cost=2.0)
    sweeps = SimpleNamespace(finish_planning=lambda: None)
    for _start in range(2):
        with_caps = counting(store, Cap("visitor", "day", "USD", 9.0), Cap("all", "day", "calls", 9))
        process = process_lock.ID
        recovery.after_restart(SimpleNamespace(store=store, process=process, budgets=with_caps, jobs=jobs), sweeps)  # type: ignore[arg-type]
        assert used(with_caps) == {("visitor", "USD"): 2.0, ("all", "calls"): 2}


@pytest.mark.row("T14")
def test_a_refusal_says_which_cap_how_much_is_left_and_when_it_begins_anew(store: Store, quarter_past: None) -> None:
    found = counting(store, Cap("visitor", "hour", "tokens", 1_000), Cap("all", "day", "USD", 2.0))
    found.reserve("ann", "s", {"a": Use(0.5, 900)})
    for owner, use, words in (
        (
            "ann",
            Use(0, 200),
            "Each person may use 1,000 tokens an hour here. Left: 100 tokens; this may take 200",
        ),
        ("ann", Use(0.1, 200), "It begins anew in 45 minutes."),
        ("eve", Use(1.75, 100), "All together may use $2.00 a day here. Left: $1.50; this may take $1.75."),
    ):
        with pytest.raises(CapOfTheOperator) as refused:
            found.check(owner, "s", [use])
        assert words in refused.value.sentence()


@pytest.mark.row("T14")
def test_a_model_without_a_price_passes_no_cap_on_money(store: Store) -> None:
    found = counting(store, Cap("all", "day", "USD", 2.0))
    with pytest.raises(NotAllowed, match="has no price"):
        found.reserve("ann", "s", {"a": Use(None, 10)})
    found.reserve("ann", "s", {"a": Use(0.0, 10)})


@pytest.mark.row("T14")
def test_what_was_used_is_known_after_a_restart(store: Store, quarter_past: None) -> None:
    some = [Cap(whose, "hour", unit, 1e6) for whose in ("visitor", "all") for unit in ("calls", "tokens", "USD")]
    before = counting(store, *some)
    assert set(used(before).values()) == {0}

    def ended(owner: str, at: int, **facts: Any) -> None:
        call = a_call(owner)
        reply = Reply(**{"state": "ok", "cost": 0.25, "usage": Usage(10, 20), "billed": "yes", **facts})
        before.reserve(owner, "s", {call.id: Use(1.0, 1_000)})
        process = facts.get("process", process_lock.ID)
        store.write(lambda db: records.start_call(db, call, process, at)).result(20)
        store.write(lambda db: records.finish_call(db, call.id, reply)).result(20)
        before.settle(call.id, owner, "s", at, reply)

    ended("ann", NOW)
    ended("eve", NOW)
    ended("ann", NOW, state="error", cost=None, usage=Usage(), billed="no")
    expected = {("visitor", "calls"): 2, ("visitor", "tokens"): 30, ("visitor", "USD"): 0.25}
    expected |= {("all", "calls"): 3, ("all", "tokens"): 60, ("all", "USD"): 0.5}
    assert used(before) == expected

    other = a_call("ann")
    for at, process in ((NOW - HOUR, process_lock.ID), (NOW, IMPORTED)):
        call = a_call("ann")
        store.write(lambda db: records.start_call(db, call, process, at)).result(20)  # noqa: B023
        store.write(lambda db: records.finish_call(db, call.id, Reply(state="ok", cost=9.0))).result(20)  # noqa: B023
    store.write(lambda db: records.start_call(db, other, process_lock.ID, NOW)).result(20)
    assert used(counting(store, *some)) == expected


@pytest.mark.row("T14")
def test_what_nobody_knows_counts_with_all_that_was_reserved(store: Store) -> None:
    found = counting(store, *(Cap("visitor", "day", unit, 1e6) for unit in ("calls", "tokens", "USD")))
    found.reserve("ann", "s", {"a": Use(1.0, 1_000), "b": Use(1.0, 1_000), "c": Use(1.0, 1_000)})
    for id, reply in (("a", Reply(state="cancelled", billed="unknown")), ("c", Reply(state="error", billed="no"))):
        store.write(lambda db: records.finish_call(db, id, reply)).result(20)  # noqa: B023
        found.settle(id, "ann", "s", NOW, reply)
    found.give_back("ann", ["b"])
    store.write(lambda db: None).result(20)  # it is in the store as well

    assert used(found) == {("visitor", "calls"): 2, ("visitor", "tokens"): 1_000, ("visitor", "USD"): 1.0}


@pytest.mark.row("T14")
def test_who_goes_on_past_a_budget_does_not_pass_a_cap(store: Store) -> None:
    found = counting(store, Cap("visitor", "hour", "calls", 1))
    with found.once("ann", "s1"):
        found.reserve("ann", "s1", {"a": Use(0.0, 1)})
        with pytest.raises(CapOfTheOperator):
            found.reserve("ann", "s1", {"b": Use(0.0, 1)}, unchecked=True)
    assert not found.fits("ann", "s1", Use(0.0, 1), unchecked=True) and found.fits("eve", "s1", Use(0.0, 1))


@pytest.mark.row("T15")
def test_of_one_visitor_so_many_calls_run_and_the_others_wait(store: Store, api: FakeApi) -> None:
    jobs, client = Jobs(), Client()
    dispatcher, endpoint = (
        Dispatcher(jobs, client, store, limits=Limits(at_once=2)),
        Endpoint("fake", api.base_url, SecretStr(KEY)),
    )
    calls = [a_call(owner) for owner in ("ann",) * 7 + ("eve",)]
    slow = [replace(one, request=replace(one.request, model="slow-50")) for one in calls]
    answers = [dispatcher.start(one, endpoint, started=False) for one in slow]
    stood = []
    while not all(answer.finished for answer in answers):
        stood.append([answer.in_line for answer in answers])
        time.sleep(0.002)  # only paces the looking
    jobs.close(last=client.aclose())

    assert [answer.reply.state for answer in answers] == ["ok"] * 8
    assert len(api.requests) == 8 and api.most_at_once == 3
    assert all(one[index] is None for one in stood for index in (0, 1, 7)), "whose turn it was at once"
    last = [(one[5], one[6]) for one in stood if one[5] is not None and one[6] is not None]
    assert last and last[0][1] == InLine(2, None), "nobody knows yet for how long"
    told = [(near.seconds, far.seconds) for near, far in last if near.seconds is not None and far.seconds is not None]
    assert told and all(near < far for near, far in told), "the nearer, the less"


@pytest.mark.row("T15")
def test_no_call_begins_that_is_not_allowed(store: Store, api: FakeApi) -> None:
    """Whoever starts it, and whatever was checked before."""
    jobs, client = Jobs(), Client()
    dispatcher = Dispatcher(jobs, client, store, limits=Limits(models=("fake/echo",)))
    with pytest.raises(NotAllowed):
        dispatcher.start(a_call(), Endpoint("fake", api.base_url))
    jobs.close(last=client.aclose())

    assert api.requests == []
