"""What the browser has of a sweep's answers already, so that only what has changed since is sent again.

Streamlit gives a component all of its data whenever any of it changes; only a large message that is the same as before
does it not send again. So the cells go in a message of their own, which stays the same while the few that have changed
since go in the other, with how they are looked at. When these grow many, all are put together anew.
"""

import hashlib
import json
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Any

from lib.ui.shared.session_value import SessionValue

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
    """What is remembered of it in a tab."""

    stock: SessionValue[Stock | None] = SessionValue("sweep_sent", lambda: None)


sent = Sent()
