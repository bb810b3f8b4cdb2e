"""What several processes learn together of a service's limits: whose clock counts, and whose word."""

import asyncio
import time
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any, cast

import pytest
from sqlalchemy import Connection

from lib.core.errors import StoreError
from lib.store.database import Store
from lib.sweep.rate_limiter import Gate, Tally
from lib.sweep.sending import Sending
from lib.sweep.shared_gates import GateAnswer, GateQuery, SharedGates
from lib.sweep.waiting_calls import Line
from tests.postgresql import new_database, server_url

ADDRESS = "https://api.service.test/v1"


@pytest.fixture
def on_server(pytestconfig: pytest.Config, started_on_postgresql: str) -> Iterator[Store]:
    with new_database(server_url(pytestconfig), like=started_on_postgresql) as url:
        store = Store.open(url)
        yield store
        store.close()


def test_a_process_whose_clock_is_wrong_forgets_nothing_and_makes_nobody_forget(
    on_server: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask = GateQuery(ADDRESS, "m", 3, Tally(), None, None)
    usual = time.time_ns

    def process(minutes_ahead: int) -> SharedGates:
        monkeypatch.setattr(time, "time_ns", lambda: usual() + minutes_ahead * 60 * 10**9)
        gates = SharedGates(on_server, "ann")
        gates.set_clock()
        return gates

    def opens(gates: SharedGates) -> float | None:
        return on_server.write(lambda db: gates.look(db, ask)).result(20).until

    here = process(0)
    now = here.now()
    on_server.write(lambda db: here.change(db, ask, lambda gate: gate.used_up(now, 300.0))).result(20)
    until = opens(here)
    assert until is not None and until > now + 200
    for minutes in (30, -30):
        wrong = process(minutes)
        assert opens(wrong) == until, minutes
        on_server.write(lambda db: wrong.change(db, ask, Gate.answered)).result(20)  # noqa: B023
        monkeypatch.setattr(time, "time_ns", usual)
        assert opens(here) == until, minutes


def test_what_one_process_has_sent_another_waits_for(on_server: Store) -> None:
    ask = GateQuery(ADDRESS, "m", 3, Tally(), None, (0.01, 1))  # a call each 100 seconds
    one, other = SharedGates(on_server, "ann"), SharedGates(on_server, "ann")
    one.set_clock()
    other.set_clock()

    def send(db: Connection) -> GateAnswer:
        return one.note_sent(db, ask, one.look(db, ask))

    assert on_server.write(send).result(20).until is None
    assert on_server.write(lambda db: other.look(db, ask)).result(20).until is not None


def test_what_the_store_says_undoes_nothing_that_it_is_still_being_told() -> None:
    """A refusal, and in the same turn of the loop an answer from before it; whether or not the store takes it then."""

    async def work(result: GateAnswer | StoreError) -> None:
        store = asyncio.get_running_loop().create_future()
        lane = Line(4).lane("service", "m")
        run = SimpleNamespace(addresses={"service": ADDRESS}, paces={})
        claims = SimpleNamespace(gates=SimpleNamespace(now=time.monotonic))
        dispatcher = SimpleNamespace(budgets=None, store=SimpleNamespace(submit=lambda _: store))
        sending = Sending(cast(Any, dispatcher), cast(Any, None), cast(Any, run), cast(Any, claims))
        before = GateAnswer(Gate(Tally()), False, 0.0)
        lane.at.used_up(0.0, 300.0)
        closed = lane.at.opens_at()

        sending.tell(lane, Gate.answered)
        sending._learn(lane, before)
        assert lane.at.opens_at() == closed
        await asyncio.sleep(0)  # now the store is being told
        sending._learn(lane, before)
        assert lane.at.opens_at() == closed

        store.set_exception(result) if isinstance(result, StoreError) else store.set_result(result)
        await asyncio.gather(*sending._tasks)
        sending._learn(lane, before)
        assert lane.gate is before.gate

    for result in (GateAnswer(Gate(Tally()), False, 0.0), StoreError("The database is away.")):
        asyncio.run(work(result))
