"""A page is drawn on when its run has ended, and while another run is under way nothing is sent."""

from collections.abc import Callable
from contextvars import ContextVar
from threading import Thread
from types import SimpleNamespace
from typing import Any

import pytest
from streamlit.runtime import Runtime
from streamlit.runtime.app_session import AppSession
from streamlit.runtime.scriptrunner_utils.script_run_context import ScriptRunContext
from streamlit.runtime.session_manager import ActiveSessionInfo
from streamlit.testing.v1 import AppTest

from lib import streamlit_drawing
from lib.streamlit_drawing import OpenPage

reader = ContextVar("reader", default="nobody")


class Session:
    """A tab's session as the server has it, whose loop does at once what it is told."""

    def __init__(self) -> None:
        self._scriptrunner: object | None = None
        self._client_state = "the state of the last run"
        self.sent: list[str] = []
        self.runs: list[object] = []

    def _call_soon_on_event_loop(self, step: Callable[[], None]) -> None:
        step()

    def _enqueue_forward_msg(self, message: Any) -> None:
        self.sent.append(message.delta.new_element.markdown.body)

    def request_rerun(self, state: object) -> None:
        self.runs.append(state)


def _script(left: list[object], reader: "ContextVar[str]") -> None:
    import streamlit as st
    from streamlit.runtime.scriptrunner import get_script_run_ctx

    from lib.streamlit_drawing import OpenPage

    reader.set("who reads the page")
    context = get_script_run_ctx()
    assert context is not None
    context.cached_message_hashes = frozenset(["kept by the browser"])

    place = st.empty()
    left.append((OpenPage(), place))


def draw(page: OpenPage, place: Any) -> None:
    """Draw in a place of the page, by a thread that ends: Streamlit knows by it whose page it is."""
    thread = Thread(target=page.draw, args=(lambda: place.markdown("one"),))
    thread.start()
    thread.join()


@pytest.fixture
def session() -> Session:
    return Session()


@pytest.fixture
def connections(session: Session, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The server's tabs that are connected, by their ids."""
    found: dict[str, Any] = {"tab": ActiveSessionInfo(SimpleNamespace(), session)}  # type: ignore[arg-type]
    monkeypatch.setattr(OpenPage, "_connected", lambda _page: found.get("tab"))
    return found


@pytest.fixture
def page(connections: dict[str, Any]) -> tuple[OpenPage, Any]:
    left: list[tuple[OpenPage, Any]] = []
    assert connections and not AppTest.from_function(_script, kwargs={"left": left, "reader": reader}).run().exception
    return left[0]


def test_what_is_drawn_waits_until_no_run_is_under_way(page: tuple[OpenPage, Any], session: Session) -> None:
    drawn_on, place = page
    session._scriptrunner = object()
    draw(drawn_on, place)
    drawn_on.run_anew()
    assert (session.sent, session.runs, drawn_on.behind, drawn_on.asked) == ([], [], True, False)

    session._scriptrunner = None
    drawn_on.send()
    assert (session.sent, drawn_on.behind) == (["one"], False)
    drawn_on.run_anew()
    drawn_on.run_anew()
    assert session.runs == ["the state of the last run"] and drawn_on.asked


def test_it_is_drawn_as_for_who_reads_the_page_and_sent_whole(page: tuple[OpenPage, Any], session: Session) -> None:
    drawn_on, place = page
    draw(drawn_on, SimpleNamespace(markdown=lambda _text: place.markdown(reader.get())))
    assert session.sent == ["who reads the page"]
    assert drawn_on._context.cached_message_hashes == frozenset(), "what a browser keeps it may have thrown away by now"


def test_nothing_is_sent_to_a_page_that_was_drawn_anew(page: tuple[OpenPage, Any], session: Session) -> None:
    drawn_on, place = page
    session._scriptrunner = object()
    draw(drawn_on, place)
    drawn_on.released, session._scriptrunner = True, None
    drawn_on.send()
    drawn_on.run_anew()
    assert (session.sent, session.runs) == ([], [])


def test_a_connection_that_was_lost_and_is_back_is_another_one(
    page: tuple[OpenPage, Any], session: Session, connections: dict[str, Any]
) -> None:
    drawn_on, place = page
    assert not drawn_on.away and not drawn_on.reconnected
    there = connections.pop("tab")
    assert drawn_on.away and not drawn_on.reconnected
    draw(drawn_on, place)
    assert session.sent == [] and drawn_on.behind
    connections["tab"] = ActiveSessionInfo(there.client, there.session)
    assert not drawn_on.away and drawn_on.reconnected


def test_the_parts_of_streamlit_that_we_lean_on_are_there() -> None:
    assert {"_enqueue", "cached_message_hashes"} <= ScriptRunContext.__dataclass_fields__.keys()
    assert {"_scriptrunner", "_client_state"} <= set(AppSession.__init__.__code__.co_names)
    assert {"_call_soon_on_event_loop", "_enqueue_forward_msg", "request_rerun"} <= set(dir(AppSession))
    assert "_session_mgr" in Runtime.__init__.__code__.co_names
    assert not streamlit_drawing.is_served()
