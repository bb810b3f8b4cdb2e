"""Keeps the raw bytes of the last answers for the inspector: in memory only, bounded, without keys."""

import re
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from itertools import accumulate
from threading import Lock

from lib.core.request import Page
from lib.gateway.key_masking import KNOWN, Forms

MOST_BYTES = 262_144
"""Of one answer; what follows is counted only."""
KEPT: dict[Page, int] = {"chat": 50, "sweep": 150, "judge": 50}
"""How many answers, by the page that asked."""
_INDEX_OR_TEXT = re.compile(r'"index"\s*:\s*(?P<index>\d+)|"(?P<name>\w+)"\s*:\s*"(?P<text>(?:[^"\\]|\\.)*+)"')


class RawAnswer:
    """One answer as it came; added to by the loop, read by pages."""

    def __init__(self, secret: str) -> None:
        self._secret = secret
        self._kept = bytearray()
        self.size = 0
        """Bytes that came, kept or not."""

    def add(self, chunk: bytes) -> None:
        """Keep `chunk` as far as there is room."""
        self.size += len(chunk)
        if len(self._kept) < MOST_BYTES:
            self._kept += chunk[: MOST_BYTES - len(self._kept)]

    @property
    def text(self) -> str:
        """What was kept, keys masked, those too that came in pieces."""
        text, keys = bytes(self._kept).decode("utf-8", "replace"), KNOWN.forms_with(self._secret)
        return keys.masked(_without_pieces(text, keys)).strip()


def _without_pieces(text: str, keys: Forms) -> str:
    """`text` without the parts of keys that stand in texts of several events."""
    values: dict[tuple[str, str], list[re.Match[str]]] = {}
    index = ""
    for found in _INDEX_OR_TEXT.finditer(text):
        index = found["index"] or index
        if found["text"]:
            values.setdefault((found["name"], index), []).append(found)
    cut = sorted(place for pieces in values.values() for place in _places(pieces, keys))
    kept, at = [], 0
    for start, end in cut:
        kept += [text[at:start], "…"]
        at = end
    return "".join([*kept, text[at:]])


def _places(pieces: Sequence[re.Match[str]], keys: Forms) -> Iterator[tuple[int, int]]:
    """Where in the whole answer the parts of those keys are that the joined `pieces` hold."""
    ends = list(accumulate(len(piece["text"]) for piece in pieces))
    for start, end, _shown in keys.places("".join(piece["text"] for piece in pieces)):
        for piece, stop in zip(pieces, ends, strict=True):
            began = stop - len(piece["text"])
            if began < end and stop > start:
                offset = piece.start("text") - began
                yield max(start, began) + offset, min(end, stop) + offset


class RawAnswers:
    """The last answers of each page, by call and owner. A sweep's many don't push those of the chat out."""

    def __init__(self) -> None:
        self._answers: dict[Page, OrderedDict[tuple[str, str], RawAnswer]] = {page: OrderedDict() for page in KEPT}
        self._lock = Lock()

    def begin(self, owner: str, call_id: str, secret: str, page: Page = "chat") -> RawAnswer:
        """Room for a new answer; the page's oldest goes when there are too many."""
        answer, kept = RawAnswer(secret), self._answers[page]
        with self._lock:
            kept[owner, call_id] = answer
            while len(kept) > KEPT[page]:
                kept.popitem(last=False)
        return answer

    def get(self, owner: str, call_id: str) -> RawAnswer | None:
        """What came for a call; None when that is not known any more, or is not this owner's."""
        return next((kept[owner, call_id] for kept in self._answers.values() if (owner, call_id) in kept), None)
