"""Draws on a page whose script run has ended, and runs it anew: Streamlit has no interface for either, and a run that
waits for an answer would hold a thread for each tab.

Everything here was read in Streamlit 1.67, as in lib/streamlit_internals.py.
"""

import threading
from collections import deque
from collections.abc import Callable
from contextvars import copy_context
from copy import copy
from functools import partial

from streamlit import runtime
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.runtime import Runtime
from streamlit.runtime.app_session import AppSession
from streamlit.runtime.scriptrunner import add_script_run_ctx, get_script_run_ctx
from streamlit.runtime.session_manager import ActiveSessionInfo


def is_served() -> bool:
    """Whether this run's page is a browser's; in a test without a server nothing can be drawn after a run."""
    return runtime.exists() and type(runtime.get_instance()) is Runtime


class OpenPage:
    """A tab's page as the script run that makes this leaves it; for one thread, which is not the run's.

    Nothing of it reaches the browser while a run of the tab is under way: that run may be drawing another page. A part
    of the page that runs alone (a fragment) ends without a word, and then what was drawn meanwhile is sent; a run of
    the whole page has to set `released`.
    """

    def __init__(self) -> None:
        context = get_script_run_ctx()
        assert context is not None
        self.tab = context.session_id
        self.asked = False
        """Whether the page has been asked to run anew."""
        self.released = False
        """Whether a run draws the page anew: nothing more of this one is sent."""
        self._connection = self._connected()
        self._drawn: deque[ForwardMsg] = deque()
        # Of this thread: the reader's language, and which part of the page is being drawn.
        self._variables = copy_context()
        self._context = copy(context)
        self._context._enqueue = self._drawn.append
        # What the browser had kept when the run began may be gone when something is drawn.
        self._context.cached_message_hashes = frozenset()

    @property
    def away(self) -> bool:
        """Whether the tab is not connected: it was closed, or the network has gone."""
        return self._connected() is None

    @property
    def reconnected(self) -> bool:
        """Whether the tab has lost its connection and is back: it may have missed something, and asks for nothing."""
        return not self.away and self._connected() is not self._connection

    @property
    def behind(self) -> bool:
        """Whether something was drawn that is not on its way to the browser."""
        return bool(self._drawn)

    def draw(self, frame: Callable[[], None]) -> None:
        """Call what draws in the places that the run has made, and send it."""
        add_script_run_ctx(threading.current_thread(), self._context)
        try:
            self._variables.run(frame)
        finally:
            self.send()

    def send(self) -> None:
        """Send what was drawn, as soon as no run is under way."""
        self._on_loop(self._send)

    def run_anew(self) -> None:
        """Run the page's script, where no run is under way; `asked` tells whether that was so."""
        self._on_loop(self._run_anew)

    def _on_loop(self, step: Callable[[AppSession], None]) -> None:
        # Only on the loop's own thread is it certain whether a run is under way: there they begin and end.
        if (connected := self._connected()) is not None:
            connected.session._call_soon_on_event_loop(partial(step, connected.session))

    def _connected(self) -> ActiveSessionInfo | None:
        return runtime.get_instance()._session_mgr.get_active_session_info(self.tab)

    def _rests(self, session: AppSession) -> bool:
        return not self.released and session._scriptrunner is None

    def _send(self, session: AppSession) -> None:
        while self._drawn and self._rests(session):
            session._enqueue_forward_msg(self._drawn.popleft())

    def _run_anew(self, session: AppSession) -> None:
        # As after a change of the source: at the address of the last run, with the values that widgets have.
        if self._rests(session) and not self.asked:
            self.asked = True
            session.request_rerun(session._client_state)
