"""Keeps the raw bytes of the last answers for the inspector: in memory only, bounded, without keys."""

import re
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from itertools import accumulate
from threading import Lock

from lib.gateway.key_masking import KNOWN, Forms

MOST_BYTES = 262_144
"""Of one answer; what follows is counted only."""
KEPT = 50
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
    """The last answers by call and owner."""

    def __init__(self) -> None:
        self._answers: OrderedDict[tuple[str, str], RawAnswer] = OrderedDict()
        self._lock = Lock()

    def begin(self, owner: str, call_id: str, secret: str) -> RawAnswer:
        """Room for a new answer; the oldest goes when there are too many."""
        answer = RawAnswer(secret)
        with self._lock:
            self._answers[owner, call_id] = answer
            while len(self._answers) > KEPT:
                self._answers.popitem(last=False)
        return answer

    def get(self, owner: str, call_id: str) -> RawAnswer | None:
        """What came for a call; None when that is not known any more, or is not this owner's."""
        return self._answers.get((owner, call_id))
