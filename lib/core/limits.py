"""What the operator of a shared Tempera allows: what one request may ask for, and how much may be used of an hour or a
day. On one's own computer nothing of it is set."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from lib.core.budget import CALLS, DOLLARS, TOKENS
from lib.core.errors import NotAllowed
from lib.core.i18n import N_
from lib.core.request import ChatRequest

Whose = Literal["visitor", "all"]
"""Each visitor for themselves, or all of them together."""
Stretch = Literal["hour", "day"]
"""A full hour, a day from midnight to midnight, in UTC."""
Count = Annotated[int, Field(ge=1)]


class Limits(BaseModel):
    """What one request, one sweep and one visitor may ask for; None, and no models, is no limit.

    models: patterns of `service/model id`, as in `apiyi/gpt-4o*`. max_tokens: also what is set where nothing is.
    at_once: how many calls of one visitor run; the others wait. further_fields: whether JSON fields that the API does
    not name may be sent, some of which cost.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    models: tuple[str, ...] = ()
    n: Count | None = None
    max_tokens: Count | None = None
    prompt_characters: Count | None = None
    sweep_answers: Count | None = None
    at_once: Count | None = None
    further_fields: bool = True

    def where_many_share(self) -> "Limits":
        """These, with what holds there unless the operator says otherwise."""
        usual = Limits(
            n=4, max_tokens=8_192, prompt_characters=200_000, sweep_answers=300, at_once=8, further_fields=False
        )
        return usual.model_copy(update=self.model_dump(exclude_unset=True))

    def lists(self, model: str) -> bool:
        """Whether a model, as `service/model id`, may be asked."""
        return not self.models or any(fnmatchcase(model, pattern) for pattern in self.models)

    def applied(self, request: ChatRequest, service: str) -> ChatRequest:
        """The request as it may be sent; raises NotAllowed. `service` is the operator's, for which models are listed;
        "" for one of the visitor's own, or for what runs on the server itself."""
        model, params = request.model, request.params
        if service and not self.lists(f"{service}/{model}"):
            raise NotAllowed(N_("The model “{model}” can't be used here."), model=model)
        if service and params.extra_fields and not self.further_fields:
            raise NotAllowed(N_("Further fields can't be sent here."))
        if self.n is not None and (params.n or 1) > self.n:
            raise NotAllowed(N_("At most {most:,} versions can be asked for here at once."), most=self.n)
        length = 0 if self.prompt_characters is None else sum(len(message.content) for message in request.messages)
        if self.prompt_characters is not None and length > self.prompt_characters:
            raise NotAllowed(
                N_("This is {length:,} characters long; here a request can have at most {most:,}."),
                length=length,
                most=self.prompt_characters,
            )
        if self.max_tokens is None:
            return request
        if (params.max_tokens or 0) > self.max_tokens:
            raise NotAllowed(N_("The longest answer (max_tokens) can be at most {most:,} here."), most=self.max_tokens)
        bounded = params.model_copy(update={"max_tokens": params.max_tokens or self.max_tokens})
        return replace(request, params=bounded)

    def check_sweep(self, answers: int) -> None:
        """Raises NotAllowed for a sweep of so many answers."""
        if self.sweep_answers is not None and answers > self.sweep_answers:
            words = N_("This asks for {answers:,} answers; here a sweep can have at most {most:,}.")
            raise NotAllowed(words, answers=answers, most=self.sweep_answers)


NO_LIMITS = Limits()


@dataclass(frozen=True, slots=True)
class Cap:
    """At most `limit` of `unit` (`calls`, `tokens`, or US dollars) in a stretch of time."""

    whose: Whose
    stretch: Stretch
    unit: str
    limit: float


class Amounts(BaseModel):
    """How much may be used of a stretch of time; None is no cap. cost: US dollars."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    calls: Annotated[int, Field(ge=0)] | None = None
    tokens: Annotated[int, Field(ge=0)] | None = None
    cost: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None = None


class Stretches(BaseModel):
    """Amounts by the hour and by the day."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    hour: Amounts = Amounts()
    day: Amounts = Amounts()


class CapSettings(BaseModel):
    """The operator's caps, as they stand in the settings."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    visitor: Stretches = Stretches()
    all: Stretches = Stretches()

    def caps(self) -> Iterator[Cap]:
        """The caps that are set."""
        of_whom: tuple[tuple[Whose, Stretches], ...] = (("visitor", self.visitor), ("all", self.all))
        for whose, stretches in of_whom:
            of_time: tuple[tuple[Stretch, Amounts], ...] = (("hour", stretches.hour), ("day", stretches.day))
            for stretch, amounts in of_time:
                for unit, limit in ((CALLS, amounts.calls), (TOKENS, amounts.tokens), (DOLLARS, amounts.cost)):
                    if limit is not None:
                        yield Cap(whose, stretch, unit, limit)
