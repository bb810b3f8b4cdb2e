"""For any history and any filter: what is summed up, what is drawn and what is listed are the same calls."""

import csv
import io
import json
import secrets
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import case, func, select

from lib.calls import imported, records, repricing, usage_rollups
from lib.calls.budgets import Budgets
from lib.calls.outcome_writer import OutcomeWriter
from lib.calls.records import CallRecord
from lib.core.budget import Budget
from lib.core.clock import DAY
from lib.core.prices import Price
from lib.core.reply import Delta, Reply, Usage
from lib.store import process_lock, schema
from lib.store.database import Store
from lib.usage import call_files, import_file, paid, queries, totals
from lib.usage.scope import OUTCOMES, Outcome, Scope
from lib.usage.totals import BUCKETS, Totals, bucket_for, by_time, parted_days, stretch_of, total
from lib.visitor import service_terms
from lib.visitor.service_terms import Term
from tests.examples import examples
from tests.store_fixtures import a_call

QUARTER = usage_rollups.QUARTER
OWNERS, SESSIONS, PAGES = ("ann", "eve"), ("s1", "s2"), ("chat", "sweep")
PLACES = ("c1", "c2", "w1", "")
MODELS, ENDPOINTS = ("gpt-4o", "o3", "a,b"), ("apiyi", "local")
STATES = ("ok", "error", "partial", "interrupted", "cancelled", "started")
MOMENTS = st.integers(0, 4 * DAY) | st.integers(0, 4 * 96).map(lambda count: count * QUARTER)
CALLS = st.fixed_dictionaries(
    {
        "owner": st.sampled_from(OWNERS),
        "session": st.sampled_from(SESSIONS),
        "place": st.sampled_from(PLACES),
        "page": st.sampled_from(PAGES),
        "model": st.sampled_from(MODELS),
        "endpoint": st.sampled_from(ENDPOINTS),
        "state": st.sampled_from(STATES),
        "reason": st.sampled_from([None, "stop", "length", "content_filter"]),
        "at": MOMENTS,
        "prompt": st.none() | st.integers(0, 10**6),
        "completion": st.none() | st.integers(0, 10**6),
        "cost": st.none() | st.integers(0, 64).map(lambda eighths: eighths / 8),
        "counted": st.booleans(),
    }
)


def some(values: tuple[Any, ...]) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.just(()) | st.lists(st.sampled_from(values), min_size=1, max_size=2, unique=True).map(tuple)


SCOPES = st.builds(
    Scope,
    owner=st.just("ann"),
    session=st.none() | st.sampled_from(SESSIONS),
    since=st.none() | MOMENTS,
    until=st.none() | MOMENTS,
    endpoints=some(ENDPOINTS),
    models=some(MODELS),
    pages=some(PAGES),
    outcomes=some(OUTCOMES),
    places=some(PLACES),
)


def keep(store: Store, facts: dict[str, Any]) -> None:
    """Store a call of these facts, and note its id among them."""
    facts["id"] = secrets.token_hex(16)
    call = a_call(facts["owner"], **{name: facts[name] for name in ("session", "page", "endpoint")})
    call = replace(call, id=facts["id"], request=replace(call.request, model=facts["model"]))
    call = replace(call, **{"sweep_id" if facts["place"] == "w1" else "chat_id": facts["place"] or None})
    usage = Usage(facts["prompt"], facts["completion"], source="reported")
    reply = Reply(usage=usage, state=facts["state"], seconds=1.0, cost=facts["cost"], billed="yes")
    reply.add(Delta(text="Hi", finish_reason=facts["reason"]))

    def write(db: Any) -> None:
        records.start_call(db, call, process_lock.ID, facts["at"])
        if facts["state"] != "started":
            records.finish_call(db, call.id, reply)
        if facts.get("counted"):
            usage_rollups.count(db)

    store.write(write).result(20)


def outcome(facts: dict[str, Any]) -> Outcome:
    """How the call of these facts went, told without SQL."""
    if facts["state"] == "ok":
        return {"length": "cut", "content_filter": "filtered"}.get(facts["reason"], "ok")
    return {"started": "running", "error": "failed", "cancelled": "stopped"}.get(facts["state"], "cut")


def lets_through(scope: Scope, facts: dict[str, Any]) -> bool:
    """Whether the call of these facts is one of the scope's."""
    return (
        facts["owner"] == scope.owner
        and scope.session in (None, facts["session"])
        and (scope.since or 0) <= facts["at"]
        and (scope.until is None or facts["at"] < scope.until)
        and (not scope.endpoints or facts["endpoint"] in scope.endpoints)
        and (not scope.models or facts["model"] in scope.models)
        and (not scope.pages or facts["page"] in scope.pages)
        and (not scope.outcomes or outcome(facts) in scope.outcomes)
        and (not scope.places or facts["place"] in scope.places)
    )


HAPPENS = st.lists(
    st.tuples(st.sampled_from(["delete", "reprice", "import", "late", "forget"]), st.integers(0, 9)), max_size=5
)
PRICE = Price(0.5, 4.0)


def happen(store: Store, made: list[dict[str, Any]], what: str, place: int) -> None:
    """Something that changes what was recorded: in the store, and in `made`."""
    facts = made[place % len(made)] if made else {}
    if facts and what == "delete":
        made.remove(facts)
        store.write(lambda db: records.delete_calls(db, facts["owner"], [facts["id"]])).result(20)
    elif facts and what == "reprice":
        mine = ("owner", "endpoint", "model")
        for one in [one for one in made if all(one[name] == facts[name] for name in mine)]:
            if one["state"] != "started" and None not in (one["prompt"], one["completion"]):
                one["cost"] = (one["prompt"] * PRICE.prompt + one["completion"] * PRICE.completion) / 1_000_000
        store.write(lambda db: repricing.reprice(db, *(facts[name] for name in mine), PRICE)).result(20)
    elif facts and what == "forget":
        store.write(lambda db: records.forget_texts(db, facts["owner"], [facts["id"]])).result(20)
        facts["place"] = "" if facts["place"] in PLACES[:2] else facts["place"]
    elif what == "import":
        bring_in(store, made)
    elif facts and facts["state"] == "started":
        facts |= {"state": "ok", "reason": "stop"}
        reply = Reply(usage=Usage(facts["prompt"], facts["completion"], source="reported"), state="ok", seconds=1.0)
        reply.cost = facts["cost"]
        reply.add(Delta(text="Late", finish_reason="stop"))
        store.write(lambda db: records.finish_call(db, facts["id"], reply, late=True)).result(20)


def bring_in(store: Store, made: list[dict[str, Any]]) -> None:
    """What Eve has saved comes in at Ann's."""
    file = store.read(lambda db: call_files.to_json(queries.every(db, Scope("eve"))))
    store.write(lambda db: imported.add(db, "ann", import_file.read(file, "ann").calls)).result(20)
    there = {one["id"] for one in made}
    for one in [one for one in made if one["owner"] == "eve" and one["state"] != "started"]:
        id, at = imported.id_for("ann", one["id"]), one["at"] - one["at"] % 1_000_000
        if id not in there:
            brought = {"id": id, "owner": "ann", "session": records.IMPORTED, "place": "", "at": at}
            made.append(one | brought)


def in_files(store: Store, scope: Scope) -> list[tuple[Any, ...]]:
    """Calls, prompt tokens, completion tokens and cost as the CSV and the JSON of a scope add up."""
    found = []
    csv_file = store.read(lambda db: call_files.to_csv(queries.every(db, scope))).decode("utf-8-sig")
    json_file = store.read(lambda db: call_files.to_json(queries.every(db, scope)))
    for rows in (list(csv.DictReader(io.StringIO(csv_file, newline=""))), json.loads(json_file)["calls"]):
        # A call in progress has no tokens yet.
        columns = ([row[name] for row in rows] for name in ("prompt_tokens", "completion_tokens", "cost_usd"))
        known = ([float(value) for value in column if value not in ("", None)] for column in columns)
        found.append((len(rows), *(sum(values) if values else None for values in known)))
    return found


def in_sql(store: Store, mine: list[dict[str, Any]]) -> tuple[Any, ...]:
    """The same of these calls as the database itself adds up what was recorded of them."""
    ended = schema.calls.c.state != "started"
    columns = (schema.calls.c.prompt_tokens, schema.calls.c.completion_tokens, schema.calls.c.cost)
    query = select(func.count(), *(func.sum(case((ended, column))) for column in columns))
    # owner: whose they are was told without SQL.
    query = query.where(schema.calls.c.id.in_([facts["id"] for facts in mine]))
    return tuple(store.read(lambda db: db.execute(query).one()))


def in_the_table(store: Store, scope: Scope) -> tuple[Any, ...]:
    """The same as the rows of the page's table add up."""
    frame = totals.call_frame(store.read(lambda db: queries.newest(db, scope, 100)), ZoneInfo("UTC"))
    sums = (frame[name].sum(min_count=1) for name in ("prompt", "completion", "cost"))
    return (len(frame), *(None if pd.isna(value) else value for value in sums))


def check(store: Store, scope: Scope, made: list[dict[str, Any]]) -> None:
    mine = [facts for facts in made if lets_through(scope, facts)]
    found = total(store.read(lambda db: queries.by_model(db, scope)))
    listed: list[CallRecord] = store.read(lambda db: list(queries.every(db, scope)))
    assert found.calls == len(mine) == len(listed)
    assert sorted(row.started_at for row in listed) == sorted(facts["at"] for facts in mine)
    assert store.read(lambda db: queries.any_call(db, scope)) == bool(mine)
    ended = [facts for facts in mine if facts["state"] != "started"]
    for kind in ("prompt", "completion"):
        known = [facts[kind] for facts in ended if facts[kind] is not None]
        assert getattr(found, f"{kind}_tokens") == (sum(known) if known else None)
    costs = [facts["cost"] for facts in ended if facts["cost"] is not None]
    assert found.cost == (pytest.approx(sum(costs)) if costs else None)
    for calls, prompt, completion, cost in (*in_files(store, scope), in_sql(store, mine), in_the_table(store, scope)):
        assert (calls, prompt, completion) == (found.calls, found.prompt_tokens, found.completion_tokens)
        assert cost == (pytest.approx(found.cost) if costs else None)
    bars_are_their_calls(store, scope, found, ZoneInfo("America/New_York"))
    groups_are_the_whole(store, scope, found, mine)
    counts = {"failed": found.failed, "cut": found.cut, "filtered": found.filtered, "stopped": found.stopped}
    counts["running"] = found.running
    assert counts == {name: sum(outcome(facts) == name for facts in mine) for name in counts}
    for seconds in (900, 3_600, 60):
        slices = store.read(lambda db, seconds=seconds: queries.by_slice(db, scope, seconds))
        assert sum(part.calls for part in slices) == len(mine)
        assert sum(part.prompt_tokens or 0 for part in slices) == (found.prompt_tokens or 0)
        assert all(part.at % (seconds * 1_000_000) == 0 for part in slices)


def groups_are_the_whole(store: Store, scope: Scope, found: Totals, mine: list[dict[str, Any]]) -> None:
    """By page, and by chat and sweep, the same calls add up to the same."""
    places, count = store.read(lambda db: queries.by_place(db, scope, 1_000))
    assert len(places) == count
    for limit in range(1, count + 1):
        # Of what ties, and of what has not ended yet, it is not said which comes first.
        some, all_of_them = store.read(lambda db, limit=limit: queries.by_place(db, scope, limit))
        assert all_of_them == count and len(some) == limit
        assert [(not one.place, one.tokens or 0) for one in some] == [
            (not one.place, one.tokens or 0) for one in places[:limit]
        ]
    groups: list[Any]
    for groups, name in ((store.read(lambda db: queries.by_page(db, scope)), "page"), (places, "place")):
        assert {getattr(one, name): one.calls for one in groups} == Counter(facts[name] for facts in mine)
        whole = total(groups)
        assert whole == replace(found, cost=pytest.approx(found.cost) if found.cost else found.cost), name


def bars_are_their_calls(store: Store, scope: Scope, found: Totals, zone: ZoneInfo) -> None:
    """What each bar of the chart says is what the calls behind it add up to."""
    bucket = bucket_for(found)
    bars = by_time(store.read(lambda db: queries.by_slice(db, scope, bucket.slice_seconds)), bucket, zone)
    assert sum(bars["calls"]) == found.calls
    for long in BUCKETS[-3:]:
        parted = partial(parted_days, long, zone)
        slices = store.read(lambda db, parted=parted: queries.by_day(db, scope, parted))
        exact = by_time(store.read(lambda db: queries.by_slice(db, scope, 900)), long, zone)
        assert by_time(slices, long, zone).equals(exact), long
    for bar in bars[bars["calls"] > 0].itertuples():
        since, until = stretch_of(bar.time, bucket, zone)
        until = until if scope.until is None else min(scope.until, until)
        behind = replace(scope, since=max(scope.since or 0, since), until=until)
        assert total(store.read(lambda db, scope=behind: queries.by_model(db, scope))).calls == bar.calls, bar


@pytest.mark.row("U11", "U12", "U14")
@settings(max_examples=examples(40), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(made=st.lists(CALLS, max_size=10), happens=HAPPENS, scopes=st.lists(SCOPES, min_size=1, max_size=1))
def test_sums_bars_rows_and_files_are_those_of_the_same_calls(
    store: Store, made: list[dict[str, Any]], happens: list[tuple[str, int]], scopes: list[Scope]
) -> None:
    # any owner: a test's own rows.
    store.write(lambda db: [db.execute(table.delete()) for table in (schema.calls, *usage_rollups.KEYS)]).result(20)
    for facts in made:
        keep(store, facts)
    for what, place in happens:
        happen(store, made, what, place)

    for scope in scopes:
        check(store, scope, made)


def test_what_can_be_filtered_by_is_what_the_owner_has_asked(store: Store) -> None:
    usual = {"session": "s1", "place": "", "reason": "stop", "at": 0, "prompt": 1, "completion": 1, "cost": None}
    keep(store, usual | {"owner": "ann", "page": "chat", "model": "o3", "endpoint": "apiyi", "state": "ok"})
    keep(store, usual | {"owner": "ann", "page": "sweep", "model": "gpt-4o", "endpoint": "apiyi", "state": "started"})
    keep(store, usual | {"owner": "eve", "page": "chat", "model": "secret", "endpoint": "hers", "state": "ok"})

    found = store.read(lambda db: queries.choices(db, "ann"))

    assert found == {"endpoints": ["apiyi"], "models": ["gpt-4o", "o3"], "pages": ["chat", "sweep"]}


def paid_in_files(store: Store, scope: Scope, terms: dict[str, list[Term]]) -> Iterator[dict[str, float]]:
    """What was paid by currency, as the files add up; once more where the JSON has come in and the terms with it."""
    csv_file = store.read(lambda db: call_files.to_csv(queries.every(db, scope), terms)).decode("utf-8-sig")
    json_file = store.read(lambda db: call_files.to_json(queries.every(db, scope), terms))
    for rows in (list(csv.DictReader(io.StringIO(csv_file, newline=""))), json.loads(json_file)["calls"]):
        added: dict[str, float] = {}
        for row in (one for one in rows if one["paid"] not in ("", None)):
            added[row["paid_currency"]] = added.get(row["paid_currency"], 0.0) + float(row["paid"])
            assert float(row["paid"]) == float(row["cost_usd"]) * float(row["paid_per_dollar"])
        yield added
    ended = [row for row in rows if row["state"] != "started"]
    then = {(row["endpoint"], row["time_utc"], row["paid_currency"], row["paid_per_dollar"]) for row in ended}
    if len({one[:2] for one in then}) == len(then):  # a file has whole seconds, in which a term may have changed
        came = import_file.read(json_file, "ann")
        again = json.loads(call_files.to_json(came.calls, came.terms))["calls"]
        assert [[row[name] for name in call_files.PAID] for row in again] == [
            [row[name] for name in call_files.PAID] for row in ended
        ]


TERMS = st.dictionaries(
    st.sampled_from(ENDPOINTS),
    st.lists(
        st.builds(
            Term,
            since=MOMENTS,
            factor=st.none() | st.sampled_from([0.0, 0.5, 7.0]),
            currency=st.sampled_from(["USD", "CNY"]),
        ),
        max_size=3,
    ).map(lambda some: sorted(some, key=lambda one: one.since)),
)


@pytest.mark.row("U6")
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(made=st.lists(CALLS, max_size=10), scopes=st.lists(SCOPES, min_size=6, max_size=6), terms=TERMS)
def test_what_was_paid_is_each_call_at_what_a_dollar_cost_then_and_no_currency_is_added_to_another(
    store: Store, made: list[dict[str, Any]], scopes: list[Scope], terms: dict[str, list[Term]]
) -> None:
    # any owner: a test's own rows.
    store.write(lambda db: [db.execute(table.delete()) for table in (schema.calls, *usage_rollups.KEYS)]).result(20)
    for facts in made:
        keep(store, facts)

    for scope in scopes:
        found = paid.total(store.read(lambda db, scope=scope: paid.by_model(db, scope, terms)).values())
        expected: dict[str, float] = {}
        for facts in (one for one in made if lets_through(scope, one) and one["state"] != "started"):
            term = service_terms.at_moment(terms.get(facts["endpoint"], ()), facts["at"])
            if term is not None and term.factor is not None and facts["cost"] is not None:
                expected[term.currency] = expected.get(term.currency, 0.0) + facts["cost"] * term.factor
        assert found == expected, scope
        assert all(saved == expected for saved in paid_in_files(store, scope, terms)), scope


@pytest.mark.row("U17")
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(made=st.lists(CALLS, max_size=10))
def test_a_budget_has_spent_what_the_page_says_was_used(store: Store, made: list[dict[str, Any]]) -> None:
    # any owner: a test's own rows.
    store.write(lambda db: [db.execute(table.delete()) for table in (schema.calls, *usage_rollups.KEYS)]).result(20)
    for facts in made:
        keep(store, facts)
    budgets = Budgets(store, OutcomeWriter(store))

    for unit in ("USD", "tokens"):
        budgets.set("ann", [Budget("session", 1.0, unit)])
        for session in SESSIONS:
            scope = Scope("ann", session)
            shown = total(store.read(lambda db, scope=scope: queries.by_model(db, scope)))
            spent = budgets.standings("ann", session)[0].spent
            assert spent == ((shown.cost if unit == "USD" else shown.tokens) or 0), (unit, session)


@pytest.mark.row("U14", "U6")
def test_a_file_says_what_each_call_cost_at_what_a_dollar_cost_then(store: Store) -> None:
    usual = {"owner": "ann", "session": "s1", "place": "", "page": "chat", "model": "o3", "endpoint": "apiyi"}
    usual |= {"reason": "stop", "state": "ok", "prompt": 1, "completion": 1}
    for at, cost in ((0, 1.0), (10_000_000, 4.0), (20_000_000, None)):
        keep(store, usual | {"at": at, "cost": cost})
    terms = {"apiyi": [Term(0, 7.0, "CNY"), Term(5_000_000, 0.5, "USD")]}

    assert list(paid_in_files(store, Scope("ann"), terms)) == [{"CNY": 7.0, "USD": 2.0}] * 2


def test_each_call_counts_once_whether_it_is_in_the_sums_yet_or_not(store: Store) -> None:
    """Also at both ends of a stretch of time, where days are read from their calls."""
    usual = {"owner": "ann", "session": "s1", "place": "c1", "page": "chat", "model": "o3", "endpoint": "apiyi"}
    usual |= {"reason": "stop", "state": "ok", "prompt": 1, "completion": 1, "cost": 0.5}
    made = [usual | {"at": at} for at in (10, DAY + 10, 3 * DAY + 10)]
    for facts in made:
        keep(store, facts)
    scopes = [Scope("ann", **times) for times in ({}, {"since": 5}, {"since": 5, "until": 3 * DAY + 20})]

    for scope in scopes:
        check(store, scope, made)
    store.write(usage_rollups.count).result(20)
    for scope in scopes:
        check(store, scope, made)


def test_a_month_begins_at_midnight_where_the_viewer_is_also_in_sums_of_days(store: Store) -> None:
    usual = {"owner": "ann", "session": "s1", "place": "", "page": "chat", "model": "o3", "endpoint": "apiyi"}
    usual |= {"reason": "stop", "state": "ok", "prompt": 1, "completion": 1, "cost": None}
    for hour in (1, 6, 7, 30):  # 1970 begins at five o'clock in UTC
        keep(store, usual | {"at": hour * 4 * QUARTER})
    month, zone = BUCKETS[-1], ZoneInfo("America/New_York")

    slices = store.read(lambda db: queries.by_day(db, Scope("ann"), partial(parted_days, month, zone)))

    assert [part.calls for part in slices] == [1, 1, 1, 1] and len({part.at % DAY for part in slices}) > 1
    assert list(by_time(slices, month, zone)["calls"]) == [1, 3]
