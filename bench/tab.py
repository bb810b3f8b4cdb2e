"""A Streamlit client without a browser: asks the server for script runs over the WebSocket."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from urllib.parse import urlsplit

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import ClientConnection, connect

SECONDS = 60


class Tab:
    """One session at the server, on the page that `query` (of its address) opens."""

    def __init__(self, socket: ClientConnection, query: str) -> None:
        self._socket, self._query = socket, query

    def rerun(self) -> float:
        """Seconds from the request for a full script run until its end has arrived, with all that it drew."""
        asked = BackMsg()
        asked.rerun_script.query_string = self._query
        began = time.perf_counter()
        self._socket.send(asked.SerializeToString())
        while not _is_end(self._socket.recv(SECONDS)):
            pass
        return time.perf_counter() - began


@contextmanager
def tab(url: str, cookies: Mapping[str, str]) -> Iterator[Tab]:
    """A tab at `url`, of a visitor with these cookies; its first run, which every session pays, is done."""
    parts = urlsplit(url)
    headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items())}
    address = f"ws://{parts.netloc}/_stcore/stream"
    with connect(address, additional_headers=headers, subprotocols=["streamlit"], max_size=None) as socket:  # type: ignore[list-item]
        opened = Tab(socket, parts.query)
        opened.rerun()
        yield opened


def _is_end(message: str | bytes) -> bool:
    return isinstance(message, bytes) and ForwardMsg.FromString(message).WhichOneof("type") == "script_finished"
