"""Calls that come back from the files that Usage saves: each once, and what can't be read is said."""

import json
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lib.calls import imported, usage_rollups
from lib.calls.records import IMPORTED, CallRecord
from lib.core.errors import InvalidInput
from lib.core.reply import Usage
from lib.store import schema
from lib.store.database import Store
from lib.ui.shared.texts import catalogue
from lib.ui.usage.downloads import names_of_columns
from lib.usage import call_files, import_file, queries, totals
from lib.usage.scope import Scope
from lib.usage.totals import total
from tests.kept_sums import differences
from tests.store_fixtures import record

ANN = Scope("ann")
FORMS: dict[str, Callable[[Any], bytes]] = {
    "csv": call_files.to_csv,
    "xlsx": call_files.to_excel,
    "json": call_files.to_json,
    "xlsx in Chinese": partial(call_files.to_excel, translate=catalogue("zh_Hans").gettext),
}
COUNT = st.none() | st.integers(0, 10**9)
NAME = st.sampled_from(["gpt-4o", '=HYPERLINK("x")', "'quoted", "a,b\n-c", "模型", "１２", "007", "1e5", "true"])
CALLS = st.fixed_dictionaries(
    {
        "usage": st.builds(Usage, COUNT, COUNT, COUNT, COUNT, st.sampled_from(["reported", "estimated", "unknown"])),
        "model": NAME,
        "endpoint": NAME,
        "page": st.sampled_from(["chat", "sweep", "judge"]),
        "state": st.sampled_from(["ok", "partial", "error", "cancelled", "interrupted"]),
        "finish_reason": st.sampled_from([None, "stop", "length", "content_filter"]),
        "cost": st.none() | st.floats(0, 1e5, allow_nan=False),
        "cost_source": st.sampled_from(["", "list", "own", "reported", "free", "local"]),
        "billed": st.sampled_from(["yes", "no", "unknown"]),
        "seconds": st.none() | st.floats(0, 1e4),
        "first_token_seconds": st.none() | st.floats(0, 1e4),
        "attempts": st.integers(1, 9),
        "request_id": st.sampled_from(["", "req-1", "+1"]),
    }
)


def saved(store: Store, form: str, owner: str = "ann") -> bytes:
    return store.read(lambda db: FORMS[form](queries.every(db, Scope(owner))))


def bring_in(store: Store, file: bytes, owner: str = "ann") -> int:
    found = import_file.read(file, owner, names_of_columns())
    return store.write(lambda db: imported.add(db, owner, found.calls)).result(20)


def calls_of(store: Store, owner: str = "ann") -> list[CallRecord]:
    return store.read(lambda db: list(queries.every(db, Scope(owner))))


@pytest.mark.row("U19")
@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(made=st.lists(CALLS, min_size=1, max_size=6), form=st.sampled_from([*FORMS]))
def test_what_was_saved_comes_back_whole_and_once(store: Store, made: list[dict[str, Any]], form: str) -> None:
    # any owner: a test's own rows.
    tables = (schema.calls, schema.usage_spread, *usage_rollups.KEYS)
    store.write(lambda db: [db.execute(table.delete()) for table in tables]).result(20)
    for facts in made:
        record(store, "eve", **facts)
    file, there = saved(store, form, "eve"), total(store.read(lambda db: queries.by_model(db, Scope("eve"))))

    # Somebody else on the same database, who gets ids of their own; then once more; then whose they are.
    assert (bring_in(store, file), bring_in(store, file), bring_in(store, file, "eve")) == (len(made), 0, 0)

    ours = total(store.read(lambda db: queries.by_model(db, ANN)))
    same = [name for name in totals.COUNTS if name != "running"] + ["prompt_tokens", "completion_tokens"]
    assert [getattr(ours, name) for name in same] == [getattr(there, name) for name in same]
    assert ours.cost == pytest.approx(there.cost)
    assert {row.session for row in calls_of(store)} == {IMPORTED}
    again = [row["model"] + row["endpoint"] for row in json.loads(saved(store, "json"))["calls"]]
    assert again == [row["model"] + row["endpoint"] for row in json.loads(saved(store, "json", "eve"))["calls"]]
    assert store.read(differences) == []


def test_a_call_that_is_here_already_is_left_as_it_is(store: Store) -> None:
    record(store, cost=0.5)
    file = saved(store, "csv").replace(b"0.5", b"9.5")

    assert bring_in(store, file) == 0

    assert [row.cost for row in calls_of(store)] == [0.5]


def test_rows_that_cannot_be_read_are_counted_and_the_rest_comes(store: Store) -> None:
    good = {"time_utc": "2026-11-03 12:04:05", "model": "o3", "id": "a1", "prompt_tokens": 3}
    bad = [
        good | {"id": ""}, good | {"id": "a2", "time_utc": "yesterday"}, good | {"id": "a3", "model": None},
        good | {"id": "a4", "prompt_tokens": -1}, good | {"id": "a5", "cost_usd": "NaN"},
        good | {"id": "a6", "state": "fine"}, good | {"id": "a7", "page": "shop"}, good | {"id": "../etc"},
        "text", None,
    ]  # fmt: skip
    running = good | {"id": "b1", "state": "started"}
    made_up = good | {"id": "sample-0001"}
    file = json.dumps({"calls": [*bad, good, good, running, made_up]}).encode()

    found = import_file.read(file, "ann")

    assert (len(found.calls), found.running, found.unreadable, found.made_up) == (2, 1, len(bad), 1)
    assert bring_in(store, file) == 1


def test_a_file_that_is_none_of_ours_is_refused_with_a_sentence(subtests: pytest.Subtests) -> None:
    for name, file in [
        ("empty", b""), ("another table", b"a,b\n1,2\n"), ("a picture", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"),
        ("cut JSON", b'{"calls": [{"id"'), ("other JSON", b'{"messages": []}'), ("no archive", b"PK\x03\x04nothing"),
    ]:  # fmt: skip
        with subtests.test(name), pytest.raises(InvalidInput) as refused:
            import_file.read(file, "ann")
        with subtests.test(name):
            assert str(refused.value).endswith((".", "…", "”."))


def test_what_comes_in_is_listed_by_its_own_time(store: Store) -> None:
    record(store, model="today")
    row = {"time_utc": "2020-01-01 00:00:00", "model": "long ago", "id": "a1"}

    bring_in(store, json.dumps([row]).encode())

    assert [one.model for one in calls_of(store)] == ["today", "long ago"]
