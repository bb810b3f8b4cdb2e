"""What a start does for the past: calls and plans of dead processes are closed; and then every hour: what was deleted
long ago, and what links showed that have ended, is removed."""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress

from lib.access import shared_links
from lib.calls import caps, records, usage_rollups
from lib.calls.dispatcher import Dispatcher
from lib.chat import repository as chats
from lib.core.clock import DAY, now
from lib.core.errors import StoreError, StoreReplaced
from lib.store import process_lock
from lib.store.database import Store
from lib.sweep.scheduler import SweepScheduler

MEND_SECONDS = 5.0
TIDY_SECONDS = 3600.0
PURGED_AT_ONCE = 50
DELETED_KEPT_DAYS = 30
"""For so long a deleted chat could still be brought back; then its texts are removed from the disk."""


def after_restart(dispatcher: Dispatcher, sweeps: SweepScheduler) -> None:
    """Close what dead processes left open, and finish their planning; again and again where the database can't be
    written yet."""
    store, process = dispatcher.store, dispatcher.process
    seem_dead: set[str] | None = None

    async def later() -> None:
        done = False
        while not done:
            # On PostgreSQL a living process may just be reconnecting: only who is without a lock now and then is dead.
            await asyncio.sleep(max(MEND_SECONDS, process_lock.DEAD_SECONDS if store.on_server else 0))
            with suppress(StoreError):
                # In a thread, as it waits for the writing thread, and the loop must go on.
                await asyncio.to_thread(_mend, dispatcher, sweeps, seem_dead)
                done = True

    try:
        if store.on_server:
            seem_dead = store.read(lambda db: records.dead_processes(db, process))
        if not seem_dead:
            _mend(dispatcher, sweeps, seem_dead)
            return
    # Full, locked or read-only: what is saved can be shown all the same, and the mending is tried again.
    except StoreError:
        pass
    asyncio.run_coroutine_threadsafe(later(), dispatcher.jobs.loop)


def _mend(dispatcher: Dispatcher, sweeps: SweepScheduler, dead: set[str] | None) -> None:
    """Close the calls of dead processes, those of `dead` where it is known who they are; raises StoreError."""
    store, process = dispatcher.store, dispatcher.process
    if any(isinstance(notice, StoreReplaced) for notice in store.notices):
        store.write(usage_rollups.rebuild_all).result()  # the sums that were recovered are of other calls
    store.write(lambda db: records.interrupt_orphans(db, process, dead)).result()
    if dispatcher.budgets.caps.caps:
        store.write(lambda db: caps.count_earlier(db, now())).result()
    # A sweep whose process died while its cells were written is whole before anybody opens it.
    sweeps.finish_planning()
    _tidy(store)


def watch(dispatcher: Dispatcher) -> Callable[[], None]:
    """What closes, called every few seconds, the calls of processes that have died meanwhile. Raises StoreError."""
    store, process = dispatcher.store, dispatcher.process
    first_seen: dict[str, float] = {}

    def look() -> None:
        dead = store.read(lambda db: records.dead_processes(db, process))
        moment = time.monotonic()
        for name in first_seen.keys() - dead:
            del first_seen[name]  # it was reconnecting
        for name in dead - first_seen.keys():
            first_seen[name] = moment
        surely = {name for name, seen in first_seen.items() if moment - seen >= process_lock.DEAD_SECONDS}
        if surely:
            store.write(lambda db: records.interrupt_orphans(db, process, surely)).result()

    return look


def tidy_hourly(dispatcher: Dispatcher) -> None:
    """Go on removing what nobody can see any more, as long as this process lives: it may be for months."""

    async def go_on() -> None:
        while True:
            await asyncio.sleep(TIDY_SECONDS)
            with suppress(StoreError):  # then in an hour
                await asyncio.to_thread(_tidy, dispatcher.store)

    asyncio.run_coroutine_threadsafe(go_on(), dispatcher.jobs.loop)


def _tidy(store: Store) -> None:
    """Let go of what links showed that have ended, and of the texts of chats that were deleted long ago, a few turns a
    write, so that nobody waits for it. What a killed process has left of one goes the next time."""
    before = now() - DELETED_KEPT_DAYS * DAY
    store.write(shared_links.forget_ended)
    for owner, chat_id in store.read(lambda db: chats.deleted_before(db, before)):
        _purge(store, owner, chat_id)


def _purge(store: Store, owner: str, chat_id: str) -> None:
    def go_on(done: "Future[bool]") -> None:
        # Queued anew each time: whatever others have to write meanwhile comes in between.
        if done.exception() is None and not done.result():
            _purge(store, owner, chat_id)

    store.write(lambda db: chats.purge(db, owner, chat_id, PURGED_AT_ONCE)).add_done_callback(go_on)
