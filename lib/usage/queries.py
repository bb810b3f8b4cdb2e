"""Sums up calls in the database: nothing here loads all rows at once, or any text of a call.

The sums of calls that have ended are kept (lib/calls/usage_rollups.py); only what began within minutes of one another,
and what is in progress, is counted from rows. A call in progress counts as a call; the tokens that it has saved so far
don't count until it has ended.
"""

from collections.abc import Iterator
from functools import cache
from typing import Any

from sqlalchemy import (
    BigInteger,
    BindParameter,
    ColumnElement,
    Connection,
    RowMapping,
    Select,
    Table,
    bindparam,
    case,
    cast,
    func,
    select,
)

from lib.calls import records, usage_rollups
from lib.calls.records import CallRecord
from lib.calls.usage_rollups import COUNTS, QUARTER
from lib.store.schema import calls, usage_models, usage_quarters, usage_sessions
from lib.usage.totals import ModelTotals, Scope, Slice

MICROSECONDS = 1_000_000
CHUNK = 1_000
TOKENS = ("prompt_tokens", "completion_tokens", "reasoning_tokens", "cached_tokens")

_counted = {name: case((usage_rollups.ended, calls.c[name])).label(name) for name in TOKENS}
_columns = [_counted.get(column.name, column) for column in records.FIGURES]


def by_model(conn: Connection, scope: Scope) -> list[ModelTotals]:
    """The totals of each model at each endpoint; together they are those of the whole scope."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    whole = scope.session is None
    for row in conn.execute(_ended(whole), _named(scope)).mappings():
        found[row["endpoint"], row["model"]] = _totals(row)
    for row in conn.execute(_running(whole), _named(scope)).mappings():
        # A model that is only being asked has no row of sums yet.
        one = found.setdefault((row["endpoint"], row["model"]), {})
        one["running"], one["calls"] = row["calls"], one.get("calls", 0) + row["calls"]
        one["first_at"] = min(row["first_at"], one.get("first_at", row["first_at"]))
        one["last_at"] = max(row["last_at"], one.get("last_at", row["last_at"]))
    return [ModelTotals(endpoint=endpoint, model=model, **facts) for (endpoint, model), facts in found.items()]


def by_slice(conn: Connection, scope: Scope, seconds: int) -> list[Slice]:
    """The totals of each slice of `seconds` in which a call began, oldest first. Slices of whole quarters of an hour
    are read from the sums, shorter ones from the calls."""
    length, whole = seconds * MICROSECONDS, scope.session is None
    # So short a slice is only asked for where the history is short, and has few calls.
    if length % QUARTER:
        return _slices_of_rows(conn, scope, length)
    found: dict[int, Slice] = {}
    for row in conn.execute(_quarters(whole), _named(scope)):
        at = row.at - row.at % length
        part = Slice(at, row.calls, row.prompt, row.completion)
        found[at] = _added(found[at], part) if at in found else part
    for began in conn.execute(_running_since(whole), _named(scope)).scalars():
        at = began - began % length
        part = Slice(at, 1, None, None)
        found[at] = _added(found[at], part) if at in found else part
    return [found[at] for at in sorted(found)]


def newest(conn: Connection, scope: Scope, limit: int) -> list[CallRecord]:
    """The last calls, newest first, without their texts."""
    query = select(*_columns).where(*_of(scope))
    return [records.figures(row) for row in conn.execute(query.order_by(calls.c.seq.desc()).limit(limit)).mappings()]


def every(conn: Connection, scope: Scope) -> Iterator[CallRecord]:
    """All calls, newest first, without their texts, fetched as they are used: use them before the read ends."""
    query = select(*_columns).where(*_of(scope))
    for row in conn.execute(query.order_by(calls.c.seq.desc()).execution_options(yield_per=CHUNK)).mappings():
        yield records.figures(row)


def any_call(conn: Connection, scope: Scope) -> bool:
    """Whether there is a call at all."""
    # any owner: the scope names the owner.
    query = select(calls.c.seq).where(*_of(scope))
    return conn.execute(query.limit(1)).first() is not None


def _of(scope: Scope) -> list[ColumnElement[bool]]:
    mine = [calls.c.owner == scope.owner]
    return mine if scope.session is None else [*mine, calls.c.session == scope.session]


def _named(scope: Scope) -> dict[str, str]:
    return {"owner": scope.owner} if scope.session is None else {"owner": scope.owner, "session": scope.session}


# The statements are built once: building one takes longer than answering it. `whole` is for all of the owner's calls.
OWNER: BindParameter[str] = bindparam("owner")
SESSION: BindParameter[str] = bindparam("session")


def _mine(table: Table, whole: bool) -> list[ColumnElement[bool]]:
    return [table.c.owner == OWNER, *([] if whole else [table.c.session == SESSION])]


@cache
def _ended(whole: bool) -> Select[Any]:
    table = usage_models if whole else usage_sessions
    summed = [func.sum(table.c[name]).label(name) for name in usage_rollups.SUMS if name != "filtered"]
    states = {"failed": "error", "stopped": "cancelled"}
    of = [func.sum(case((table.c.state == state, table.c.calls), else_=0)).label(n) for n, state in states.items()]
    # One that also failed, broke or was stopped is counted as that, so that problems add up.
    of.append(func.sum(case((table.c.state == "ok", table.c.filtered), else_=0)).label("filtered"))
    times = func.min(table.c.first_at).label("first_at"), func.max(table.c.last_at).label("last_at")
    query = select(table.c.endpoint, table.c.model, *summed, *of, *times).where(*_mine(table, whole))
    return query.group_by(table.c.endpoint, table.c.model)


@cache
def _running(whole: bool) -> Select[Any]:
    times = func.min(calls.c.started_at).label("first_at"), func.max(calls.c.started_at).label("last_at")
    # any owner: _mine names the owner.
    query = select(calls.c.endpoint, calls.c.model, func.count().label("calls"), *times)
    return query.where(*_mine(calls, whole), calls.c.state == "started").group_by(calls.c.endpoint, calls.c.model)


@cache
def _running_since(whole: bool) -> Select[Any]:
    # any owner: _mine names the owner.
    return select(calls.c.started_at).where(*_mine(calls, whole), calls.c.state == "started")


@cache
def _quarters(whole: bool) -> Select[Any]:
    table = usage_quarters
    # As integers, and NULL where nothing is known, so that thousands of rows need no further thought.
    calls_made = cast(func.sum(table.c.calls), BigInteger).label("calls")
    tokens = (
        cast(case((func.sum(table.c[f"{kind}_known"]) > 0, func.sum(table.c[f"{kind}_tokens"]))), BigInteger).label(
            kind
        )
        for kind in ("prompt", "completion")
    )
    return select(table.c.at, calls_made, *tokens).where(*_mine(table, whole)).group_by(table.c.at)


def _slices_of_rows(conn: Connection, scope: Scope, length: int) -> list[Slice]:
    at = (calls.c.started_at - calls.c.started_at % length).label("at")
    tokens = [func.sum(_counted[name]).label(name) for name in ("prompt_tokens", "completion_tokens")]
    query = select(at, func.count().label("calls"), *tokens).where(*_of(scope))
    rows = conn.execute(query.group_by("at").order_by("at")).mappings()
    return [
        Slice(row["at"], row["calls"], _whole(row["prompt_tokens"]), _whole(row["completion_tokens"])) for row in rows
    ]


def _totals(row: RowMapping) -> dict[str, Any]:
    """A row of sums as facts of ModelTotals. PostgreSQL sums 64-bit integers as decimals."""
    counts = {name: int(row[name]) for name in ("calls", *COUNTS, "failed", "stopped")}
    sums = {"prompt_tokens": _sum_of(row, "prompt"), "completion_tokens": _sum_of(row, "completion")}
    cost = row["cost"] if row["cost_known"] else None
    return {**counts, **sums, "cost": cost, "first_at": row["first_at"], "last_at": row["last_at"]}


def _sum_of(row: RowMapping, kind: str) -> int | None:
    return int(row[f"{kind}_tokens"]) if row[f"{kind}_known"] else None


def _added(one: Slice, other: Slice) -> Slice:
    prompt = [part.prompt_tokens for part in (one, other) if part.prompt_tokens is not None]
    completion = [part.completion_tokens for part in (one, other) if part.completion_tokens is not None]
    return Slice(
        one.at, one.calls + other.calls, sum(prompt) if prompt else None, sum(completion) if completion else None
    )


def _whole(value: Any) -> int | None:
    return None if value is None else int(value)
