"""Rollups of what calls used: tables of sums, kept as calls end, so that a history of a million calls is told at once.

Five tables of sums, by page, service, model and outcome: of all time, of each session, of each day (UTC), of each chat
and sweep on each day, and, tokens alone, of each quarter of an hour. They hold the calls that have ended, and are
written in the transaction that ends, changes or removes a call; calls in progress are few and are counted from their
rows. What each number means is said once, here, for the tables of sums and for whoever sums up rows.
"""

from collections.abc import Collection, Iterable, Sequence
from functools import cache, partial
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Insert,
    Select,
    Table,
    and_,
    bindparam,
    case,
    delete,
    func,
    literal_column,
    or_,
    select,
)

from lib.calls import usage_spread
from lib.calls.call_outcome import outcome
from lib.core.clock import DAY, HOUR
from lib.store.prepared import Prepared
from lib.store.schema import TOKENS, calls, usage_days, usage_models, usage_places, usage_quarters, usage_sessions
from lib.store.statements import chunks, insert_into

QUARTER = HOUR // 4
"""A slice of this length, or of a day, begins at `at - at % length`."""

ended = calls.c.state != "started"
known = and_(ended, calls.c.prompt_tokens.is_not(None), calls.c.completion_tokens.is_not(None))
missing = and_(ended, or_(calls.c.prompt_tokens.is_(None), calls.c.completion_tokens.is_(None)))
broken = or_(calls.c.state == "partial", calls.c.state == "interrupted")
COUNTS: dict[str, ColumnElement[bool]] = {
    "reported": and_(known, calls.c.usage_source == "reported"),
    "gateway": and_(known, calls.c.usage_source == "gateway"),
    "estimated": and_(known, calls.c.usage_source != "reported", calls.c.usage_source != "gateway"),
    "unknown": and_(missing, calls.c.billed != "no"),
    "unbilled": and_(missing, calls.c.billed == "no"),
    "unpriced": and_(ended, calls.c.cost.is_(None), or_(known, calls.c.billed != "no")),
    "ended_early": or_(broken, calls.c.state == "cancelled"),
    "cost_reported": and_(ended, calls.c.cost_source == "reported"),
    "cost_own": and_(ended, calls.c.cost_source == "own"),
    "cost_free": and_(ended, or_(calls.c.cost_source == "free", calls.c.cost_source == "local")),
}
"""Which of the calls each count has. How many failed, say, is told by their outcome."""
FACTS: dict[str, ColumnElement[Any]] = {
    "outcome": outcome,
    "place": func.coalesce(calls.c.chat_id, calls.c.sweep_id, "").label("place"),
}
"""Keys of sums that are no columns of calls; all others are."""
TIMES = ("first_at", "last_at")
TABLES = (usage_models, usage_sessions, usage_days, usage_places, usage_quarters)
KEYS = {table: tuple(column.name for column in table.primary_key) for table in TABLES}
SUMS = {
    table: tuple(column.name for column in table.c if not column.primary_key and column.name not in TIMES)
    for table in TABLES
}
"""The columns that add up; `first_at` and `last_at`, where there are any, are the least and the greatest."""
LENGTHS = {usage_days: DAY, usage_places: DAY, usage_quarters: QUARTER}


def add(conn: Connection, seqs: Iterable[int]) -> None:
    """Count calls that have just ended, or that were imported."""
    _count(conn, seqs, 1)


def subtract(conn: Connection, seqs: Iterable[int]) -> None:
    """Count calls out that have ended and are about to be changed (a late record, another price); `add` them then."""
    _count(conn, seqs, -1)


def rebuild(conn: Connection, owner: str, moments: Collection[int], sessions: Collection[str]) -> None:
    """Sum up anew what calls that began at `moments` (microseconds) in `sessions` were part of: they are removed."""
    # Not by `subtract`: a first or last time can't be taken back. By whole days, so that few calls are read.
    for day in {at - at % DAY for at in moments}:
        for table in LENGTHS:
            conn.execute(delete(table).where(table.c.owner == owner, table.c.at >= day, table.c.at < day + DAY))
            rows = summed(table).where(calls.c.owner == owner, calls.c.started_at.between(day, day + DAY - 1))
            conn.execute(_into(table, rows))
    for some in chunks(set(sessions)):
        named = usage_sessions.c.session.in_(some)
        conn.execute(delete(usage_sessions).where(usage_sessions.c.owner == owner, named))
        rows = summed(usage_sessions).where(calls.c.owner == owner, calls.c.session.in_(some))
        conn.execute(_into(usage_sessions, rows))
    conn.execute(delete(usage_models).where(usage_models.c.owner == owner))
    # From the days, whose sums are right by now, without a look at all calls.
    conn.execute(_into(usage_models, _of_days().where(usage_days.c.owner == owner)))


def rebuild_all(conn: Connection) -> None:
    """Sum up all calls of all owners anew."""
    for table in TABLES:
        # any owner: the sums of all of them are made from their rows.
        conn.execute(delete(table))
        conn.execute(_into(table, summed(table)))
    usage_spread.rebuild_all(conn)


@cache
def _of_days() -> Select[Any]:
    """The rows of `usage_models`, from those of the days: a year has some thousand of them."""
    # any owner: who uses this names the owner.
    keys = [usage_days.c[name] for name in KEYS[usage_models]]
    sums = [func.sum(usage_days.c[name]).label(name) for name in SUMS[usage_days]]
    times = func.min(usage_days.c.first_at).label("first_at"), func.max(usage_days.c.last_at).label("last_at")
    return select(*keys, *sums, *times).group_by(*keys)


@cache
def summed(table: Table) -> Select[Any]:
    """The rows that `table` has to hold, from the calls themselves."""
    keys = [_at(table) if name == "at" else fact(name) for name in KEYS[table]]
    values = _sums()
    sums = (values[name].label(name) for name in SUMS[table])
    times = {"first_at": func.min(calls.c.started_at), "last_at": func.max(calls.c.started_at)}
    said = (value.label(name) for name, value in times.items() if name in table.c)
    # By their names: PostgreSQL takes the parameters of two equal expressions for two different ones.
    return select(*keys, *sums, *said).where(ended).group_by(*KEYS[table])


def _of_one(table: Table, sign: int) -> Select[Any]:
    """The row that `table` has to hold for one call, and that alone: without groups, which take as long again."""
    keys = [_at(table) if name == "at" else fact(name) for name in KEYS[table]]
    values: dict[str, ColumnElement[Any]] = {"calls": literal_column("1")}
    values |= {name: _one_if(condition) for name, condition in COUNTS.items()}
    values |= {f"{one}_tokens": func.coalesce(_bounded(f"{one}_tokens"), 0) for one in TOKENS}
    values |= {f"{one}_known": _one_if(calls.c[f"{one}_tokens"].is_not(None)) for one in TOKENS}
    values |= {"cost": func.coalesce(calls.c.cost, 0.0), "cost_known": _one_if(calls.c.cost.is_not(None))}
    sums = ((values[name] if sign == 1 else -values[name]).label(name) for name in SUMS[table])
    times = (calls.c.started_at.label(name) for name in TIMES if name in table.c)
    # any owner: the caller names a call that it has found as its owner's.
    return select(*keys, *sums, *times).where(ended, calls.c.seq == bindparam("seq"))


def _one_if(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return case((condition, literal_column("1")), else_=literal_column("0"))


def _at(table: Table) -> ColumnElement[int]:
    # The length is written out: PostgreSQL takes two parameters for two different expressions to group by.
    length: ColumnElement[int] = literal_column(str(LENGTHS.get(table, 1)))
    return (calls.c.started_at - calls.c.started_at % length).label("at")


def fact(name: str) -> ColumnElement[Any]:
    """A key of the sums, of a call."""
    return FACTS[name] if name in FACTS else calls.c[name]


def _sums() -> dict[str, ColumnElement[Any]]:
    values: dict[str, ColumnElement[Any]] = {"calls": func.count()}
    values |= {name: func.count(case((condition, 1))) for name, condition in COUNTS.items()}
    values |= {f"{one}_tokens": func.coalesce(func.sum(_bounded(f"{one}_tokens")), 0) for one in TOKENS}
    values |= {f"{one}_known": func.count(calls.c[f"{one}_tokens"]) for one in TOKENS}
    return values | {"cost": func.coalesce(func.sum(calls.c.cost), 0.0), "cost_known": func.count(calls.c.cost)}


# Nine million such counts fit into the 64 bit of a sum; SQLite's sum() fails when it overflows.
MOST = 10**12


def _bounded(name: str) -> ColumnElement[int]:
    """A count of tokens as it is summed up: absurd ones, which a service may send, must not make a sum overflow."""
    column = calls.c[name]
    return case((column > MOST, MOST), (column < -MOST, -MOST), else_=column)


def removing(conn: Connection, seqs: Sequence[int]) -> None:
    """Calls are about to be removed; `rebuild` when they are."""
    usage_spread.subtract(conn, seqs)


def _count(conn: Connection, seqs: Iterable[int], sign: int) -> None:
    seqs = list(seqs)
    (usage_spread.add if sign > 0 else usage_spread.subtract)(conn, seqs)
    for some in chunks(seqs):
        for table in TABLES:
            _COUNTING[table, sign].run_each(conn, [{"seq": seq} for seq in some])
            # Else a model would be listed that has no call any more.
            if sign < 0:
                _drop_empty(conn, table, some)


def _counting(table: Table, sign: int, dialect: str) -> Insert:
    # any owner: the caller names calls that it has found as their owner's.
    rows = _of_one(table, sign)
    # SQLite reads ON CONFLICT after a SELECT rightly only where that has a WHERE (sqlite.org/lang_upsert.html).
    insert = insert_into(table, dialect).from_select(_columns(table), rows)
    new = insert.excluded
    changes: dict[str, ColumnElement[Any]] = {name: table.c[name] + new[name] for name in SUMS[table]}
    if "last_at" in table.c:
        changes["first_at"] = case((new.first_at < table.c.first_at, new.first_at), else_=table.c.first_at)
        changes["last_at"] = case((new.last_at > table.c.last_at, new.last_at), else_=table.c.last_at)
    return insert.on_conflict_do_update(index_elements=list(KEYS[table]), set_=changes)


_COUNTING = {(table, sign): Prepared(partial(_counting, table, sign)) for table in TABLES for sign in (1, -1)}


def _drop_empty(conn: Connection, table: Table, seqs: Sequence[int]) -> None:
    # any owner: those of the calls just counted out.
    owners = select(calls.c.owner).where(calls.c.seq.in_(seqs)).distinct()
    conn.execute(delete(table).where(table.c.owner.in_(owners), table.c.calls == 0))


def _into(table: Table, rows: Select[Any]) -> Insert:
    return table.insert().from_select(_columns(table), rows)


def _columns(table: Table) -> list[str]:
    """In the order of `summed`: keys, sums, times."""
    return [*KEYS[table], *SUMS[table], *(name for name in TIMES if name in table.c)]
