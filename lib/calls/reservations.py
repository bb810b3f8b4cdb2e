"""What calls on their way may take at worst, as rows of the store: so that all processes on one PostgreSQL database
together pass no cap, no budget and no limit of a sweep. With SQLite, which one process has, there are none.

A row is written in the transaction that looks whether there is room for it, and writers of one database take turns. It
goes in the transaction that records how the call ended, or that it was cut. What it took then counts for the operator's
caps in `cap_use`, by the hour, and stays there when somebody erases what they have asked.
"""

from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, delete, func, select, update
from sqlalchemy.dialects import postgresql

from lib.core.budget import CALLS, DOLLARS, TOKENS, Use
from lib.core.clock import HOUR, LATEST
from lib.core.reply import Reply
from lib.store.schema import cap_use, sweep_runs
from lib.store.schema import reservations as table

KEPT = 48 * HOUR
EVERYBODY = ""
"""The owner of the sums over all."""


def kept_in(conn: Connection) -> bool:
    """Whether a database has such rows."""
    return conn.dialect.name == "postgresql"


def put(
    conn: Connection,
    owner: str,
    session: str,
    worst: Mapping[str, Use],
    process: str,
    began_at: int,
    sweep_id: str | None = None,
) -> None:
    """Set aside what calls of `process`, by their ids, may take at worst; anew where something still is."""
    whose = {"owner": owner, "session": session, "process": process, "began_at": began_at, "sweep_id": sweep_id}
    rows = [whose | {"call_id": id, "tokens": use.tokens, "cost": use.of(DOLLARS)} for id, use in worst.items()]
    one = postgresql.insert(table)
    # The row of a call that was refused goes when it is put back in line, but the database may have been away then.
    renewed = {name: one.excluded[name] for name in ("tokens", "cost", "process", "began_at")}
    conn.execute(one.on_conflict_do_update(index_elements=["call_id"], set_=renewed), rows)


def reserved(
    conn: Connection,
    unit: str,
    owner: str,
    since: int = 0,
    until: int = LATEST,
    session: str = "",
    sweep_id: str = "",
    but: Collection[str] = (),
) -> float:
    """What calls of an owner, or of EVERYBODY, may take of `unit` that began in a stretch of time; with a session or a
    sweep, those of it; the calls `but` apart."""
    which = [table.c.began_at >= since, table.c.began_at < until, table.c.call_id.not_in(but)]
    for column, value in ((table.c.owner, owner), (table.c.session, session), (table.c.sweep_id, sweep_id)):
        if value:
            which.append(column == value)
    # any owner: the sum over all is told to nobody but as how much is left of a cap.
    return float(conn.execute(select(_amount(table, unit)).where(*which)).scalar_one())


def used(conn: Connection, owner: str, unit: str, since: int, until: int) -> float:
    """What ended calls of an owner, or of EVERYBODY, took of a stretch of full hours, as the operator's caps count."""
    hours = cap_use.c.hour >= since, cap_use.c.hour < until
    return float(conn.execute(select(_amount(cap_use, unit)).where(cap_use.c.owner == owner, *hours)).scalar_one())


def settle(conn: Connection, call_id: str, reply: Reply) -> None:
    """A call has ended, and took what `reply` says; what nobody knows counts as it was reserved."""
    if kept_in(conn):  # asked first: only to make the condition takes as long as a small statement
        # any owner: a call's own record is what names it.
        _book(conn, table.c.call_id == call_id, took(reply))


def close(conn: Connection, processes: Collection[str]) -> None:
    """These have died: what their calls took nobody knows."""
    # any owner: a process dies for all its visitors at once.
    _book(conn, table.c.process.in_(processes), Use())


def close_calls(conn: Connection, owner: str, ids: Collection[str]) -> None:
    """These calls of an owner were cut: what they took nobody knows."""
    _book(conn, (table.c.owner == owner) & table.c.call_id.in_(ids), Use())


def drop(conn: Connection, owner: str, ids: Collection[str]) -> None:
    """These calls of an owner were not made after all."""
    if kept_in(conn):
        conn.execute(delete(table).where(table.c.owner == owner, table.c.call_id.in_(ids)))


def processes_with_some(conn: Connection) -> set[str]:
    """The processes that have calls on their way for which something is set aside."""
    if not kept_in(conn):
        return set()
    # any owner: a process dies for all its visitors at once.
    return set(conn.execute(select(table.c.process).distinct()).scalars())


def took(reply: Reply) -> Use:
    """What a call took of the caps; what was never billed counts as a call and nothing else."""
    return Use(0.0, 0) if reply.billed == "no" and reply.cost is None else use_of(reply)


def use_of(reply: Reply) -> Use:
    """What a call took that has ended, as far as it is known."""
    counts = [one for one in (reply.usage.prompt_tokens, reply.usage.completion_tokens) if one is not None]
    return Use(reply.cost, sum(counts) if counts else None)


def _book(conn: Connection, which: ColumnElement[bool], use: Use) -> None:
    """Let rows go, and count what their calls took: `use`, or what was reserved."""
    if not kept_in(conn):
        return
    # any owner: `which` names calls or processes.
    for row in conn.execute(delete(table).where(which).returning(*table.c)).all():
        cost = (row.cost or 0.0) if use.cost is None else use.cost
        tokens = (row.tokens or 0) if use.tokens is None else use.tokens
        for owner in (row.owner, EVERYBODY):
            _count(conn, owner, row, tokens, cost)
        if row.sweep_id is not None:
            mine = sweep_runs.c.owner == row.owner, sweep_runs.c.sweep_id == row.sweep_id
            conn.execute(update(sweep_runs).where(*mine).values(spent=sweep_runs.c.spent + cost))


def _count(conn: Connection, owner: str, row: Row[Any], tokens: int, cost: float) -> None:
    hour = row.began_at - row.began_at % HOUR
    one = postgresql.insert(cap_use).values(owner=owner, hour=hour, calls=1, tokens=tokens, cost=cost)
    names = ("calls", "tokens", "cost")
    sums = {name: cap_use.c[name] + one.excluded[name] for name in names}
    conn.execute(one.on_conflict_do_update(index_elements=["owner", "hour"], set_=sums))
    conn.execute(delete(cap_use).where(cap_use.c.owner == owner, cap_use.c.hour < hour - KEPT))


def _amount(from_: Any, unit: str) -> ColumnElement[Any]:
    """The sum of a column of either table that a unit is counted in."""
    if unit == CALLS:
        return func.count() if from_ is table else func.coalesce(func.sum(cap_use.c.calls), 0)
    return func.coalesce(func.sum(from_.c.tokens if unit == TOKENS else from_.c.cost), 0.0)
