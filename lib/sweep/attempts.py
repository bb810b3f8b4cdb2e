"""The attempts at a sweep's cells: read once, and from then on only those that are new or were under way.

What all of them sum up to tells whether that was enough. Where anything else has changed (a late record, another price,
calls that were removed) all are looked at anew.
"""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from sqlalchemy import Connection, Select, bindparam, func, select

from lib.calls import records
from lib.calls.records import CallRecord
from lib.store.prepared import Prepared
from lib.store.schema import calls, cells
from lib.store.statements import chunks, unindexed
from lib.sweep import repository as sweeps
from lib.sweep.plan import Cell


@dataclass(frozen=True, slots=True)
class Tally:
    """What a sweep sums up to: how many `cells` it has, how many attempts are in each of the `states`, the `newest`
    number of one, and what all of them cost, in US dollars, as far as that is known."""

    cells: int = 0
    states: Counter[str] = field(default_factory=Counter)
    newest: int = 0
    spent: float = 0.0


@dataclass(frozen=True, slots=True)
class Attempts:
    """The `newest` attempt at each cell that has one, by cell id; the ids of the cells that are `done`, by any attempt
    that ended `ok` or `error`; and those of the calls that are `under_way`."""

    cells: tuple[Cell, ...]
    newest: Mapping[str, CallRecord]
    done: frozenset[str]
    under_way: frozenset[str]
    tally: Tally


def _cells_of_a_sweep(_dialect: str) -> Any:
    this = cells.c.sweep_id == bindparam("of_sweep")
    return select(func.count()).select_from(cells).where(cells.c.owner == bindparam("of_owner"), this)


def _attempts_by_state(_dialect: str) -> Any:
    sums = (func.count(), func.max(calls.c.seq), func.coalesce(func.sum(calls.c.cost), 0.0))
    query = select(calls.c.state, *sums).where(calls.c.owner == bindparam("of_owner"))
    return query.where(sweeps.of_cells(bindparam("of_sweep"))).group_by(calls.c.state)


# A page with a list of sweeps asks for each of them, once a second while one runs.
_CELLS, _STATES = Prepared(_cells_of_a_sweep), Prepared(_attempts_by_state)


def tally_of(conn: Connection, owner: str, sweep_id: str) -> Tally:
    """What a sweep sums up to at present; nothing where this owner has none of that id."""
    mine = {"of_owner": owner, "of_sweep": sweep_id}
    (count,) = _CELLS.run(conn, mine).fetchone()
    rows = _STATES.run(conn, mine).fetchall()
    states = Counter({str(state): number for state, number, _, _ in rows})
    return Tally(count, states, max((row[2] for row in rows), default=0), sum(row[3] for row in rows))


def read(conn: Connection, owner: str, sweep_id: str, before: Attempts | None = None, answers: bool = True) -> Attempts:
    """The attempts as they stand: `before` itself where nothing has changed since that was read. Without `answers` they
    have no choices."""
    tally = tally_of(conn, owner, sweep_id)
    if before is not None and tally.cells == before.tally.cells:
        # While a call is under way its words grow, though nothing else changes.
        if tally == before.tally and not before.under_way:
            return before
        known, new = _since(conn, owner, sweep_id, before, answers)
        if _is_all(before, known, new, tally):
            return _with(before, known, new, tally)
    found = sweeps.cells_of(conn, owner, sweep_id)
    newest = sweeps.results(conn, owner, sweep_id, answers, before.newest if before else {})
    done = sweeps.done_of(conn, owner, sweep_id)
    return Attempts(tuple(found), newest, frozenset(done), _under_way(conn, owner, sweep_id), tally)


def _since(
    conn: Connection, owner: str, sweep_id: str, before: Attempts, answers: bool
) -> tuple[Sequence[CallRecord], Sequence[CallRecord]]:
    """The attempts that were under way before, as they stand now, and the new ones, the newest last."""
    known: list[CallRecord] = []
    for some in chunks(before.under_way):
        known += records.found(conn, _of_these(), {"of_owner": owner, "these": some}, answers)
    later = {"of_owner": owner, "of_sweep": sweep_id, "newest": before.tally.newest}
    return known, records.found(conn, _later(), later, answers)


# Built once: that takes longer than to run them, and each second a page with a sweep that runs asks.
@cache
def _of_these() -> Select[Any]:
    mine = unindexed(calls.c.owner) == bindparam("of_owner")
    return records.whole().where(mine, calls.c.id.in_(bindparam("these", expanding=True)))


@cache
def _later() -> Select[Any]:
    this = calls.c.owner == bindparam("of_owner"), sweeps.of_cells(bindparam("of_sweep"))
    return records.whole().where(*this, calls.c.seq > bindparam("newest")).order_by(calls.c.seq)


def _is_all(before: Attempts, known: Sequence[CallRecord], new: Sequence[CallRecord], now: Tally) -> bool:
    """Whether nothing has changed but these attempts."""
    states = before.tally.states + Counter(call.state for call in [*known, *new])
    states["started"] -= len(before.under_way)
    # What is under way has no cost yet.
    spent = before.tally.spent + sum(call.cost or 0.0 for call in [*known, *new])
    # The same costs in another order may sum up to other last digits.
    same_sum = math.isclose(spent, now.spent, rel_tol=1e-9, abs_tol=1e-12)
    return len(known) == len(before.under_way) and states == now.states and same_sum


def _with(before: Attempts, known: Sequence[CallRecord], new: Sequence[CallRecord], now: Tally) -> Attempts:
    newest = dict(before.newest)
    # Where another attempt was begun beside one that was under way, that one is the newest.
    newest |= {str(call.cell_id): call for call in known if newest[str(call.cell_id)].id == call.id}
    newest |= {str(call.cell_id): call for call in new}
    changed = [*known, *new]
    done = before.done | {str(call.cell_id) for call in changed if call.state in sweeps.DONE}
    under_way = frozenset(call.id for call in changed if call.state == "started")
    return Attempts(before.cells, newest, done, under_way, now)


def _under_way(conn: Connection, owner: str, sweep_id: str) -> frozenset[str]:
    query = select(calls.c.id).where(calls.c.owner == owner, sweeps.of_cells(sweep_id), calls.c.state == "started")
    return frozenset(conn.execute(query).scalars())
