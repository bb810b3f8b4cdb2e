"""One cell's call in the line of a sweep: when it is tried again, and what it waits for between its attempts."""

import asyncio
import secrets
from collections.abc import Callable, Set
from typing import Protocol, cast

from lib.core.errors import RateLimited, TemperaError
from lib.gateway.retry import Retries
from lib.sweep.plan import Cell
from lib.sweep.rate_limiter import Gate
from lib.sweep.recorder import TEMPERATURE
from lib.sweep.waiting_calls import Lane, Waiting


class Sender(Protocol):
    """What a call asks of whoever sends it: `sending.Sending`, which is not known here."""

    @property
    def gives_up_at(self) -> float:
        """Until then refused calls are tried again."""

    def now(self) -> float:
        """Seconds on the clock by which the gates are told."""

    def lane(self, model: str) -> Lane:
        """The lane of a model of the plan."""

    def refused(self, turn: "CellTurn", now: float, asked: float | None) -> float:
        """Learn from a refusal; the moment from which that call may be sent again."""

    def put_back(self, turn: "CellTurn", not_before: float) -> None:
        """Let a call that was not answered wait for its next turn."""

    def drop(self, turn: "CellTurn") -> None:
        """Let a call wait no more."""

    def takes_no_temperature(self, cell: Cell) -> bool:
        """Of a row whose model has refused a temperature let one column be sent; whether `cell` is of that one."""

    def tell(self, lane: Lane, what: Callable[[Gate], object]) -> None:
        """Let the gate that others see know of something, in a moment."""


class CellTurn(Retries):
    """One cell's call: it takes turns with the others, between its attempts too."""

    def __init__(self, sending: Sender, cell: Cell) -> None:
        super().__init__()
        self.cell, self.waiting = cell, Waiting(self, sending.lane(cell.model))
        self.call_id = secrets.token_hex(16)
        self._next_attempt: asyncio.Future[None] | None = None
        """What the call waits for between two attempts."""
        self._sending = sending
        self._failures: dict[str, int] = {}
        self._until, self._refusal = 0.0, TemperaError()

    @property
    def between_attempts(self) -> bool:
        """Whether its call was begun and waits for another attempt; False before it has begun, and in an attempt."""
        return self._next_attempt is not None

    def wait(self, error: TemperaError, attempt: int, shown: bool) -> float | None:
        """By the service's limits after a refusal, as often as it takes; after other failures by the general rule."""
        now = self._sending.now()
        if isinstance(error, RateLimited) and error.may_retry is not False and not shown:
            until = self._sending.refused(self, now, error.retry_after)
            if until > self._sending.gives_up_at:
                return None
        else:
            # Counted by kind: a refused call that then fails has all its attempts for that.
            self._failures[error.kind] = self._failures.get(error.kind, 0) + 1
            seconds = super().wait(error, self._failures[error.kind], shown)
            if seconds is None:
                return None
            until = now + seconds
        self._until, self._refusal = until, error
        return max(until - now, 0.0)

    async def sleep(self, seconds: float) -> None:
        """Wait in line."""
        self._next_attempt = asyncio.get_running_loop().create_future()
        self._sending.put_back(self, self._until)
        try:
            await self._next_attempt
        finally:
            self._next_attempt = None
            self._sending.drop(self)  # where it was stopped while it waited

    def go_on(self) -> None:
        """Let a call that waits between two attempts begin the next one."""
        if self._next_attempt is not None and not self._next_attempt.done():
            self._next_attempt.set_result(None)

    def give_up(self) -> None:
        """End the waiting with what was refused last."""
        if self._next_attempt is not None and not self._next_attempt.done():
            self._next_attempt.set_exception(self._refusal)

    def without(self, names: Set[str]) -> bool:
        """Of a model that takes no temperature one column is sent."""
        return not names & TEMPERATURE or self._sending.takes_no_temperature(self.cell)

    def request_left(self) -> None:
        """The lane's next call leaves so much later: this one had to be recorded, and the loop may be busy."""
        self.waiting.lane.at.moved(self._sending.now())

    def used_up(self, seconds: float) -> None:
        """The lane waits; the headers say that its next call would be refused."""
        now = self._sending.now()
        self.waiting.lane.at.used_up(now, seconds)
        self._sending.tell(self.waiting.lane, lambda gate: gate.used_up(now, seconds))


def turn_of(waiting: Waiting) -> CellTurn:
    """The call that waits there; nobody else puts calls into the line of a sweep."""
    return cast(CellTurn, waiting.payload)
