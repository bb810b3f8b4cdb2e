"""Rollups of what calls used: tables of sums, so that a history of a million calls is told at once.

Five tables of sums, by page, service, model and outcome: of all time, of each session, of each day (UTC), of each chat
and sweep on each day, and, tokens alone, of each quarter of an hour. Calls are put into them many at a time, some while
after they have ended: until then, as while they are in progress, they are marked as `uncounted`, and whoever reads the
sums adds these few from their rows. What each number means is said once, here, for the tables of sums and for whoever
sums up rows.
"""

from collections.abc import Collection, Iterable
from functools import cache, partial
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Insert,
    Select,
    Table,
    and_,
    case,
    delete,
    func,
    literal_column,
    not_,
    or_,
    select,
    update,
)

from lib.calls import usage_spread
from lib.calls.call_outcome import outcome
from lib.core.clock import DAY, HOUR
from lib.store.prepared import Prepared
from lib.store.schema import TOKENS, calls, usage_days, usage_models, usage_places, usage_quarters, usage_sessions
from lib.store.statements import chunks, insert_into

QUARTER = HOUR // 4
"""A slice of this length, or of a day, begins at `at - at % length`."""

TOGETHER = 64
"""About so many calls are counted at once; each of them alone would take several times as long."""

ended = calls.c.state != "started"
uncounted = calls.c.uncounted
counted = not_(uncounted)
due = uncounted, ended
"""Which calls are to be counted."""
running = and_(uncounted, not_(ended))
"""The same as not to have ended, and found by an index."""
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


def call_ended(conn: Connection, seq: int) -> None:
    """A call has ended: now and then it is time to count those that have."""
    if seq % TOGETHER == 0:
        count(conn)


def count(conn: Connection) -> None:
    """Count all calls that have ended and are not counted yet."""
    usage_spread.count(conn)
    for table in TABLES:
        _COUNT[table].run(conn, {})
    _MARK.run(conn, {})


def uncount(conn: Connection, seqs: Iterable[int]) -> None:
    """Count calls out that are about to be changed (a late record, another price); `count` them then."""
    for some in chunks(seqs):
        these = counted, calls.c.seq.in_(some)
        # any owner: here and below, of calls that the caller has found as their owner's.
        owners = list(conn.execute(select(calls.c.owner).where(*these).distinct()).scalars())
        usage_spread.uncount(conn, some)
        for table in TABLES:
            conn.execute(_adding(table, summed(table).where(*these), -1, conn.dialect.name))
            # Else a model would be listed that has no call any more.
            conn.execute(delete(table).where(table.c.owner.in_(owners), table.c.calls == 0))
        # any owner: as above.
        conn.execute(update(calls).where(*these).values(uncounted=True))


def rebuild(conn: Connection, owner: str, moments: Collection[int], sessions: Collection[str]) -> None:
    """Sum up anew what calls that began at `moments` (microseconds) in `sessions` were part of: they are removed."""
    # Not by `subtract`: a first or last time can't be taken back. By whole days, so that few calls are read.
    for day in {at - at % DAY for at in moments}:
        for table in LENGTHS:
            conn.execute(delete(table).where(table.c.owner == owner, table.c.at >= day, table.c.at < day + DAY))
            rows = summed(table).where(calls.c.owner == owner, calls.c.started_at.between(day, day + DAY - 1))
            conn.execute(_into(table, rows.where(counted)))
    for some in chunks(set(sessions)):
        named = usage_sessions.c.session.in_(some)
        conn.execute(delete(usage_sessions).where(usage_sessions.c.owner == owner, named))
        rows = summed(usage_sessions).where(calls.c.owner == owner, calls.c.session.in_(some))
        conn.execute(_into(usage_sessions, rows.where(counted)))
    conn.execute(delete(usage_models).where(usage_models.c.owner == owner))
    # From the days, whose sums are right by now, without a look at all calls.
    conn.execute(_into(usage_models, _of_days().where(usage_days.c.owner == owner)))


def rebuild_all(conn: Connection) -> None:
    """Sum up all calls of all owners anew."""
    # any owner: here and below, the sums of all of them are made from their rows.
    conn.execute(update(calls).where(uncounted == ended).values(uncounted=not_(ended)))
    for table in TABLES:
        # any owner: as above.
        conn.execute(delete(table))
        conn.execute(_into(table, summed(table).where(counted)))
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
    """The rows that `table` has to hold of some calls, from their own rows; those in progress are counted as such."""
    keys = [_at(table) if name == "at" else fact(name) for name in KEYS[table]]
    values = _sums()
    sums = (values[name].label(name) for name in SUMS[table])
    times = {"first_at": func.min(calls.c.started_at), "last_at": func.max(calls.c.started_at)}
    said = (value.label(name) for name, value in times.items() if name in table.c)
    # any owner: who uses this names the owner. Grouped by their names: PostgreSQL takes the parameters of two equal
    # expressions for two different ones.
    return select(*keys, *sums, *said).group_by(*KEYS[table])


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
    values |= {f"{one}_tokens": func.coalesce(func.sum(tokens(one)), 0) for one in TOKENS}
    values |= {f"{one}_known": func.count(tokens(one)) for one in TOKENS}
    return values | {"cost": func.coalesce(func.sum(calls.c.cost), 0.0), "cost_known": func.count(calls.c.cost)}


# Nine million such counts fit into the 64 bit of a sum; SQLite's sum() fails when it overflows.
MOST = 10**12


def tokens(kind: str) -> ColumnElement[int]:
    """A call's tokens as they are summed up: those of a call in progress don't count yet, and absurd ones, which a
    service may send, must not make a sum overflow."""
    column = calls.c[f"{kind}_tokens"]
    return case((not_(ended), None), (column > MOST, MOST), (column < -MOST, -MOST), else_=column)


def before_removal(conn: Connection, seqs: Iterable[int]) -> None:
    """To be asked for before calls are removed, and `rebuild` after it."""
    for some in chunks(seqs):
        usage_spread.uncount(conn, some)


def _adding(table: Table, rows: Select[Any], sign: int, dialect: str) -> Insert:
    """Rows of `summed`, added to those that are there, or taken off."""
    # SQLite reads ON CONFLICT after a SELECT rightly only where that has a WHERE (sqlite.org/lang_upsert.html).
    insert = insert_into(table, dialect).from_select(columns(table), rows)
    new = insert.excluded
    changes: dict[str, ColumnElement[Any]] = {name: table.c[name] + sign * new[name] for name in SUMS[table]}
    if "last_at" in table.c:
        changes["first_at"] = case((new.first_at < table.c.first_at, new.first_at), else_=table.c.first_at)
        changes["last_at"] = case((new.last_at > table.c.last_at, new.last_at), else_=table.c.last_at)
    return insert.on_conflict_do_update(index_elements=list(KEYS[table]), set_=changes)


# any owner: of all of them at once, each in rows of its own.
_COUNT = {table: Prepared(partial(_adding, table, summed(table).where(*due), 1)) for table in TABLES}
_MARK = Prepared(lambda _: update(calls).where(*due).values(uncounted=False))


def _into(table: Table, rows: Select[Any]) -> Insert:
    return table.insert().from_select(columns(table), rows)


def columns(table: Table) -> list[str]:
    """In the order of `summed`: keys, sums, times."""
    return [*KEYS[table], *SUMS[table], *(name for name in TIMES if name in table.c)]
