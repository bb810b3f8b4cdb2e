"""Stores what a person, or a model asked to, thinks of a sweep's answers: stars, a thumb, a note."""

from dataclasses import dataclass
from typing import Literal

from sqlalchemy import Connection, delete, select

from lib.core.clock import now
from lib.core.errors import InvalidInput
from lib.core.i18n import N_
from lib.store.schema import calls, ratings
from lib.store.statements import insert_into

MOST_STARS = 5
LONGEST_NOTE = 4_000
PERSON = ""
"""The rater of what the person says; a model's is its name, `endpoint/model id`."""


@dataclass(frozen=True, slots=True)
class Rating:
    """`stars` from 1 to 5, `thumb` 1 for up and -1 for down; None where there are none."""

    stars: int | None = None
    thumb: Literal[-1, 1] | None = None
    note: str = ""

    def checked(self) -> "Rating":
        """The rating itself; raises InvalidInput for stars that there are not, and for too long a note."""
        if self.stars is not None and not 1 <= self.stars <= MOST_STARS:
            raise InvalidInput(N_("Stars go from 1 to {most}."), most=MOST_STARS)
        if len(self.note) > LONGEST_NOTE:
            raise InvalidInput(N_("A note has at most {most:,} characters."), most=LONGEST_NOTE)
        return self


def rate(conn: Connection, owner: str, call_id: str, rating: Rating, rater: str = PERSON) -> None:
    """Keep a rating of an answer instead of the same rater's last one; an empty one takes it away."""
    rating = rating.checked()
    if rating == Rating():
        mine = ratings.c.owner == owner, ratings.c.call_id == call_id, ratings.c.rater == rater
        conn.execute(delete(ratings).where(*mine))
        return
    # Another owner's call has no row here: its number is not known to whoever asks, and nothing says that it exists.
    if conn.execute(select(calls.c.seq).where(calls.c.owner == owner, calls.c.id == call_id)).first() is None:
        return
    said = {"stars": rating.stars, "thumb": rating.thumb, "note": rating.note, "rated_at": now()}
    row = insert_into(ratings, conn.dialect.name).values(owner=owner, call_id=call_id, rater=rater, **said)
    conn.execute(row.on_conflict_do_update(index_elements=["owner", "call_id", "rater"], set_=said))


def of_sweep(conn: Connection, owner: str, sweep_id: str, rater: str = PERSON) -> dict[str, Rating]:
    """What one rater says of a sweep's answers, by the ids of their calls."""
    return {call_id: rating for (call_id, who), rating in all_of_sweep(conn, owner, sweep_id).items() if who == rater}


def all_of_sweep(conn: Connection, owner: str, sweep_id: str) -> dict[tuple[str, str], Rating]:
    """What everybody says of a sweep's answers, by call and rater."""
    query = (
        select(ratings)
        .join(calls, calls.c.id == ratings.c.call_id)
        .where(ratings.c.owner == owner, calls.c.owner == owner, calls.c.sweep_id == sweep_id)
    )
    found = conn.execute(query)
    return {(row.call_id, row.rater): Rating(row.stars, row.thumb, row.note) for row in found}
