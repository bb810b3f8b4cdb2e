"""The axes of a sweep and the cells they make.

A cell has its place in five axes, each counted from 0: `row` (a model), `column` (a temperature), `input` (a row of the
values for the prompt's `{{variables}}`), `variant` (a value of the one further axis: a parameter or the system prompt),
`repeat`. A sweep without inputs or a further axis has only the first of each, 0, so that the grid of one input and
one variant (`slice_of`) is the grid of every sweep. Whoever adds to a plan adds at the end of an axis, and every cell
keeps its place.

A cell's id is a hash of what it asks, where, and its place in the axes that the request does not tell, within its
sweep: planning the same twice names the same cells, so resuming is a set difference.
"""

import hashlib
import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

from lib.core.errors import InvalidInput, NoPrompt
from lib.core.i18n import N_
from lib.core.parameters import Params
from lib.core.request import ChatRequest, Message
from lib.core.variables import filled, names
from lib.sweep.axis import Axis

MAX_CELLS = 2_000
MAX_REPEATS = 50
MAX_CONCURRENCY = 64
PATIENCE, MAX_PATIENCE = 30, 24 * 60
MAX_PER_MINUTE = 10_000


@dataclass(frozen=True, slots=True)
class Plan:
    """What a sweep asks. `models` are `endpoint/model id`; a temperature of None is not sent; `history` is a
    conversation that the prompt goes on. Each of `inputs` has the values of the variables in the prompt and the system
    prompt by name; without inputs the braces are sent as they stand."""

    prompt: str
    models: tuple[str, ...]
    temperatures: tuple[float | None, ...]
    system: str = ""
    repeats: int = 1
    concurrency: int = 4
    params: Params = Params(stream=True)
    history: tuple[Message, ...] = ()
    inputs: tuple[Mapping[str, str], ...] = ()
    axis: Axis | None = None
    cap: float | None = None
    """US dollars that the sweep may cost; None: no limit."""
    patience: int = PATIENCE
    """For so many minutes after the last answer calls are tried again that are refused for a service's limits."""
    per_minute: int | None = None
    """So many requests a minute go to each service at most; None: as many as it takes."""

    def checked(self) -> "Plan":
        """The plan itself; raises InvalidInput with a sentence for what can't be run."""
        if not self.prompt.strip():
            raise NoPrompt(N_("The prompt is empty."))
        if not self.models:
            raise InvalidInput(N_("Choose at least one model."))
        if not self.temperatures:
            raise InvalidInput(N_("Choose at least one temperature."))
        _check_whole(N_("“Answers per setting” has to be a whole number from 1 to {most}."), self.repeats, MAX_REPEATS)
        requests = N_("“Requests at the same time” has to be a whole number from 1 to {most}.")
        _check_whole(requests, self.concurrency, MAX_CONCURRENCY)
        minutes = N_("The minutes until refused requests are given up have to be a whole number from 1 to {most}.")
        _check_whole(minutes, self.patience, MAX_PATIENCE)
        if self.per_minute is not None:
            pace = N_("“Requests a minute” has to be a whole number from 1 to {most:,}.")
            _check_whole(pace, self.per_minute, MAX_PER_MINUTE)
        if self.cap is not None and not 0 <= self.cap < math.inf:
            raise InvalidInput(N_("The most that the sweep may cost has to be a number, 0 or more."))
        self.params.limited()
        for temperature in self.temperatures:
            Params.checked({"temperature": temperature})
        if self.axis and not self.axis.of_system:
            for value in self.axis.values:
                Params().with_field(self.axis.field, value).checked_anew()
        # Before the inputs are looked at one by one: there may be many.
        if self.size > MAX_CELLS:
            raise InvalidInput(
                N_("That makes {size:,} answers; at most {most:,} can be run at once."), size=self.size, most=MAX_CELLS
            )
        self._check_inputs()
        return self

    def _check_inputs(self) -> None:
        if not self.inputs:
            return
        known = set().union(*self.inputs)
        for name in self.variables:
            if name not in known:
                raise InvalidInput(
                    N_("“{name}” is in the prompt, and the list of inputs has no such column."), name=name
                )
        for number, values in enumerate(self.inputs, 1):
            if not filled(self.prompt, values).strip():
                raise InvalidInput(N_("With row {number} of the inputs the prompt is empty."), number=number)

    @property
    def variables(self) -> list[str]:
        """The names of the variables in the prompt and in what can be the system prompt."""
        systems = self.axis.values if self.axis and self.axis.of_system else (self.system,)
        return list(unique([name for text in (self.prompt, *systems) for name in names(text)]))

    @property
    def ascending(self) -> tuple[float | None, ...]:
        """The temperatures as they are listed; those of `temperatures` stand in the order of their columns."""
        return tuple(sorted(self.temperatures, key=warmth))

    def asks_the_same(self, other: "Plan") -> bool:
        """Whether both make the same requests, however fast and for however much."""
        pace = {name: getattr(self, name) for name in ("concurrency", "per_minute", "cap", "patience")}
        return self == replace(other, **pace)

    def grown(self, wanted: "Plan") -> "Plan | None":
        """This plan with the models, temperatures, repeats and inputs that `wanted` has beyond it, each at the end of
        its axis, so that every cell keeps its place; None where `wanted` asks something else, or leaves something
        out."""
        shorter = replace(wanted, models=self.models, temperatures=self.temperatures, repeats=self.repeats)
        kept = set(self.models) <= set(wanted.models) and set(self.temperatures) <= set(wanted.temperatures)
        begins = wanted.inputs[: len(self.inputs)] == self.inputs and bool(self.inputs) == bool(wanted.inputs)
        same = self.asks_the_same(replace(shorter, inputs=self.inputs))
        if not same or not kept or not begins or wanted.repeats < self.repeats:
            return None
        return replace(
            wanted,
            models=unique([*self.models, *wanted.models]),
            temperatures=unique([*self.temperatures, *wanted.temperatures]),
        )

    @property
    def slices(self) -> tuple[int, int]:
        """How many inputs and how many variants there are, each at least 1: so many grids of models and temperatures
        make up the sweep."""
        return max(1, len(self.inputs)), len(self.axis.values) if self.axis else 1

    @property
    def size(self) -> int:
        """How many calls the plan makes."""
        inputs, variants = self.slices
        return len(self.models) * len(self.temperatures) * inputs * variants * self.repeats

    def messages(self, input: int = 0, variant: int = 0) -> tuple[Message, ...]:
        """The conversation that is sent for one input and variant; the variables have their values."""
        values = self.inputs[input] if self.inputs else {}
        system = filled(self.system_of(variant), values)
        first = (Message(role="system", content=system),) if system.strip() else ()
        return (*first, *self.history, Message(role="user", content=filled(self.prompt, values)))

    def system_of(self, variant: int) -> str:
        """The system prompt of one variant, with its variables as they stand; "" for none."""
        return str(self.axis.values[variant]) if self.axis and self.axis.of_system else self.system

    def params_of(self, temperature: float | None, variant: int = 0) -> Params:
        """The parameters that are sent for one temperature and variant."""
        params = self.params
        if self.axis and not self.axis.of_system:
            params = params.with_field(self.axis.field, self.axis.values[variant])
        return params.model_copy(update={"temperature": temperature})

    def request(self, model: str, temperature: float | None, input: int = 0, variant: int = 0) -> ChatRequest:
        """The request of one cell; `model` is the id at its endpoint."""
        return ChatRequest(model, self.messages(input, variant), self.params_of(temperature, variant))

    def cells(self, sweep_id: str) -> "Iterator[Cell]":
        """All cells: row by row, then column by column, each with its inputs, variants and repeats."""
        names = _Names(sweep_id, self.history)
        inputs, variants = map(range, self.slices)
        asked = {(input, variant): self._ends(input, variant) for input in inputs for variant in variants}
        for (row, model), (column, temperature) in product(enumerate(self.models), enumerate(self.temperatures)):
            bodies = [
                {"model": model, **ChatRequest(model, (), self.params_of(temperature, variant)).params_sent}
                for variant in variants
            ]
            for input, variant, repeat in product(inputs, variants, range(self.repeats)):
                name = names.name(bodies[variant], asked[input, variant], (repeat, input, variant))
                yield Cell(name, row, column, repeat, model, temperature, input, variant)

    def _ends(self, input: int, variant: int) -> tuple[str, str]:
        """The messages before and after the history, as `_Names` wants them: written out once for all cells."""
        *first, last = self.messages(input, variant)
        system = first[: len(first) - len(self.history)]
        return "".join(f"{_canonical(message.to_send())}," for message in system), _canonical(last.to_send())

    def to_json(self) -> dict[str, Any]:
        """The plan as JSON values; `from_json` reads it back."""
        return {
            "prompt": self.prompt,
            "system": self.system,
            "models": list(self.models),
            "temperatures": list(self.temperatures),
            "repeats": self.repeats,
            "concurrency": self.concurrency,
            "cap": self.cap,
            "patience": self.patience,
            "per_minute": self.per_minute,
            # None is left out: off is the same as not there.
            "params": self.params.model_dump(mode="json", exclude_none=True),
            "history": [message.to_send() for message in self.history],
            "inputs": [dict(values) for values in self.inputs],
            "axis": None if self.axis is None else {"field": self.axis.field, "values": list(self.axis.values)},
        }

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> "Plan":
        """A stored plan."""
        axis = value.get("axis")
        return cls(
            prompt=value["prompt"],
            system=value["system"],
            models=tuple(value["models"]),
            temperatures=tuple(value["temperatures"]),
            repeats=value["repeats"],
            concurrency=value["concurrency"],
            params=Params.stored(value["params"]),
            # Sweeps stored by the first versions have none of these.
            cap=value.get("cap"),
            patience=value.get("patience", PATIENCE),
            per_minute=value.get("per_minute"),
            history=tuple(map(_message, value.get("history", ()))),
            inputs=tuple(value.get("inputs", ())),
            axis=Axis(axis["field"], tuple(axis["values"])) if axis else None,
        )


def _message(value: dict[str, Any]) -> Message:
    """A turn of a stored plan, as it is sent: its text, or with images a list of parts."""
    said = value["content"]
    if isinstance(said, str):
        return Message(role=value["role"], content=said)
    text = "".join(part["text"] for part in said if part["type"] == "text")
    images = tuple(part["image_url"]["url"] for part in said if part["type"] == "image_url")
    return Message(role=value["role"], content=text, images=images)


@dataclass(frozen=True, slots=True)
class Cell:
    """One call of a plan: its place in the axes (counted from 0) and what it asks."""

    id: str
    row: int
    column: int
    repeat: int
    model: str
    temperature: float | None
    input: int = 0
    variant: int = 0


def warmth(temperature: float | None) -> float:
    """What temperatures are sorted by wherever they are listed: one that is not sent stands first. Their columns can't
    tell, as one that was added later has the last."""
    return -math.inf if temperature is None else temperature


def in_order(cells: "Iterable[Cell]") -> "list[Cell]":
    """Cells as they are listed: model by model, from the lowest temperature to the highest, else as they come."""
    return sorted(cells, key=lambda cell: (cell.row, warmth(cell.temperature)))


def slice_of(cells: Iterable[Cell], input: int, variant: int) -> list[Cell]:
    """The grid of one input and one variant, in the order of `cells`: models, temperatures and repeats only."""
    return [cell for cell in cells if (cell.input, cell.variant) == (input, variant)]


def _numbers(place: tuple[int, int, int]) -> tuple[int, ...]:
    # The first ones are named as they were before there were inputs and variants: a stored sweep keeps its cells.
    return place if any(place[1:]) else place[:1]


class _Names:
    """Names cells: the SHA-256 of the JSON of [sweep, request, repeat, input, variant], the last two left out where
    both are the first; of that 128 bits in hex. Two inputs may ask the same, and are two cells. The history that all
    cells share is by far the longest part, and is hashed once."""

    def __init__(self, sweep_id: str, history: Sequence[Message]) -> None:
        self._begin = f"[{_canonical(sweep_id)}," + "{"
        # Two thousand cells over a long conversation: its megabyte would be written and hashed for each.
        self._history = "".join(f"{_canonical(message.to_send())}," for message in history)
        self._hashed: dict[tuple[str, str], Any] = {}
        """What goes before the last message, as a hash to go on from; by what stands before the history."""

    def name(self, body: Mapping[str, Any], ends: tuple[str, str], place: tuple[int, int, int]) -> str:
        """The name of the cell at `place` that sends `body` with the conversation in it, `ends` around the history."""
        # JSON with sorted names: what sorts before "messages" comes before the conversation.
        before = {name: value for name, value in body.items() if name < "messages"}
        after = {name: value for name, value in body.items() if name > "messages"}
        prefix, (system, last) = _canonical(before)[1:-1], ends
        if (prefix, system) not in self._hashed:
            whole = f'{self._begin}{prefix}{"," if prefix else ""}"messages":[{system}{self._history}'
            self._hashed[prefix, system] = hashlib.sha256(whole.encode())
        # hashlib goes on from a copy, so that only what differs is hashed again.
        digest = self._hashed[prefix, system].copy()
        rest, numbers = _canonical(after)[1:-1], ",".join(map(str, _numbers(place)))
        digest.update(f"{last}]{',' if rest else ''}{rest}}},{numbers}]".encode())
        return str(digest.hexdigest()[:32])


def _canonical(value: Any) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=True, separators=(",", ":"))


def unique(values: Sequence[Any]) -> tuple[Any, ...]:
    """`values` without repetitions, in their order."""
    return tuple(dict.fromkeys(values))


def _check_whole(message: str, value: Any, most: int) -> None:
    if not isinstance(value, int) or not 1 <= value <= most:
        raise InvalidInput(message, most=most)
