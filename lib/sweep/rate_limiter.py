"""Learns from refusals how many requests a model takes, and says when the next one may leave.

Nobody publishes these limits reliably: a 429 tells that there is one, its Retry-After at best when to come again. A
gate is closed while its service asks to wait. Then it rechecks, one request at a time: if more are taken than were
before the refusal, that was a chance one (an overloaded upstream, say); if the next refusal comes sooner, the number
taken since is the limit, and from then on requests leave at that pace. Now and then a faster pace is tried, as limits
are raised and shared.

All times are seconds on one monotonic clock, which the caller reads: a wall clock that jumps changes nothing here.
"""

from bisect import bisect_left, bisect_right, insort
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

State = Literal["free", "recheck", "paced"]

MARGIN = 0.004
"""Seconds kept between a moment that a service names and ours: its clock ticks in steps too."""
SLACK = 1.004
MOST_MARGIN = 0.05
"""Of the time between two requests."""
UNTOLD_WAIT = 1.0
LONGEST_WAIT = 60.0
"""For so long a gate without a Retry-After closes at most."""
LEAST_WINDOW = 1.0
FASTER = 1.5
PROBE_AFTER, PROBE_AFTER_FAILURE = 12, 24
PROVEN_IN_A_ROW = 3
KEPT_SENDS = 256
IN_VAIN = 4
"""After so many times that a pace was slowed down and a request refused all the same, it was none: refusals that don't
depend on the pace come by chance."""
LIMITED_OF_LAST = 4
"""So many refusals among the last eight requests are a limit, at a service that also refuses by chance."""


@dataclass(slots=True)
class Tally:
    """What the refusals of one service were: `odd` ones, which said nothing of a limit, and `real` limits."""

    odd: int = 0
    real: int = 0
    margin: float = MARGIN
    """Seconds between two requests beyond what the pace asks for: some are longer on their way than others, and a
    service that counts from the last one gives nothing back for that."""

    @property
    def flaky(self) -> bool:
        """Whether its refusals come by chance: each concerns its own request, and the others go on."""
        return self.odd >= 3 and self.odd > self.real


@dataclass(slots=True)
class Gate:
    """When the next request of one model may leave. `rate` is in requests a second, None as long as none is known."""

    tally: Tally = field(default_factory=Tally)
    state: State = "free"
    rate: float | None = None
    closed_until: float = 0.0
    next_at: float = 0.0
    last_sent: float | None = None
    burst: int = 0
    """How many requests were taken in the stretch of time before the first refusal."""
    _sends: list[float] = field(default_factory=list)
    _refused_sent: float = 0.0
    _refused_known: float = -1.0
    _first_refused: float = 0.0
    _hold: float = UNTOLD_WAIT
    _asked: float | None = None
    _latency: float = 0.0
    _window: float = LEAST_WINDOW
    _untold: float = UNTOLD_WAIT
    _before_probe: float | None = None
    _since_change: int = 0
    _probe_after: int = PROBE_AFTER
    _proven: int = 0
    _paced_refusals: int = 0
    _in_vain: int = IN_VAIN
    _limited: bool = False
    _margin: float = MARGIN
    _doubted: bool = False
    _suspected: int | None = None
    _outcomes: deque[bool] = field(default_factory=lambda: deque(maxlen=8))

    @classmethod
    def known(cls, tally: Tally, rate: float, burst: int) -> "Gate":
        """A gate that goes at a pace which was found before."""
        return cls(tally, state="paced", rate=rate, burst=burst)

    @classmethod
    def over(cls, gates: "Iterable[Gate]", tally: Tally) -> "Gate":
        """A gate before several others, which knows what left through them."""
        gate = cls(tally, _doubted=True)
        gate._sends = sorted(sent for one in gates for sent in one._sends)[-KEPT_SENDS:]
        return gate

    def written(self) -> dict[str, Any]:
        """Itself as JSON values, with what is known of its service's refusals; `read` makes it again."""
        return asdict(self) | {"_outcomes": list(self._outcomes)}

    @classmethod
    def read(cls, facts: Mapping[str, Any]) -> "Gate":
        """The gate that was `written`."""
        lists = {"_sends": list(facts["_sends"]), "_outcomes": deque(facts["_outcomes"], maxlen=8)}
        return cls(**{**facts, **lists, "tally": Tally(**facts["tally"])})

    @property
    def _by_chance(self) -> bool:
        """Whether its refusals, at a service where most come by chance, are too few to tell of a limit."""
        return self.tally.flaky and not self._limited and self._outcomes.count(False) < LIMITED_OF_LAST

    def opens_at(self, borrowed: float | None = None) -> float:
        """The moment from which the next request may leave. A free gate goes at the `borrowed` rate, where there is
        one."""
        if self.state == "free" and borrowed and self.last_sent is not None:
            return max(self.closed_until, self.last_sent + SLACK / borrowed + MARGIN)
        return 0.0 if self._by_chance else max(self.closed_until, self.next_at)

    def sent(self, now: float, left: int) -> None:
        """A request leaves; `left` others of its model wait."""
        if self.state == "recheck" and self._since_refusal() >= self.burst + 2:
            self._be_free()
        waited_for = now - self.opens_at() < 0.05
        insort(self._sends, now)
        del self._sends[:-KEPT_SENDS]
        self.last_sent = now
        if self.state == "recheck":
            # The refusal of one is known before the next one leaves.
            self.next_at = now + 1.5 * self._latency
        elif self.state == "paced":
            self._since_change += 1
            self._look_for_more(left, waited_for)
            self.moved(now)

    def moved(self, now: float) -> None:
        """The request that left last did so at `now` only: it was recorded first, and the loop may have been busy."""
        if self.state == "paced":
            self._margin = self.tally.margin
            self.next_at = now + SLACK / (self.rate or 1.0) + self._margin

    def used_up(self, now: float, seconds: float) -> None:
        """An answer says that nothing more is taken for so many seconds."""
        self.closed_until = max(self.closed_until, now + seconds + MARGIN)

    def refused(self, sent_at: float, now: float, asked: float | None, known: float | None = None) -> float:
        """A request that left at `sent_at` was refused, with the wish to wait `asked` seconds; the moment from which
        that request may be sent again. `known` is when all who send could know of it, if later than now."""
        self._forget(sent_at)
        wait = self._untold if asked is None else asked
        if sent_at <= self._refused_known:
            # It left before anybody could know: the same refusal once more.
            self._refused_sent = max(self._refused_sent, sent_at)
            self._count_burst()
            self._close(now, wait)
            return self.closed_until
        self._note(False)
        if self._by_chance:
            self.tally.odd += asked is not None
            return now + wait + MARGIN
        self._limited = self._limited or self.tally.flaky
        self._judge(sent_at, now, asked)
        self._refused_sent, self._refused_known = sent_at, known or now
        self._latency = max(now - sent_at, 0.001)
        self._asked, self._hold = asked, self._untold if asked is None else asked
        self._close(now, self._hold)
        return self.closed_until

    def answered(self) -> None:
        """A request got its answer."""
        self._note(True)

    def had_done_nothing(self, sent_at: float, asked: float | None) -> bool:
        """Whether a refusal of what left at `sent_at` can't be due to this gate's own requests: nothing had left for
        long enough before."""
        if self.state == "paced":
            return False
        index = bisect_left(self._sends, sent_at)
        return index == 0 or sent_at - self._sends[index - 1] >= max(asked or 0.0, UNTOLD_WAIT)

    def _judge(self, sent_at: float, now: float, asked: float | None) -> None:
        """What a refusal says, by how many requests were taken since the last one."""
        taken = self._since_refusal()
        if self.state == "free":
            self.state, self._untold = "recheck", UNTOLD_WAIT
            self._window, self._first_refused = max(asked or 0.0, LEAST_WINDOW), sent_at
            self._count_burst()
        elif self.state == "recheck" and taken == 0:
            self._untold = min(2 * self._untold, LONGEST_WAIT)
        elif self.state == "recheck" and self._is_sure(taken):
            self._be_paced(taken, sent_at, asked)
        elif self.state == "recheck":
            self._suspected = taken
        elif self._before_probe is not None:
            self.rate, self._before_probe = self._before_probe, None
            self._since_change, self._probe_after, self._proven = 0, PROBE_AFTER_FAILURE, 0
        elif not self._keeps_further_apart():
            self._slow_down(taken, sent_at, asked)

    def _is_sure(self, taken: int) -> bool:
        """Whether a refusal in rechecking is a limit. One over several models has to show twice, after about as many
        requests: all would be slow for nothing."""
        if not self._doubted:
            return True
        return self._suspected is not None and abs(taken - self._suspected) <= max(1, self._suspected // 4)

    def _be_paced(self, taken: int, sent_at: float, asked: float | None) -> None:
        self.state, self.rate = "paced", taken / max(self._span(taken, sent_at, asked), 0.001)
        self._since_change, self._probe_after, self._paced_refusals = 0, PROBE_AFTER, 0
        self.tally.real += 1

    def _span(self, taken: int, sent_at: float, asked: float | None) -> float:
        """The seconds in which `taken` requests become allowed, from one refusal to the next."""
        before = self._asked
        if asked is None or before is None or (asked.is_integer() and before.is_integer()):
            # Said in whole seconds or not at all: as many as were taken fit into the wait.
            if asked is None or self.burst > 1:
                return self._hold
            # Where one at a time is taken, part of the wait was over when a long answer ended. It was rounded up.
            return max(self._hold, sent_at + asked - 1.0 - self._sends[-taken])
        # Said exactly: at the end of either wait one more is allowed.
        span = sent_at + asked - self._refused_sent - before
        first = self._sends[-taken]
        idle = first - self._refused_sent - before
        if taken >= self.burst and idle * taken > span * max(self.burst - 1, 0):
            # Some may have lapsed while all slots were taken; then it was full when the first one left.
            return (asked + sent_at - first) * taken / (taken - max(self.burst, 1) + 1)
        return span

    def _keeps_further_apart(self) -> bool:
        """Whether a refusal at a known pace may be due to the way that requests take; then they leave further apart."""
        most = MOST_MARGIN / (self.rate or 1.0)
        if self._margin < self.tally.margin:
            return True  # another one has told already
        if self.tally.margin >= most:
            return False
        self.tally.margin = min(3 * self.tally.margin, most)
        return True

    def _slow_down(self, taken: int, sent_at: float, asked: float | None) -> None:
        self.tally.odd += asked is not None
        self._paced_refusals += 1
        if self._paced_refusals > self._in_vain:
            self._take_back(asked)
            return
        known = self.rate or 1.0
        rate = known * 0.97
        if self._paced_refusals % 2 == 0 and taken < 4:
            # This one too would nearly have been taken.
            rate = min(rate, max((taken + 1) / max(sent_at - self._refused_sent, 0.001), 0.7 * rate))
        # Who says when to come again takes one by then: refusals by chance would slow it down for ever. Nor does a very
        # short wait make it faster.
        slowest = 1 / (1.5 * (asked or LONGEST_WAIT))
        if asked and asked.is_integer() and taken == 1 and self.burst <= 1:
            # One at a time: it was refused after so long, and would be taken after the wait, which was rounded up.
            apart = sent_at + asked - self._sends[-1]
            rate, slowest = min(rate, 1 / (apart - 0.5)), min(slowest, 1 / apart)
        self.rate, self._since_change = min(known, max(rate, slowest)), 0
        self._untold = min(2 * self._untold, LONGEST_WAIT) if taken == 0 else UNTOLD_WAIT

    def _take_back(self, asked: float | None) -> None:
        """It was no limit. Where it is one after all, it takes twice as much the next time to be doubted."""
        self.tally.odd, self.tally.real = self.tally.odd + (asked is None), max(self.tally.real - 1, 0)
        self._in_vain, self._limited = 2 * self._in_vain, False
        self._outcomes.clear()
        self._be_free()

    def _look_for_more(self, left: int, waited_for: bool) -> None:
        """Try a faster pace, or keep the one that is being tried, where that pays."""
        if self._before_probe is not None:
            if self._since_change < max(3, 3 * self.burst):
                return
            self._before_probe, self._since_change, self._proven = None, 0, self._proven + 1
            if self._proven >= PROVEN_IN_A_ROW:
                self._be_free()
            return
        rate = self.rate or 1.0
        pays = left > 9 * rate * max(self._hold, LEAST_WINDOW)
        if waited_for and pays and self._since_change >= self._probe_after:
            self._before_probe, self.rate, self._since_change = rate, rate * FASTER, 0

    def _be_free(self) -> None:
        if self.state == "recheck":
            self.tally.odd += 1
        self.state, self.rate, self.next_at, self._proven = "free", None, 0.0, 0
        self._suspected = None

    def _note(self, taken: bool) -> None:
        # Only while refusals are thought to be chance: what came before says nothing for or against it.
        if self.tally.flaky:
            self._outcomes.append(taken)

    def _close(self, now: float, wait: float) -> None:
        self.closed_until = max(self.closed_until, now + wait + MARGIN)

    def _forget(self, sent_at: float) -> None:
        index = bisect_right(self._sends, sent_at) - 1
        if index >= 0 and self._sends[index] == sent_at:
            del self._sends[index]

    def _since_refusal(self) -> int:
        return len(self._sends) - bisect_right(self._sends, self._refused_sent)

    def _count_burst(self) -> None:
        """Count what was taken before the first refusal; those that are refused with it are no longer among it."""
        start, end = self._first_refused - self._window, self._first_refused
        self.burst = bisect_right(self._sends, end) - bisect_right(self._sends, start)
