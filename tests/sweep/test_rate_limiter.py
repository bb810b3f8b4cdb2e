"""A sweep's calls take turns: limits are learnt from refusals, nothing is lost, and few requests are sent in vain.

On a clock of its own: a service with known times and limits answers, and the line decides who goes when.
"""

import heapq
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import count, product
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.sweep.rate_limiter import Gate
from lib.sweep.waiting_calls import Line, Waiting, longest_first
from tests.examples import examples

LATENCY = 0.002


@dataclass
class Bucket:
    """Takes `rate` requests a second, at most `size` at once."""

    rate: float
    size: float
    tokens: float = -1.0
    at: float = 0.0

    def wait(self, now: float) -> float | None:
        """Seconds until one would be taken; None: this one is."""
        full = self.size if self.tokens < 0 else min(self.size, self.tokens + (now - self.at) * self.rate)
        self.tokens, self.at = (full - 1, now) if full >= 1 else (full, now)
        return None if full >= 1 else (1 - full) / self.rate


@dataclass
class World:
    """Calls of (model, seconds) at one service with limits. `told`: exactly, in whole seconds, or not at all."""

    calls: list[tuple[str, float]]
    limits: Mapping[str, Bucket] = field(default_factory=dict)
    shared: Bucket | None = None
    by_chance: float = 0.0
    told: str = "exactly"
    known: bool = False
    jitter: float = 0.0
    places: int = 16
    seed: int = 1
    refused: int = 0
    answered: list[Waiting] = field(default_factory=list)
    ended_at: float = 0.0

    def run(self) -> "World":
        """Send everything; fails when the line stands still."""
        line, rng, number = Line(self.places), Random(self.seed), count()
        waiting = [
            Waiting((model, seconds), line.lane("s", model), seconds if self.known else None)
            for model, seconds in self.calls
        ]
        for call in longest_first(waiting):
            call.lane.put(call)
        unlucky = {call for call in waiting if rng.random() < self.by_chance}
        now, coming = 0.0, list[tuple[float, int, Waiting, float | None]]()
        while True:
            while (call := line.send_next(now)) is not None:
                way = LATENCY + self.jitter * rng.random()
                wait = self._refusal(call, now + way, unlucky)
                after = way + LATENCY + (call.payload[1] if wait is None else 0.0)
                heapq.heappush(coming, (now + after, next(number), call, wait))
            wakes = line.wakes_at(now)
            if not coming and wakes is None:
                break
            if wakes is not None and (not coming or wakes < coming[0][0]):
                now = max(now + 1e-6, wakes)
                continue
            now, _, call, wait = heapq.heappop(coming)
            if wait is None:
                line.ended(call, now, True)
                self.answered.append(call)
                self.ended_at = now
            else:
                self.refused += 1
                line.put_back(call, line.refused(call, now, self._said(wait)))
        return self

    def _refusal(self, call: Waiting, now: float, unlucky: set[Waiting]) -> float | None:
        bucket = self.limits.get(call.payload[0])
        wait = bucket.wait(now) if bucket else None
        if wait is None and self.shared is not None:
            wait = self.shared.wait(now)
        if wait is None and call in unlucky:
            unlucky.discard(call)
            wait = 1.0
        return wait

    def _said(self, wait: float) -> float | None:
        if self.told == "not at all":
            return None
        return wait if self.told == "exactly" else float(math.ceil(wait))

    @property
    def possible(self) -> float:
        """The least time that the work and the limits allow."""
        least = sum(seconds for _, seconds in self.calls) / self.places
        for model in {model for model, _ in self.calls}:
            times, bucket = sorted((s for one, s in self.calls if one == model), reverse=True), self.limits.get(model)
            for number, seconds in enumerate(times):
                held = max(0.0, (number + 1 - bucket.size) / bucket.rate) if bucket else 0.0
                least = max(least, held + seconds)
        return max(least, len(self.calls) / self.shared.rate) if self.shared else least


def two_hundred(seed: int = 1) -> list[tuple[str, float]]:
    """Ten models with twenty calls each, some three times as slow as others."""
    rng = Random(seed)
    pace = {f"m{number}": 0.5 + 1.2 * rng.random() for number in range(10)}
    return [(model, pace[model] * (0.6 + 0.8 * rng.random())) for model in pace for _ in range(20)]


def buckets(rate: float, models: int = 10) -> dict[str, Bucket]:
    return {f"m{number}": Bucket(rate, max(1.0, rate)) for number in range(models)}


@pytest.mark.row("S7")
def test_processes_that_send_for_one_sweep_keep_to_its_pace_together() -> None:
    line = Line(2, per_minute=60)
    line.slots_of_all = 8
    for _call in range(3):
        lane = line.lane("s", "m")
        lane.put(Waiting(None, lane))
    first = line.send_next(0.0)
    assert first is not None and line.send_next(1.0) is None
    line.ended(first, 0.5, True)
    assert line.wakes_at(1.0) == 4.0 and line.send_next(3.9) is None and line.send_next(4.0) is not None
    assert line.time_left(4.0) == 4.5, "one is left, which takes half a second"


@pytest.mark.row("S8")
def test_limits_cost_little_time_and_few_requests(subtests: pytest.Subtests) -> None:
    """Against the least time possible. Ten models and twenty refusals are two for each: one to find that there is a
    limit, one to measure it."""
    for told in ("exactly", "in seconds", "not at all"):
        for name, facts, most_time, most_refused in [
            ("no limit", {}, 1.05, 0),
            ("2 a second", {"limits": buckets(2)}, 1.09, 24),
            ("1 a second", {"limits": buckets(1)}, 1.12, 24),
            ("two models at one in two seconds", {"limits": buckets(0.5, 2)}, 1.12, 10),
            ("5 a second over all", {"shared": Bucket(5, 5)}, 1.12, 20),
        ]:
            for known in (False, True):
                with subtests.test(told=told, limit=name, known=known):
                    fresh = {key: _copy(value) for key, value in facts.items()}
                    world = World(two_hundred(), told=told, known=known, **fresh).run()
                    assert len(world.answered) == 200
                    assert world.ended_at <= most_time * world.possible
                    assert world.refused <= most_refused


def _copy(value: object) -> object:
    if isinstance(value, Bucket):
        return Bucket(value.rate, value.size)
    assert isinstance(value, dict)
    return {name: Bucket(one.rate, one.size) for name, one in value.items()}


@pytest.mark.row("S8")
def test_refusals_by_chance_are_not_taken_for_limits() -> None:
    for seed in range(8):
        world = World(two_hundred(seed), by_chance=0.1, seed=seed).run()
        assert len(world.answered) == 200
        assert world.ended_at < 1.25 * world.possible, seed
        assert world.refused <= 40


@pytest.mark.row("S8")
def test_a_service_that_refuses_three_in_ten_by_chance_does_not_keep_a_sweep_for_hours(
    subtests: pytest.Subtests,
) -> None:
    """A pace that was slowed down again and again, and is refused all the same, is none."""
    for models, told in [(10, "exactly"), (10, "not at all"), (1, "exactly"), (1, "not at all")]:
        with subtests.test(models=models, told=told):
            rng = Random(7)
            work = [(f"m{number}", 0.5 + 1.5 * rng.random()) for number in range(models) for _ in range(100)]
            world = World(work, by_chance=0.3, told=told, seed=7).run()
            assert len(world.answered) == len(work)
            assert world.ended_at < world.possible + 120
            assert world.refused <= len(work)


@pytest.mark.row("S8")
def test_requests_leave_further_apart_where_their_ways_differ() -> None:
    """A service that counts strictly gives nothing back for a request that came late."""
    worlds = [World(two_hundred(seed), limits=buckets(1), told="in seconds", jitter=0.03).run() for seed in range(4)]
    assert [len(world.answered) for world in worlds] == [200] * 4
    assert sum(world.refused for world in worlds) < 110
    assert max(world.ended_at / world.possible for world in worlds) < 1.2


def test_a_pace_that_was_learnt_before_needs_no_refusal() -> None:
    bucket = Bucket(1, 1)
    gate, now, refused = Gate.known(Gate().tally, 1.0, 1), 0.0, 0
    for left in reversed(range(8)):
        now = max(now, gate.opens_at())
        refused += bucket.wait(now) is not None
        gate.sent(now, left)
    assert refused == 0 and 7.0 <= now < 7.2


def test_a_limit_that_is_raised_is_found_out() -> None:
    world = World([("m", 0.1)] * 300, limits={"m": Bucket(4, 1)})
    line = Line(16)
    line.lane("s", "m").gate = Gate.known(line.lane("s", "m").service.tally, 1.0, 1)
    assert world.run().ended_at < 1.15 * world.possible
    gate, now, bucket = Gate.known(Gate().tally, 1.0, 1), 0.0, Bucket(4, 4)
    for left in reversed(range(300)):
        now = max(now, gate.opens_at())
        sent = now
        gate.sent(now, left)
        wait = bucket.wait(now)
        if wait is not None:
            gate.refused(sent, now + LATENCY, wait)
        else:
            gate.answered()
    assert now < 200, "300 s at the pace of before"


def test_headers_that_say_that_nothing_is_left_close_the_gate() -> None:
    gate = Gate()
    gate.sent(10.0, 5)
    gate.used_up(10.5, 4.0)
    assert gate.opens_at() >= 14.5 and gate.state == "free"


@settings(max_examples=examples(60), deadline=None)
@given(
    limits=st.lists(st.one_of(st.none(), st.tuples(st.floats(0.2, 20), st.floats(1, 30))), min_size=1, max_size=6),
    calls=st.integers(1, 40),
    places=st.integers(1, 64),
    by_chance=st.sampled_from([0.0, 0.05, 0.3]),
    told=st.sampled_from(["exactly", "in seconds", "not at all"]),
    known=st.booleans(),
    seed=st.integers(0, 1000),
)
def test_no_limit_loses_a_call_or_is_hammered(
    limits: list[tuple[float, float] | None],
    calls: int,
    places: int,
    by_chance: float,
    told: str,
    known: bool,
    seed: int,
) -> None:
    rng = Random(seed)
    work = [(f"m{number}", 0.05 + 2 * rng.random()) for number in range(len(limits)) for _ in range(calls)]
    rates = {f"m{number}": Bucket(*limit) for number, limit in enumerate(limits) if limit is not None}
    world = World(work, rates, by_chance=by_chance, told=told, known=known, places=places, seed=seed).run()
    assert sorted(call.payload for call in world.answered) == sorted(work)
    # Some for each limit, and some for the looks at whether it was raised. Beside chance a limit is hard to see.
    # And what is under way when the first refusal comes is refused with it. The slower a limit is than its answers are
    # long, the more it takes to see it.
    most = 2 * places + (0.5 if not by_chance else 2) * len(work) + 8 * len(limits)
    assert world.refused <= most
    # Refusals by chance of which nothing is told look like a limit.
    if not by_chance or told != "not at all":
        assert world.ended_at <= 3 * world.possible + 120


@pytest.mark.row("S8")
def test_a_limit_slower_than_answers_that_come_one_by_one_is_found(subtests: pytest.Subtests) -> None:
    """Of the wait a part is over when an answer has ended, and the rest of it, rounded up, told too little."""
    for seed, per_second in product(range(10), (0.3, 0.5, 0.7)):
        rng = Random(seed)
        work = [("m0", 0.05 + 2 * rng.random()) for _ in range(40)]
        world = World(work, {"m0": Bucket(per_second, 1.0)}, told="in seconds", places=1, seed=seed).run()
        with subtests.test(seed=seed, per_second=per_second):
            assert len(world.answered) == 40
            assert world.refused <= 16


def test_a_model_is_felt_for_unless_it_is_known_to_take_several_at_once() -> None:
    for proven, at_once in [(0, [1, 2, 2, 4, 8]), (1, [1, 2, 2, 4, 8]), (4, [4, 4, 4, 4, 8]), (200, [8, 8, 8, 8, 8])]:
        line, sent = Line(20), list[int]()
        lane = line.lane("s", "m")
        lane.proven = proven
        for _ in range(20):
            lane.put(Waiting(None, lane))
        for now in (0.0, 0.15, 0.2, 0.3, 0.55):
            while line.send_next(now) is not None:
                pass
            sent.append(line.running)
        assert sent == at_once, proven


def test_the_time_of_what_comes_at_one_pace_is_counted_down_and_holds() -> None:
    line, now = Line(4), 0.0
    line.lane("s", "quick").history = 0.01
    lane = line.lane("local", "practice")
    lane.concurrency, lane.seconds_each, each, answers = 4, 3.0, 2.0, 8
    for _ in range(answers):
        lane.put(Waiting(None, lane))
    assert line.time_left(now) == answers * lane.seconds_each, "by what is known before, and not by the quick ones"
    told = []
    while lane.waiting or lane.running:
        while line.send_next(now) is not None:
            pass
        now += 0.5
        if now % each == 0:
            line.ended(next(iter(lane.running)), now, answered=True)
        if now > 2 * each:
            told.append(line.time_left(now) or 0.0)
            assert told[-1] == answers * each - now
    assert told == sorted(told, reverse=True)
