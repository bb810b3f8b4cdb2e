"""The budgets that people set for themselves, and what is spent of them: for a visit, a day, a month.

Before a call is sent the worst that it may take is reserved, once it is recorded that is settled with what it took; so
no calls together pass a budget, in whatever page and however many at once. What was spent before is read from the
calls of the store, those in progress apart, so that it is the same after a restart; what was imported counts nothing.

Where several processes work on one database what is reserved stands in the store too (see `reservations`), and
`reserve_in` decides, in the transaction that writes it. What a process counts by itself then only tells it early what
would be refused, without asking the database hundreds of times a second.
"""

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Connection, func, select

from lib.calls import reservations, usage_rollups
from lib.calls.caps import AMOUNTS, Caps
from lib.calls.ledger import ROUNDING, Ledger
from lib.calls.outcome_writer import OutcomeWriter
from lib.calls.records import IMPORTED
from lib.core import periods
from lib.core.budget import TOKENS, Budget, Span, Use, together
from lib.core.clock import LATEST, now
from lib.core.errors import BudgetReached, CapOfTheOperator, NotAllowed, StoreError
from lib.core.reply import Reply
from lib.store import process_lock
from lib.store.database import Store
from lib.store.schema import calls

UTC = ZoneInfo("UTC")


@dataclass(frozen=True, slots=True)
class Standing:
    """How a budget stands: `spent` and `reserved` of its unit, and when it begins anew, in microseconds since 1970
    (UTC); None: with the next visit."""

    budget: Budget
    spent: float
    reserved: float
    ends: int | None

    @property
    def left(self) -> float:
        """What may still be used."""
        return max(0.0, self.budget.limit - self.spent - self.reserved)

    @property
    def share(self) -> float:
        """How much of it is spent; 1 is all."""
        return self.spent / self.budget.limit

    @property
    def reached(self) -> bool:
        """Whether all of it is spent."""
        return self.share + ROUNDING >= 1

    @property
    def near(self) -> bool:
        """Whether it is time to say something."""
        return self.share + ROUNDING >= self.budget.warn_at


@dataclass(frozen=True, slots=True)
class _Stretch:
    """The calls that one ledger counts: of an owner in a stretch of time, or in a session."""

    owner: str
    span: Span
    unit: str
    since: int
    until: int
    session: str = ""

    def spent(self, db: Connection, but: Sequence[str]) -> float:
        """What calls of it that have ended took, those named in `but` left out."""
        # any owner: _mine names the owner.
        query = select(AMOUNTS[self.unit]).where(*self._mine(), calls.c.id.not_in(but))
        return float(db.execute(query).scalar_one())

    def under_way(self, db: Connection, but: Sequence[str] = ()) -> float:
        """What calls of it in all processes that have not ended may take, those named in `but` left out."""
        if not reservations.kept_in(db):
            return 0.0
        return reservations.reserved(db, self.unit, self.owner, self.since, self.until, self.session, but=but)

    def uncounted(self, db: Connection) -> int:
        """How many calls of it that have ended the budget can't count: they have no price, or nobody knows their
        tokens."""
        unknown = usage_rollups.COUNTS["unknown" if self.unit == TOKENS else "unpriced"]
        # any owner: _mine names the owner.
        return int(db.execute(select(func.count()).select_from(calls).where(*self._mine(), unknown)).scalar_one())

    def has(self, session: str, began: int) -> bool:
        """Whether a call of its owner, of that session and begun then, is of it."""
        return self.session == session if self.session else self.since <= began < self.until

    def _mine(self) -> list[ColumnElement[bool]]:
        ended = [calls.c.owner == self.owner, calls.c.state != "started", calls.c.process != IMPORTED]
        if self.session:
            return [*ended, calls.c.session == self.session]
        return [*ended, calls.c.started_at >= self.since, calls.c.started_at < self.until]


LoadBudgets = Callable[[Connection, str], Iterable[Budget]]


class Budgets:
    """The budgets of all owners. One per process; for every thread."""

    def __init__(
        self, store: Store, outcomes: OutcomeWriter, caps: Caps | None = None, load: LoadBudgets | None = None
    ) -> None:
        """`load` reads what an owner has set, perhaps in another process."""
        self._store, self._outcomes, self._load = store, outcomes, load
        self.caps = caps or Caps(store)
        """Those of the operator; whoever goes on past a budget does not go past these."""
        # Chats reserve from script threads, sweeps from the loop, and either ends on the loop.
        self._lock = threading.RLock()
        self._set: dict[str, tuple[Budget, ...]] = {}
        self._zones: dict[str, ZoneInfo] = {}
        self._current: dict[tuple[str, Span], tuple[int, int]] = {}
        self._ledgers: dict[_Stretch, Ledger] = {}
        self._open: dict[str, list[Ledger]] = {}
        self._let_pass: set[tuple[str, str]] = set()

    def set(self, owner: str, budgets: Iterable[Budget]) -> None:
        """From now on these are the owner's budgets."""
        with self._lock:
            self._set[owner] = tuple(budgets)

    def of(self, owner: str) -> tuple[Budget, ...]:
        """The owner's budgets."""
        return self._set.get(owner, ())

    def seen_in(self, owner: str, zone: ZoneInfo) -> None:
        """The owner's days begin at midnight in `zone`."""
        if self._zones.get(owner) != zone:
            with self._lock:
                self._zones[owner] = zone
                self._current.clear()

    def zone_of(self, owner: str) -> ZoneInfo:
        """Where the owner's days begin."""
        return self._zones.get(owner, UTC)

    def forget_sums(self, owner: str) -> None:
        """Calls have changed that had ended: they were removed, or have other prices. What is spent is read anew."""
        with self._lock:
            for stretch in [one for one in self._ledgers if one.owner == owner]:
                self._ledgers[stretch].spent = self._spent(stretch)

    def standings(self, owner: str, session: str) -> list[Standing]:
        """How each of the owner's budgets stands now."""
        with suppress(StoreError):  # then as this process knows it
            self.renew(owner, session)
        with self._lock:
            found = []
            for budget, stretch, ledger in self._counting(owner, session, now()):
                ends = None if budget.span == "session" else stretch.until
                found.append(Standing(budget, ledger.spent, ledger.reserved + ledger.elsewhere, ends))
            return found

    def renew(self, owner: str, session: str) -> None:
        """Read anew what other processes have set, spent and set aside, where there may be others; not for the loop.
        Raises StoreError."""
        if not self._store.on_server:
            return
        self.caps.renew(owner)
        load = self._load
        if load is not None:
            self.set(owner, self._store.read(lambda db: load(db, owner)))
        with self._lock:
            some = {stretch: ledger for _budget, stretch, ledger in self._counting(owner, session, now())}
            but = list(self._open)
        if not some:
            return
        found = self._store.read(lambda db: {one: one.under_way(db, but) for one in some})
        spent = {one: self._spent(one) for one in some}
        with self._lock:
            for stretch, ledger in some.items():
                ledger.spent, ledger.elsewhere = spent[stretch], found[stretch]

    def uncounted(self, owner: str, session: str) -> dict[Span, int]:
        """How many calls each of the owner's budgets can't count."""
        with self._lock:
            stretches = {budget.span: stretch for budget, stretch, _ in self._counting(owner, session, now())}
        return self._store.read(lambda db: {span: one.uncounted(db) for span, one in stretches.items()})

    def bind(self, owner: str) -> bool:
        """Whether anything is limited for this owner, as far as this process knows."""
        return bool(self._set.get(owner) or self.caps.caps)

    def count_in_store(self, owner: str) -> bool:
        """Whether a call of this owner may begin only if the store says so."""
        return self._store.on_server and self.bind(owner)

    def check(self, owner: str, session: str, worst: Sequence[Use], unchecked: bool = False) -> None:
        """Raises BudgetReached, unless `unchecked`, where calls that may take so much at worst are more than is left;
        and as `Caps.check` does. Not for the loop."""
        self.renew(owner, session)
        self._check(owner, session, worst, unchecked)

    def check_for_good(self, owner: str, session: str, worst: Use, unchecked: bool) -> None:
        """The same of one call, for the loop, where waiting for the calls of other processes would not help."""
        self._check(owner, session, [worst], unchecked, for_good=True)

    def fits(self, owner: str, session: str, worst: Use, unchecked: bool = False) -> bool:
        """Whether such a call may begin, by what this process knows."""
        if not self.bind(owner):
            return True
        try:
            self._check(owner, session, [worst], unchecked)
        except (BudgetReached, CapOfTheOperator, NotAllowed):
            return False
        return True

    def hold(self, owner: str, session: str, worst: Mapping[str, Use], unchecked: bool = False) -> None:
        """Set aside in this process what calls that are made together, by their ids, may take at worst. Raises as
        `check` does, and then nothing is set aside."""
        if not self.bind(owner):
            return
        with self._lock:
            self._check(owner, session, list(worst.values()), unchecked)
            self._note(owner, session, worst)

    def _note(self, owner: str, session: str, worst: Mapping[str, Use]) -> None:
        """Count calls that may begin."""
        self.caps.note(owner, worst)
        for budget, _stretch, ledger in self._counting(owner, session, now()):
            for call_id, use in worst.items():
                ledger.reserve(call_id, use.of(budget.unit))
                self._open.setdefault(call_id, []).append(ledger)

    def reserve_in(
        self,
        db: Connection,
        owner: str,
        session: str,
        worst: Mapping[str, Use],
        unchecked: bool = False,
        sweep_id: str | None = None,
    ) -> None:
        """Set aside for all processes, in a transaction of the store, what calls may take; `sweep_id` is that of a
        sweep with a limit of its own. Raises as `check` does. Nothing happens where there is one process only."""
        if not reservations.kept_in(db):
            return
        # What these calls set aside before and could not give back, as the database was away just then.
        reservations.drop(db, owner, worst)
        moment = now()
        self.caps.check_in(db, owner, list(worst.values()), moment)
        if self._load is not None:
            self._set[owner] = tuple(self._load(db, owner))
        if not unchecked and not self.passes(owner, session):
            for budget in self._set.get(owner, ()):
                stretch = self._stretch(owner, session, budget, moment)
                ledger = Ledger(budget.limit, stretch.spent(db, ()))
                ledger.elsewhere = stretch.under_way(db)
                _check(budget, ledger, list(worst.values()))
        if sweep_id is not None or self.bind(owner):
            reservations.put(db, owner, session, worst, process_lock.ID, moment, sweep_id)

    def reserve(self, owner: str, session: str, worst: Mapping[str, Use], unchecked: bool = False) -> None:
        """Set aside what calls may take, in this process and for all others; not for the loop. Raises as `check`
        does, and then nothing is set aside."""
        if not self._store.on_server:
            self.hold(owner, session, worst, unchecked)
            return
        self.renew(owner, session)
        if self.bind(owner):
            self._store.write(lambda db: self.reserve_in(db, owner, session, worst, unchecked)).result()
            with self._lock:
                self._note(owner, session, worst)

    def give_back(self, owner: str, calls: Iterable[str]) -> None:
        """Calls were not made after all for which `reserve` has set something aside."""
        ids = list(calls)
        for call_id in ids:
            self.release(call_id)
        if self._store.on_server:
            self._store.write(lambda db: reservations.drop(db, owner, ids))

    def _check(self, owner: str, session: str, worst: Sequence[Use], unchecked: bool, for_good: bool = False) -> None:
        self.caps.check(owner, worst, for_good)
        if unchecked or (owner, session) in self._let_pass or not self._set.get(owner):
            return
        with self._lock:
            for budget, _stretch, ledger in self._counting(owner, session, now()):
                _check(budget, ledger, worst, for_good)

    def began(self, call_id: str) -> None:
        """A call is sent, reserved or not: until `settle` it is not among what was spent."""
        with self._lock:
            self._open.setdefault(call_id, [])

    def release(self, call_id: str) -> None:
        """A call was not sent after all, or refused: this process counts it no more."""
        self.caps.release(call_id)
        with self._lock:
            for ledger in self._open.pop(call_id, ()):
                ledger.release(call_id)

    def settle(self, call_id: str, owner: str, session: str, began: int, reply: Reply) -> None:
        """A call that began at `began` has ended, and its record is written or held. What nobody knows of it, its
        price say, counts nothing, as it does in every other sum of calls."""
        self.caps.settle(call_id, reply)
        with self._lock:
            self.release(call_id)
            use = reservations.use_of(reply)
            for stretch, ledger in self._ledgers.items():
                if stretch.owner == owner and stretch.has(session, began):
                    ledger.spent += use.of(stretch.unit) or 0.0

    @contextmanager
    def once(self, owner: str, session: str) -> Iterator[None]:
        """What is begun in here goes on though a budget is reached: somebody was asked."""
        self._let_pass.add((owner, session))
        try:
            yield
        finally:
            self._let_pass.discard((owner, session))

    def passes(self, owner: str, session: str) -> bool:
        """Whether what is begun now was allowed to pass the budgets."""
        return (owner, session) in self._let_pass

    def _counting(self, owner: str, session: str, moment: int) -> Iterator[tuple[Budget, _Stretch, Ledger]]:
        """The owner's budgets with the ledgers that count for them."""
        for budget in self._set.get(owner, ()):
            stretch = self._stretch(owner, session, budget, moment)
            if stretch not in self._ledgers:
                self._ledgers[stretch] = Ledger(spent=self._spent(stretch))
            self._ledgers[stretch].cap = budget.limit
            yield budget, stretch, self._ledgers[stretch]

    def _stretch(self, owner: str, session: str, budget: Budget, moment: int) -> _Stretch:
        if budget.span == "session":
            return _Stretch(owner, budget.span, budget.unit, 0, LATEST, session)
        since, until = self._current.get((owner, budget.span), (0, 0))
        if not since <= moment < until:  # kept, as a sweep asks hundreds of times a second
            around = periods.day_around if budget.span == "day" else periods.month_around
            since, until = around(moment, self._zones.get(owner, UTC))
            self._current[owner, budget.span] = since, until
        return _Stretch(owner, budget.span, budget.unit, since, until)

    def _spent(self, stretch: _Stretch) -> float:
        """What was spent of it so far, by the store, and by what waits to be stored. A call that is open is counted
        when it is settled, though its record may be there by now."""
        held = [one for one in self._outcomes.all_of(stretch.owner) if one.call.id not in self._open]
        of_it = [reservations.use_of(one.reply) for one in held if stretch.has(one.call.session, one.began)]
        but = [*self._open, *(one.call.id for one in held)]
        return self._store.read(lambda db: stretch.spent(db, but)) + together(of_it, stretch.unit)


def _check(budget: Budget, ledger: Ledger, worst: Sequence[Use], for_good: bool = False) -> None:
    wanted = together(worst, budget.unit)
    if not (ledger.could_fit(wanted) if for_good else ledger.fits(wanted)):
        raise BudgetReached(budget, ledger.taken, wanted)
