"""Sweeps as they are stored: the whole plan before the first call, then one call record for each attempt at a cell.

A cell is done when an attempt ended `ok` or `error`. Whoever is not the owner finds nothing.
"""

import secrets
from dataclasses import dataclass

from sqlalchemy import Connection, Subquery, and_, case, func, insert, select, update

from lib.calls import records
from lib.calls.records import CallRecord, now
from lib.chat.repository import title_of
from lib.store.schema import calls, cells, sweeps
from lib.sweep.plan import Cell, Plan

DONE = ("ok", "error")


@dataclass(frozen=True, slots=True)
class Sweep:
    """A sweep as it stands in the list; `created_at` in microseconds since 1970 (UTC)."""

    id: str
    title: str
    created_at: int
    total: int
    done: int
    failed: int


@dataclass(frozen=True, slots=True)
class ToDo:
    """What Resume would send. `may_be_billed_twice` of them may be billed a second time: they were cut or stopped."""

    cells: tuple[Cell, ...]
    may_be_billed_twice: int


def new_sweep(conn: Connection, owner: str, session: str, plan: Plan) -> str:
    """Store a plan with all its cells; the sweep's id."""
    sweep_id = secrets.token_hex(16)
    row = {"id": sweep_id, "owner": owner, "session": session, "title": title_of(plan.prompt)}
    conn.execute(insert(sweeps).values(**row, plan=plan.to_json(), created_at=now()))
    names = ("id", "row", "column", "repeat", "model", "temperature")
    rows = [{name: getattr(cell, name) for name in names} for cell in plan.cells(sweep_id)]
    conn.execute(insert(cells), [{**row, "owner": owner, "sweep_id": sweep_id} for row in rows])
    return sweep_id


def sweeps_of(conn: Connection, owner: str) -> list[Sweep]:
    """The owner's sweeps, newest first, with how far each has come."""
    ended = _ended(owner)
    query = (
        select(
            sweeps.c.id,
            sweeps.c.title,
            sweeps.c.created_at,
            func.count(cells.c.id).label("total"),
            func.count(ended.c.ok).label("done"),
            func.count(ended.c.cell_id).label("ended"),
        )
        .join(cells, and_(cells.c.sweep_id == sweeps.c.id, cells.c.owner == owner))
        .outerjoin(ended, ended.c.cell_id == cells.c.id)
        .where(sweeps.c.owner == owner, sweeps.c.deleted_at.is_(None))
        .group_by(sweeps.c.id, sweeps.c.title, sweeps.c.created_at)
        .order_by(sweeps.c.created_at.desc())
    )
    return [
        Sweep(row.id, row.title, row.created_at, row.total, row.done, row.ended - row.done)
        for row in conn.execute(query)
    ]


def plan_of(conn: Connection, owner: str, sweep_id: str) -> Plan | None:
    """A sweep's plan; None when this owner has none of that id."""
    query = select(sweeps.c.plan).where(sweeps.c.owner == owner, sweeps.c.id == sweep_id, sweeps.c.deleted_at.is_(None))
    found = conn.execute(query).scalar()
    return None if found is None else Plan.from_json(found)


def cells_of(conn: Connection, owner: str, sweep_id: str) -> list[Cell]:
    """All cells of a sweep, row by row."""
    columns = [cells.c[name] for name in ("id", "row", "column", "repeat", "model", "temperature")]
    query = select(*columns).where(cells.c.owner == owner, cells.c.sweep_id == sweep_id)
    rows = conn.execute(query.order_by(cells.c.row, cells.c.column, cells.c.repeat)).mappings()
    return [Cell(**row) for row in rows]


def results(conn: Connection, owner: str, sweep_id: str) -> dict[str, CallRecord]:
    """The newest attempt at each cell that has one, by cell id."""
    query = (
        records.whole()
        .join(cells, and_(cells.c.id == calls.c.cell_id, cells.c.owner == owner))
        .where(calls.c.owner == owner, cells.c.sweep_id == sweep_id)
        .order_by(calls.c.seq)
    )
    return {call.cell_id: call for call in records.found(conn, query) if call.cell_id}


def to_do(conn: Connection, owner: str, sweep_id: str) -> ToDo:
    """The cells without an attempt that ended `ok` or `error`."""
    ended = _ended(owner)
    query = select(ended.c.cell_id).join(cells, and_(cells.c.id == ended.c.cell_id, cells.c.owner == owner))
    done = set(conn.execute(query.where(cells.c.sweep_id == sweep_id)).scalars())
    left = tuple(cell for cell in cells_of(conn, owner, sweep_id) if cell.id not in done)
    attempts = results(conn, owner, sweep_id)
    return ToDo(left, sum(cell.id in attempts and attempts[cell.id].billed != "no" for cell in left))


def delete(conn: Connection, owner: str, sweep_id: str) -> None:
    """Take a sweep out of the list; its calls stay in the history."""
    conn.execute(update(sweeps).where(sweeps.c.owner == owner, sweeps.c.id == sweep_id).values(deleted_at=now()))


def _ended(owner: str) -> Subquery:
    """(cell_id, ok) of the cells that are done; `ok` is NULL where no attempt has succeeded."""
    good = func.max(case((calls.c.state == "ok", 1)))
    return (
        select(calls.c.cell_id, good.label("ok"))
        .where(calls.c.owner == owner, calls.c.cell_id.is_not(None), calls.c.state.in_(DONE))
        .group_by(calls.c.cell_id)
        .subquery()
    )
