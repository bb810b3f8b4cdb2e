"""How what calls took is spread, counted as they end: how many had a first word after about so long, wrote about so
fast, took so long; and how many were tried again.

A value is counted in a bin as in an HDR histogram: 64 to each doubling, so that the middle of a bin is within 0.8 % of
all that is in it, and percentiles of any number of calls are read from some hundred rows. A kind that has no value is
counted in bin 0.
"""

from collections.abc import Iterable, Sequence
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
    bindparam,
    case,
    cast,
    delete,
    func,
    literal,
    literal_column,
    select,
    union_all,
)

from lib.calls.call_outcome import outcome
from lib.store.prepared import Prepared
from lib.store.schema import calls, usage_spread
from lib.store.statements import chunks, insert_into

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


def add(conn: Connection, seqs: Iterable[int]) -> None:
    """Count calls that have just ended, or that were imported."""
    _COUNTING[1].run_each(conn, [{"seq": seq} for seq in seqs])


def subtract(conn: Connection, seqs: Iterable[int]) -> None:
    """Count calls out that have ended and are about to be changed or removed."""
    for some in chunks(seqs):
        _COUNTING[-1].run_each(conn, [{"seq": seq} for seq in some])
        # any owner: those of the calls just counted out.
        owners = select(calls.c.owner).where(calls.c.seq.in_(some)).distinct()
        conn.execute(delete(usage_spread).where(usage_spread.c.owner.in_(owners), usage_spread.c.calls == 0))


def rebuild_all(conn: Connection) -> None:
    """Count all calls of all owners anew."""
    # any owner: the counts of all of them are made from their rows.
    conn.execute(delete(usage_spread))
    conn.execute(usage_spread.insert().from_select(COLUMNS, counted()))


def counted(where: Sequence[ColumnElement[bool]] = (), kinds: Sequence[str] = tuple(KINDS)) -> Select[Any]:
    """The rows of `usage_spread` as the calls themselves make them, of those that `where` lets through."""
    rows, keys = _each(where, kinds, func.count())
    return rows.group_by(*keys, literal_column("bin"))


def _each(
    where: Sequence[ColumnElement[bool]], kinds: Sequence[str], calls_in: ColumnElement[int]
) -> tuple[Select[Any], list[ColumnElement[Any]]]:
    """The same row for each call and kind, with `calls_in` as their number; and what they are to be grouped by, beside
    their bin."""
    parts = []
    for kind in kinds:
        condition, value = KINDS[kind]
        columns = [calls.c.owner, *(outcome if name == "outcome" else calls.c[name] for name in KEYS)]
        columns.append(literal(kind).label("kind"))
        # any owner: who uses this names the owner.
        parts.append(select(*columns, _units(value).label("units")).where(_ended, condition, *where))
    found = union_all(*parts).subquery()
    keys: list[ColumnElement[Any]] = [found.c[name] for name in ("owner", *KEYS, "kind")]
    # any owner: as above.
    rows = select(*keys, _bin(found.c.units).label("bin"), calls_in.label("calls"))
    # SQLite reads ON CONFLICT after a SELECT rightly only where that has a WHERE (sqlite.org/lang_upsert.html).
    return rows.where(found.c.units >= 0), keys


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


def _counting(sign: int, dialect: str) -> Insert:
    # One call has one row of each kind: no groups, which take as long again.
    rows, _keys = _each([calls.c.seq == bindparam("seq")], tuple(KINDS), _literal(sign))
    insert = insert_into(usage_spread, dialect).from_select(COLUMNS, rows)
    return insert.on_conflict_do_update(
        index_elements=COLUMNS[:-1], set_={"calls": usage_spread.c.calls + insert.excluded.calls}
    )


_COUNTING = {sign: Prepared(partial(_counting, sign)) for sign in (1, -1)}
