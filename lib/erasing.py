"""What a visitor has kept of a stretch of time, and how it is removed for good."""

from dataclasses import dataclass
from functools import partial
from typing import Any

from sqlalchemy import Column, ColumnElement, Connection, Select, Table, and_, func, or_, select, true

from lib.calls import records
from lib.calls.dispatcher import Dispatcher
from lib.chat import repository as chats_kept
from lib.store.schema import calls, chats, sweeps
from lib.sweep import repository as sweeps_kept
from lib.sweep.scheduler import SweepScheduler
from lib.visitor import preferences

FORMS = ("chat", "sweep")
"""Under which names the pages keep what their forms hold, a prompt for one; see lib/ui/shared/session_restore.py."""
BATCH = 500
"""Calls that go in one write, so that no other one waits long."""


@dataclass(frozen=True, slots=True)
class Span:
    """From `since` on and before `until`, in microseconds since 1970 (UTC); None: no bound. A chat belongs where it was
    last changed, a sweep and a call where they began."""

    since: int | None = None
    until: int | None = None


@dataclass(frozen=True, slots=True)
class Counts:
    """How many chats and sweeps of the lists, and how many calls; a call of a chat or sweep that stays is none."""

    chats: int
    sweeps: int
    calls: int


def counts(conn: Connection, owner: str, span: Span) -> Counts:
    """What `erase` would remove."""
    return Counts(
        _count(conn, _ids(chats, owner, _within(chats.c.updated_at, span), chats.c.deleted_at.is_(None))),
        _count(conn, _ids(sweeps, owner, _within(sweeps.c.created_at, span), sweeps.c.deleted_at.is_(None))),
        _count(conn, _calls_that_go(owner, span)),
    )


def erase(dispatcher: Dispatcher, scheduler: SweepScheduler, owner: str, span: Span) -> None:
    """Remove the owner's chats, sweeps and calls of `span`, those deleted before too; what runs of them is stopped.
    Raises StoreError. What was removed until then is gone."""
    store = dispatcher.store
    for chat_id in store.read(lambda db: _all(db, _ids(chats, owner, _within(chats.c.updated_at, span)))):
        # Before the rows go: an answer that ends later would be written after them.
        dispatcher.forget(owner, chat_id)
        dispatcher.outcomes.forget(owner, chat_id)
        store.write(partial(chats_kept.erase, owner=owner, chat_id=chat_id)).result()
    for sweep_id in store.read(lambda db: _all(db, _ids(sweeps, owner, _within(sweeps.c.created_at, span)))):
        scheduler.delete(owner, sweep_id)
        dispatcher.outcomes.forget(owner, sweep_id)
        store.write(partial(sweeps_kept.erase, owner=owner, sweep_id=sweep_id)).result()
    # What is left of them by now belongs to no chat and to no sweep.
    while ids := store.read(lambda db: _all(db, _calls_that_go(owner, span).limit(BATCH))):
        store.write(partial(records.delete_calls, owner=owner, ids=ids)).result()
    for page in FORMS if span == Span() else ():
        store.write(partial(preferences.put, owner=owner, name=page, value={})).result()


def _within(moment: Column[int], span: Span) -> ColumnElement[bool]:
    since = true() if span.since is None else moment >= span.since
    return and_(since, true() if span.until is None else moment < span.until)


def _ids(table: Table, owner: str, *wanted: ColumnElement[bool]) -> Select[Any]:
    return select(table.c.id).where(table.c.owner == owner, *wanted)


def _calls_that_go(owner: str, span: Span) -> Select[Any]:
    """Those of the chats and sweeps that go, and those of `span` that have neither, any more."""
    chats_within, sweeps_within = _within(chats.c.updated_at, span), _within(sweeps.c.created_at, span)
    of_neither = and_(
        _within(calls.c.started_at, span),
        or_(calls.c.chat_id.is_(None), calls.c.chat_id.not_in(_ids(chats, owner))),
        or_(calls.c.sweep_id.is_(None), calls.c.sweep_id.not_in(_ids(sweeps, owner))),
    )
    of_what_goes = or_(
        calls.c.chat_id.in_(_ids(chats, owner, chats_within)), calls.c.sweep_id.in_(_ids(sweeps, owner, sweeps_within))
    )
    return _ids(calls, owner, or_(of_neither, of_what_goes), calls.c.state != "started")


def _count(conn: Connection, query: Select[Any]) -> int:
    return conn.execute(select(func.count()).select_from(query.subquery())).scalar_one()


def _all(conn: Connection, query: Select[Any]) -> list[str]:
    return list(conn.execute(query).scalars())
