"""Budgets are never passed, whatever runs beside whatever, and what is spent of them is what the calls say."""

import secrets
import threading
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from math import isclose
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lib.calls import budgets as budget_module
from lib.calls import records
from lib.calls.budgets import Budgets
from lib.calls.outcome_writer import Outcome, OutcomeWriter
from lib.calls.records import IMPORTED
from lib.core.budget import Budget, Use
from lib.core.errors import BudgetReached
from lib.core.reply import Reply, Usage
from lib.store import process_lock
from lib.store.database import Store
from tests.examples import examples
from tests.store_fixtures import a_call

BERLIN = ZoneInfo("Europe/Berlin")
NOON = int(datetime(2026, 3, 29, 12, tzinfo=BERLIN).timestamp()) * 1_000_000
HOUR = 3_600_000_000


def budgets_at(store: Store, *some: Budget) -> Budgets:
    """The budgets of a process that has just started; ann's days are Berlin's."""
    found = Budgets(store, OutcomeWriter(store))
    found.seen_in("ann", BERLIN)
    found.set("ann", some)
    return found


def ended(store: Store, at: int, cost: float | None, tokens: int | None = 10, **facts: Any) -> Reply:
    """A call in the store that began at `at` and has ended."""
    process = facts.pop("process", process_lock.ID)
    call = a_call(facts.pop("owner", "ann"), **facts)
    usage = Usage(tokens, 0, source="reported") if tokens is not None else Usage()
    reply = Reply(state="ok", seconds=1.0, cost=cost, usage=usage, billed="yes")

    def write(db: Any) -> None:
        records.start_call(db, call, process, at)
        records.finish_call(db, call.id, reply)

    store.write(write).result(20)
    return reply


@pytest.fixture
def noon(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is noon in Berlin, on the day on which the clocks change."""
    monkeypatch.setattr(budget_module, "now", lambda: NOON)


def spent(found: Budgets, session: str = "s1") -> dict[str, float]:
    return {one.budget.span: one.spent for one in found.standings("ann", session)}


@pytest.mark.row("U17")
def test_fifty_calls_at_once_take_what_is_there_and_no_more(store: Store) -> None:
    found = budgets_at(store, Budget("day", 1.0), Budget("session", 1_000, "tokens"))
    start, passed, refused = threading.Barrier(50), list[str](), list[str]()

    def ask(id: str) -> None:
        start.wait(20)
        try:
            found.reserve("ann", "s1", {id: Use(0.05, 70)})
            passed.append(id)
        except BudgetReached:
            refused.append(id)

    threads = [threading.Thread(target=ask, args=(f"call {number}",)) for number in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)

    # 20 are as much as the money is for, and 14 as the tokens: the stricter one counts.
    assert (len(passed), len(refused)) == (14, 36)
    for id in passed:
        call, reply = replace(a_call("ann"), id=id), Reply(state="ok", cost=0.01, usage=Usage(10, 20))
        store.write(lambda db: records.start_call(db, call, process_lock.ID)).result(20)  # noqa: B023
        store.write(lambda db: records.finish_call(db, id, reply)).result(20)  # noqa: B023
        found.settle(id, "ann", "s1", budget_module.now(), reply)
    assert isclose(spent(found)["day"], 0.14) and spent(found)["session"] == 420
    assert all(one.reserved == 0 for one in found.standings("ann", "s1"))


def test_calls_that_are_made_together_are_reserved_together_or_not_at_all(store: Store) -> None:
    found = budgets_at(store, Budget("day", 1.0))

    with pytest.raises(BudgetReached):
        found.reserve("ann", "s1", {"a": Use(0.6), "b": Use(0.6)})

    assert found.standings("ann", "s1")[0].reserved == 0
    found.reserve("ann", "s1", {"a": Use(0.6)})
    assert not found.fits("ann", "s1", Use(0.6)) and found.fits("eve", "s1", Use(9.0))
    with found.once("ann", "s1"):
        found.reserve("ann", "s1", {"b": Use(0.6)})
    assert not found.fits("ann", "s1", Use(0.01))


@pytest.mark.row("U17")
def test_what_counts_is_the_viewers_day_and_month_and_nothing_imported(store: Store, noon: None) -> None:
    midnight = int(datetime(2026, 3, 29, tzinfo=BERLIN).timestamp()) * 1_000_000
    first = int(datetime(2026, 3, 1, tzinfo=BERLIN).timestamp()) * 1_000_000
    ended(store, midnight, 0.25)
    ended(store, midnight + 22 * HOUR, 0.25)  # this day has 23 hours
    ended(store, midnight - 1, 0.5)
    ended(store, midnight + 23 * HOUR, 1.0)
    ended(store, first, 4.0, session="s2")
    ended(store, first - 1, 8.0)
    ended(store, NOON, 16.0, process=IMPORTED)
    ended(store, NOON, 32.0, owner="eve")
    ended(store, NOON, None)

    for found in (budgets_at(store, *(Budget(span, 100.0) for span in ("session", "day", "month"))) for _ in range(2)):
        assert spent(found) == {"session": 10.0, "day": 0.5, "month": 6.0}
        assert spent(found, "s2") == {"session": 4.0, "day": 0.5, "month": 6.0}
    ends = {one.budget.span: one.ends for one in found.standings("ann", "s1")}
    april = int(datetime(2026, 4, 1, tzinfo=BERLIN).timestamp()) * 1_000_000
    assert ends == {"session": None, "day": midnight + 23 * HOUR, "month": april}


def test_a_record_that_waits_to_be_stored_counts_once(store: Store) -> None:
    outcomes = OutcomeWriter(store)
    call, reply = a_call("ann"), Reply(state="ok", cost=0.5, usage=Usage(1, 1))
    store.write(lambda db: records.start_call(db, call, process_lock.ID, NOON)).result(20)
    outcomes._keep(Outcome(replace(call), reply, {}, process_lock.ID, began=NOON))
    found = Budgets(store, outcomes)
    found.set("ann", [Budget("session", 1.0)])

    assert spent(found)["session"] == 0.5
    outcomes.flush()
    found.forget_sums("ann")
    assert spent(found)["session"] == 0.5


def test_a_call_whose_record_is_there_before_it_is_settled_counts_once(store: Store) -> None:
    found = budgets_at(store, Budget("session", 1.0))
    call, reply = a_call("ann"), Reply(state="ok", cost=0.5, usage=Usage(1, 1))
    found.began(call.id)  # before there was a budget, say
    store.write(lambda db: records.start_call(db, call, process_lock.ID, NOON)).result(20)
    store.write(lambda db: records.finish_call(db, call.id, reply)).result(20)

    assert spent(found)["session"] == 0.0
    found.settle(call.id, "ann", "s1", NOON, reply)
    assert spent(found)["session"] == 0.5


CALLS = st.lists(
    st.tuples(
        st.integers(-40, 40).map(lambda hours: NOON + hours * HOUR),
        st.none() | st.integers(0, 64).map(lambda eighths: eighths / 8),
        st.none() | st.integers(0, 10**6),
        st.sampled_from(["s1", "s2"]),
        st.sampled_from(["stored", "settled", "imported", "running"]),
    ),
    max_size=12,
)


@settings(max_examples=examples(30), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(made=CALLS)
def test_in_any_history_the_process_that_counted_and_one_that_starts_say_the_same(
    store: Store, noon: None, made: Sequence[tuple[int, float | None, int | None, str, str]]
) -> None:
    owner = secrets.token_hex(4)
    some = [Budget(span, 1e9, unit) for span in ("session", "day", "month") for unit in ("USD", "tokens")]
    counting = Budgets(store, OutcomeWriter(store))
    counting.seen_in(owner, BERLIN)
    counting.set(owner, some)
    counting.standings(owner, "s1")
    for at, cost, tokens, session, kind in made:
        if kind == "running":
            counting.reserve(owner, session, {secrets.token_hex(4): Use(cost, tokens)})
            continue
        process = IMPORTED if kind == "imported" else process_lock.ID
        reply = ended(store, at, cost, tokens, owner=owner, session=session, process=process)
        if kind == "settled":
            counting.settle(secrets.token_hex(4), owner, session, at, reply)
    stored = any(kind == "stored" for *_rest, kind in made)
    if stored:  # by another process, or changed afterwards
        counting.forget_sums(owner)

    restarted = Budgets(store, OutcomeWriter(store))
    restarted.seen_in(owner, BERLIN)
    restarted.set(owner, some)
    kept = {(one.budget.span, one.budget.unit): one.spent for one in counting.standings(owner, "s1")}
    read = {(one.budget.span, one.budget.unit): one.spent for one in restarted.standings(owner, "s1")}
    assert kept == read
    mine = [one for one in made if one[4] in ("stored", "settled") and one[3] == "s1"]
    assert read["session", "USD"] == sum(cost or 0 for _at, cost, *_rest in mine)
    assert read["session", "tokens"] == sum(tokens or 0 for _at, _cost, tokens, *_rest in mine)
