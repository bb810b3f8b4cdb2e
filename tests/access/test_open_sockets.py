"""A page's WebSocket, open while nobody presses anything: it ends with its sign-in, and is nobody else's."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from itsdangerous import TimestampSigner
from sqlalchemy import Connection
from starlette.types import Message

from lib.access.sign_ins import SignIns
from lib.store.database import Store
from lib.ui.shared import open_sockets
from lib.ui.shared.open_sockets import OpenSocket, OpenSockets
from tests.accounts import hash_of
from tests.over_http import PASSWORD, ask, open_page, shared_app, sign_in
from tests.postgresql import new_database, server_url

HASH, SECRET = hash_of(PASSWORD), "s" * 48
PAGES = 20


@pytest.mark.row("T17")
def test_who_signs_out_of_one_process_is_out_of_the_pages_that_are_open_in_another(
    pytestconfig: pytest.Config, started_on_postgresql: str, tmp_path: Path
) -> None:
    """Though nothing comes from those pages, and nothing is sent to them."""
    with ExitStack() as running:
        database = running.enter_context(new_database(server_url(pytestconfig), like=started_on_postgresql))
        settings = {"TEMPERA_DATABASE_URL": database, "TEMPERA_COOKIE_SECRET": SECRET, "TEMPERA_PASSWORD_HASH": HASH}
        one, other = (running.enter_context(shared_app(tmp_path, **settings)) for _ in range(2))
        ada, eve = sign_in(one).cookie, sign_in(one).cookie
        pages = [running.enter_context(open_page(app, ada)) for app in (one, other)]
        eves = running.enter_context(open_page(other, eve))
        for page in (*pages, eves):
            page.run()
        assert ask(one, "POST", "/sign-out", "", Cookie=ada).status == 303

        assert [page.end() for page in pages] == [1008, 1008]
        eves.run()


class Pages:
    """Pages of as many people, of which nothing comes and to which nothing is sent; `closed` are those that were
    closed. One never reads what it is sent."""

    def __init__(self, sign_ins: SignIns) -> None:
        self.closed: list[int] = []
        self.all_closed = asyncio.Event()
        self._sign_ins, self._sockets = sign_ins, OpenSockets()

    async def stay(self, number: int, cookie: str) -> None:
        async def receive() -> Message:
            return await asyncio.Future()

        async def send(_message: Message) -> None:
            if number == 0:
                await asyncio.Future()
            self.closed.append(number)
            if len(self.closed) == PAGES - 1:
                self.all_closed.set()

        with self._sockets.watched(self._sign_ins, OpenSocket(self._sign_ins, cookie, receive, send)):
            await asyncio.Future()


@pytest.fixture
def memory() -> Iterator[Store]:
    store = Store.in_memory()
    yield store
    store.close()


@pytest.mark.row("T17")
@pytest.mark.parametrize("how", ["signed out elsewhere", "too old"])
def test_one_look_into_the_database_is_enough_for_all_pages_of_a_process(
    how: str, memory: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    known, elsewhere = SignIns(HASH, SECRET, 3_600, memory), SignIns(HASH, SECRET, 3_600, memory)
    looks: list[str] = []
    read = memory.read

    def counted(work: Callable[[Connection], Any]) -> Any:
        looks.append("look")
        return read(work)

    async def open_all() -> None:
        pages = Pages(known)
        cookies = [await known.enter(PASSWORD, f"192.0.2.{number}") for number in range(PAGES)]
        for cookie in cookies:
            assert await known.admitted(cookie)
        stay = [asyncio.create_task(pages.stay(number, cookie)) for number, cookie in enumerate(cookies)]
        if how == "too old":
            later = 2 * 10**10
            monkeypatch.setattr(TimestampSigner, "get_timestamp", lambda _: later)
        else:
            for cookie in cookies:
                elsewhere.leave(cookie)
        monkeypatch.setattr(memory, "read", counted)
        await asyncio.wait_for(pages.all_closed.wait(), 30)
        assert sorted(pages.closed) == list(range(1, PAGES)), "one that does not read keeps none of the others"
        for task in stay:
            task.cancel()
        await asyncio.gather(*stay, return_exceptions=True)

    monkeypatch.setattr(open_sockets, "AGAIN_SECONDS", 0.05)
    asyncio.run(open_all())
    assert len(looks) == 1


@pytest.mark.row("T17")
def test_a_database_that_is_away_puts_nobody_out(memory: Store) -> None:
    known = SignIns(HASH, SECRET, 3_600, memory)
    cookie = asyncio.run(known.enter(PASSWORD, "192.0.2.1"))
    asyncio.run(known.admitted(cookie))
    memory.close()

    asyncio.run(known.learn_who_left({cookie}))
    assert known.visitor(cookie)


@pytest.mark.row("T13", "T17")
def test_a_tab_is_resumed_for_nobody_else(tmp_path: Path) -> None:
    """Who signs in next in the same browser would find in it what was typed; as would who has learned its id."""
    with shared_app(tmp_path) as app, ExitStack() as open_pages:
        ada, eve = sign_in(app).cookie, sign_in(app).cookie
        adas = open_pages.enter_context(open_page(app, ada, X_Tempera_Visitor="same"))
        adas.run()
        eves = open_pages.enter_context(open_page(app, eve, adas.tab, X_Tempera_Visitor="same"))
        eves.run()
        assert adas.tab and eves.tab != adas.tab
        adas.run()
        adas.socket.close()
        later = open_pages.enter_context(open_page(app, eve, adas.tab))
        later.run()
        assert later.tab != adas.tab
        back = open_pages.enter_context(open_page(app, ada, adas.tab))
        back.run()
        assert back.tab == adas.tab
