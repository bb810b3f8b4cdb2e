"""The line in which one owner's calls wait where only so many of them may run at once."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class InLine:
    """How a call stands that waits: `concurrency` run at once, and its turn comes in about so many seconds;
    None: none has ended yet that would tell."""

    concurrency: int
    seconds: float | None


class OwnerLine:
    """Lets `concurrency` calls run, the others in the order they came. For the loop; `standing` is for every thread."""

    def __init__(self, concurrency: int) -> None:
        self._concurrency, self._slots = concurrency, asyncio.Semaphore(concurrency)
        self._waiting: list[str] = []
        self._usual: float | None = None
        """Seconds for which calls have held their slots, the last ones most of all."""

    @asynccontextmanager
    async def slot(self, call_id: str) -> AsyncIterator[None]:
        """Wait for a slot and keep it."""
        self._waiting.append(call_id)
        try:
            await self._slots.acquire()
        finally:
            self._waiting.remove(call_id)
        began = time.monotonic()
        try:
            yield
        finally:
            self._slots.release()
            held = time.monotonic() - began
            self._usual = held if self._usual is None else (self._usual + held) / 2

    def standing(self, call_id: str) -> InLine | None:
        """How a call stands in the line; None where it does not wait."""
        waiting = list(self._waiting)
        if call_id not in waiting:
            return None
        turn = waiting.index(call_id) + 1
        return InLine(self._concurrency, None if self._usual is None else self._usual * turn / self._concurrency)
