"""The one further axis of a sweep: the system prompt, or a field of the request, whose values take turns."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lib.core.errors import InvalidInput
from lib.core.i18n import N_
from lib.core.titles import title_of
from lib.sweep.number_list import number_label, numbers

SYSTEM = "system"
_BETWEEN = re.compile(r"[,;，；、\s]+")


@dataclass(frozen=True, slots=True)
class Varied:
    """A field that can be varied: of which kind its values are, and an example of them as they are typed."""

    kind: type[str] | type[int] | type[float]
    example: str = ""

    def takes(self, value: Any) -> bool:
        """Whether a value is of its kind; whether it is one that the API takes, the plan says."""
        numbers = int | float
        return isinstance(value, str if self.kind is str else numbers) and not isinstance(value, bool)


VARIED: Mapping[str, Varied] = {
    SYSTEM: Varied(str),
    "reasoning_effort": Varied(str, "low, medium, high"),
    "top_p": Varied(float, "0.5, 0.9, 1"),
    "max_tokens": Varied(int, "50, 200"),
    "presence_penalty": Varied(float, "0, 0.5, 1"),
    "frequency_penalty": Varied(float, "0, 0.5, 1"),
}
"""What the further axis can be. A field that no control is for is sent as a further one."""


@dataclass(frozen=True, slots=True)
class Axis:
    """The further axis: `field` is one of VARIED, and each of `values` takes its place in turn."""

    field: str
    values: tuple[Any, ...]

    @property
    def of_system(self) -> bool:
        """Whether it varies the system prompt, and no field of the request."""
        return self.field == SYSTEM

    @property
    def title(self) -> str:
        """What it varies, in English; fields have their own names."""
        return N_("System prompt") if self.of_system else self.field

    @property
    def labels(self) -> tuple[str, ...]:
        """Each value in a line: the first words of a text, "" for none; a number as it is typed."""
        return tuple(title_of(value) if isinstance(value, str) else number_label(value) for value in self.values)


def values_in(field: str, text: str) -> tuple[Any, ...]:
    """The values of a field that `text` names: words in their order, numbers ascending, each once. Raises InvalidInput
    for what can't be read."""
    kind = VARIED[field].kind
    if kind is str:
        return tuple(dict.fromkeys(filter(None, _BETWEEN.split(text))))
    found = numbers(text)
    if kind is int and any(not value.is_integer() for value in found):
        raise InvalidInput(N_("“{field}” takes whole numbers only."), field=field)
    return tuple(map(kind, found))
