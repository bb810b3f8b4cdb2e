"""Sums up calls in the database: nothing here loads all rows at once, or any text of a call.

The sums of calls are kept (lib/calls/usage_rollups.py) by page, service, model and outcome: for all time, for each
session, for each day in UTC, and of that for each chat and sweep. What these can't tell is counted from rows, which are
few then: the parts of days at both ends of a stretch of time, a stretch within a session, some chats or sweeps, and
what is not in the sums yet: the last calls, and those in progress. One in progress counts as a call; the tokens that it
has saved so far don't count until it has ended.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np
from sqlalchemy import (
    BigInteger,
    BindParameter,
    ColumnElement,
    CompoundSelect,
    Connection,
    FromClause,
    RowMapping,
    Select,
    Table,
    and_,
    bindparam,
    case,
    cast,
    func,
    select,
    tuple_,
    union_all,
)

from lib.calls import records, usage_rollups, usage_spread
from lib.calls.call_outcome import outcome
from lib.calls.records import CallRecord
from lib.calls.usage_rollups import COUNTS, QUARTER, SUMS
from lib.calls.usage_spread import BINS
from lib.core.clock import DAY, LATEST, SECOND
from lib.store.schema import (
    TOKENS,
    call_details,
    calls,
    usage_days,
    usage_models,
    usage_places,
    usage_quarters,
    usage_sessions,
)
from lib.store.schema import usage_spread as spread_kept
from lib.store.statements import chunks
from lib.usage.scope import Scope
from lib.usage.speed import Binned
from lib.usage.totals import ModelTotals, PageTotals, PlaceTotals, Slice, ordered

CHUNK = 1_000
PART = 10_000
KEYS = {"endpoints": "endpoint", "models": "model", "pages": "page"}
"""The column that each filter is about, of calls and of their sums alike."""

NEWEST_FIRST = (calls.c.started_at.desc(), calls.c.seq.desc())
"""By their times, as what comes in from a file was stored long after it was made."""
HOW = ("failed", "cut", "filtered", "stopped", "running")
_TOKENS = [f"{kind}_tokens" for kind in TOKENS]
# What a call in progress has saved so far does not count.
_columns = [
    case((usage_rollups.ended, column)).label(column.name) if column.name in _TOKENS else column
    for column in records.FIGURES
]


@dataclass(frozen=True, slots=True)
class _Shape:
    """What a statement depends on, its values apart: they are built once, as that takes longer than answering them."""

    session: bool
    timed: bool
    filters: frozenset[str]

    @classmethod
    def of(cls, scope: Scope) -> "_Shape":
        nowhere = {"nowhere"} if "" in scope.places else set()
        return cls(scope.session is not None, scope.timed, frozenset(scope.filters) | nowhere)

    @property
    def summed(self) -> bool:
        """Whether the sums that are kept can tell of such a scope, but for the ends of its time."""
        return "places" not in self.filters and not (self.session and self.timed)


def by_model(conn: Connection, scope: Scope) -> list[ModelTotals]:
    """The totals of each model at each endpoint; together they are those of the whole scope."""
    found = _by(conn, scope, ("endpoint", "model"))
    return [ModelTotals(endpoint=endpoint, model=model, **facts) for (endpoint, model), facts in found.items()]


def by_page(conn: Connection, scope: Scope) -> list[PageTotals]:
    """The totals of each page; together they are those of the whole scope."""
    return [PageTotals(page=page, **facts) for (page,), facts in _by(conn, scope, ("page",)).items()]


def by_place(conn: Connection, scope: Scope, limit: int) -> tuple[list[PlaceTotals], int]:
    """The totals of the chats and sweeps with the most tokens, of so many, and how many there are. The calls that
    belong to none (any more) are one of them, the last; all together are the same."""
    # First which ones, by two sums: a long history has many, and twenty sums of each take five times as long.
    largest = conn.execute(_largest(_Shape.of(scope)), _named(scope) | {"limit": limit}).all()
    found = _by(conn, scope, ("place",), [row.place for row in largest])
    rows = ordered([PlaceTotals(place=place, **facts) for (place,), facts in found.items()])
    return sorted(rows, key=lambda one: not one.place), largest[0].there if largest else 0


def _by(
    conn: Connection, scope: Scope, keys: tuple[str, ...], among: Sequence[str] | None = None
) -> dict[tuple[str, ...], dict[str, Any]]:
    """The facts of Totals, by what the calls have in common; those `among` some places only."""
    query = (_summed if among is None else _summed_among)(_Shape.of(scope), keys)
    rows = conn.execute(query, _named(scope) | {"among": among}).mappings()
    return {tuple(row[key] for key in keys): _totals(row) for row in rows}


def by_slice(conn: Connection, scope: Scope, seconds: int) -> list[Slice]:
    """The totals of each slice of `seconds` in which a call began, oldest first. Slices of whole quarters of an hour
    are read from the sums, all others from the calls."""
    return _together([*_slices(conn, scope, seconds * SECOND), *_slices_of_uncounted(conn, scope, seconds)])


def by_day(conn: Connection, scope: Scope, parted: Callable[[Sequence[int]], Iterable[int]]) -> list[Slice]:
    """The totals of each day in UTC in which a call began, oldest first; of the days that `parted` chooses, whose
    beginnings it gets, and of the parts of days at both ends of the scope those of each quarter of an hour. For long
    stretches: most of their days are read as one row for each model."""
    shape = _Shape.of(scope)
    if not shape.summed or shape.session:
        return by_slice(conn, scope, QUARTER // SECOND)
    named = _named(scope)
    days = {row.at: _slice(row) for row in conn.execute(_days(shape), named)}
    since, until, first, last = (named[name] for name in ("since", "until", "first_day", "last_day"))
    split = set(parted(sorted(days)))
    found = [one for day, one in days.items() if day not in split]
    for some in chunks(sorted(split)):
        found += map(_slice, conn.execute(_quarters_of_days(shape), named | {"days": some}))
    for begins, ended in [(since, first), (last, until)] if scope.timed else []:
        if begins < ended:
            found += _slices(conn, replace(scope, since=begins, until=ended), QUARTER)
    return _together([*found, *_slices_of_uncounted(conn, scope, QUARTER // SECOND)])


def _slices(conn: Connection, scope: Scope, length: int) -> list[Slice]:
    """Those of the calls in the sums; a slice may come in several pieces."""
    shape, whole = _Shape.of(scope), all(at % QUARTER == 0 for at in (length, scope.since or 0, scope.until or 0))
    if shape.summed and not shape.session and whole:
        rows = conn.execute(_quarters(shape), _named(scope))
    else:
        rows = conn.execute(_slices_of_rows(shape), _named(scope) | {"length": length})
    return [replace(part, at=part.at - part.at % length) for part in map(_slice, rows)]


def _slices_of_uncounted(conn: Connection, scope: Scope, seconds: int) -> list[Slice]:
    length = seconds * SECOND
    rows = conn.execute(_tokens_uncounted(_Shape.of(scope)), _named(scope))
    return [Slice(at - at % length, 1, prompt, completion) for at, prompt, completion in rows]


def _together(parts: Iterable[Slice]) -> list[Slice]:
    found: dict[int, Slice] = {}
    for part in parts:
        found[part.at] = _added(found[part.at], part) if part.at in found else part
    return [found[at] for at in sorted(found)]


def newest(conn: Connection, scope: Scope, limit: int) -> list[CallRecord]:
    """The last calls, newest first, without their texts."""
    rows = conn.execute(_rows(_Shape.of(scope)).limit(limit), _named(scope)).mappings()
    return [records.figures(row) for row in rows]


def every(conn: Connection, scope: Scope) -> Iterator[CallRecord]:
    """All calls, newest first, without their texts, fetched as they are used: use them before the read ends."""
    query = _rows_for_files(_Shape.of(scope)).execution_options(yield_per=CHUNK)
    for row in conn.execute(query, _named(scope)).mappings():
        yield records.figures(row)


def spread(conn: Connection, scope: Scope, kinds: Sequence[str]) -> list[Binned]:
    """How what the calls took is spread (lib/calls/usage_spread.py): read from what is kept where that can tell, else
    counted from the calls."""
    shape, named = _Shape.of(scope), _named(scope)
    kept = shape.summed and not shape.session and not shape.timed
    where = _uncounted(shape) if kept else _mine(calls, shape)
    values = usage_spread.values_of(where, kinds).execution_options(yield_per=PART)
    found = list(_counted_in_bins(conn.execute(values, named).partitions(), kinds))
    if kept:
        found += (Binned(*row) for row in conn.execute(_spread_kept(shape), named | {"kinds": kinds}))
    return found


def _counted_in_bins(parts: Iterable[Sequence[Any]], kinds: Sequence[str]) -> Iterator[Binned]:
    """A part at a time, as a million rows would take half a gigabyte."""
    numbers: dict[tuple[str, str], int] = {}
    found = {kind: [np.empty(0, int)] for kind in kinds}
    for rows in parts:
        names = np.array([numbers.setdefault((row[0], row[1]), len(numbers)) for row in rows])
        for place, kind in enumerate(kinds, start=2):
            values = np.array([row[place] for row in rows], float)
            known = ~np.isnan(values)
            found[kind].append(names[known] * BINS + usage_spread.bins_of(values[known]))
    of = list(numbers)
    for kind, some in found.items():
        both, counts = np.unique(np.concatenate(some), return_counts=True)
        for name, bin, made in zip((both // BINS).tolist(), (both % BINS).tolist(), counts.tolist(), strict=True):
            endpoint, model = of[name]
            yield Binned(endpoint, model, kind, bin, made)


def reported(conn: Connection, scope: Scope, limit: int, among: int) -> list[CallRecord]:
    """The last whole answers whose tokens the service counted and whose texts are kept, newest first, with them. They
    are looked for `among` so many of the newest calls: a long history may be one of calls without texts."""
    # any owner: here and below, _mine names the owner.
    times = select(calls.c.started_at).where(*_mine(calls, _Shape.of(scope))).order_by(*NEWEST_FIRST)
    oldest = conn.execute(times.offset(among - 1).limit(1), _named(scope)).scalar()
    scope = scope if oldest is None else replace(scope, since=oldest)
    query = records.whole().where(*_mine(calls, _Shape.of(scope)))
    query = query.where(calls.c.state == "ok", calls.c.usage_source == "reported", calls.c.temporary.is_(False))
    return records.found(conn, query.order_by(*NEWEST_FIRST).limit(limit), _named(scope))


def known_work(
    conn: Connection, scope: Scope, models: Sequence[tuple[str, str]], with_cost: bool
) -> tuple[int, int, int, float | None]:
    """Of these models, by endpoint and id, the ended calls whose tokens are known, or that have a cost too: how many
    they are, their prompt and completion tokens, and what they cost."""
    rows = conn.execute(_known_work(_Shape.of(scope), with_cost), _named(scope) | {"of": models})
    count, prompt, completion, cost = rows.one()
    return int(count), int(prompt or 0), int(completion or 0), cost


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
    counted = select(*columns).where(table.c.owner == owner).distinct()
    new = select(*(calls.c[name] for name in KEYS.values())).where(calls.c.owner == owner, usage_rollups.uncounted)
    rows = conn.execute(union_all(counted, new)).all()
    return {name: sorted({row[number] for row in rows}) for number, name in enumerate(KEYS)}


def _named(scope: Scope) -> dict[str, Any]:
    """The values of a statement's parameters; it takes those that it has."""
    since, until = scope.since or 0, LATEST if scope.until is None else scope.until
    # Where the stretch has no whole day, the days are none, and the first part has it all.
    first_day = min(since + -since % DAY, until)
    last_day = max(first_day, until - until % DAY)
    times = {"since": since, "until": until, "first_day": first_day, "last_day": last_day}
    return {"owner": scope.owner, "session": scope.session, **times, **scope.filters}


def _mine(table: Table, shape: _Shape) -> list[ColumnElement[bool]]:
    """The rows of the scope: of calls, or of sums that have the columns for it."""
    found: list[ColumnElement[bool]] = [table.c.owner == bindparam("owner")]
    if shape.session:
        found.append(table.c.session == bindparam("session"))
    if shape.timed and "started_at" in table.c:
        found += [table.c.started_at >= bindparam("since"), table.c.started_at < bindparam("until")]
    if "outcomes" in shape.filters:
        how = table.c.outcome if "outcome" in table.c else outcome.element
        found.append(how.in_(bindparam("outcomes", expanding=True)))
    if "places" in shape.filters:
        found.append(table.c.seq.in_(_of_places(shape)))
    keys = {name: column for name, column in KEYS.items() if name in shape.filters}
    return [*found, *(table.c[column].in_(bindparam(name, expanding=True)) for name, column in keys.items())]


def _of_places(shape: _Shape) -> CompoundSelect[Any]:
    """The numbers of the calls of some chats and sweeps. Each on its own, as then each is found by an index."""
    wanted: BindParameter[str] = bindparam("places", expanding=True)
    of: list[ColumnElement[bool]] = [calls.c.chat_id.in_(wanted), calls.c.sweep_id.in_(wanted)]
    if "nowhere" in shape.filters:
        of.append(and_(calls.c.chat_id.is_(None), calls.c.sweep_id.is_(None)))
    return union_all(*(select(calls.c.seq).where(calls.c.owner == bindparam("owner"), one) for one in of))


@cache
def _rows(shape: _Shape) -> Select[Any]:
    # any owner: _mine names the owner.
    return select(*_columns).where(*_mine(calls, shape)).order_by(*NEWEST_FIRST)


@cache
def _rows_for_files(shape: _Shape) -> Select[Any]:
    """With what the service said, where that tells apart whose word each count is (`Usage.source_of`)."""
    received = case((calls.c.usage_source == "estimated", call_details.c.usage_received)).label("usage_received")
    return _rows(shape).add_columns(received).outerjoin(call_details, call_details.c.call_seq == calls.c.seq)


@cache
def _summed(shape: _Shape, keys: tuple[str, ...]) -> Select[Any]:
    sums = _sums_of(shape, usage_places if keys == ("place",) else usage_models)
    summed = [func.sum(sums.c[name]).label(name) for name in SUMS[usage_models]]
    of = [func.sum(case((sums.c.outcome == one, sums.c.calls), else_=0)).label(one) for one in HOW]
    times = func.min(sums.c.first_at).label("first_at"), func.max(sums.c.last_at).label("last_at")
    named = [sums.c[key] for key in keys]
    return select(*named, *summed, *of, *times).group_by(*named)


@cache
def _summed_among(shape: _Shape, keys: tuple[str, ...]) -> Select[Any]:
    """Those of some places."""
    query = _summed(shape, keys)
    return query.where(query.selected_columns["place"].in_(bindparam("among", expanding=True)))


@cache
def _largest(shape: _Shape) -> Select[Any]:
    """The places with the most tokens; each row says how many there are."""
    sums = _sums_of(shape, usage_places)
    tokens, made = func.sum(sums.c.prompt_tokens + sums.c.completion_tokens), func.sum(sums.c.calls)
    # any owner: of the sums of the scope.
    query = select(sums.c.place, func.count().over().label("there")).group_by(sums.c.place)
    return query.order_by(sums.c.place == "", tokens.desc(), made.desc(), sums.c.place).limit(bindparam("limit"))


def _sums_of(shape: _Shape, like: Table) -> FromClause:
    """The sums of the scope's calls, with the columns of `like`; a key may stand in several rows."""
    rows = usage_rollups.summed(like)
    if not shape.summed or (like is usage_places and shape.session):
        return rows.where(*_mine(calls, shape)).subquery()
    new = rows.where(*_uncounted(shape))
    if not shape.timed:
        # any owner: here and below, _mine names the owner.
        table = usage_sessions if shape.session else like
        return union_all(_kept(table, like).where(*_mine(table, shape)), new).subquery()
    table = usage_days if like is usage_models else usage_places
    days = table.c.at >= bindparam("first_day"), table.c.at < bindparam("last_day")
    # Each by its own two bounds: of three, SQLite takes the first it finds, and looks at all that lies between.
    at, of = calls.c.started_at, [*_mine(calls, replace(shape, timed=False)), usage_rollups.counted]
    parts = [
        rows.where(*of, at >= bindparam(since), at < bindparam(until))
        for since, until in (("since", "first_day"), ("last_day", "until"))
    ]
    return union_all(_kept(table, like).where(*_mine(table, shape), *days), *parts, new).subquery()


def _kept(table: Table, like: Table) -> Select[Any]:
    """The rows of `table`, in the words of `usage_rollups.summed(like)`."""
    return select(*(table.c[name] for name in usage_rollups.columns(like)))


@cache
def _tokens_uncounted(shape: _Shape) -> Select[Any]:
    # any owner: _uncounted names the owner.
    query = select(calls.c.started_at, usage_rollups.tokens("prompt"), usage_rollups.tokens("completion"))
    return query.where(*_uncounted(shape))


def _uncounted(shape: _Shape) -> list[ColumnElement[bool]]:
    """Those calls of the scope that are not in the sums yet."""
    # With + 0 no index has the times: SQLite would else look for the few among all calls of a month.
    at = calls.c.started_at + 0
    times = [at >= bindparam("since"), at < bindparam("until")] if shape.timed else []
    return [usage_rollups.uncounted, *_mine(calls, replace(shape, timed=False)), *times]


@cache
def _quarters(shape: _Shape) -> Select[Any]:
    table = usage_quarters
    times = [table.c.at >= bindparam("since"), table.c.at < bindparam("until")] if shape.timed else []
    return select(table.c.at, *_tokens_of(table)).where(*_mine(table, shape), *times).group_by(table.c.at)


@cache
def _quarters_of_days(shape: _Shape) -> Select[Any]:
    """The quarters of hours of some whole days."""
    table = usage_quarters
    # any owner: _mine names the owner.
    days = select(usage_days.c.at).where(usage_days.c.owner == bindparam("owner"))
    days = days.where(usage_days.c.at.in_(bindparam("days", expanding=True))).distinct()
    day = days.subquery()
    within = and_(table.c.at >= day.c.at, table.c.at < day.c.at + DAY)
    query = select(table.c.at, *_tokens_of(table)).select_from(day.join(table, within))
    return query.where(*_mine(table, shape)).group_by(table.c.at)


@cache
def _days(shape: _Shape) -> Select[Any]:
    table = usage_days
    times = [table.c.at >= bindparam("first_day"), table.c.at < bindparam("last_day")] if shape.timed else []
    return select(table.c.at, *_tokens_of(table)).where(*_mine(table, shape), *times).group_by(table.c.at)


def _tokens_of(table: Table) -> list[ColumnElement[Any]]:
    """The facts of a slice: as integers, and NULL where nothing is known, so that thousands of rows need no further
    thought."""
    found: list[ColumnElement[Any]] = [cast(func.sum(table.c.calls), BigInteger).label("calls")]
    for kind in ("prompt", "completion"):
        known = case((func.sum(table.c[f"{kind}_known"]) > 0, func.sum(table.c[f"{kind}_tokens"])))
        found.append(cast(known, BigInteger).label(kind))
    return found


@cache
def _spread_kept(shape: _Shape) -> Select[Any]:
    """The columns of Binned."""
    table = spread_kept
    made = cast(func.sum(table.c.calls), BigInteger)
    # any owner: _mine names the owner.
    query = select(table.c.endpoint, table.c.model, table.c.kind, table.c.bin, made)
    query = query.where(*_mine(table, shape), table.c.kind.in_(bindparam("kinds", expanding=True)))
    # In the order of the table's key: so nothing has to be sorted.
    return query.group_by(table.c.kind, table.c.endpoint, table.c.model, table.c.bin)


@cache
def _slices_of_rows(shape: _Shape) -> Select[Any]:
    at = (calls.c.started_at - calls.c.started_at % bindparam("length", type_=BigInteger)).label("at")
    tokens = [cast(func.sum(calls.c[f"{kind}_tokens"]), BigInteger).label(kind) for kind in ("prompt", "completion")]
    # any owner: _mine names the owner.
    query = select(at, func.count().label("calls"), *tokens)
    return query.where(*_mine(calls, shape), usage_rollups.counted).group_by("at")


@cache
def _known_work(shape: _Shape, with_cost: bool) -> Select[Any]:
    columns: list[ColumnElement[Any]] = [func.count()]
    columns += [func.sum(calls.c[name]) for name in ("prompt_tokens", "completion_tokens", "cost")]
    # any owner: _mine names the owner.
    query = select(*columns).where(*_mine(calls, shape), usage_rollups.known)
    query = query.where(tuple_(calls.c.endpoint, calls.c.model).in_(bindparam("of", expanding=True)))
    return query.where(calls.c.cost.is_not(None)) if with_cost else query


def _slice(row: Any) -> Slice:
    return Slice(row.at, row.calls, row.prompt, row.completion)


def _totals(row: RowMapping) -> dict[str, Any]:
    """A row of sums as facts of ModelTotals. PostgreSQL sums 64-bit integers as decimals."""
    counts = {name: int(row[name]) for name in ("calls", *COUNTS, *HOW)}
    sums = {f"{kind}_tokens": int(row[f"{kind}_tokens"]) if row[f"{kind}_known"] else None for kind in TOKENS}
    cost = row["cost"] if row["cost_known"] else None
    return {**counts, **sums, "cost": cost, "first_at": row["first_at"], "last_at": row["last_at"]}


def _added(one: Slice, other: Slice) -> Slice:
    prompt = [part.prompt_tokens for part in (one, other) if part.prompt_tokens is not None]
    completion = [part.completion_tokens for part in (one, other) if part.completion_tokens is not None]
    return Slice(
        one.at, one.calls + other.calls, sum(prompt) if prompt else None, sum(completion) if completion else None
    )
