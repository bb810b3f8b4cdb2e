"""What the store sums up: every number for one owner, on SQLite and on PostgreSQL."""

import json
from collections.abc import Callable
from dataclasses import astuple, replace
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, func, select

from lib.calls import records, usage_rollups
from lib.core.reply import Reply, Usage
from lib.store import schema
from lib.store.database import Store
from lib.usage import call_files, queries
from lib.usage.scope import Scope
from lib.usage.totals import Totals, bucket_for, by_time, total
from tests.examples import examples
from tests.store_fixtures import a_call, record, start

ANN = Scope("ann")
TOKENS = st.none() | st.integers(0, 10**9)


def totals(store: Store, scope: Scope = ANN) -> Totals:
    return total(store.read(lambda db: queries.by_model(db, scope)))


@pytest.mark.row("U1")
def test_calls_and_both_kinds_of_tokens_are_summed(store: Store) -> None:
    record(store)
    record(store, usage=Usage(10, 20, source="estimated"), cost=0.5)

    found = totals(store)

    assert (found.calls, found.prompt_tokens, found.completion_tokens, found.tokens) == (2, 13, 25, 38)
    assert found.cost == pytest.approx(0.51)
    assert (found.reported, found.estimated, found.unknown) == (1, 1, 0)
    assert type(found.prompt_tokens) is int


@pytest.mark.row("U8")
def test_what_is_not_known_is_not_0(store: Store) -> None:
    record(store, usage=Usage(), cost=None, state="error", billed="unknown", error_kind="timed_out")

    found = totals(store)

    assert (found.prompt_tokens, found.completion_tokens, found.cost) == (None, None, None)
    assert (found.calls, found.unknown, found.unpriced, found.failed) == (1, 1, 1, 1)


@pytest.mark.row("U7")
def test_a_call_without_a_price_is_counted_as_such(store: Store) -> None:
    for cost in (0.01, 0.02, None, 0.0):  # so that those with a price are another number; nothing to pay is a price
        record(store, cost=cost)

    assert (totals(store).cost, totals(store).unpriced) == (pytest.approx(0.03), 1)


def test_a_refused_call_used_nothing_and_lacks_no_price(store: Store) -> None:
    record(store, usage=Usage(), cost=None, state="error", billed="no", error_kind="bad_key")

    found = totals(store)

    assert (found.failed, found.unbilled, found.unknown, found.unpriced) == (1, 1, 0, 0)


@pytest.mark.row("U8", "U14")
def test_a_file_says_of_each_count_whose_word_it_is(store: Store) -> None:
    # The service has counted the prompt, and one of two versions; the whole completion is counted here.
    received = {"prompt_tokens": 9, "completion_tokens": 4}
    record(store, usage=Usage(9, 8, source="estimated", received=received))

    [line] = json.loads(store.read(lambda db: call_files.to_json(queries.every(db, ANN))))["calls"]

    said = [line[f"{name}_source"] for name in call_files.SOURCES]
    assert said == ["reported", "estimated", "unknown", "unknown"] and line["usage_source"] == "estimated"


@pytest.mark.row("U18")
def test_stopped_and_broken_calls_count_with_the_tokens_that_came(store: Store) -> None:
    for state in ("cancelled", "partial", "interrupted"):
        record(store, usage=Usage(3, 2, source="estimated"), state=state, finish_reason=None, billed="unknown")
    record(store, finish_reason="length")

    found = totals(store)

    assert (found.calls, found.completion_tokens) == (4, 11)
    assert (found.stopped, found.cut, found.failed, found.ended_early) == (1, 3, 0, 3)


def test_each_problem_is_counted_once(store: Store) -> None:
    record(store, finish_reason="content_filter")
    record(store, finish_reason="content_filter", state="error", error_kind="blocked")
    record(store, finish_reason="content_filter", state="cancelled")
    record(store, finish_reason="content_filter", state="partial")
    record(store, finish_reason="length")
    record(store, finish_reason="tool_calls")

    found = totals(store)

    assert (found.filtered, found.failed, found.stopped, found.cut) == (1, 1, 1, 2)


def test_a_call_in_progress_counts_without_the_tokens_saved_so_far(store: Store) -> None:
    call = start(store, a_call())
    store.write(lambda db: records.checkpoint(db, call.id, Reply(usage=Usage(7, 7, source="estimated")))).result(20)

    found = totals(store)

    assert (found.calls, found.running, found.prompt_tokens, found.unknown, found.unpriced) == (1, 1, None, 0, 0)
    assert store.read(lambda db: queries.newest(db, ANN, 5))[0].usage.prompt_tokens is None
    assert store.read(lambda db: queries.by_slice(db, ANN, 60))[0].prompt_tokens is None


@pytest.mark.row("T13")
def test_no_query_counts_a_call_of_somebody_else(store: Store) -> None:
    mine = record(store)
    record(store, "eve", session="s1")

    for scope in (ANN, Scope("ann", "s1")):
        assert totals(store, scope).calls == 1
        assert [row.id for row in store.read(lambda db, scope=scope: queries.newest(db, scope, 9))] == [mine]
        assert [row.id for row in store.read(lambda db, scope=scope: list(queries.every(db, scope)))] == [mine]
        assert [part.calls for part in store.read(lambda db, scope=scope: queries.by_slice(db, scope, 60))] == [1]
    assert not store.read(lambda db: queries.any_call(db, Scope("bob", "s1")))


def test_a_session_is_a_part_of_the_history(store: Store) -> None:
    record(store, session="today")
    record(store, session="yesterday")

    assert totals(store, Scope("ann", "today")).calls == 1
    assert totals(store).calls == 2
    assert store.read(lambda db: queries.any_call(db, Scope("ann", "yesterday")))
    assert not store.read(lambda db: queries.any_call(db, Scope("ann", "tomorrow")))


def test_the_newest_calls_come_first_and_no_more_than_asked_for(store: Store) -> None:
    ids = [record(store) for _ in range(3)]

    assert [row.id for row in store.read(lambda db: queries.newest(db, ANN, 2))] == [ids[2], ids[1]]
    assert [row.id for row in store.read(lambda db: list(queries.every(db, ANN)))] == ids[::-1]


def test_slices_hold_the_calls_that_began_in_them(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    quarter = 900 * 1_000_000
    for at in (5 * quarter, 6 * quarter - 1, 6 * quarter):
        monkeypatch.setattr(records, "now", lambda at=at: at)
        record(store)

    for seconds in (900, 300):
        found = store.read(lambda db, seconds=seconds: queries.by_slice(db, ANN, seconds))
        merged = {}
        for part in found:
            at = part.at - part.at % quarter
            old = merged.get(at, (at, 0, 0, 0))
            merged[at] = (at, *(a + b for a, b in zip(old[1:], astuple(part)[1:], strict=True)))
        assert list(merged.values()) == [(5 * quarter, 2, 6, 10), (6 * quarter, 1, 3, 5)]
    start(store, a_call())
    found = store.read(lambda db: queries.by_slice(db, ANN, 900))[-1:]

    assert [astuple(part) for part in found] == [(6 * quarter, 2, 3, 5)]


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_a_whole_day_is_read_from_sums_however_many_calls_it_has(
    store: Store, monkeypatch: pytest.MonkeyPatch, subtests: pytest.Subtests
) -> None:
    """A month of a large history must not be told by a look at each of its calls. Counted are SQLite's own steps."""
    day = 86_400_000_000
    monkeypatch.setattr(records, "now", lambda: 5 * day)
    scopes = [Scope("ann", since=5 * day, until=6 * day), Scope("ann", since=4 * day, until=6 * day + 1, models=("m",))]
    questions = {
        "models": queries.by_model,
        "pages": queries.by_page,
        "quarters of an hour": lambda db, scope: queries.by_slice(db, replace(scope, until=None), 900),
        "days": lambda db, scope: queries.by_day(db, scope, lambda days: []),
    }

    def steps(scope: Scope, question: Callable[..., Any]) -> int:
        counted = []

        def work(db: Connection) -> None:
            driver = db.connection.driver_connection
            driver.set_progress_handler(lambda: counted.append(1), 10)
            question(db, scope)
            driver.set_progress_handler(None, 0)

        store.read(work)
        return len(counted)

    record(store, model="m")
    few = {(name, scope): steps(scope, question) for name, question in questions.items() for scope in scopes}
    for _ in range(60):
        record(store, model="m")
    store.write(usage_rollups.count).result(20)

    for (name, scope), before in few.items():
        with subtests.test(name, scope=scope):
            assert steps(scope, questions[name]) <= before + 5


def test_few_of_the_calls_that_ended_are_not_in_the_sums_yet(store: Store) -> None:
    """They are read from their rows at each look, so a long history must not leave many of them."""
    left = select(func.count()).select_from(schema.calls).where(usage_rollups.uncounted)

    for _ in range(2 * usage_rollups.TOGETHER):
        record(store)

    assert store.read(lambda db: db.execute(left).scalar_one()) < usage_rollups.TOGETHER
    assert totals(store).calls == 2 * usage_rollups.TOGETHER


@pytest.mark.row("U14")
@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
@settings(max_examples=examples(15), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    made=st.lists(
        st.tuples(
            TOKENS,
            TOKENS,
            st.none() | st.floats(0, 1e6, allow_nan=False),
            st.sampled_from(["ok", "error", "partial", "cancelled", "started"]),
            st.sampled_from(["ann", "eve"]),
            st.sampled_from(["gpt-4o", '=HYPERLINK("x")', "a,b\r\n"]),
        ),
        max_size=8,
    )
)
def test_the_csv_the_tiles_and_the_slices_add_up_to_the_same(store: Store, made: list[tuple]) -> None:
    # any owner: a test's own rows.
    store.write(lambda db: [db.execute(table.delete()) for table in (schema.calls, *usage_rollups.KEYS)]).result(20)
    for prompt, completion, cost, state, owner, endpoint in made:
        if state == "started":
            start(store, a_call(owner))
        else:
            tokens = Usage(prompt, completion, source="reported")
            record(store, owner, tokens, cost=cost, state=state, endpoint=endpoint)

    found = totals(store)
    rows = store.read(lambda db: list(queries.every(db, ANN)))
    slices = store.read(lambda db: queries.by_slice(db, ANN, 60))
    chart = by_time(slices, bucket_for(found), ZoneInfo("Asia/Kathmandu"))

    assert found.calls == sum(owner == "ann" for *_, owner, _ in made) == len(rows) == chart["calls"].sum()
    assert found.calls == found.reported + found.estimated + found.unknown + found.unbilled + found.running
    for name, column in (("prompt_tokens", "prompt"), ("completion_tokens", "completion")):
        known = [getattr(row.usage, name) for row in rows if getattr(row.usage, name) is not None]
        assert getattr(found, name) == (sum(known) if known else None)
        assert (found.tokens is None and not known) or chart[column].sum() == sum(known)
    costs = [row.cost for row in rows if row.cost is not None]
    assert found.cost == (pytest.approx(sum(costs)) if costs else None)
    assert bucket_for(found).longest >= timedelta(0)
