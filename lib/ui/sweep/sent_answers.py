"""What the browser has of a sweep's answers already, so that only what has changed since is sent again.

Streamlit sends a component all of its data whenever any of it changes; only a large message that is the same as the one
before is not sent again. So there are two messages. The stock holds all cells as they were once, and stays the same.
The look holds the few that have changed since, and how all of them are looked at. When many have changed, a new stock
is made.

Both messages are made whenever the answers are drawn, and each second while a sweep runs.
"""

import hashlib
import json
import secrets
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Any

from lib.ui.shared.session_value import SessionValue
from lib.ui.sweep.answer_data import Answers

FEW, SHARE = 24, 8
"""So many changed cells, or one of so many, go beside the others; more are put together anew."""
Cells = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Stock:
    """All cells as they were sent: `of` what, under which `version`, `packed` for the component."""

    of: tuple[Hashable, ...]
    cells: Cells
    version: str
    packed: bytes

    def since(self, cells: Cells) -> dict[str, Any]:
        """What the component has to know besides to draw `cells`."""
        return {"base": self.version, "changed": self.changed(cells)}

    def changed(self, cells: Cells) -> Cells:
        """Those of `cells` that are not as they were."""
        # By identity first: most are the very cells of an earlier look.
        return {
            place: cell
            for place, cell in cells.items()
            if (before := self.cells.get(place)) is not cell and before != cell
        }


def stock_for(before: Stock | None, of: tuple[Hashable, ...], cells: Cells) -> Stock:
    """The stock that `cells` are best drawn with: the one of `before`, or a new one."""
    if before is None or before.of != of:
        return _stock(of, cells)
    # What is being written changes all the time, whatever it is put together with.
    settled = sum(cell["state"] != "running" for cell in before.changed(cells).values())
    return before if settled <= max(FEW, len(cells) // SHARE) else _stock(of, cells)


def packed(value: object) -> bytes:
    """As a component gets it. As bytes: of JSON Streamlit makes a canonical form with every run, which takes longer
    than all else."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


def _stock(of: tuple[Hashable, ...], cells: Cells) -> Stock:
    data = packed(cells)
    version = hashlib.blake2b(data, digest_size=8).hexdigest()
    return Stock(of, cells, version, version.encode() + b"\n" + data)


class Sent:
    """What the browser of this tab was sent last."""

    stock: SessionValue[Stock | None] = SessionValue("sweep_sent", lambda: None)
    around: SessionValue[Hashable] = SessionValue("sweep_sent_beside", lambda: None)
    """What was drawn about the answers around the component, as far as it depends on them."""
    renewed: SessionValue[bool] = SessionValue("sweep_sent_renewed", bool)
    """Whether the stock is a newer one than was drawn with the rest."""
    last: SessionValue[bytes] = SessionValue("sweep_sent_last", bytes)
    number: SessionValue[int] = SessionValue("sweep_sent_number", int)
    tag: SessionValue[str] = SessionValue("sweep_sent_tag", lambda: secrets.token_hex(4))
    """The last look, how many different ones there were, and a mark of this tab: the browser may get an older look once
    more after a newer one, and tells them apart by number and mark."""

    def whole(self, of: tuple[Hashable, ...], found: Answers, around: Hashable) -> tuple[bytes, bytes]:
        """The two messages of answers that are drawn with what is `around` them."""
        stock = self.stock = stock_for(self.stock, of, found.cells)
        self.around, self.renewed = around, False
        return self._look(found, stock), stock.packed

    def since(self, of: tuple[Hashable, ...], found: Answers, around: Hashable) -> tuple[bytes, bytes]:
        """The two messages of answers that have changed since they were drawn; the second is empty where the browser
        has it. Where another thing stands `around` them by now, the browser asks for all to be drawn."""
        before = self.stock
        stock = self.stock = stock_for(before, of, found.cells)
        self.renewed = self.renewed or stock is not before
        return self._look(found, stock, since=True, stale=around != self.around), stock.packed if self.renewed else b""

    def _look(self, found: Answers, stock: Stock, **more: bool) -> bytes:
        look = packed(found.look() | stock.since(found.cells) | more)
        # The same message again costs the browser nothing.
        if look != self.last:
            self.last, self.number = look, self.number + 1
        return packed({"order": [self.tag, self.number]})[:-1] + b"," + look[1:]


already_sent = Sent()
