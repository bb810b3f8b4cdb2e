"""Sums up calls in the database: nothing here loads all rows at once, or any text of a call.

A call in progress counts as a call; the tokens that it has saved so far don't count until it has ended.
"""

from collections.abc import Iterator
from dataclasses import fields
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, case, func, or_, select

from lib.store.schema import calls
from lib.usage.totals import CallRow, ModelTotals, Scope, Slice

MICROSECONDS = 1_000_000
CHUNK = 1_000
TOKENS = ("prompt_tokens", "completion_tokens", "reasoning_tokens", "cached_tokens")

_ended = calls.c.state != "started"
_counted = {name: case((_ended, calls.c[name])).label(name) for name in TOKENS}
_known = and_(_ended, calls.c.prompt_tokens.is_not(None), calls.c.completion_tokens.is_not(None))
_missing = and_(_ended, or_(calls.c.prompt_tokens.is_(None), calls.c.completion_tokens.is_(None)))
_unbilled = and_(_missing, calls.c.billed == "no")
_broken = calls.c.state.in_(("partial", "interrupted"))
_columns = [_counted.get(field.name, calls.c[field.name]) for field in fields(CallRow)]


def by_model(conn: Connection, scope: Scope) -> list[ModelTotals]:
    """The totals of each model at each endpoint; together they are those of the whole scope."""
    query = select(
        calls.c.endpoint,
        calls.c.model,
        func.count().label("calls"),
        _count("running", calls.c.state == "started"),
        _total("prompt_tokens"),
        _total("completion_tokens"),
        func.sum(calls.c.cost).label("cost"),
        _count("reported", and_(_known, calls.c.usage_source == "reported")),
        _count("estimated", and_(_known, calls.c.usage_source != "reported")),
        _count("unknown", and_(_missing, calls.c.billed != "no")),
        _count("unbilled", _unbilled),
        _count("unpriced", and_(_ended, calls.c.cost.is_(None), or_(_known, calls.c.billed != "no"))),
        _count("failed", calls.c.state == "error"),
        _count("cut", or_(_broken, and_(calls.c.state == "ok", calls.c.finish_reason == "length"))),
        _count("stopped", calls.c.state == "cancelled"),
        _count("ended_early", or_(_broken, calls.c.state == "cancelled")),
        func.min(calls.c.started_at).label("first_at"),
        func.max(calls.c.started_at).label("last_at"),
    ).where(calls.c.owner == scope.owner, *_session(scope))
    rows = conn.execute(query.group_by(calls.c.endpoint, calls.c.model)).mappings()
    return [ModelTotals(**{**row, **_whole(row, "prompt_tokens", "completion_tokens")}) for row in rows]


def by_slice(conn: Connection, scope: Scope, seconds: int) -> list[Slice]:
    """The totals of each slice of `seconds` in which a call began, oldest first."""
    at = (calls.c.started_at - calls.c.started_at % (seconds * MICROSECONDS)).label("at")
    sums = func.count().label("calls"), _total("prompt_tokens"), _total("completion_tokens")
    query = select(at, *sums).where(calls.c.owner == scope.owner, *_session(scope))
    rows = conn.execute(query.group_by("at").order_by("at")).mappings()
    return [Slice(**{**row, **_whole(row, "prompt_tokens", "completion_tokens")}) for row in rows]


def newest(conn: Connection, scope: Scope, limit: int) -> list[CallRow]:
    """The last calls, newest first."""
    query = select(*_columns).where(calls.c.owner == scope.owner, *_session(scope))
    return [CallRow(*row) for row in conn.execute(query.order_by(calls.c.seq.desc()).limit(limit))]


def every(conn: Connection, scope: Scope) -> Iterator[CallRow]:
    """All calls, newest first, fetched as they are used: use them before the read ends."""
    query = select(*_columns).where(calls.c.owner == scope.owner, *_session(scope))
    for row in conn.execute(query.order_by(calls.c.seq.desc()).execution_options(yield_per=CHUNK)):
        yield CallRow(*row)


def any_call(conn: Connection, scope: Scope) -> bool:
    """Whether there is a call at all."""
    query = select(calls.c.seq).where(calls.c.owner == scope.owner, *_session(scope))
    return conn.execute(query.limit(1)).first() is not None


def _session(scope: Scope) -> list[ColumnElement[bool]]:
    return [] if scope.session is None else [calls.c.session == scope.session]


def _count(name: str, condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.count(case((condition, 1))).label(name)


def _total(name: str) -> ColumnElement[int]:
    return func.sum(case((_ended, calls.c[name]))).label(name)


def _whole(row: Any, *names: str) -> dict[str, int | None]:
    """PostgreSQL sums 64-bit integers as decimals."""
    return {name: None if row[name] is None else int(row[name]) for name in names}
