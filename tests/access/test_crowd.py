"""A shared Tempera with many people: it is full at some number of them, and nobody's flood makes the others wait."""

import asyncio
import time
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import pytest
from starlette.responses import PlainTextResponse
from starlette.types import Message
from streamlit.proto.BackMsg_pb2 import BackMsg

from lib.access.seats import KEPT_SECONDS, MOST_TABS, Seats
from lib.access.throttle import MOST_KNOWN, Throttle
from lib.core.errors import Full, TooManyTabs
from lib.ui.shared import crowd_gate
from lib.ui.shared.crowd_gate import BURST, CROWD, RATE, CrowdGate
from tests.over_http import ask, open_page, shared_app, sign_in, websocket_status

FLOOD, AFTER = 1_000, 6


class Clock:
    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.row("T16")
def test_who_comes_when_it_is_full_is_told_and_who_is_inside_stays(tmp_path: Path) -> None:
    with shared_app(tmp_path, TEMPERA_MOST_SESSIONS="2") as app:
        ada, bob, eve = (sign_in(app).cookie for _ in range(3))
        assert ask(app, "GET", "/", Cookie=ada).status == 200
        with open_page(app, bob) as page:
            page.run()
            for path in ("/", "/sweep?prompt=hi", "/nowhere"):
                full = ask(app, "GET", path, Cookie=eve, Accept_Language="en")
                assert full.status == 503 and full.headers["retry-after"] == "60", path
                assert "As many people as this Tempera can serve are using it just now." in full.text
                assert '<meta http-equiv="refresh" content="60">' in full.text and "<script" not in full.text
                assert full.headers["set-cookie"].startswith("tempera_session="), "another process may have room"
                assert full.headers["cache-control"] == "no-store" and "streamlit" not in full.text.lower()
            assert "人数已达到上限" in ask(app, "GET", "/", Cookie=eve, Accept_Language="zh-CN").text
            status, connection = websocket_status(app, eve)
            connection.close()
            assert status == 403
            assert ask(app, "GET", "/healthz").status == 200
            assert ask(app, "GET", "/sign-out", Cookie=eve).status == 200

            page.run()
            for inside in (ada, bob):
                assert ask(app, "GET", "/usage", Cookie=inside).status == 200
                with open_page(app, inside) as another:
                    another.run()


@pytest.mark.row("T16")
def test_a_flood_from_one_page_waits_and_another_page_is_answered(tmp_path: Path) -> None:
    asked = BackMsg()
    asked.file_urls_request.request_id = "flood"  # the one message that is always answered with just one
    with shared_app(tmp_path) as app, open_page(app, sign_in(app).cookie) as flood:
        began = time.monotonic()
        for _ in range(FLOOD):
            flood.send(asked)
        with open_page(app, sign_in(app).cookie) as page:
            page.run()
        while flood.received.count("file_urls_response") < BURST + AFTER:
            flood.receive()
        assert time.monotonic() - began >= (AFTER - 1) / RATE, "it is answered at the pace that is set"


def test_a_place_is_kept_while_a_page_is_loaded_anew_and_free_after_that() -> None:
    clock = Clock()
    seats = Seats(1, clock)
    seats.enter("ada")
    clock.now += 10 * KEPT_SECONDS
    with pytest.raises(Full):
        seats.take("bob")
    seats.leave("ada")
    clock.now += KEPT_SECONDS - 1
    with pytest.raises(Full):
        seats.enter("bob")
    seats.take("ada")
    clock.now += KEPT_SECONDS - 1
    with pytest.raises(Full):
        seats.take("bob")
    clock.now += 2
    seats.enter("bob")
    with pytest.raises(Full):
        seats.take("ada")


def test_no_number_of_tabs_gets_past_the_most_of_one_person() -> None:
    seats = Seats(0)
    for _ in range(MOST_TABS):
        seats.enter("ada")
    with pytest.raises(TooManyTabs):
        seats.enter("ada")
    seats.enter("bob")
    seats.leave("ada")
    seats.enter("ada")


@pytest.mark.row("T16")
def test_all_pages_of_one_address_together_have_a_pace_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else whoever signs in many times sends as many times as much."""
    gate, waits = CrowdGate(PlainTextResponse("")), list[float]()

    async def slept(seconds: float) -> None:
        waits.append(seconds)

    async def send_some(people: int, address: str) -> None:
        for person in range(people):
            message: Message = {"type": "websocket.receive"}
            assert await gate._paced(f"{person} at {address}", address, partial(asyncio.sleep, 0, message))() == message

    monkeypatch.setattr(crowd_gate, "asyncio", SimpleNamespace(sleep=slept))
    asyncio.run(send_some(2 * BURST * CROWD, "192.0.2.1"))
    assert waits[: BURST * CROWD] == [0.0] * (BURST * CROWD) and waits[-1] > 0
    waits.clear()
    asyncio.run(send_some(1, "192.0.2.2"))
    assert waits == [0.0]


@pytest.mark.row("T16")
def test_each_has_a_pace_of_their_own() -> None:
    clock = Clock()
    pace = Throttle(10, 60, clock)
    waits = [pace.wait("eve") for _ in range(FLOOD)]
    assert waits[:60] == [0.0] * 60
    assert waits[-1] == pytest.approx((FLOOD - 1 - 60) / 10)
    assert pace.wait("ada") == 0
    clock.now += 1_000
    assert pace.wait("eve") == 0
    for number in range(3 * MOST_KNOWN):
        clock.now += 1
        pace.wait(str(number))
    assert len(pace._next) <= MOST_KNOWN + 1
