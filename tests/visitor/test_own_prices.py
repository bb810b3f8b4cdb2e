"""Prices that a visitor sets: kept, used before list prices, and given to earlier calls only when asked."""

import math
import secrets

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lib.calls import records, repricing
from lib.core.prices import Price
from lib.core.reply import Usage
from lib.gateway import pricing
from lib.gateway.endpoint_registry import EndpointRegistry, typed_endpoint
from lib.store.database import Store
from lib.usage import queries
from lib.usage.scope import Scope
from lib.visitor import own_prices
from tests.kept_sums import differences
from tests.store_fixtures import record

PRICES = st.integers(0, 800).map(lambda eighths: eighths / 8)
THOUSANDS = Usage(1_000_000, 2_000_000, source="reported")


@pytest.mark.row("U6")
def test_a_price_is_kept_by_service_and_model_and_can_be_taken_off(store: Store) -> None:
    def put(owner: str, endpoint: str, model: str, price: Price | None) -> None:
        store.write(lambda db: own_prices.put(db, owner, endpoint, model, price)).result(20)

    put("ann", "apiyi", "o3", Price(1.0, 2.0))
    put("ann", "apiyi", "a/b:c", Price(0.0, 0.5))
    put("eve", "apiyi", "o3", Price(9.0, 9.0))
    put("ann", "apiyi", "o3", Price(3.0, 4.0, 0.5))
    put("ann", "apiyi", "a/b:c", None)

    assert store.read(lambda db: own_prices.of_services(db, "ann")) == {"apiyi": {"o3": Price(3.0, 4.0, 0.5)}}


def test_only_numbers_that_can_be_prices_are_taken() -> None:
    assert own_prices.as_price(0, 2.5) == (0.0, 2.5, None)
    for wrong in (None, "3", True, -1, math.nan, math.inf, own_prices.HIGHEST + 1):
        assert own_prices.as_price(wrong, 1) is None and own_prices.as_price(1, wrong) is None, wrong


@pytest.mark.row("U6")
def test_the_own_price_counts_before_the_list_and_the_services_word_before_both() -> None:
    registry = EndpointRegistry([typed_endpoint("https://api.example.com/v1", "sk-made-up-0001")])
    registry.set_prices("ann", {"api.example.com": {"gpt-4o": Price(1.0, 2.0), "unheard-of": Price(0.0, 0.0)}})
    (mine,), (theirs,) = registry.endpoints("ann"), registry.endpoints("eve")

    assert pricing.priced(mine, "gpt-4o", THOUSANDS) == (5.0, "own")
    assert pricing.priced(mine, "unheard-of", THOUSANDS) == (0.0, "own")
    assert pricing.priced(mine, "gpt-4o", Usage()) == (None, "")
    assert pricing.priced(mine, "gpt-4o", Usage(1, 1, cost=0.25, source="reported")) == (0.25, "reported")
    assert pricing.price_of(mine, "gpt-4o") == (1.0, 2.0)
    assert pricing.priced(theirs, "gpt-4o", THOUSANDS) == (22.5, "list")


@pytest.mark.row("U6")
def test_earlier_calls_get_it_when_asked_and_the_sums_with_them(store: Store) -> None:
    listed = record(store, usage=THOUSANDS, cost=None, cost_source="")
    told = record(store, usage=THOUSANDS, cost=7.0, cost_source="reported")
    unknown = record(store, usage=Usage(), cost=None, state="error")
    hers = record(store, "eve", usage=THOUSANDS, cost=None)
    price = "apiyi", "gpt-4o", Price(1.0, 2.0)

    assert store.read(lambda db: repricing.count_other(db, "ann", *price)) == 1
    assert store.write(lambda db: repricing.reprice(db, "ann", *price)).result(20) == 1
    assert store.write(lambda db: repricing.reprice(db, "ann", *price)).result(20) == 0

    owners = {listed: "ann", told: "ann", unknown: "ann", hers: "eve"}
    found = [store.read(lambda db, one=one: records.call_of(db, owners[one], one)) for one in owners]
    assert [(call.cost, call.cost_source) for call in found if call][:2] == [(5.0, "own"), (7.0, "reported")]
    assert [call.cost for call in found if call][2:] == [None, None]
    assert not store.read(differences)


@pytest.mark.row("U6")
@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    made=st.lists(st.tuples(*(st.none() | st.integers(0, 10**6),) * 3), max_size=6),
    price=st.builds(Price, PRICES, PRICES, st.none() | PRICES),
    other=st.builds(Price, PRICES, PRICES, st.none() | PRICES),
)
def test_what_is_computed_anew_is_what_the_same_price_makes_of_a_new_call(
    store: Store, made: list[tuple[int | None, int | None, int | None]], price: Price, other: Price
) -> None:
    owner = secrets.token_hex(4)
    usages = [Usage(prompt, completion, None, cached, "reported") for prompt, completion, cached in made]
    ids = [record(store, owner, usage=usage, cost=usage.prompt_tokens, cost_source="list") for usage in usages]

    for one in (price, other, price):
        store.write(lambda db, one=one: repricing.reprice(db, owner, "apiyi", "gpt-4o", one)).result(20)
        found = [store.read(lambda db, id=id: records.call_of(db, owner, id)) for id in ids]
        costs = [call.cost for call in found if call]
        known = [usage.prompt_tokens is not None and usage.completion_tokens is not None for usage in usages]
        expected = [one.of(usage) if ok else usage.prompt_tokens for usage, ok in zip(usages, known, strict=True)]
        assert costs == [None if cost is None else pytest.approx(cost) for cost in expected]
        assert store.read(lambda db, one=one: repricing.count_other(db, owner, "apiyi", "gpt-4o", one)) == 0
        total = math.fsum(cost for cost in costs if cost is not None)
        sums = store.read(lambda db: queries.by_model(db, Scope(owner)))
        assert sum(one.cost or 0 for one in sums) == pytest.approx(total)
