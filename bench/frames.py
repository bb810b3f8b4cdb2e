"""Measures what goes over a page's WebSocket, as Chromium reports it."""

import base64
from dataclasses import dataclass
from typing import Any

from playwright.sync_api import Page


@dataclass(frozen=True, slots=True)
class Frame:
    """One message: when it went or came, in seconds of Chromium's own clock, and its payload."""

    at: float
    payload: bytes

    @property
    def size(self) -> int:
        """Bytes, uncompressed."""
        return len(self.payload)


class Frames:
    """The messages of a page since `forget`, in order."""

    def __init__(self, page: Page) -> None:
        self.sent: list[Frame] = []
        self.received: list[Frame] = []
        chromium = page.context.new_cdp_session(page)
        chromium.on("Network.webSocketFrameSent", lambda event: self.sent.append(_frame(event)))
        chromium.on("Network.webSocketFrameReceived", lambda event: self.received.append(_frame(event)))
        chromium.send("Network.enable")

    def forget(self) -> None:
        """Begin anew."""
        self.sent.clear()
        self.received.clear()


def _frame(event: dict[str, Any]) -> Frame:
    # Streamlit sends binary frames only; Chromium reports these in base64.
    return Frame(event["timestamp"], base64.b64decode(event["response"]["payloadData"]))
