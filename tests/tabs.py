"""A tab without a browser: asks for script runs over the WebSocket, and reads what they draw."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic
from typing import Any
from urllib.parse import urlsplit

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import ClientConnection, connect

from tests.app_server import AppServer

SECONDS = 30.0
EARLY = ForwardMsg.FINISHED_EARLY_FOR_RERUN


class Tab:
    """One tab; `query` is that of its address. `drawn` are the ids of the buttons and of the composer that the last
    run drew, by their keys; `received` is all that came, as it came."""

    def __init__(self, socket: ClientConnection, query: str) -> None:
        self._socket, self.query = socket, query
        self.drawn: dict[str, str] = {}
        self._part_of: dict[str, str] = {}
        """The part of the page that each of them is in, which a press runs alone; "" for the page itself."""
        self.received: list[bytes] = []

    def ask(self, pressed: str = "", text: str = "", page: str = "") -> None:
        """Ask for a run, with a button pressed, with a message, or for another page; nothing is waited for."""
        asked = BackMsg()
        asked.rerun_script.query_string, asked.rerun_script.page_name = self.query, page
        if pressed:
            asked.rerun_script.widget_states.widgets.add(id=self.drawn[pressed], trigger_value=True)
            asked.rerun_script.fragment_id = self._part_of[pressed]
        if text:
            sent = asked.rerun_script.widget_states.widgets.add(id=self.drawn["chat_input"])
            sent.chat_input_value.data = text
        self._socket.send(asked.SerializeToString())

    def run(self, pressed: str = "", text: str = "", page: str = "") -> None:
        """The same, to the end of the run."""
        self.ask(pressed, text, page)
        self.read_run()

    def read_run(self) -> None:
        """Read on until a run has ended that no other one has cut short."""
        self.until(lambda one: one.WhichOneof("type") == "script_finished" and one.script_finished != EARLY)

    def until(self, wanted: Callable[[ForwardMsg], object], seconds: float = SECONDS) -> None:
        """Read on until a message comes that is `wanted`; raises TimeoutError after so many seconds without it."""
        end = monotonic() + seconds
        while True:
            self.received.append(bytes(self._socket.recv(max(0.0, end - monotonic()))))  # type: ignore[arg-type]
            message = ForwardMsg.FromString(self.received[-1])
            self._note(message)
            if wanted(message):
                return

    def _note(self, message: ForwardMsg) -> None:
        kind = message.WhichOneof("type")
        if kind == "new_session":
            self.drawn = {}
        elif kind == "page_info_changed":
            self.query = message.page_info_changed.query_string  # as a browser's address does
        elif kind == "delta" and message.delta.new_element.WhichOneof("type") in ("button", "chat_input"):
            element = message.delta.new_element
            id = str(getattr(element, str(element.WhichOneof("type"))).id)
            name = id.rpartition("-")[2]
            self.drawn[name], self._part_of[name] = id, message.delta.fragment_id


def said(message: ForwardMsg) -> str:
    """The text that a message draws."""
    return message.delta.new_element.markdown.body


@contextmanager
def open_tab(app: AppServer, query: str = "", cookie: str = "") -> Iterator[Tab]:
    """A tab whose first run has ended, of who has this cookie."""
    address = f"ws://{urlsplit(app.url).netloc}/_stcore/stream"
    # No pings of ours: a busy machine is slow, and not gone.
    more: dict[str, Any] = {"subprotocols": ["streamlit"], "additional_headers": {"Cookie": cookie}}
    with connect(address, max_size=None, ping_interval=None, **more) as socket:
        tab = Tab(socket, query)
        tab.run()
        yield tab
