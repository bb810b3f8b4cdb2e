"""Two messages of a page, one right after the other, as a table's editor and a button send them: both count."""

from urllib.parse import urlsplit

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import ClientConnection, connect

from tests.app_server import AppServer

ROUNDS = 20
SECONDS = 10


class Tab:
    """A tab without a browser. `buttons` are the ids of those that the last run drew, by their keys."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self.buttons: dict[str, str] = {}

    def ask(self, pressed: str = "") -> None:
        """Ask for a run, with a button pressed or without; nothing is waited for."""
        asked = BackMsg()
        asked.rerun_script.query_string = ""
        if pressed:
            asked.rerun_script.widget_states.widgets.add(id=self.buttons[pressed], trigger_value=True)
        self._socket.send(asked.SerializeToString())

    def drawn(self) -> None:
        """Read on until a run has ended that no other one has cut short."""
        ended = ForwardMsg.FINISHED_EARLY_FOR_RERUN
        while ended == ForwardMsg.FINISHED_EARLY_FOR_RERUN:
            ended = self._read_to_the_end()

    def _read_to_the_end(self) -> int:
        while True:
            message = ForwardMsg.FromString(bytes(self._socket.recv(SECONDS)))
            kind = message.WhichOneof("type")
            if kind == "new_session":
                self.buttons = {}
            elif kind == "delta" and message.delta.new_element.WhichOneof("type") == "button":
                id = message.delta.new_element.button.id
                self.buttons[id.rpartition("-")[2]] = id
            elif kind == "script_finished":
                return message.script_finished


def test_a_press_is_heard_whatever_the_page_sends_right_after_it(bare_app: AppServer) -> None:
    """runner.fastReruns and `let_callbacks_end`: else the second message ends the run of the first one before its
    press was heard, and the page is read while a callback still writes."""
    address = f"ws://{urlsplit(bare_app.url).netloc}/_stcore/stream"
    for _round in range(ROUNDS):
        with connect(address, subprotocols=["streamlit"], max_size=None) as socket:  # type: ignore[list-item]
            tab = Tab(socket)
            tab.ask()
            tab.drawn()
            assert "connection_save" not in tab.buttons

            tab.ask(pressed="connection_open")
            tab.ask()

            while "connection_save" not in tab.buttons:
                tab.drawn()
