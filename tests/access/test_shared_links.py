"""Links under which anybody reads one chat or sweep: what they show, to whom, how long, and nothing beside it."""

import asyncio
import re
import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import select, update
from starlette.responses import PlainTextResponse
from streamlit.testing.v1 import AppTest

from lib import recovery
from lib.access import shared_links
from lib.access.shared_links import MOST_BYTES, MOST_LINKS
from lib.background import Jobs
from lib.calls.dispatcher import Dispatcher
from lib.chat import repository as chats
from lib.core.errors import InvalidInput
from lib.gateway.client import Client
from lib.store import backup, schema
from lib.store.database import Store
from lib.ui.shared import resources, shared_pages
from lib.ui.shared.shared_pages import SharedPages
from lib.visitor import LOCAL_OWNER
from tests.app_server import AppServer
from tests.fake_api import FakeApi
from tests.over_http import Got, ask, opened_link, shared_app, websocket_status
from tests.pages import ask as say
from tests.pages import choose_model, click, host, new_tab, run_sweep, shown, sweep_id, switch_on

PAGE = "<!doctype html><title>A chat</title><p>What ada shares. 你好"


def chat_of(store: Store, owner: str, title: str = "A chat") -> str:
    return store.write(lambda db: chats.new_chat(db, owner, title)).result(20)


def made(store: Store, owner: str, chat: str, page: str = PAGE) -> str:
    token = store.write(lambda db: shared_links.make(db, owner, "chat", chat, "A chat", page, 7)).result(20)
    assert token is not None
    return token


def end(store: Store, owner: str) -> None:
    """Let the owner's links end now."""
    ended = update(schema.shared_links).where(schema.shared_links.c.owner == owner).values(ends_at=1)
    store.write(lambda db: db.execute(ended)).result(20)


@pytest.fixture(scope="module")
def links(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[AppServer, str, dict[str, str]]]:
    """An app with one good link, and bad ones by what is wrong with them."""
    folder = tmp_path_factory.mktemp("links")
    (folder / "data").mkdir()
    store = Store.open(f"sqlite:///{folder / 'data' / 'tempera.db'}")
    good = made(store, "ada", chat_of(store, "ada"))
    deleted = chat_of(store, "bob")
    bad = {"of a deleted chat": made(store, "bob", deleted), "ended": made(store, "eve", chat_of(store, "eve"))}
    store.write(lambda db: chats.delete(db, "bob", deleted)).result(20)
    end(store, "eve")
    bad["taken back"] = made(store, "kim", chat_of(store, "kim"))
    [link] = store.read(lambda db: shared_links.links_of(db, "kim"))
    store.write(lambda db: shared_links.revoke(db, "kim", link.id)).result(20)
    bad |= {"made up": "A" * 43, "cut": good[:-1], "with more": f"{good}A", "none": "", "a hash": link.id}
    bad |= {
        "like": "%25",
        "another case": good.swapcase(),
        "below": f"{good}/x",
        "up": f"{good}/..",
        "long": "A" * 4000,
    }
    store.close()
    with shared_app(folder, TEMPERA_SHARED_LINKS="true") as app:
        yield app, good, bad


def without_date(got: Got) -> tuple[int, dict[str, str], str]:
    return got.status, {name: value for name, value in got.headers.items() if name != "date"}, got.text


@pytest.mark.row("X13", "T13")
def test_a_link_shows_its_page_without_a_sign_in(links: tuple[AppServer, str, dict[str, str]]) -> None:
    app, good, _bad = links
    got = ask(app, "GET", f"/shared/{good}")

    assert (got.status, got.text) == (200, PAGE) and got.headers["content-type"] == "text/html; charset=utf-8"
    policy = got.headers["content-security-policy"]
    assert "default-src 'none'" in policy and "script-src" not in policy and "; sandbox" in policy
    assert "frame-ancestors 'none'" in policy and got.headers["referrer-policy"] == "no-referrer"
    assert "noindex" in got.headers["x-robots-tag"] and got.headers["cache-control"] == "no-store"
    assert "set-cookie" not in got.headers and "streamlit" not in got.text
    assert ask(app, "HEAD", f"/shared/{good}").text == ""


@pytest.mark.row("X13", "T13", "T17")
def test_a_link_opens_nothing_else(links: tuple[AppServer, str, dict[str, str]]) -> None:
    app, good, _bad = links
    for path in ("/", "/usage", "/_stcore/health", f"/?shared={good}", f"/shared?{good}", f"/{good}", "/shared"):
        assert ask(app, "GET", path).status == 401, path
        assert ask(app, "GET", path, Cookie=f"tempera_sign_in={good}").status == 401, path
    for method in ("POST", "PUT", "DELETE", "OPTIONS"):
        assert ask(app, method, f"/shared/{good}").status == 404, method
    for cookie in ("", f"tempera_sign_in={good}"):
        status, connection = websocket_status(app, cookie)
        connection.close()
        assert status == 403


@pytest.mark.row("X13", "T13")
def test_whatever_is_wrong_with_a_link_the_answer_is_the_same(links: tuple[AppServer, str, dict[str, str]]) -> None:
    app, _good, bad = links
    for language, words in (("en", "has ended, or was taken back"), ("zh-CN", "已过期或已被收回")):
        answers = {
            name: without_date(ask(app, "GET", f"/shared/{token}", Accept_Language=language))
            for name, token in bad.items()
        }
        first = answers["made up"]
        assert first[0] == 404 and words in first[2] and "<script" not in first[2]
        assert {name for name, answer in answers.items() if answer != first} == set()
        assert first[1]["cache-control"] == "no-store" and "noindex" in first[1]["x-robots-tag"]


@pytest.mark.row("X13", "T13")
def test_who_stops_reading_keeps_nobody_from_stopping_the_app(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    store = Store.open(f"sqlite:///{tmp_path / 'data' / 'tempera.db'}")
    link = made(store, "ada", chat_of(store, "ada"), "x" * (MOST_BYTES - 1))
    store.close()
    with shared_app(tmp_path, TEMPERA_SHARED_LINKS="true") as app, socket.socket() as reader:
        reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        reader.connect(("127.0.0.1", int(app.url.rpartition(":")[2])))
        reader.sendall(f"GET /shared/{link} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
        assert reader.recv(12) == b"HTTP/1.1 200"
        app.process.send_signal(signal.SIGTERM)
        assert app.process.wait(20) is not None
    assert "Traceback" not in app.log.read_text()


class Readers:
    """Who has a link and asks for what it shows; each takes one piece of it, and no more until `go_on`."""

    def __init__(self) -> None:
        self.gate, self.go_on = SharedPages(PlainTextResponse("the app")), asyncio.Event()
        self.begun, self.pieces = 0, list[int]()

    async def ask(self) -> None:
        scope = {"type": "http", "method": "GET", "path": "/shared/x", "headers": [], "asgi": {"spec_version": "2.4"}}

        async def send(message: Any) -> None:
            if message["type"] == "http.response.start":
                self.begun += 1
            elif message["body"]:
                self.pieces.append(len(message["body"]))
                await self.go_on.wait()

        async def receive() -> Any:
            await asyncio.Event().wait()

        await self.gate(scope, receive, send)


@pytest.fixture
def readers(monkeypatch: pytest.MonkeyPatch) -> Readers:
    async def at_once(work: Any, *given: Any) -> Any:
        return work(*given)

    page = SimpleNamespace(read=lambda work: "x" * 150_000)
    services = SimpleNamespace(store=page, may_share_links=True)
    monkeypatch.setattr(shared_pages, "resources", SimpleNamespace(services=lambda: services))
    monkeypatch.setattr(asyncio, "to_thread", at_once)
    return Readers()


@pytest.mark.row("X13", "T13")
def test_however_many_read_slowly_few_pages_are_in_memory_and_of_each_little_is_handed_on(readers: Readers) -> None:
    async def run() -> None:
        tasks = [asyncio.create_task(readers.ask()) for _ in range(shared_pages.CONCURRENCY + 4)]
        for _ in range(100):
            await asyncio.sleep(0)  # a turn of the loop, of which an answer takes a few
        assert readers.begun == len(readers.pieces) == shared_pages.CONCURRENCY
        readers.go_on.set()
        await asyncio.wait_for(asyncio.gather(*tasks), 20)
        assert readers.begun == len(tasks) and sum(readers.pieces) == 150_000 * len(tasks)
        assert max(readers.pieces) <= 65_536

    asyncio.run(run())


@pytest.mark.row("X13", "T13")
def test_who_stops_reading_is_left_after_a_while(readers: Readers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared_pages, "READ_SECONDS", 0.0)
    monkeypatch.setattr(shared_pages, "LEAST_SPEED", 1e9)
    asyncio.run(asyncio.wait_for(readers.ask(), 20))
    assert not readers.go_on.is_set()


def link_on(tab: AppTest) -> str:
    """What stands in the address of the link that the page shows."""
    [link] = [one.value for one in tab.code if "/shared/" in one.value]
    return str(link).rpartition("/")[2]


@pytest.mark.row("X13")
def test_a_chat_is_shared_from_its_menu_until_that_is_taken_back(service: FakeApi) -> None:
    say(new_tab(), "Not for anybody", "echo")
    tab = say(new_tab(), "Read <b>this</b>", "echo")
    chat = str(tab.session_state["open_chat"])
    tab.menu_button(key=f"chat_menu_{chat}").click("share").run()
    assert "the messages that you see in this chat" in shown(tab)
    assert "the link opens only here, and only while Tempera runs" in shown(tab), "said before there is one"
    assert not [one for one in tab.code if "shared" in one.value]
    click(tab, "chat_link_make")
    token = link_on(tab)
    page = opened_link(token)
    assert page.status_code == 200 and "Read &lt;b&gt;this&lt;/b&gt;" in page.text and "You said:" in page.text
    assert "Not for anybody" not in page.text and "<script" not in page.text

    tab.session_state["open_dialog"] = None  # the dialog is closed
    say(tab.run(), "Said later", "echo")
    assert "Said later" not in opened_link(token).text, "it stays as it was"
    other = new_tab()
    other.menu_button(key=f"chat_menu_{chat}").click("share").run()
    assert not [one for one in other.code if "shared" in one.value], "it is shown once"
    tab.menu_button(key=f"chat_menu_{chat}").click("delete").run()
    assert opened_link(token).status_code == 404
    click(tab, "chat_undelete")
    assert opened_link(token).status_code == 200

    click(other, "links_open")
    [link] = resources.services().store.read(lambda db: shared_links.links_of(db, LOCAL_OWNER))
    assert "Read <b>this</b>" in shown(other)
    click(other, f"links_revoke_{link.id}")
    assert opened_link(token).status_code == 404 and "There is none." in shown(other)


@pytest.mark.row("X13", "C46")
def test_a_shared_chat_names_all_who_answered_and_nothing_of_the_sharers_computer(service: FakeApi) -> None:
    tab = new_tab()
    tab.session_state["settings_open"] = True
    say(tab.run(), "First", "echo")
    switch_on(tab, "temperature", "slider", 0.5)
    say(tab, "Second", "sse")
    choose_model(tab, "slow-50")
    for language, second in (("en", r"\d\.\d s"), ("zh_Hans", r"\d\.\d 秒")):
        tab.session_state["language"] = language
        tab.run()
        chat = str(tab.session_state["open_chat"])
        menu = tab.menu_button(key=f"chat_menu_{chat}")
        menu.click(menu.options[2]).run()  # by its words, as a browser tells it
        click(tab, "chat_link_make")
        # A file is written where there is no session.
        for page in (opened_link(link_on(tab)).text, tab.session_state["open_dialog"][1].page().decode()):
            [head, *lines] = re.findall('<p class="facts">(.*)</p>', page)
            assert head.endswith(" · echo · sse"), head
            assert [("temperature 0.5" in line, bool(re.search(second, line))) for line in lines] == [
                (False, True),
                (True, True),
            ], lines
            for hidden in (host(service), "127.0.0.1", "_tokens", "+00:00", "slow-50"):
                assert hidden not in page, hidden
        tab.session_state["open_dialog"] = None


@pytest.mark.row("X13")
def test_a_sweeps_report_is_shared_as_it_is_wished(service: FakeApi) -> None:
    tab = run_sweep(
        new_tab("sweep", models=f"{host(service)}/echo", temperatures="0", prompt="The prompt", repeats="1")
    )
    tab.session_state["sweep_view"] = "report"
    tab.run()
    click(click(tab, "sweep_link"), "sweep_link_make")
    token = link_on(tab)
    assert "The prompt" in opened_link(token).text and "<script" not in opened_link(token).text
    [link] = resources.services().store.read(lambda db: shared_links.links_of(db, LOCAL_OWNER))
    assert (link.kind, link.thing) == ("sweep", sweep_id(tab))
    click(tab, f"sweep_link_revoke_{link.id}")
    assert opened_link(token).status_code == 404


@pytest.mark.row("T2", "T13")
def test_of_a_link_only_its_hash_is_kept_and_it_is_its_owners_alone(store: Store, tmp_path: Path) -> None:
    mine, theirs = chat_of(store, "ada"), chat_of(store, "eve")
    token = made(store, "ada", mine)
    rows = store.read(lambda db: db.execute(select(schema.shared_links)).all())
    assert token not in str(rows) and len(token) >= 43

    def forged(db: Any) -> str | None:
        return shared_links.make(db, "eve", "chat", mine, "Mine now", PAGE, 7)

    assert store.write(forged).result(20) is None
    [link] = store.read(lambda db: shared_links.links_of(db, "ada"))
    assert store.read(lambda db: shared_links.links_of(db, "eve")) == []
    store.write(lambda db: shared_links.revoke(db, "eve", link.id)).result(20)
    assert store.read(lambda db: shared_links.page_of(db, token)) == PAGE
    assert made(store, "eve", theirs) != token

    file = tmp_path / "kept.db"
    backup.save(store, file)
    backup.restore(store, file, tmp_path)
    assert store.read(lambda db: shared_links.page_of(db, token)) is None, "what was taken back stays so"
    assert store.read(lambda db: chats.chats_of(db, "ada"))


def test_what_a_link_showed_goes_with_its_chat_and_with_its_time(store: Store) -> None:
    chat = chat_of(store, "ada")
    made(store, "ada", chat)
    store.write(lambda db: chats.erase(db, "ada", chat)).result(20)
    ended = made(store, "bob", chat_of(store, "bob"))
    end(store, "bob")
    assert store.read(lambda db: shared_links.page_of(db, ended)) is None
    assert store.read(lambda db: shared_links.links_of(db, "bob")) == []
    store.write(shared_links.forget_ended).result(20)
    assert store.read(lambda db: db.execute(select(schema.shared_links)).all()) == []


def test_what_has_ended_goes_while_tempera_runs(store: Store, jobs: Jobs, monkeypatch: pytest.MonkeyPatch) -> None:
    """For months, perhaps, without a start and without another link."""
    monkeypatch.setattr(recovery, "TIDY_SECONDS", 0.02)
    for owner in ("ada", "bob"):
        made(store, owner, chat_of(store, owner))
    end(store, "ada")
    client = Client()
    recovery.tidy_hourly(Dispatcher(jobs, client, store))
    until = time.monotonic() + 30
    while len(left := store.read(lambda db: db.execute(select(schema.shared_links.c.owner)).scalars().all())) > 1:
        assert time.monotonic() < until
        time.sleep(0.01)  # only paces the asking

    assert left == ["bob"]


def test_links_have_bounds(store: Store) -> None:
    chat = chat_of(store, "ada")
    with pytest.raises(InvalidInput):
        made(store, "ada", chat, "x" * (MOST_BYTES + 1))
    for _ in range(MOST_LINKS):
        made(store, "ada", chat)
    with pytest.raises(InvalidInput):
        made(store, "ada", chat)

    end(store, "ada")
    latest = made(store, "ada", chat)
    assert len(store.read(lambda db: db.execute(select(schema.shared_links)).all())) == 1, "ended ones take no room"
    assert store.read(lambda db: shared_links.page_of(db, latest)) == PAGE
