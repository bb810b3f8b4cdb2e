"""What the store knows of sweeps under way, where several processes work on them: the cells that are still to be sent,
what the page wishes, and how it stands.

A cell is due until somebody takes it, in the transaction that records its call: a process that dies takes no cell with
it but those it had begun to send.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, case, delete, exists, func, insert, select, update

from lib.calls import reservations
from lib.calls.ledger import Ledger
from lib.core.budget import DOLLARS, Budget
from lib.core.clock import now
from lib.core.errors import BudgetReached, CapReached, TemperaError, recorded
from lib.store.schema import calls, cells, due_cells, sweep_runs, sweeps
from lib.store.statements import chunks
from lib.sweep.plan import Cell


@dataclass(frozen=True, slots=True)
class SharedRun:
    """How a sweep stands that is or was under way since `began_at`. `trouble` is the record of what kept the rest from
    being sent, `outlook` what a worker told of it last, `spent` how many US dollars of its limit ended calls took, and
    `zone` where its owner's days begin."""

    owner: str
    session: str
    sweep_id: str
    began_at: int
    over_budget: bool
    ended: bool
    stopping: bool
    stopped_cells: tuple[str, ...]
    trouble: Mapping[str, Any] | None
    outlook: Mapping[str, Any] | None
    spent: float
    zone: str


def begin(
    conn: Connection, owner: str, session: str, sweep_id: str, over_budget: bool, spent: float, zone: str
) -> None:
    """A sweep is under way from now on; its cells follow by `add`."""
    forget(conn, owner, sweep_id)
    facts: dict[str, Any] = {"owner": owner, "session": session, "sweep_id": sweep_id, "over_budget": over_budget}
    facts |= {"spent": spent, "zone": zone}
    begun: dict[str, Any] = {"began_at": now(), "ended_at": None, "stopping": False, "stopped_cells": []}
    conn.execute(insert(sweep_runs).values(**facts, **begun))


def forget(conn: Connection, owner: str, sweep_id: str) -> None:
    """A sweep is none of those that several processes work on."""
    conn.execute(delete(sweep_runs).where(sweep_runs.c.owner == owner, sweep_runs.c.sweep_id == sweep_id))


def add(conn: Connection, owner: str, sweep_id: str, some: Iterable[Cell], attempts: Mapping[str, int]) -> None:
    """Let cells be due, in this order; those that are already stay."""
    wanted = list(some)
    there = due(conn, owner, sweep_id)
    first = conn.execute(
        select(func.coalesce(func.max(due_cells.c.place), 0)).where(*_of(owner, sweep_id))
    ).scalar_one()
    rows = [
        {
            "cell_id": cell.id,
            "owner": owner,
            "sweep_id": sweep_id,
            "row": cell.row,
            "column": cell.column,
            "place": first + 1 + place,
            "attempts": attempts.get(cell.id, 0),
        }
        for place, cell in enumerate(wanted)
        if cell.id not in there
    ]
    if rows:
        conn.execute(insert(due_cells), rows)


def take(
    conn: Connection, owner: str, sweep_id: str, row: int, preferred: str, column: int | None = None
) -> tuple[str, int] | None:
    """(cell, how often it was tried) of the next cell of a row that is due, the `preferred` one if it still is, and
    with `column` one of that column; it is due no more. None where none is left."""
    wanted = [*_of(owner, sweep_id), due_cells.c.row == row]
    if column is not None:
        wanted.append(due_cells.c.column == column)
    first = case((due_cells.c.cell_id == preferred, 0), else_=1)
    query = select(due_cells.c.cell_id, due_cells.c.attempts).where(*wanted).order_by(first, due_cells.c.place).limit(1)
    found = conn.execute(query.with_for_update(skip_locked=True)).first()
    if found is None:
        return None
    conn.execute(delete(due_cells).where(due_cells.c.owner == owner, due_cells.c.cell_id == found.cell_id))
    return found.cell_id, found.attempts


def check_cap(conn: Connection, owner: str, sweep_id: str, cap: float | None, worst: float | None) -> None:
    """Raises CapReached where a call that costs so much at worst could carry the sweep over its limit, by all that
    others have under way."""
    if cap is None:
        return
    ledger = Ledger(cap)
    ledger.spent, ledger.elsewhere = cost(conn, owner, sweep_id)
    if not ledger.fits(worst):
        raise CapReached(cap=cap, spent=ledger.spent)


def cost(conn: Connection, owner: str, sweep_id: str, but: Collection[str] = ()) -> tuple[float, float]:
    """(US dollars that a sweep's ended calls took, those that its calls on their way may take), the calls `but`
    apart."""
    mine = sweep_runs.c.owner == owner, sweep_runs.c.sweep_id == sweep_id
    spent = conn.execute(select(sweep_runs.c.spent).where(*mine)).scalar() or 0.0
    return spent, reservations.reserved(conn, DOLLARS, owner, sweep_id=sweep_id, but=but)


def due(conn: Connection, owner: str, sweep_id: str) -> dict[str, int]:
    """The cells of a sweep that are due, by id, with how often each was tried."""
    query = select(due_cells.c.cell_id, due_cells.c.attempts).where(*_of(owner, sweep_id))
    return {row.cell_id: row.attempts for row in conn.execute(query.order_by(due_cells.c.place))}


def drop(conn: Connection, owner: str, sweep_id: str, some: Collection[str] | None = None) -> None:
    """Let cells be due no more; without `some` all of the sweep."""
    if some is None:
        conn.execute(delete(due_cells).where(*_of(owner, sweep_id)))
        return
    for ids in chunks(some):
        conn.execute(delete(due_cells).where(*_of(owner, sweep_id), due_cells.c.cell_id.in_(ids)))


def of(conn: Connection, owner: str, sweep_id: str) -> SharedRun | None:
    """How an owner's sweep stands; None where it never was under way like this."""
    query = select(sweep_runs).where(sweep_runs.c.owner == owner, sweep_runs.c.sweep_id == sweep_id)
    row = conn.execute(query).first()
    return None if row is None else _run(row)


def under_way(conn: Connection, owner: str) -> list[str]:
    """The ids of the owner's sweeps that are under way."""
    query = select(sweep_runs.c.sweep_id).where(sweep_runs.c.owner == owner, sweep_runs.c.ended_at.is_(None))
    return list(conn.execute(query).scalars())


def wish_stop(conn: Connection, owner: str, sweep_id: str) -> None:
    """Nothing more of a sweep is to be sent, and what is on its way is to be ended."""
    drop(conn, owner, sweep_id)
    conn.execute(update(sweep_runs).where(*_under_way(owner, sweep_id)).values(stopping=True))
    end_if_done(conn, owner, sweep_id)


def wish_stop_of(conn: Connection, owner: str, sweep_id: str, cell_id: str) -> None:
    """The answer of one cell is to be ended."""
    run = of(conn, owner, sweep_id)
    if run is not None:
        ids = [*run.stopped_cells, cell_id]
        conn.execute(update(sweep_runs).where(*_under_way(owner, sweep_id)).values(stopped_cells=ids))


def tell(conn: Connection, owner: str, sweep_id: str, outlook: Mapping[str, Any]) -> None:
    """Say what is to be expected of a sweep."""
    conn.execute(update(sweep_runs).where(*_under_way(owner, sweep_id)).values(outlook=dict(outlook)))


def stop_for(conn: Connection, owner: str, sweep_id: str, began_at: int, trouble: Mapping[str, Any]) -> None:
    """Nothing more is sent of a sweep that is under way since `began_at`, because of what `trouble` is the record of.
    One that was resumed meanwhile has perhaps another limit."""
    run = of(conn, owner, sweep_id)
    if run is None or run.began_at != began_at:
        return
    drop(conn, owner, sweep_id)
    conn.execute(update(sweep_runs).where(*_under_way(owner, sweep_id)).values(trouble=dict(trouble)))


def fail(conn: Connection, owner: str, sweep_id: str, cell_id: str, trouble: Mapping[str, Any]) -> None:
    """A cell can't be sent, because of what `trouble` is the record of; the others go on."""
    drop(conn, owner, sweep_id, [cell_id])
    conn.execute(update(sweep_runs).where(*_under_way(owner, sweep_id)).values(trouble=dict(trouble)))


def told(error: TemperaError) -> dict[str, Any]:
    """The record of an error, with its kind; `trouble_of` reads it."""
    told = {"kind": error.kind, **error.record()}
    if isinstance(error, BudgetReached):
        told["reached"] = {"budget": asdict(error.budget), "spent": error.spent, "worst": error.worst}
    return told


def trouble_of(record: Mapping[str, Any] | None) -> TemperaError | None:
    """The error of a record."""
    if record is None:
        return None
    if record["kind"] == CapReached.kind:
        return CapReached(**record["facts"])  # a page asks for a higher cap
    if "reached" in record:
        reached = record["reached"]  # a page asks whether to go on
        return BudgetReached(Budget(**reached["budget"]), reached["spent"], reached["worst"])
    return recorded(record)


def end_if_done(conn: Connection, owner: str, sweep_id: str) -> bool:
    """Whether a sweep is over: no cell is due, and none on its way."""
    # any owner: _of and _under_way name the owner.
    if conn.execute(select(exists().where(*_of(owner, sweep_id)))).scalar_one() or _started(conn, owner, sweep_id):
        return False
    conn.execute(update(sweep_runs).where(*_under_way(owner, sweep_id)).values(ended_at=now()))
    return True


def _started(conn: Connection, owner: str, sweep_id: str) -> bool:
    on_its_way = (calls.c.state == "started", calls.c.sweep_id == sweep_id, calls.c.page == "sweep")
    return bool(conn.execute(select(exists().where(calls.c.owner == owner, *on_its_way))).scalar_one())


def everybodys(conn: Connection) -> list[tuple[str, str, int, int]]:
    """(owner, sweep, how many cells are due, how many may be sent at once) of all sweeps that are under way."""
    # any owner: whoever sees to it that they go on does it for everybody.
    count = select(func.count()).where(due_cells.c.sweep_id == sweep_runs.c.sweep_id).scalar_subquery()
    concurrency = sweeps.c.plan["concurrency"].as_integer()
    # any owner: as above.
    query = select(sweep_runs.c.owner, sweep_runs.c.sweep_id, count, concurrency).join(sweeps)
    rows = conn.execute(query.where(sweep_runs.c.ended_at.is_(None)))
    return [(owner, sweep_id, due, concurrency) for owner, sweep_id, due, concurrency in rows]


def cells_of(conn: Connection, owner: str, sweep_id: str, ids: Collection[str]) -> list[Cell]:
    """The cells of these ids, row by row."""
    names = ("id", "row", "column", "input", "variant", "repeat", "model", "temperature")
    found: list[Cell] = []
    for some in chunks(ids):
        query = select(*(cells.c[name] for name in names)).where(
            cells.c.owner == owner, cells.c.sweep_id == sweep_id, cells.c.id.in_(some)
        )
        found += [Cell(**row) for row in conn.execute(query).mappings()]
    return sorted(found, key=lambda cell: (cell.row, cell.column, cell.input, cell.variant, cell.repeat))


def _of(owner: str, sweep_id: str) -> list[ColumnElement[bool]]:
    return [due_cells.c.owner == owner, due_cells.c.sweep_id == sweep_id]


def _under_way(owner: str, sweep_id: str) -> list[ColumnElement[bool]]:
    return [sweep_runs.c.owner == owner, sweep_runs.c.sweep_id == sweep_id, sweep_runs.c.ended_at.is_(None)]


def _run(row: Row[Any]) -> SharedRun:
    return SharedRun(
        row.owner,
        row.session,
        row.sweep_id,
        row.began_at,
        row.over_budget,
        row.ended_at is not None,
        row.stopping,
        tuple(row.stopped_cells),
        row.trouble,
        row.outlook,
        row.spent,
        row.zone,
    )
