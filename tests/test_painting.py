"""An answer that is written is drawn on when its page's run has ended: by one thread, and on no other page."""

import re
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from tests.app_server import AppServer, forked_app
from tests.fake_api import FakeApi
from tests.pages import KEY
from tests.tabs import open_tab, said

TABS, MORE_THREADS = 8, 4
CHANGE_SECONDS = 1.5
"""The line below an answer that has not begun says another second each second."""


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[AppServer, FakeApi]]:
    with FakeApi() as api:
        settings = {"TEMPERA_BASE_URL": api.base_url, "TEMPERA_API_KEY": KEY, "TEMPERA_LOCAL_MODEL": "false"}
        with forked_app(tmp_path_factory.mktemp("painted") / "data", 0, **settings) as app:
            yield app, api


def threads(app: AppServer) -> int:
    return len(list(Path(f"/proc/{app.process.pid}/task").iterdir()))


@pytest.mark.row("T16", "C20")
def test_many_tabs_whose_answers_are_written_need_no_thread_each(served: tuple[AppServer, FakeApi]) -> None:
    app, _api = served
    with ExitStack() as all_of_them:
        tabs = [all_of_them.enter_context(open_tab(app, "model=silent")) for _tab in range(TABS)]
        before = threads(app)
        for tab in tabs:
            tab.run(text="Hello")
        for tab in tabs:
            tab.until(lambda message: "Reading your text… 1 s" in said(message))
        assert threads(app) <= before + MORE_THREADS
        tabs[0].run(pressed="chat_stop")
        assert "chat_regenerate" in tabs[0].drawn
        tabs[1].until(lambda message: "Reading your text…" in said(message))


@pytest.mark.row("C20")
def test_who_leaves_an_answer_for_another_page_sees_nothing_of_it_there(served: tuple[AppServer, FakeApi]) -> None:
    app, _api = served
    with open_tab(app, "model=silent") as tab:
        tab.run(text="Hello")
        tab.until(lambda message: "Reading your text… 1 s" in said(message))
        tab.run(page="usage")
        with pytest.raises(TimeoutError):
            tab.until(lambda message: "Reading" in said(message), CHANGE_SECONDS)
        tab.run(page="chat")
        tab.until(lambda message: "Reading your text…" in said(message))
        tab.run(pressed="chat_stop")


def test_the_wait_for_another_attempt_is_counted_down(served: tuple[AppServer, FakeApi]) -> None:
    app, api = served
    api.script("busy", b'{"error": {"message": "slow down"}}', status=429, headers={"retry-after": "40"})
    follows = re.compile(r"attempt 2 follows in (\d+) seconds")
    left: list[int] = []

    def counted(message: ForwardMsg) -> bool:
        left.extend(int(seconds) for seconds in follows.findall(said(message)))
        return len(set(left)) == 2

    with open_tab(app, "model=busy") as tab:
        tab.ask(text="hurry")
        tab.until(counted)
        tab.run(pressed="chat_stop")
    assert 38 <= left[-1] < left[0] <= 48


@pytest.mark.row("C2")
def test_the_page_runs_anew_by_itself_when_all_is_written_in_each_tab_that_shows_it(
    served: tuple[AppServer, FakeApi],
) -> None:
    app, api = served
    with open_tab(app, "model=slow-50") as tab:
        tab.run(text="one two three four five six seven")
        with open_tab(app, tab.query) as other:
            for one in (other, tab):
                one.until(lambda message: "seven" in said(message))
                while "chat_regenerate" not in one.drawn:
                    one.read_run()
    assert sum(request.model == "slow-50" for request in api.requests) == 1
