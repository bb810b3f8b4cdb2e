"""Ratings: kept per answer and rater, changed, taken away, and gone with their answer."""

import pytest
from sqlalchemy import select

from lib.calls import records
from lib.core.errors import InvalidInput
from lib.store import schema
from lib.store.database import Store
from lib.sweep import ratings
from lib.sweep.ratings import Rating
from tests.store_fixtures import a_call, start


def rate(store: Store, call_id: str, rating: Rating, rater: str = ratings.PERSON, owner: str = "ann") -> None:
    store.write(lambda db: ratings.rate(db, owner, call_id, rating, rater)).result(20)


def rated(store: Store, owner: str = "ann", rater: str = ratings.PERSON) -> dict[str, Rating]:
    return store.read(lambda db: ratings.of_sweep(db, owner, "sweep", rater))


@pytest.mark.row("S20", "T13")
def test_a_rating_is_of_one_answer_by_one_rater_and_goes_with_the_answer(store: Store) -> None:
    one, other = (start(store, a_call(page="sweep", sweep_id="sweep", cell_id=f"{n}")).id for n in range(2))
    rate(store, one, Rating(stars=4, note="warm"))
    rate(store, one, Rating(stars=2), rater="apiyi/gpt-4o")
    rate(store, other, Rating(thumb=-1))
    rate(store, other, Rating(stars=1), owner="ben")

    assert rated(store) == {one: Rating(4, None, "warm"), other: Rating(None, -1)}
    assert rated(store, rater="apiyi/gpt-4o") == {one: Rating(2)}
    assert rated(store, owner="ben") == {}, "another owner's answer can't be rated"
    assert "ben" not in store.read(lambda db: db.execute(select(schema.ratings.c.owner)).scalars().all())

    rate(store, one, Rating(stars=5, thumb=1))
    rate(store, other, Rating())
    assert rated(store) == {one: Rating(5, 1)}, "the last word counts, and none is none"

    store.write(lambda db: records.delete_calls(db, "ann", [one])).result(20)
    assert rated(store) == rated(store, rater="apiyi/gpt-4o") == {}


def test_what_is_no_rating_is_a_sentence(subtests: pytest.Subtests, store: Store) -> None:
    for rating in (Rating(stars=0), Rating(stars=6), Rating(note="x" * (ratings.LONGEST_NOTE + 1))):
        with subtests.test(rating=str(rating)[:40]), pytest.raises(InvalidInput):
            rate(store, "any", rating)
