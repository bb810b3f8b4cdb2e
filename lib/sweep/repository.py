"""Stores sweeps: the plan with all its cells first, then a call record for each attempt at a cell.

A cell is done when an attempt ended `ok` or `error`. Whoever is not the owner finds nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Connection,
    Select,
    case,
    func,
    insert,
    select,
    update,
)
from sqlalchemy import delete as sql_delete

from lib.calls import records
from lib.calls.records import CallRecord
from lib.core.clock import now
from lib.core.titles import title_of
from lib.store.schema import calls, cells, sweeps
from lib.store.statements import chunks, unindexed
from lib.sweep.plan import Cell, Plan
from lib.sweep.search import has_words

DONE = ("ok", "error")
CELLS_A_WRITE = 200
PLACE = ("row", "column", "input", "variant", "repeat")
"""The columns of a cell's place, in the order in which a plan goes through them."""
CELL = ("id", *PLACE, "model", "temperature")


@dataclass(frozen=True, slots=True)
class Sweep:
    """A sweep as it stands in the list; `created_at` in microseconds since 1970 (UTC). `axes` is how many models,
    temperatures, inputs and variants it compares, `asked` how many of its cells are asked, where that is not each."""

    id: str
    title: str
    created_at: int
    total: int
    done: int
    failed: int
    axes: tuple[int, int, int, int]
    asked: int | None = None


def add_plan(
    conn: Connection,
    owner: str,
    session: str,
    sweep_id: str,
    plan: Plan,
    estimate: Mapping[str, Any] | None = None,
) -> None:
    """Store a plan under a new id, with the estimate shown before it runs; its cells follow by `add_cells`."""
    row = {"id": sweep_id, "owner": owner, "session": session, "title": title_of(plan.prompt)}
    conn.execute(insert(sweeps).values(**row, plan=plan.to_json(), forecast=estimate, created_at=now()))


def estimate_of(conn: Connection, owner: str, sweep_id: str) -> Mapping[str, Any]:
    """The estimate that was shown before a sweep ran; empty where none was kept."""
    query = select(sweeps.c.forecast).where(sweeps.c.owner == owner, sweeps.c.id == sweep_id)
    return conn.execute(query).scalar() or {}


def in_pieces(cells_of_plan: Sequence[Cell]) -> list[list[Cell]]:
    """The cells as `add_cells` is to get them: no piece holds the writer for long, and the first cell comes last, so
    that a sweep that has it has them all."""
    # Then `half_planned` need not count cells: the first one is there or not.
    backwards = list(reversed(cells_of_plan))
    return [backwards[start : start + CELLS_A_WRITE] for start in range(0, len(backwards), CELLS_A_WRITE)]


def add_cells(conn: Connection, owner: str, sweep_id: str, some: Sequence[Cell]) -> None:
    """Store cells of a plan; those that are there already stay."""
    known = select(cells.c.id).where(cells.c.owner == owner, cells.c.sweep_id == sweep_id)
    # Planning that was cut is done again from the beginning.
    there = set(conn.execute(known.where(cells.c.id.in_([cell.id for cell in some]))).scalars())
    rows = [{name: getattr(cell, name) for name in CELL} for cell in some if cell.id not in there]
    if rows:
        conn.execute(insert(cells), [{**row, "owner": owner, "sweep_id": sweep_id} for row in rows])


def half_planned(conn: Connection) -> list[tuple[str, str]]:
    """(owner, id) of the sweeps whose planning was cut: their first cell, which is written last, is missing."""
    # any owner: what a dead process left undone is finished at the next start, for everybody.
    first = select(cells.c.sweep_id).where(*(cells.c[name] == 0 for name in PLACE))
    # any owner: as above.
    query = select(sweeps.c.owner, sweeps.c.id).where(sweeps.c.deleted_at.is_(None), sweeps.c.id.not_in(first))
    return [(row.owner, row.id) for row in conn.execute(query)]


def sweeps_of(conn: Connection, owner: str, search: str = "", limit: int | None = None, offset: int = 0) -> list[Sweep]:
    """The owner's sweeps, the newest first, at most `limit` behind the first `offset`, with how far each has come; with
    `search` those that `has_words` finds."""
    listed = _newest_first(select(sweeps.c.id, sweeps.c.title, sweeps.c.created_at), owner, search)
    found = conn.execute(listed.limit(limit).offset(offset)).all()
    ids = [row.id for row in found]
    totals, axes = _totals(conn, owner, ids), _axes(conn, owner, ids)
    return [
        Sweep(row.id, row.title, row.created_at, *totals[row.id], axes[row.id]) for row in found if row.id in totals
    ]


def times_of(conn: Connection, owner: str, search: str = "", offset: int = 0) -> list[int]:
    """When the same sweeps began, in microseconds since 1970: what tells how many there are of each month."""
    return list(conn.execute(_newest_first(select(sweeps.c.created_at), owner, search).offset(offset)).scalars())


def _newest_first(query: Select[Any], owner: str, search: str) -> Select[Any]:
    query = query.where(sweeps.c.owner == owner, sweeps.c.deleted_at.is_(None), *has_words(owner, search))
    return query.order_by(sweeps.c.created_at.desc(), sweeps.c.id)


def _axes(conn: Connection, owner: str, ids: Sequence[str]) -> dict[str, tuple[int, int, int, int]]:
    """How many models, temperatures, inputs and variants the cells of each of the sweeps `ids` are of."""
    # From the cells and not from the plans, which may hold a long history.
    counts = [func.count(cells.c[name].distinct()) for name in ("row", "column", "input", "variant")]
    query = select(cells.c.sweep_id, *counts).where(cells.c.owner == owner, cells.c.sweep_id.in_(ids))
    return {str(id): tuple(count) for id, *count in conn.execute(query.group_by(cells.c.sweep_id))}


def _totals(conn: Connection, owner: str, ids: Sequence[str]) -> dict[str, tuple[int, int, int]]:
    """(cells, done, failed) of each of the sweeps `ids`."""
    # A cell that failed once and was done then counts as done: the best of its attempts.
    good = case((calls.c.state == "ok", calls.c.cell_id)).distinct()
    ended = select(calls.c.sweep_id, func.count(calls.c.cell_id.distinct()), func.count(good)).where(
        calls.c.owner == owner, calls.c.sweep_id.in_(ids), calls.c.state.in_(DONE)
    )
    counted = {id: (count, good) for id, count, good in conn.execute(ended.group_by(calls.c.sweep_id))}
    of_each = select(cells.c.sweep_id, func.count()).where(cells.c.owner == owner, cells.c.sweep_id.in_(ids))
    totals = {}
    for id, total in conn.execute(of_each.group_by(cells.c.sweep_id)):
        count, good = counted.get(id, (0, 0))
        totals[str(id)] = (int(total), good, count - good)
    return totals


def plan_of(conn: Connection, owner: str, sweep_id: str) -> Plan | None:
    """A sweep's plan; None when this owner has none of that id."""
    query = select(sweeps.c.plan).where(sweeps.c.owner == owner, sweeps.c.id == sweep_id, sweeps.c.deleted_at.is_(None))
    found = conn.execute(query).scalar()
    return None if found is None else Plan.from_json(found)


def named(conn: Connection, owner: str, sweep_id: str) -> tuple[str, int]:
    """A sweep's title, and when it was made, in microseconds since 1970 (UTC); ("", 0) when this owner has none of that
    id."""
    query = select(sweeps.c.title, sweeps.c.created_at).where(sweeps.c.owner == owner, sweeps.c.id == sweep_id)
    row = conn.execute(query).first()
    return ("", 0) if row is None else (row.title, row.created_at)


def of_cell(conn: Connection, owner: str, cell_id: str) -> str | None:
    """The owner's sweep that has a cell, a deleted one too; None where there is none."""
    query = select(cells.c.sweep_id).where(cells.c.owner == owner, cells.c.id == cell_id)
    return conn.execute(query).scalar()


def came_in(conn: Connection, owner: str, sweep_id: str) -> bool:
    """Whether a sweep was run elsewhere and came in from a file."""
    query = select(sweeps.c.session).where(sweeps.c.owner == owner, sweeps.c.id == sweep_id)
    return conn.execute(query).scalar() == records.IMPORTED


def cells_of(conn: Connection, owner: str, sweep_id: str) -> list[Cell]:
    """All cells of a sweep, row by row."""
    query = select(*(cells.c[name] for name in CELL)).where(cells.c.owner == owner, cells.c.sweep_id == sweep_id)
    places = [cells.c[name] for name in PLACE]
    rows = conn.execute(query.order_by(*places)).mappings()
    return [Cell(**row) for row in rows]


def results(
    conn: Connection, owner: str, sweep_id: str, answers: bool = True, before: Mapping[str, CallRecord] | None = None
) -> dict[str, CallRecord]:
    """The newest attempt at each cell that has one, by cell id; without `answers` with no choices. Those that had ended
    in an earlier result, `before`, are not read anew."""
    attempts = (
        select(calls.c.id, calls.c.cell_id, calls.c.state, calls.c.cost)
        .where(calls.c.owner == owner, of_cells(sweep_id))
        # The newest last, so that it is the one that stays under the cell's id.
        .order_by(calls.c.seq)
    )
    newest = {row.cell_id: row for row in conn.execute(attempts)}
    known = {call.id: call for call in (before or {}).values() if call.state != "started"}
    found = {
        row.id: known[row.id]
        for row in newest.values()
        # A late record, or another price, changes one that had ended.
        if row.id in known and (row.state, row.cost) == (known[row.id].state, known[row.id].cost)
    }
    for some in chunks(row.id for row in newest.values() if row.id not in found):
        query = records.whole().where(unindexed(calls.c.owner) == owner, calls.c.id.in_(some))
        found |= {call.id: call for call in records.found(conn, query, answers=answers)}
    return {cell_id: found[row.id] for cell_id, row in newest.items()}


def of_cells(sweep_id: str | BindParameter[Any]) -> ColumnElement[bool]:
    """Which calls answer a sweep's cells, in a WHERE: those of a judge answer none."""
    # By the sweep that the calls name themselves, and not by their cells: for that SQLite has an index.
    return (calls.c.sweep_id == sweep_id) & calls.c.cell_id.is_not(None)


def done_of(conn: Connection, owner: str, sweep_id: str) -> set[str]:
    """The ids of the cells with an attempt that ended `ok` or `error`."""
    query = select(calls.c.cell_id).where(calls.c.owner == owner, of_cells(sweep_id), calls.c.state.in_(DONE))
    return {str(id) for id in conn.execute(query).scalars()}


def spent(conn: Connection, owner: str, sweep_id: str) -> float:
    """What all attempts at a sweep's cells cost so far, in US dollars, as far as that is known."""
    query = select(func.coalesce(func.sum(calls.c.cost), 0.0)).where(calls.c.owner == owner, of_cells(sweep_id))
    return float(conn.execute(query).scalar() or 0.0)


def spent_on_judges(conn: Connection, owner: str, sweep_id: str) -> float:
    """What models cost so far that were asked to judge a sweep's answers, in the same way."""
    # By when, as calls are found by that: nothing was judged before there was the sweep.
    since = calls.c.started_at >= named(conn, owner, sweep_id)[1]
    judges = (since, calls.c.sweep_id == sweep_id, calls.c.page == "judge")
    query = select(func.coalesce(func.sum(calls.c.cost), 0.0)).where(calls.c.owner == owner, *judges)
    return float(conn.execute(query).scalar() or 0.0)


def change_plan(
    conn: Connection, owner: str, sweep_id: str, plan: Plan, estimate: Mapping[str, Any] | None = None
) -> None:
    """Let a sweep have a plan that has grown, with another estimate if there is one; its new cells follow by
    `add_cells`."""
    of_owner = update(sweeps).where(sweeps.c.owner == owner, sweeps.c.id == sweep_id)
    forecast = {} if estimate is None else {"forecast": estimate}
    conn.execute(of_owner.values(plan=plan.to_json(), **forecast))


def with_prompt(conn: Connection, owner: str, prompt: str, limit: int) -> list[tuple[str, int, Plan]]:
    """(id, when it was made, plan) of the owner's newest sweeps that ask `prompt`."""
    query = select(sweeps.c.id, sweeps.c.created_at, sweeps.c.plan).where(
        sweeps.c.owner == owner, sweeps.c.deleted_at.is_(None), sweeps.c.plan["prompt"].as_string() == prompt
    )
    rows = conn.execute(query.order_by(sweeps.c.created_at.desc()).limit(limit))
    return [(row.id, row.created_at, Plan.from_json(row.plan)) for row in rows]


def rename(conn: Connection, owner: str, sweep_id: str, title: str) -> None:
    """Give a sweep another title; an empty one changes nothing."""
    of_owner = update(sweeps).where(sweeps.c.owner == owner, sweeps.c.id == sweep_id)
    conn.execute(of_owner.values(title=title_of(title) or sweeps.c.title))


def undelete(conn: Connection, owner: str, sweep_id: str) -> None:
    """Bring a deleted sweep back."""
    conn.execute(update(sweeps).where(sweeps.c.owner == owner, sweeps.c.id == sweep_id).values(deleted_at=None))


def erase(conn: Connection, owner: str, sweep_id: str) -> None:
    """Remove a sweep with its cells and calls, and every text that nothing else of its owner has; nothing brings it
    back."""
    ids = conn.execute(select(calls.c.id).where(calls.c.owner == owner, calls.c.sweep_id == sweep_id)).scalars()
    records.delete_calls(conn, owner, list(ids))
    # Its cells, and what was said of them, go with it (ON DELETE CASCADE).
    conn.execute(sql_delete(sweeps).where(sweeps.c.owner == owner, sweeps.c.id == sweep_id))


def delete(conn: Connection, owner: str, sweep_id: str) -> None:
    """Take a sweep out of the list; its calls stay in the history, and `undelete` brings it back."""
    conn.execute(update(sweeps).where(sweeps.c.owner == owner, sweeps.c.id == sweep_id).values(deleted_at=now()))
