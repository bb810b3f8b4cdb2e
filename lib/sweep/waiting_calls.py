"""The calls of a sweep that wait for a slot: which is next, and when. There are as many slots as calls may run at once
(`concurrency`).

Each model of each service has a lane of its own, with a gate before it (see `rate_limiter`). A free slot goes to a
lane whose gate is open, so that no slot is kept by a call that only waits. All times are seconds on one monotonic
clock.
"""

from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Protocol

from lib.sweep.plan import Cell
from lib.sweep.rate_limiter import Gate, Tally

FIRST_ALONE = 0.1
"""For so long the first call of a model is alone: what it is told (no such model, no temperature) spares the others."""
DOUBLING = 0.25
"""A model that has not answered yet gets two calls at once, after so long twice as many, and so on."""
ENOUGH = 2
"""After so many answers of a run its own pace counts."""
MOST_PROVEN = 8
"""As many of a model go at once as were taken together before, but not more: its limit may be another one now."""
CRITICAL = 0.6
"""A lane whose calls take so much of all the time that is left, one after the other at its pace, decides when the sweep
ends: its next call goes first."""
SHARED_WITHIN = 2.0
SHARED_LANES = 4
"""Refusals of so many lanes within so many seconds come from one limit over all models of the service."""


class Turn(Protocol):
    """What a call is known by to whoever sends it: `cell_turn.CellTurn`, which is not known here."""

    cell: Cell


@dataclass(slots=True, eq=False)
class Waiting:
    """A call that waits for its slot. `known` is how long it took before, in seconds."""

    payload: Turn
    lane: "Lane"
    known: float | None = None
    not_before: float = 0.0
    sent_at: float = 0.0


@dataclass(slots=True, eq=False)
class Lane:
    """The calls of one model at one service, longest first. A `closed` lane sends nothing until it is opened again."""

    service: "Service"
    model: str
    gate: Gate
    waiting: deque[Waiting] = field(default_factory=deque)
    running: dict[Waiting, float] = field(default_factory=dict)
    history: float | None = None
    """How long this model's calls took before, in seconds."""
    proven: int = 0
    """So many of its calls were taken within a second before."""
    closed: bool = False
    concurrency: int | None = None
    """How many calls run at once, where the service has a bound of its own."""
    seconds_each: float | None = None
    """How long after one answer the next one comes, where the service gives them at one pace."""
    first_sent: float | None = None
    last_answered: float | None = None
    answers: int = 0
    seconds: float = 0.0
    _known_ahead: float = 0.0
    _unknown: int = 0

    @property
    def mean(self) -> float | None:
        """How long its calls take, from those of this run, else from earlier ones; None: nothing is known."""
        return self.seconds / self.answers if self.answers else self.history

    @property
    def at(self) -> Gate:
        """The gate that counts: the service's, where its models share a limit."""
        return self.service.shared or self.gate

    def put(self, call: Waiting, first: bool = False) -> None:
        """Let `call` wait."""
        (self.waiting.appendleft if first else self.waiting.append)(call)
        self._count(call, 1)

    def take(self, call: Waiting) -> None:
        """`call` waits no more."""
        self.waiting.remove(call)
        self._count(call, -1)

    def time_at_pace(self, now: float) -> float:
        """How long all that waits and runs takes at the service's pace, as it was in this run so far; 0 where it has
        none. It is counted down from one answer to the next, and stands where that is late."""
        left = len(self.waiting) + len(self.running)
        if self.seconds_each is None or not left:
            return 0.0
        each, begun = self.seconds_each, self.first_sent if self.last_answered is None else self.last_answered
        if self.answers >= ENOUGH and self.first_sent is not None and self.last_answered is not None:
            each = (self.last_answered - self.first_sent) / self.answers
        return left * each - min(each, now - (now if begun is None else begun))

    def work(self, guess: float) -> float:
        """How many seconds all that waits will take, calls of which nothing is known by the mean or `guess`."""
        return self._known_ahead + self._unknown * (self.mean or guess)

    def _count(self, call: Waiting, sign: int) -> None:
        if call.known is None:
            self._unknown += sign
        else:
            self._known_ahead += sign * call.known


@dataclass(slots=True, eq=False)
class Service:
    """What the models of one service have in common. `shared` is the gate of a limit over all of them."""

    name: str
    tally: Tally = field(default_factory=Tally)
    shared: Gate | None = None
    last_sent: float | None = None
    refusals: deque[tuple[float, Lane, bool]] = field(default_factory=lambda: deque(maxlen=SHARED_LANES))
    """The last refusals without an answer between them: when, of which lane, and whether that had sent nothing for
    as long as it was asked to wait."""


class Line:
    """All lanes of a sweep, and the slots that its calls take turns on."""

    def __init__(
        self, concurrency: int, affords: Callable[[Waiting], bool] = lambda _: True, per_minute: int | None = None
    ) -> None:
        """`affords` tells whether a call may begin, a free slot apart; a lane's first speaks for all. `per_minute` is
        how many may leave for each service at most, evenly spread."""
        self.concurrency, self._affords = concurrency, affords
        self.slots_of_all = concurrency
        """With the slots of other processes that send for the same sweep: each keeps to its part of the pace."""
        self._per_minute = per_minute
        self.services: dict[str, Service] = {}
        self.lanes: dict[tuple[str, str], Lane] = {}

    def lane(self, service: str, model: str) -> Lane:
        """The lane of a model; made when there is none."""
        if (service, model) not in self.lanes:
            found = self.services.setdefault(service, Service(service))
            self.lanes[service, model] = Lane(found, model, Gate(found.tally))
        return self.lanes[service, model]

    @property
    def apart(self) -> float:
        """So many seconds lie between two requests to one service at least."""
        if self._per_minute is None:
            return 0.0
        return 60 / self._per_minute * max(self.slots_of_all / max(1, self.concurrency), 1.0)

    @property
    def running(self) -> int:
        """How many calls have a slot."""
        return sum([len(lane.running) for lane in self.lanes.values()])

    def waiting(self) -> Iterator[Waiting]:
        """All calls that wait."""
        for lane in self.lanes.values():
            yield from lane.waiting

    def send_next(self, now: float) -> Waiting | None:
        """The call that gets a free slot now, sent from this moment on; None where there is no slot or no call."""
        if self.running >= self.concurrency:
            return None
        found = [(lane, call) for lane in self.lanes.values() if (call := self._ready(lane, now)) is not None]
        if not found:
            return None
        lane, call = self._most_urgent(found, now)
        lane.take(call)
        lane.at.sent(now, len(lane.waiting))
        if lane.service.shared is not None and lane.service.shared.state == "free":
            lane.service.shared = None  # they were refused together by chance, or are no more
        lane.running[call] = call.sent_at = now
        lane.first_sent = now if lane.first_sent is None else lane.first_sent
        lane.service.last_sent = now
        return call

    def wakes_at(self, now: float) -> float | None:
        """When the next call might get a slot if nothing happens before; None: only something that happens helps."""
        if self.running >= self.concurrency:
            return None
        times = [self._opens_at(lane, now) for lane in self.lanes.values()]
        return min((at for at in times if at is not None), default=None)

    def ended(self, call: Waiting, now: float, answered: bool) -> None:
        """A call gives its slot back for good; `answered` tells whether it was an answer, whose length is learnt."""
        lane = call.lane
        lane.running.pop(call, None)
        if answered:
            lane.answers, lane.seconds = lane.answers + 1, lane.seconds + now - call.sent_at
            lane.last_answered = now
            lane.service.refusals.clear()
            lane.at.answered()

    def put_back(self, call: Waiting, not_before: float) -> None:
        """A call gives its slot back and waits to be sent once more."""
        call.lane.running.pop(call, None)
        call.not_before = not_before
        call.lane.put(call, first=True)

    def drop(self, call: Waiting) -> None:
        """A call waits no more, and is not sent."""
        if call in call.lane.waiting:
            call.lane.take(call)

    def refused(self, call: Waiting, now: float, asked: float | None) -> float:
        """A running call was refused for its service's limits; the moment from which it may be sent again."""
        lane = call.lane
        lane.running.pop(call, None)
        service = lane.service
        if service.shared is None:
            service.refusals.append((now, lane, lane.gate.had_done_nothing(call.sent_at, asked)))
            self._look_for_shared_limit(service, now)
        return lane.at.refused(call.sent_at, now, asked)

    def time_to_go(self, call: Waiting, now: float) -> float:
        """About how many seconds a waiting call of a limited model still waits; 0 where only slots are short."""
        lane = call.lane
        opens = max((self._opens_at(lane, now) or now) - now, call.not_before - now, 0.0)
        rate = self._rate(lane, now)
        ahead = lane.waiting.index(call) if rate else 0
        return opens + (ahead / rate if rate else 0.0)

    def time_left(self, now: float) -> float | None:
        """About how many seconds until all is done; None as long as nothing is known of any call."""
        lanes = self.lanes.values()
        if not any(lane.mean or lane.seconds_each for lane in lanes) and not any(one.known for one in self.waiting()):
            return None
        guess = self._guess(now)
        others = [lane for lane in lanes if lane.seconds_each is None]
        open_ones = (lane for lane in others if lane.waiting and not lane.closed)
        paths = (self._wait(lane, now) + self._path(lane, guess, now) for lane in open_ones)
        at_pace = (lane.time_at_pace(now) for lane in lanes if not lane.closed)
        work = self._work(now, guess, others) / max(1, self.concurrency)
        return max([work, *paths, *at_pace, *self._times_at_set_pace(now), 0.0])

    def _ready(self, lane: Lane, now: float) -> Waiting | None:
        opens = self._opens_at(lane, now)
        if opens is None or opens > now:
            return None
        first = lane.waiting[0]
        if first.not_before <= now:
            return first
        call = next((call for call in lane.waiting if call.not_before <= now), None)
        return call if call is not None and self._affords(call) else None

    def _opens_at(self, lane: Lane, now: float) -> float | None:
        """When the lane's next call may leave; None: after something has happened."""
        if not lane.waiting or lane.closed or not self._affords(lane.waiting[0]):
            return None
        if lane.concurrency is not None and len(lane.running) >= lane.concurrency:
            return None
        opens = lane.at.opens_at(self._borrowed_rate(lane, now))
        known_to_be_taken = min(lane.proven, MOST_PROVEN)
        if lane.first_sent is not None and not lane.answers and len(lane.running) >= max(1, known_to_be_taken):
            opens = max(opens, lane.first_sent + _ramp(len(lane.running)))
        if lane.service.last_sent is not None:
            opens = max(opens, lane.service.last_sent + self.apart)
        # Only calls that were put back have such a moment, and they stand in front.
        return max(opens, min(call.not_before for call in lane.waiting) if lane.waiting[-1].not_before else 0.0)

    def _borrowed_rate(self, lane: Lane, now: float) -> float | None:
        """The slowest pace known at a service with real limits, for a lane that has not shown to be faster."""
        tally = lane.service.tally
        if tally.real <= tally.odd or lane.service.shared or lane.gate.state != "free":
            return None
        others = (one.gate for one in self.lanes.values() if one.service is lane.service)
        paced = [gate for gate in others if gate.rate is not None]
        slowest = min(paced, key=lambda gate: gate.rate or 0.0, default=None)
        if slowest is None or slowest.rate is None:
            return None
        age = now - lane.first_sent if lane.first_sent is not None else 0.0
        allowed = max(gate.burst for gate in paced) + 1 + slowest.rate * age
        return None if lane.answers + len(lane.running) > allowed else slowest.rate

    def _most_urgent(self, found: list[tuple[Lane, Waiting]], now: float) -> tuple[Lane, Waiting]:
        """Which of the calls that may leave: of a lane that rechecks, of one not tried yet, of one whose calls will end
        last, or else the longest."""
        for one in found:
            if one[0].at.state == "recheck":
                return one
        for one in found:
            if one[0].first_sent is None:
                return one
        guess = self._guess(now)
        paths = [(self._path(lane, guess, now), lane, call) for lane, call in found if self._rate(lane, now)]
        if paths:
            longest = max(paths, key=lambda one: one[0])
            if longest[0] > CRITICAL * self._work(now, guess, self.lanes.values()) / max(1, self.concurrency):
                return longest[1], longest[2]
        return max(found, key=lambda one: self._expected(one[0], one[1], guess, now))

    def _rate(self, lane: Lane, now: float) -> float | None:
        """The pace at which the lane's requests leave, its own or a borrowed one; None: any."""
        return lane.at.rate or self._borrowed_rate(lane, now)

    def _path(self, lane: Lane, guess: float, now: float) -> float:
        """Seconds that the lane's calls take one after the other at its pace."""
        rate = self._rate(lane, now)
        return (lane.mean or guess) + (max(len(lane.waiting) - 1, 0) / rate if rate else 0.0)

    def _wait(self, lane: Lane, now: float) -> float:
        """Seconds until the lane's next call may leave, slots apart."""
        return max((self._opens_at(lane, now) or now) - now, 0.0)

    def _times_at_set_pace(self, now: float) -> Iterator[float]:
        """How long all that waits for each service takes to leave, where so many a minute may."""
        for service in self.services.values() if self.apart else ():
            open_ones = (lane for lane in self.lanes.values() if lane.service is service and not lane.closed)
            waiting = sum(len(lane.waiting) for lane in open_ones)
            begun = now if service.last_sent is None else service.last_sent
            yield waiting * self.apart - min(now - begun, self.apart) if waiting else 0.0

    def _work(self, now: float, guess: float, lanes: Collection[Lane]) -> float:
        ahead = sum(lane.work(guess) for lane in lanes if not lane.closed)
        running = sum(
            max((call.known or lane.mean or guess) - (now - sent), 0.0)
            for lane in lanes
            for call, sent in lane.running.items()
        )
        return ahead + running

    def _guess(self, now: float) -> float:
        """What a call takes of whose model nothing is known: what those of the others take."""
        means = [mean for lane in self.lanes.values() if (mean := lane.mean)]
        return sum(means) / len(means) if means else 1.0

    def _expected(self, lane: Lane, call: Waiting, guess: float, now: float) -> float:
        if call.known is not None:
            return call.known
        if lane.mean is not None:
            return lane.mean
        oldest = min(lane.running.values(), default=now)
        return max(guess, now - oldest)

    def _look_for_shared_limit(self, service: Service, now: float) -> None:
        """Several lanes refused at once though they had sent nothing lately: the limit is over all of them."""
        quiet = {lane for at, lane, nothing in service.refusals if nothing and now - at <= SHARED_WITHIN}
        if len(quiet) >= SHARED_LANES:
            gates = [lane.gate for lane in self.lanes.values() if lane.service is service]
            service.shared = Gate.over(gates, service.tally)


def _ramp(running: int) -> float:
    """How long after a lane's first call another one may leave while `running` have got no answer."""
    if running < 2:
        return FIRST_ALONE
    doublings = (running // 2).bit_length()
    return doublings * DOUBLING


def longest_first(calls: Iterable[Waiting]) -> list[Waiting]:
    """Calls in the order in which they should be sent: those that took longest before; the others as they were."""
    return sorted(calls, key=lambda call: -(call.known or 0.0))
