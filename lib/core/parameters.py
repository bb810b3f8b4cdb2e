"""The parameters of `POST /v1/chat/completions`: their names, and the range that each may have.

Names are Chat Completions' own. Ranges and defaults are those APIYI publishes; the pages, links, errors and exports
read them from `RANGES` and `Params`.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Self

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, ValidationError, field_validator

from lib.core.errors import InvalidInput
from lib.core.i18n import N_

MAX_STOP_SEQUENCES = 4
MAX_STOP_CHARACTERS = 1_000
"""Of one stop sequence; the API has no limit, services end at a few dozen."""
MAX_USER_CHARACTERS = 256
MAX_EXTRA_CHARACTERS = 20_000
"""Of all further fields together, written as JSON."""
_OWN_CONTROL = N_("“{field}” can't be set here: it has a control of its own, “{field}”.")
SET_ELSEWHERE: Mapping[str, str] = {
    "model": N_("“{field}” can't be set here: choose the model at the top of the page."),
    "messages": N_("“{field}” can't be set here: they are the conversation itself."),
    "stream_options": N_("“{field}” can't be set here: it goes along with the control “stream”."),
    "max_completion_tokens": N_("“{field}” can't be set here: use the control “max_tokens”."),
}
"""Further fields that nobody may set, and what to use instead."""


@dataclass(frozen=True, slots=True)
class Range:
    """What may be set for one number: inclusive bounds, its default, and a slider's step. `whole` is one that takes no
    fractions; `ours` says that the upper bound is our own, as the API has none."""

    lowest: float
    highest: float
    default: float | None
    step: float
    whole: bool = False
    ours: bool = False


RANGES: Mapping[str, Range] = {
    "temperature": Range(0.0, 2.0, 1.0, 0.1),
    "max_tokens": Range(1, 10_000_000, None, 1, whole=True, ours=True),
    "top_p": Range(0.0, 1.0, 1.0, 0.05),
    "n": Range(1, 128, 1, 1, whole=True, ours=True),
    "presence_penalty": Range(-2.0, 2.0, 0.0, 0.1),
    "frequency_penalty": Range(-2.0, 2.0, 0.0, 0.1),
}


def _within(name: str) -> Any:
    bounds = RANGES[name]
    # Our own bounds are for new input only: what was stored before there were any has to be read.
    return Field(ge=bounds.lowest, le=None if bounds.ours else bounds.highest, allow_inf_nan=False)


class Params(BaseModel):
    """The optional fields of a request; None means off: the field is not sent.

    Made directly it takes what the API takes, so that everything stored can be read; new input goes through
    `checked`, which knows our own upper bounds too.
    """

    # A name that is misspelt would else be dropped in silence, and the model asked without it.
    model_config = ConfigDict(frozen=True, extra="forbid")

    temperature: Annotated[float, _within("temperature")] | None = None
    max_tokens: Annotated[int, _within("max_tokens")] | None = None
    top_p: Annotated[float, _within("top_p")] | None = None
    n: Annotated[int, _within("n")] | None = None
    stream: bool | None = None
    stop: Annotated[tuple[str, ...], Field(max_length=MAX_STOP_SEQUENCES)] | None = None
    presence_penalty: Annotated[float, _within("presence_penalty")] | None = None
    frequency_penalty: Annotated[float, _within("frequency_penalty")] | None = None
    user: str | None = None
    extra_fields: Annotated[Mapping[str, Any] | None, Field(validation_alias=AliasChoices("extra_fields", "more"))] = (
        None
    )
    """Fields that no control is for, as JSON values; they are sent as they are, after the others. Sweeps stored by the
    first versions call them `more`."""

    @field_validator("extra_fields")
    @classmethod
    def _apart(cls, value: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
        for name in value or ():
            # They are sent after the others, and would take their place.
            if name in SET_ELSEWHERE:
                raise InvalidInput(SET_ELSEWHERE[name], field=name)
        return value

    @field_validator("stop", mode="before")
    @classmethod
    def _one_or_many(cls, value: Any) -> Any:
        return (value,) if isinstance(value, str) else value

    @classmethod
    def checked(cls, values: Mapping[str, Any]) -> Self:
        """New `values` as parameters; raises InvalidInput for the first one outside the API or our bounds."""
        return cls._read(values).limited()

    @classmethod
    def _read(cls, values: Mapping[str, Any]) -> Self:
        try:
            return cls(**values)
        except ValidationError as problem:
            # Without the input, which may be a key in the wrong place.
            raise _refusal(str(problem.errors(include_input=False)[0]["loc"][0])) from None

    def limited(self) -> Self:
        """The parameters themselves; raises InvalidInput for the first one above our own upper bounds."""
        for name, bounds in RANGES.items():
            value = getattr(self, name)
            if value is not None and value > bounds.highest:
                raise _refusal(name)
        if any(len(word) > MAX_STOP_CHARACTERS for word in self.stop or ()):
            raise InvalidInput(N_("A stop sequence can have at most {most:,} characters."), most=MAX_STOP_CHARACTERS)
        if len(self.user or "") > MAX_USER_CHARACTERS:
            raise InvalidInput(N_("“user” can have at most {most:,} characters."), most=MAX_USER_CHARACTERS)
        for name in self.extra_fields or ():
            if name in SETTABLE:
                raise InvalidInput(_OWN_CONTROL, field=name)
        extra = json.dumps(dict(self.extra_fields or {}), separators=(",", ":"), ensure_ascii=False)
        if len(extra) > MAX_EXTRA_CHARACTERS:
            raise InvalidInput(N_("The further fields are longer than {most:,} characters."), most=MAX_EXTRA_CHARACTERS)
        return self

    def with_field(self, name: str, value: Any) -> Self:
        """The parameters with one more, which is a further field where no control is for it; not looked at."""
        set_anew = {name: value} if name in SETTABLE else {"extra_fields": {**(self.extra_fields or {}), name: value}}
        return self.model_copy(update=set_anew)

    def checked_anew(self) -> Self:
        """The parameters, looked at as new input is."""
        return self.checked(self.model_dump(exclude_none=True))

    @classmethod
    def recorded(cls, values: Mapping[str, Any]) -> Self:
        """The parameters that `to_send` gave, as they were stored: names the API lacks are further fields."""
        extra = {name: value for name, value in values.items() if name not in SETTABLE}
        return cls._read({**{name: values[name] for name in values.keys() - extra}, "extra_fields": extra or None})

    @classmethod
    def stored(cls, values: Mapping[str, Any]) -> Self:
        """The parameters that were stored field by field as `values`. A further field that has got a control since is
        that control's from now on, as far as it takes the value."""
        params = cls(**values)
        further = params.extra_fields or {}
        own = {name: value for name, value in further.items() if cls._takes(name, value)}
        rest = {name: value for name, value in further.items() if name not in own}
        return cls._read({**params.model_dump(), **own, "extra_fields": rest or None})

    @classmethod
    def _takes(cls, name: str, value: Any) -> bool:
        """Whether a control would send just this."""
        try:
            return cls._read({name: value}).to_send() == {name: value}
        except InvalidInput:
            return False

    def to_send(self) -> dict[str, Any]:
        """The fields that are on, as JSON values in the API's order; empty ones count as off."""
        fields = self.model_dump(mode="json", exclude_none=True, exclude={"extra_fields"})
        return {name: value for name, value in fields.items() if value not in ([], "")} | dict(self.extra_fields or {})


SETTABLE = frozenset(Params.model_fields) - {"extra_fields"}
"""The fields that have a control."""
API_FIELDS = SETTABLE | frozenset(SET_ELSEWHERE)
"""The fields of a request that the API names."""


def written(value: Any) -> str:
    """A parameter's value for people to read: a text as it is, everything else as it is sent (`["END", "\\n"]`)."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _refusal(name: str) -> InvalidInput:
    bounds = RANGES.get(name)
    if name == "stop":
        return InvalidInput(N_("There can be at most {most} stop sequences."), most=MAX_STOP_SEQUENCES)
    if bounds is None:
        return InvalidInput(N_("“{field}” can't be sent with this value."), field=name)
    if bounds.whole:
        message = N_("“{field}” has to be a whole number from {lowest:,} to {highest:,}.")
        return InvalidInput(message, field=name, lowest=bounds.lowest, highest=bounds.highest)
    return InvalidInput(
        N_("“{field}” has to be a number from {lowest:g} to {highest:g}."),
        field=name,
        lowest=bounds.lowest,
        highest=bounds.highest,
    )
