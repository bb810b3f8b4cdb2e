"""Sums up calls in the database: nothing here loads all rows at once, or any text of a call.

The sums of calls that have ended are kept (lib/calls/usage_rollups.py) by page, service, model and state: for all time,
for each session and for each day in UTC. What these can't tell is counted from rows: the parts of days at both ends of
a stretch of time, a stretch within a session, how calls ended, and what is in progress. That counts as a call; the
tokens that it has saved so far don't count until it has ended.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    FromClause,
    RowMapping,
    Select,
    Table,
    bindparam,
    case,
    cast,
    func,
    literal_column,
    select,
    union_all,
)

from lib.calls import records, usage_rollups, usage_spread
from lib.calls.records import CallRecord
from lib.calls.usage_rollups import COUNTS, DAY, QUARTER
from lib.store.schema import calls, usage_days, usage_models, usage_quarters, usage_sessions
from lib.store.schema import usage_spread as spread_kept
from lib.usage.scope import Scope
from lib.usage.speed import Binned
from lib.usage.totals import ModelTotals, Slice

MICROSECONDS = 1_000_000
LATEST = 2**62
"""Later than any call."""
CHUNK = 1_000
TOKENS = ("prompt_tokens", "completion_tokens", "reasoning_tokens", "cached_tokens")
KEYS = {"endpoints": "endpoint", "models": "model", "pages": "page"}
"""The column that each filter is about, of calls and of their sums alike."""

NEWEST_FIRST = (calls.c.started_at.desc(), calls.c.seq.desc())
"""By their times, as what comes in from a file was stored long after it was made."""
BY_STATE = {"failed": "error", "stopped": "cancelled", "running": "started"}
"""The outcomes that the state alone tells, and so the sums."""

_outcome = case(
    (calls.c.state == "started", "running"),
    (calls.c.state == "error", "failed"),
    (calls.c.state == "cancelled", "stopped"),
    (calls.c.state != "ok", "cut"),
    (calls.c.finish_reason == "content_filter", "filtered"),
    (calls.c.finish_reason == "length", "cut"),
    else_="ok",
)
_counted = {name: case((usage_rollups.ended, calls.c[name])).label(name) for name in TOKENS}
_columns = [_counted.get(column.name, column) for column in records.FIGURES]


@dataclass(frozen=True, slots=True)
class _Shape:
    """What a statement depends on, its values apart: they are built once, as that takes longer than answering them."""

    session: bool
    timed: bool
    filters: frozenset[str]
    by_state: bool

    @classmethod
    def of(cls, scope: Scope) -> "_Shape":
        by_state = BY_STATE.keys() >= set(scope.outcomes)
        return cls(scope.session is not None, scope.timed, frozenset(scope.filters), by_state)


def by_model(conn: Connection, scope: Scope) -> list[ModelTotals]:
    """The totals of each model at each endpoint; together they are those of the whole scope."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    shape, named = _Shape.of(scope), _named(scope)
    for row in conn.execute(_ended(shape), named).mappings():
        found[row["endpoint"], row["model"]] = _totals(row)
    for row in conn.execute(_running(shape), named).mappings():
        # A model that is only being asked has no row of sums yet.
        one = found.setdefault((row["endpoint"], row["model"]), {})
        one["running"], one["calls"] = row["calls"], one.get("calls", 0) + row["calls"]
        one["first_at"] = min(row["first_at"], one.get("first_at", row["first_at"]))
        one["last_at"] = max(row["last_at"], one.get("last_at", row["last_at"]))
    return [ModelTotals(endpoint=endpoint, model=model, **facts) for (endpoint, model), facts in found.items()]


def by_slice(conn: Connection, scope: Scope, seconds: int) -> list[Slice]:
    """The totals of each slice of `seconds` in which a call began, oldest first. Slices of whole quarters of an hour
    are read from the sums where nothing is filtered, all others from the calls."""
    length = seconds * MICROSECONDS
    whole_quarters = all(at % QUARTER == 0 for at in (length, scope.since or 0, scope.until or 0))
    if scope.filters or not whole_quarters:
        return _slices_of_rows(conn, scope, length)
    found: dict[int, Slice] = {}
    shape, named = _Shape.of(scope), _named(scope)
    for row in conn.execute(_quarters(shape), named):
        at = row.at - row.at % length
        part = Slice(at, row.calls, row.prompt, row.completion)
        found[at] = _added(found[at], part) if at in found else part
    for began in conn.execute(_running_since(shape), named).scalars():
        at = began - began % length
        part = Slice(at, 1, None, None)
        found[at] = _added(found[at], part) if at in found else part
    return [found[at] for at in sorted(found)]


def newest(conn: Connection, scope: Scope, limit: int) -> list[CallRecord]:
    """The last calls, newest first, without their texts."""
    rows = conn.execute(_rows(_Shape.of(scope)).limit(limit), _named(scope)).mappings()
    return [records.figures(row) for row in rows]


def every(conn: Connection, scope: Scope) -> Iterator[CallRecord]:
    """All calls, newest first, without their texts, fetched as they are used: use them before the read ends."""
    query = _rows(_Shape.of(scope)).execution_options(yield_per=CHUNK)
    for row in conn.execute(query, _named(scope)).mappings():
        yield records.figures(row)


def spread(conn: Connection, scope: Scope, kinds: Sequence[str]) -> list[Binned]:
    """How what the calls took is spread (lib/calls/usage_spread.py): read from what is kept where that can tell, else
    counted from the calls."""
    shape = _Shape.of(scope)
    if _is_kept(shape):
        table: FromClause = spread_kept
        # any owner: _mine names the owner.
        mine = [*_mine(spread_kept, shape), table.c.kind.in_(kinds)]
    else:
        table = usage_spread.counted(_mine(calls, shape), kinds).subquery()
        mine = []
    keys = [table.c[name] for name in ("endpoint", "model", "kind", "bin")]
    # any owner: as above.
    query = select(*keys, func.sum(table.c.calls).label("made")).where(*mine).group_by(*keys)
    rows = conn.execute(query, _named(scope))
    return [Binned(row.endpoint, row.model, row.kind, row.bin, int(row.made)) for row in rows]


def cost_sources(conn: Connection, scope: Scope) -> dict[str, int]:
    """How many calls have their cost from whom, by the kinds of lib/calls/usage_spread.py."""
    shape, found = _Shape.of(scope), dict.fromkeys(usage_spread.COST_KINDS, 0)
    if _is_kept(shape):
        for one in spread(conn, scope, usage_spread.COST_KINDS):
            found[one.kind] += one.calls
        return found
    # One look at the calls, where `spread` has one for each kind.
    of = [func.count(case((usage_spread.KINDS[kind][0], 1))) for kind in found]
    # any owner: _mine names the owner.
    row = conn.execute(select(*of).where(*_mine(calls, shape), usage_rollups.ended), _named(scope)).one()
    return dict(zip(found, row, strict=True))


def _is_kept(shape: _Shape) -> bool:
    """Whether the bins that are kept can tell of such a scope."""
    return shape.by_state and not shape.session and not shape.timed


def reported(conn: Connection, scope: Scope, limit: int) -> list[CallRecord]:
    """The last whole answers whose tokens the service counted and whose texts are kept, newest first, with them."""
    # any owner: _mine names the owner.
    query = records.whole().where(*_mine(calls, _Shape.of(scope)))
    query = query.where(calls.c.state == "ok", calls.c.usage_source == "reported", calls.c.temporary.is_(False))
    return records.found(conn, query.order_by(*NEWEST_FIRST).limit(limit), _named(scope))


def origin(conn: Connection, owner: str, call_id: str) -> tuple[str | None, str | None]:
    """The chat and the sweep that a call was made for, by their ids."""
    query = select(calls.c.chat_id, calls.c.sweep_id).where(calls.c.owner == owner, calls.c.id == call_id)
    row = conn.execute(query).first()
    return (row.chat_id, row.sweep_id) if row else (None, None)


def any_call(conn: Connection, scope: Scope) -> bool:
    """Whether there is a call at all."""
    # any owner: the scope names the owner.
    query = select(calls.c.seq).where(*_mine(calls, _Shape.of(scope)))
    return conn.execute(query.limit(1), _named(scope)).first() is not None


def choices(conn: Connection, owner: str) -> dict[str, list[str]]:
    """What the owner's calls can be filtered by: the services, models and pages there are, each in order."""
    table = usage_models
    columns = [table.c[name] for name in KEYS.values()]
    ended = select(*columns).where(table.c.owner == owner).distinct()
    running = select(*(calls.c[name] for name in KEYS.values())).where(calls.c.owner == owner)
    rows = conn.execute(union_all(ended, running.where(calls.c.state == "started"))).all()
    return {name: sorted({row[number] for row in rows}) for number, name in enumerate(KEYS)}


def _named(scope: Scope) -> dict[str, Any]:
    """The values of a statement's parameters; it takes those that it has."""
    since, until = scope.since or 0, LATEST if scope.until is None else scope.until
    first_day = since + -since % DAY
    # Where the stretch has no whole day, the days are none, and the first part has it all.
    last_day = max(first_day, until - until % DAY)
    times = {"since": since, "until": until, "first_day": first_day, "last_day": last_day}
    states = [BY_STATE[outcome] for outcome in scope.outcomes if outcome in BY_STATE]
    return {"owner": scope.owner, "session": scope.session, "states": states, **times, **scope.filters}


def _mine(table: Table, shape: _Shape) -> list[ColumnElement[bool]]:
    """The rows of the scope: of calls, or of sums that have the columns for it."""
    found: list[ColumnElement[bool]] = [table.c.owner == bindparam("owner")]
    if shape.session:
        found.append(table.c.session == bindparam("session"))
    if shape.timed and "started_at" in table.c:
        found += [table.c.started_at >= bindparam("since"), table.c.started_at < bindparam("until")]
    if "outcomes" in shape.filters and shape.by_state:
        found.append(table.c.state.in_(bindparam("states", expanding=True)))
    elif "outcomes" in shape.filters:
        found.append(_outcome.in_(bindparam("outcomes", expanding=True)))
    keys = {name: column for name, column in KEYS.items() if name in shape.filters}
    return [*found, *(table.c[column].in_(bindparam(name, expanding=True)) for name, column in keys.items())]


@cache
def _rows(shape: _Shape) -> Select[Any]:
    # any owner: _mine names the owner.
    return select(*_columns).where(*_mine(calls, shape)).order_by(*NEWEST_FIRST)


@cache
def _ended(shape: _Shape) -> Select[Any]:
    sums = _sums_of(shape)
    summed = [func.sum(sums.c[name]).label(name) for name in usage_rollups.SUMS if name != "filtered"]
    states = {"failed": "error", "stopped": "cancelled"}
    of = [func.sum(case((sums.c.state == state, sums.c.calls), else_=0)).label(n) for n, state in states.items()]
    # One that also failed, broke or was stopped is counted as that, so that problems add up.
    of.append(func.sum(case((sums.c.state == "ok", sums.c.filtered), else_=0)).label("filtered"))
    times = func.min(sums.c.first_at).label("first_at"), func.max(sums.c.last_at).label("last_at")
    query = select(sums.c.endpoint, sums.c.model, *summed, *of, *times)
    return query.group_by(sums.c.endpoint, sums.c.model)


def _sums_of(shape: _Shape) -> FromClause:
    """The sums of the scope's ended calls by endpoint, model, page and state; a key may stand in several rows."""
    if not shape.by_state or (shape.session and shape.timed):
        return usage_rollups.summed(usage_models).where(*_mine(calls, shape)).subquery()
    if not shape.timed:
        table = usage_sessions if shape.session else usage_models
        return select(table).where(*_mine(table, shape)).subquery()
    days = usage_days.c.at >= bindparam("first_day"), usage_days.c.at < bindparam("last_day")
    # any owner: here and below, _mine names the owner.
    whole = select(*(usage_days.c[column.name] for column in usage_models.c)).where(*_mine(usage_days, shape), *days)
    ends = calls.c.started_at < bindparam("first_day"), calls.c.started_at >= bindparam("last_day")
    parts = [usage_rollups.summed(usage_models).where(*_mine(calls, shape), end).subquery() for end in ends]
    # any owner: of what was selected above.
    return union_all(whole, *(select(*(part.c[column.name] for column in usage_models.c)) for part in parts)).subquery()


@cache
def _running(shape: _Shape) -> Select[Any]:
    times = func.min(calls.c.started_at).label("first_at"), func.max(calls.c.started_at).label("last_at")
    # any owner: _mine names the owner.
    query = select(calls.c.endpoint, calls.c.model, func.count().label("calls"), *times)
    mine = _mine(calls, shape)
    return query.where(*mine, calls.c.state == "started").group_by(calls.c.endpoint, calls.c.model)


@cache
def _running_since(shape: _Shape) -> Select[Any]:
    # any owner: _mine names the owner.
    return select(calls.c.started_at).where(*_mine(calls, shape), calls.c.state == "started")


@cache
def _quarters(shape: _Shape) -> Select[Any]:
    table = usage_quarters
    # As integers, and NULL where nothing is known, so that thousands of rows need no further thought.
    calls_made = cast(func.sum(table.c.calls), BigInteger).label("calls")
    tokens = (
        cast(case((func.sum(table.c[f"{kind}_known"]) > 0, func.sum(table.c[f"{kind}_tokens"]))), BigInteger).label(
            kind
        )
        for kind in ("prompt", "completion")
    )
    times = [table.c.at >= bindparam("since"), table.c.at < bindparam("until")] if shape.timed else []
    return select(table.c.at, calls_made, *tokens).where(*_mine(table, shape), *times).group_by(table.c.at)


def _slices_of_rows(conn: Connection, scope: Scope, length: int) -> list[Slice]:
    # The length is written out: PostgreSQL takes two parameters for two different expressions to group by.
    at = (calls.c.started_at - calls.c.started_at % literal_column(str(length))).label("at")
    tokens = [func.sum(_counted[name]).label(name) for name in ("prompt_tokens", "completion_tokens")]
    query = select(at, func.count().label("calls"), *tokens).where(*_mine(calls, _Shape.of(scope)))
    rows = conn.execute(query.group_by("at").order_by("at"), _named(scope)).mappings()
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
