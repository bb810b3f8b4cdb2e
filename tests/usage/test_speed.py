"""Percentiles of all calls of a scope, from the bins that are kept of them or from the calls, near those of NumPy."""

from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lib.calls import records, usage_rollups
from lib.calls.usage_spread import BINS, DOUBLING, MOST, bins_of, middle
from lib.core.reply import Usage
from lib.store import schema
from lib.store.database import Store
from lib.usage import queries, speed
from lib.usage.scope import Scope
from lib.usage.totals import total
from tests.store_fixtures import record

NEAR = 0.013
SECONDS = st.floats(0.01, 3_600)
CALLS = st.fixed_dictionaries(
    {
        "first": st.none() | SECONDS,
        "more": SECONDS,
        "tokens": st.none() | st.integers(1, 10**5),
        "state": st.sampled_from(["ok", "ok", "error", "cancelled"]),
        "model": st.sampled_from(["o3", "gpt-4o"]),
        "cost_source": st.sampled_from(["", "list", "own", "reported", "free", "local"]),
        "attempts": st.integers(1, 3),
        "counted": st.booleans(),
    }
)


def near(found: float | None, values: list[float], percent: int) -> bool:
    if found is None or not values:
        return found is None and not values
    return bool(found == pytest.approx(np.percentile(values, percent), rel=NEAR))


def check(found: speed.ModelSpeed, made: list[dict[str, Any]]) -> None:
    first = [one["first"] for one in made if one["first"] is not None]
    assert near(found.first_word_median, first, 50) and near(found.first_word_p90, first, 90)
    told = [one for one in made if one["first"] is not None and one["tokens"]]
    if all(one["more"] >= 0.201 and one["tokens"] / one["more"] > 1 for one in told):
        assert near(found.rate, [one["tokens"] / one["more"] for one in told], 50)
    assert near(found.seconds_median, [(one["first"] or 0) + one["more"] for one in made if one["state"] == "ok"], 50)
    assert found.retried == sum(one["attempts"] > 1 for one in made)


@pytest.mark.row("U15", "U16")
@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(made=st.lists(CALLS, min_size=1, max_size=8), gone=st.integers(0, 8))
def test_percentiles_are_those_of_all_calls(store: Store, made: list[dict[str, Any]], gone: int) -> None:
    tables = (schema.calls, schema.usage_spread, *usage_rollups.KEYS)
    # any owner: a test's own rows.
    store.write(lambda db: [db.execute(table.delete()) for table in tables]).result(20)
    for one in made:
        seconds, usage = (one["first"] or 0) + one["more"], Usage(1, one["tokens"], source="reported")
        facts = {name: one[name] for name in ("model", "state", "cost_source", "attempts")}
        one["id"] = record(store, usage=usage, seconds=seconds, first_token_seconds=one["first"], **facts)
        if one["counted"]:
            store.write(usage_rollups.count).result(20)
    removed, kept = made[:gone], made[gone:]
    store.write(lambda db: records.delete_calls(db, "ann", [one["id"] for one in removed])).result(20)

    for scope in (Scope("ann"), Scope("ann", since=1), Scope("ann", session="s1"), Scope("ann", models=("o3",))):
        names = [("apiyi", model) for model in (scope.models or ("o3", "gpt-4o"))]
        binned = store.read(lambda db, scope=scope: queries.spread(db, scope, speed.KINDS))
        for found in speed.by_model(binned, names):
            check(found, [one for one in kept if one["model"] == found.model])
    shown = total(store.read(lambda db: queries.by_model(db, Scope("ann"))))
    assert shown.cost_reported == sum(one["cost_source"] == "reported" for one in kept)
    assert shown.cost_free == sum(one["cost_source"] in ("free", "local") for one in kept)


@given(units=st.integers(0, MOST))
def test_the_middle_of_a_bin_is_near_all_that_is_in_it(units: int) -> None:
    shift = max(0, units.bit_length() - 7)
    bin = (units >> shift) + DOUBLING * shift

    assert bins_of(np.array([units, units + 0.4, -1.0, 2.0 * MOST])).tolist() == [bin, bin, 0, BINS - 1]
    assert middle(bin) == pytest.approx(units, rel=0.008, abs=1)


@pytest.mark.row("U7")
def test_whose_word_the_costs_are_is_told_of_every_call(store: Store) -> None:
    for source in ("reported", "reported", "own", "local", "list"):
        record(store, cost_source=source)

    for scope in (Scope("ann"), Scope("ann", since=1)):
        found = total(store.read(lambda db, scope=scope: queries.by_model(db, scope)))
        assert (found.cost_reported, found.cost_own, found.cost_free) == (2, 1, 1)
