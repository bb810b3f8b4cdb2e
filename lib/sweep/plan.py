"""The axes of a sweep (models, temperatures, repeats) and the cells they make.

Rows are models, columns are temperatures. A cell's id is a hash of what it asks, where, and its repeat, within its
sweep: planning the same twice names the same cells, so resuming is a set difference.
"""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from lib.core.errors import InvalidInput
from lib.core.i18n import N_
from lib.core.parameters import Params
from lib.core.request import ChatRequest, Message

MAX_CELLS = 2_000
MAX_REPEATS = 50
MAX_CONCURRENCY = 64


@dataclass(frozen=True, slots=True)
class Plan:
    """What a sweep asks. `models` are `endpoint/model id`; a temperature of None is not sent; `history` is a
    conversation that the prompt goes on."""

    prompt: str
    models: tuple[str, ...]
    temperatures: tuple[float | None, ...]
    system: str = ""
    repeats: int = 1
    concurrency: int = 4
    params: Params = Params(stream=True)
    history: tuple[Message, ...] = ()

    def checked(self) -> "Plan":
        """The plan itself; raises InvalidInput with a sentence for what can't be run."""
        if not self.prompt.strip():
            raise InvalidInput(N_("The prompt is empty."))
        if not self.models:
            raise InvalidInput(N_("Choose at least one model."))
        if not self.temperatures:
            raise InvalidInput(N_("Choose at least one temperature."))
        _check_whole(N_("“Answers per setting” has to be a whole number from 1 to {most}."), self.repeats, MAX_REPEATS)
        at_once = N_("“Requests at the same time” has to be a whole number from 1 to {most}.")
        _check_whole(at_once, self.concurrency, MAX_CONCURRENCY)
        self.params.limited()
        for temperature in self.temperatures:
            Params.checked({"temperature": temperature})
        if self.size > MAX_CELLS:
            raise InvalidInput(
                N_("That makes {size:,} answers; at most {most:,} can be run at once."), size=self.size, most=MAX_CELLS
            )
        return self

    @property
    def size(self) -> int:
        """How many calls the plan makes."""
        return len(self.models) * len(self.temperatures) * self.repeats

    def request(self, model: str, temperature: float | None) -> ChatRequest:
        """The request of one cell; `model` is the id at its endpoint."""
        system = (Message(role="system", content=self.system),) if self.system.strip() else ()
        params = self.params.model_copy(update={"temperature": temperature})
        return ChatRequest(model, (*system, *self.history, Message(role="user", content=self.prompt)), params)

    def cells(self, sweep_id: str) -> "Iterator[Cell]":
        """All cells, row by row. The conversation is the same for all: it is written out and hashed once."""
        # Two thousand cells over a long conversation: its megabyte would be written and hashed for each.
        names = _Names(sweep_id, [message.to_send() for message in self.request("", None).messages])
        for row, model in enumerate(self.models):
            for column, temperature in enumerate(self.temperatures):
                params = self.params.model_copy(update={"temperature": temperature})
                body = {"model": model, **ChatRequest(model, (), params).sent}
                for repeat in range(self.repeats):
                    yield Cell(names.name(body, repeat), row, column, repeat, model, temperature)

    def to_json(self) -> dict[str, Any]:
        """The plan as JSON values; `from_json` reads it back."""
        return {
            "prompt": self.prompt,
            "system": self.system,
            "models": list(self.models),
            "temperatures": list(self.temperatures),
            "repeats": self.repeats,
            "concurrency": self.concurrency,
            # None is left out: off is the same as not there.
            "params": self.params.model_dump(mode="json", exclude_none=True),
            "history": [message.to_send() for message in self.history],
        }

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> "Plan":
        """A stored plan."""
        return cls(
            prompt=value["prompt"],
            system=value["system"],
            models=tuple(value["models"]),
            temperatures=tuple(value["temperatures"]),
            repeats=value["repeats"],
            concurrency=value["concurrency"],
            params=Params(**value["params"]),
            history=tuple(Message(**message) for message in value.get("history", ())),
        )


@dataclass(frozen=True, slots=True)
class Cell:
    """One call of a plan: its place in the grid (counted from 0) and what it asks."""

    id: str
    row: int
    column: int
    repeat: int
    model: str
    temperature: float | None


def cell_id(sweep_id: str, body: dict[str, Any], repeat: int) -> str:
    """The name of a cell: SHA-256 over sweep, canonical request and repeat, its first 128 bits in hex."""
    return hashlib.sha256(_canonical([sweep_id, body, repeat]).encode()).hexdigest()[:32]


class _Names:
    """`cell_id` for many cells of one conversation, which is by far the longest part of what is hashed."""

    def __init__(self, sweep_id: str, messages: list[Any]) -> None:
        self._begin = f"[{_canonical(sweep_id)}," + "{"
        self._messages = _canonical(messages)
        self._hashed: dict[str, Any] = {}
        """What goes before the model, the conversation at its end, as a hash to go on from."""

    def name(self, body: dict[str, Any], repeat: int) -> str:
        """The same as `cell_id` of `body` with the conversation in it."""
        # `cell_id` hashes JSON with sorted names: what sorts before "messages" comes before the conversation.
        before = {name: value for name, value in body.items() if name < "messages"}
        after = {name: value for name, value in body.items() if name > "messages"}
        prefix = _canonical(before)[1:-1]
        if prefix not in self._hashed:
            whole = f'{self._begin}{prefix}{"," if prefix else ""}"messages":{self._messages}'
            self._hashed[prefix] = hashlib.sha256(whole.encode())
        # hashlib goes on from a copy, so that only the few bytes after the conversation are hashed again.
        digest = self._hashed[prefix].copy()
        rest = _canonical(after)[1:-1]
        digest.update(f"{',' if rest else ''}{rest}}},{repeat}]".encode())
        return str(digest.hexdigest()[:32])


def _canonical(value: Any) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=True, separators=(",", ":"))


def unique(values: Sequence[Any]) -> tuple[Any, ...]:
    """`values` without repetitions, in their order."""
    return tuple(dict.fromkeys(values))


def _check_whole(message: str, value: Any, most: int) -> None:
    if not isinstance(value, int) or not 1 <= value <= most:
        raise InvalidInput(message, most=most)
