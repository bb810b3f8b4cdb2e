"""The operator's caps: how much each visitor, and all of them together, may use of an hour or a day.

Before a call is sent the worst that it may take is reserved of every cap, and when it is recorded that is settled with
what it took: no calls together pass a cap, however many begin at once. What was spent before is read from the calls of
the store, so that a restart changes nothing. Where several processes work on one database `check_in` decides, in the
transaction that sets aside what a call may take (see `reservations`); what a process counts by itself then only tells
it early what would be refused.
"""

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from sqlalchemy import Connection, func, literal, select, text
from sqlalchemy.dialects import postgresql

from lib.calls import reservations
from lib.calls.ledger import Ledger
from lib.calls.records import IMPORTED
from lib.core.budget import CALLS, DOLLARS, TOKENS, Use, together
from lib.core.clock import DAY, HOUR, SECOND, now
from lib.core.errors import CapOfTheOperator, NotAllowed, StoreError
from lib.core.i18n import N_
from lib.core.limits import Cap
from lib.core.reply import Reply
from lib.store.database import Store
from lib.store.schema import calls, cap_use

LENGTHS = {"hour": HOUR, "day": DAY}


@dataclass(frozen=True, slots=True)
class _Window:
    """An hour or a day of a cap, whose calls one ledger counts: those of an owner, or of all ("")."""

    cap: Cap
    owner: str
    since: int

    @property
    def until(self) -> int:
        return self.since + LENGTHS[self.cap.stretch]

    def spent(self, db: Connection, but: Sequence[str]) -> float:
        """What its calls took that have ended, those named in `but` left out."""
        if reservations.kept_in(db):
            return reservations.used(db, self.owner, self.cap.unit, self.since, self.until)
        ended = (calls.c.state != "started", calls.c.process != IMPORTED, calls.c.id.not_in(but))
        when = (calls.c.started_at >= self.since, calls.c.started_at < self.until)
        # any owner: the sum of all is told to nobody but as how much is left of a cap.
        query = select(AMOUNTS[self.cap.unit]).where(*ended, *when)
        if self.owner:
            query = query.where(calls.c.owner == self.owner)
        return float(db.execute(query).scalar_one())

    def under_way(self, db: Connection, but: Sequence[str] = ()) -> float:
        """What calls of all processes that have not ended may take, those named in `but` left out."""
        if not reservations.kept_in(db):
            return 0.0
        return reservations.reserved(db, self.cap.unit, self.owner, self.since, self.until, but=but)


_TOKENS = func.coalesce(calls.c.prompt_tokens, 0) + func.coalesce(calls.c.completion_tokens, 0)
AMOUNTS = {
    CALLS: func.count(calls.c.id),
    TOKENS: func.coalesce(func.sum(_TOKENS), 0),
    DOLLARS: func.coalesce(func.sum(calls.c.cost), 0.0),
}
"""What calls took together, by unit, as far as it is known."""


def count_earlier(conn: Connection, moment: int) -> None:
    """Count in `cap_use` what the calls of the day before `moment` took: as long as there was no cap nobody counted
    them. An hour that counts more already stays as it is, as some of its calls may have been erased."""
    if not reservations.kept_in(conn):
        return
    hour = (calls.c.started_at - calls.c.started_at % LENGTHS["hour"]).label("hour")
    sums = func.count(), AMOUNTS[TOKENS], AMOUNTS[DOLLARS]
    ended = calls.c.state != "started", calls.c.process != IMPORTED, calls.c.started_at > moment - LENGTHS["day"]
    names = ("calls", "tokens", "cost")
    # any owner: each one's own sums, and those over all, which nobody is told.
    each = select(calls.c.owner, hour, *sums).where(*ended).group_by(calls.c.owner, text("hour"))
    # any owner: as above.
    everybody = select(literal(reservations.EVERYBODY), hour, *sums).where(*ended).group_by(text("hour"))
    for query in (each, everybody):
        one = postgresql.insert(cap_use).from_select(["owner", "hour", *names], query)
        most = {name: func.greatest(cap_use.c[name], one.excluded[name]) for name in names}
        conn.execute(one.on_conflict_do_update(index_elements=["owner", "hour"], set_=most))


@dataclass(frozen=True, slots=True)
class Standing:
    """How a cap stands for somebody: `used` of its unit, reserved or spent, and when it begins anew, in microseconds
    since 1970 (UTC)."""

    cap: Cap
    used: float
    ends: int


class Caps:
    """The caps of a shared Tempera. One per process; for every thread."""

    def __init__(self, store: Store, caps: Sequence[Cap] = ()) -> None:
        self.caps = tuple(caps)
        self._store = store
        # Chats reserve from script threads, sweeps from the loop, and either ends on the loop.
        self._lock = threading.RLock()
        self._ledgers: dict[_Window, Ledger] = {}
        self._open: dict[str, list[tuple[Cap, Ledger]]] = {}

    def check(self, owner: str, worst: Sequence[Use], for_good: bool = False) -> None:
        """Raises CapOfTheOperator where calls that may take so much at worst are more than is left, and NotAllowed
        where a cap on money can't count one, as it has no price. With `for_good` only where waiting for the calls of
        other processes would not help."""
        if not self.caps:
            return
        moment = now()
        with self._lock:
            for window, ledger in self._counting(owner, moment):
                _check(window, ledger, worst, moment, for_good)

    def check_in(self, db: Connection, owner: str, worst: Sequence[Use], moment: int) -> None:
        """The same by what all processes have used and set aside, in a transaction of the store."""
        for window in self._windows(owner, moment):
            ledger = Ledger(window.cap.limit, window.spent(db, ()))
            ledger.elsewhere = window.under_way(db)
            _check(window, ledger, worst, moment)

    def note(self, owner: str, worst: Mapping[str, Use]) -> None:
        """Set aside what calls that are made together, by their ids, may take at worst; `check` has let them pass."""
        with self._lock:
            for window, ledger in self._counting(owner, now()):
                for call_id, use in worst.items():
                    ledger.reserve(call_id, use.of(window.cap.unit))
                    self._open.setdefault(call_id, []).append((window.cap, ledger))

    def release(self, call_id: str) -> None:
        """A call was not sent after all, or refused."""
        with self._lock:
            for _cap, ledger in self._open.pop(call_id, ()):
                ledger.release(call_id)

    def settle(self, call_id: str, reply: Reply) -> None:
        """A call has ended, and its record is written or held. Where nobody knows what it took, it counts with all that
        was reserved."""
        with self._lock:
            took = reservations.took(reply)
            for cap, ledger in self._open.pop(call_id, ()):
                ledger.settle(call_id, took.of(cap.unit))

    def standings(self, owner: str) -> list[Standing]:
        """How each cap stands now for an owner."""
        with suppress(StoreError):  # then as this process knows it
            self.renew(owner)
        with self._lock:
            found = self._counting(owner, now())
            return [Standing(window.cap, ledger.taken, window.until) for window, ledger in found]

    def renew(self, owner: str) -> None:
        """Read anew what other processes have used and set aside, where there may be others; not for the loop. Raises
        StoreError."""
        if not self.caps or not self._store.on_server:
            return
        with self._lock:
            some, but = dict(self._counting(owner, now())), list(self._open)
        # Not while others wait for the lock, the loop among them: the database may be away.
        found = self._store.read(lambda db: {one: (one.spent(db, but), one.under_way(db, but)) for one in some})
        with self._lock:
            for window, sums in found.items():
                some[window].spent, some[window].elsewhere = sums

    def _windows(self, owner: str, moment: int) -> list[_Window]:
        """The window of each cap that counts for an owner now."""
        return [
            _Window(cap, owner if cap.whose == "visitor" else "", moment - moment % LENGTHS[cap.stretch])
            for cap in self.caps
        ]

    def _counting(self, owner: str, moment: int) -> Iterator[tuple[_Window, Ledger]]:
        for window in self._windows(owner, moment):
            if window not in self._ledgers:
                self._forget_what_is_over(moment)
                spent = self._store.read(lambda db, window=window: window.spent(db, list(self._open)))  # type: ignore[misc]
                self._ledgers[window] = Ledger(window.cap.limit, spent)
            yield window, self._ledgers[window]

    def _forget_what_is_over(self, moment: int) -> None:
        for window in [one for one in self._ledgers if one.until <= moment]:
            del self._ledgers[window]


def _check(window: _Window, ledger: Ledger, worst: Sequence[Use], moment: int, for_good: bool = False) -> None:
    unit, limit = window.cap.unit, window.cap.limit
    if any(use.of(unit) is None for use in worst):
        raise NotAllowed(N_("This model has no price, so what it costs can't be limited: it can't be used here."))
    wanted = together(worst, unit)
    if ledger.could_fit(wanted) if for_good else ledger.fits(wanted):
        return
    raise CapOfTheOperator(
        window.cap.whose,
        window.cap.stretch,
        unit,
        limit=limit,
        left=max(0.0, limit - ledger.taken),
        worst=wanted,
        seconds=(window.until - moment) / SECOND,
    )
