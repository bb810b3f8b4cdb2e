"""How what calls took is spread, counted with their sums: how many had a first word after about so long, wrote about so
fast, took so long; and how many were tried again.

A value is counted in a bin as in an HDR histogram: 64 to each doubling, so that the middle of a bin is within 0.8 % of
all that is in it, and percentiles of any number of calls are read from some hundred rows. A kind that has no value is
counted in bin 0.
"""

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Insert,
    Select,
    and_,
    case,
    cast,
    delete,
    func,
    literal,
    literal_column,
    not_,
    select,
    union_all,
)

from lib.calls.call_outcome import outcome
from lib.store.prepared import Prepared
from lib.store.schema import calls, usage_spread
from lib.store.statements import insert_into

KEYS = ("endpoint", "model", "page", "outcome")
COLUMNS = ["owner", *KEYS, "kind", "bin", "calls"]
LEAST_WRITING_SECONDS = 0.2
"""An answer that came faster than this came at once, and says nothing of a speed."""
TICKS, RATE_TICKS = 10_000.0, 100.0
"""So many units of a bin to a second, and to a token a second."""
DOUBLING = 64
SHIFTS = 25
BINS = DOUBLING * (SHIFTS + 1)
MOST = 2 * DOUBLING * 2 ** (SHIFTS - 1) - 1
"""In units: three and a half days."""

_writing = calls.c.seconds - calls.c.first_token_seconds
_ended = calls.c.state != "started"
KINDS: dict[str, tuple[ColumnElement[bool], ColumnElement[Any]]] = {
    "first_word": (calls.c.first_token_seconds.is_not(None), calls.c.first_token_seconds * TICKS),
    "rate": (
        and_(_writing >= LEAST_WRITING_SECONDS, calls.c.completion_tokens > 0),
        calls.c.completion_tokens * RATE_TICKS / _writing,
    ),
    # A failed call's time is the time until it failed, which would make a broken service look fast.
    "whole": (and_(calls.c.state == "ok", calls.c.seconds.is_not(None)), calls.c.seconds * TICKS),
    "retried": (calls.c.attempts > 1, literal_column("0")),
}
"""Which calls each kind counts, and the value whose bin they are counted in."""


def middle(bin: int) -> float:
    """The value, in units, that stands for all that are in a bin."""
    shift = max(0, (bin - DOUBLING) // DOUBLING)
    low = bin - DOUBLING * shift
    return float(low) if shift == 0 else (low + 0.5) * 2**shift


def count(conn: Connection) -> None:
    """Count all calls that have ended and are not counted yet."""
    _COUNT.run(conn, {})


def uncount(conn: Connection, seqs: Sequence[int]) -> None:
    """Count those of the calls out that are counted; they are about to be changed or removed."""
    these = not_(calls.c.uncounted), calls.c.seq.in_(seqs)
    conn.execute(_adding(these, -1, conn.dialect.name))
    # any owner: those of the calls just counted out.
    owners = select(calls.c.owner).where(*these).distinct()
    conn.execute(delete(usage_spread).where(usage_spread.c.owner.in_(owners), usage_spread.c.calls == 0))


def rebuild_all(conn: Connection) -> None:
    """Count all calls of all owners anew."""
    # any owner: the counts of all of them are made from their rows.
    conn.execute(delete(usage_spread))
    conn.execute(usage_spread.insert().from_select(COLUMNS, summed([not_(calls.c.uncounted)])))


def summed(where: Sequence[ColumnElement[bool]]) -> Select[Any]:
    """The rows of `usage_spread` as the calls themselves make them, of those that `where` lets through."""
    parts = []
    for kind, (condition, value) in KINDS.items():
        columns = [calls.c.owner, *(outcome if name == "outcome" else calls.c[name] for name in KEYS)]
        columns.append(literal(kind).label("kind"))
        # any owner: who uses this names the owner.
        parts.append(select(*columns, _units(value).label("units")).where(_ended, condition, *where))
    found = union_all(*parts).subquery()
    keys: list[ColumnElement[Any]] = [found.c[name] for name in ("owner", *KEYS, "kind")]
    # any owner: as above.
    rows = select(*keys, _bin(found.c.units).label("bin"), func.count().label("calls"))
    # SQLite reads ON CONFLICT after a SELECT rightly only where that has a WHERE (sqlite.org/lang_upsert.html).
    return rows.where(found.c.units >= 0).group_by(*keys, literal_column("bin"))


def values_of(where: Sequence[ColumnElement[bool]], kinds: Sequence[str]) -> Select[Any]:
    """Endpoint, model and the value of each kind (NULL: not counted) of the calls that `where` lets through: in one
    look at them. Their bins are `bins_of`: in the database each would take twenty comparisons."""
    values = [case((KINDS[kind][0], KINDS[kind][1])).label(kind) for kind in kinds]
    # any owner: who uses this names the owner.
    return select(calls.c.endpoint, calls.c.model, *values).where(_ended, *where)


def bins_of(values: NDArray[np.float64]) -> NDArray[np.int64]:
    """The bin of each value, in units."""
    units = np.clip(values, 0, MOST).astype(np.int64)
    bits = np.frexp(units)[1].astype(np.int64)  # the power of two above it: exact below 2 ** 53
    shift = np.maximum(0, bits - DOUBLING.bit_length())
    bins: NDArray[np.int64] = (units >> shift) + DOUBLING * shift
    return bins


def _units(value: ColumnElement[Any]) -> ColumnElement[Any]:
    return cast(case((value > MOST, MOST), (value < 0, 0), else_=value), BigInteger)


def _bin(units: ColumnElement[Any]) -> ColumnElement[int]:
    # As literals: PostgreSQL shifts by a plain integer only, and these are numbers enough for one statement.
    shifts = (
        (_literal(2 * DOUBLING * 2**shift), _literal(shift), _literal(DOUBLING * shift)) for shift in range(SHIFTS)
    )
    return case(*((units < below, units.op(">>")(shift) + more) for below, shift, more in shifts))


def _literal(number: int) -> ColumnElement[int]:
    return literal_column(str(number))


def _adding(where: Sequence[ColumnElement[bool]], sign: int, dialect: str) -> Insert:
    insert = insert_into(usage_spread, dialect).from_select(COLUMNS, summed(where))
    return insert.on_conflict_do_update(
        index_elements=COLUMNS[:-1], set_={"calls": usage_spread.c.calls + sign * insert.excluded.calls}
    )


_COUNT = Prepared(partial(_adding, [calls.c.uncounted], 1))
