"""Keeps the raw bytes of the last answers for the inspector: in memory only, bounded, without keys."""

from collections import OrderedDict
from threading import Lock

from lib.gateway.redact import masked

MOST_BYTES = 262_144
"""Of one answer; what follows is counted only."""
KEPT = 50


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
        """What was kept, keys masked."""
        return masked(bytes(self._kept).decode("utf-8", "replace"), self._secret, MOST_BYTES)


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
