"""Request and answer of `POST /v1/chat/completions`: every field, and the allowed range of every parameter.

Names are Chat Completions' own. Ranges and defaults are those APIYI publishes; the pages, links, errors and exports
read them from `RANGES` and `Params`.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, Self

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, ValidationError, field_validator

from lib.core.errors import Billed, InvalidInput
from lib.core.i18n import N_
from lib.core.parts import Part

Role = Literal["system", "user", "assistant"]
Page = Literal["chat", "sweep", "judge"]
State = Literal["started", "ok", "partial", "error", "cancelled", "interrupted"]
UsageSource = Literal["reported", "estimated", "unknown"]
CostSource = Literal["", "list", "reported", "free", "local"]
"""Whose word a cost is: nobody's where there is none, the price list's, the service's; of a model that is free, or that
runs on this computer."""

NORMAL_END = "stop"
"""The finish reason of an answer that is whole."""
MAX_PROMPT_CHARACTERS = 1_000_000
LONGEST_MODEL_ID = 300
"""Characters. The contract has no limit; no known id is half as long."""
MAX_STOP_SEQUENCES = 4
MAX_STOP_CHARACTERS = 1_000
"""Of one stop sequence; the contract has no limit, services end at a few dozen."""
MAX_USER_CHARACTERS = 256
MAX_EXTRA_CHARACTERS = 20_000
"""Of all further fields together, written as JSON."""
LIMIT_NAMES = ("max_tokens", "max_completion_tokens")
"""The names under which services take the longest answer: the contract's, and the one that newer models want."""
_OWN_CONTROL = N_("“{field}” can't be set here: it has a control of its own, “{field}”.")
SET_ELSEWHERE: Mapping[str, str] = {
    "model": N_("“{field}” can't be set here: choose the model at the top of the page."),
    "messages": N_("“{field}” can't be set here: they are the conversation itself."),
    "stream_options": N_("“{field}” can't be set here: it goes along with the control “stream”."),
    "max_completion_tokens": N_("“{field}” can't be set here: use the control “max_tokens”."),
}
"""Further fields that nobody may set, and what to use instead."""
# They refuse max_tokens (“Use 'max_completion_tokens' instead”). Others get the old name: Ollama ignores the new one.
NEWER_MODELS = re.compile(r"o\d|gpt-5")


@dataclass(frozen=True, slots=True)
class Range:
    """What may be set for one number: inclusive bounds, its default, and a slider's step. `ours` says that the upper
    bound is our own, as the contract has none."""

    lowest: float
    highest: float
    default: float | None
    step: float
    ours: bool = False


RANGES: Mapping[str, Range] = {
    "temperature": Range(0.0, 2.0, 1.0, 0.1),
    "max_tokens": Range(1, 10_000_000, None, 1, ours=True),
    "top_p": Range(0.0, 1.0, 1.0, 0.05),
    "n": Range(1, 128, 1, 1, ours=True),
    "presence_penalty": Range(-2.0, 2.0, 0.0, 0.1),
    "frequency_penalty": Range(-2.0, 2.0, 0.0, 0.1),
}


def _within(name: str) -> Any:
    bounds = RANGES[name]
    # Our own bounds are for new input only: what was stored before there were any has to be read.
    return Field(ge=bounds.lowest, le=None if bounds.ours else bounds.highest, allow_inf_nan=False)


class Message(BaseModel):
    """One turn: its text, and images as data URLs (`data:image/png;base64,..`)."""

    model_config = ConfigDict(frozen=True)

    role: Role
    content: str
    images: tuple[str, ...] = ()

    def to_send(self) -> dict[str, Any]:
        """The turn as the contract has it: plain text, or a list of parts where there are images."""
        if not self.images:
            return {"role": self.role, "content": self.content}
        text = [{"type": "text", "text": self.content}] if self.content.strip() else []
        images = [{"type": "image_url", "image_url": {"url": url}} for url in self.images]
        return {"role": self.role, "content": [*text, *images]}


class Params(BaseModel):
    """The optional fields of a request; None means off: the field is not sent.

    Made directly it takes what the contract takes, so that everything stored can be read; new input goes through
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
    """Fields that the contract does not name, as JSON values; they are sent as they are, after the others. Sweeps
    stored by the first versions call them `more`."""

    @field_validator("extra_fields")
    @classmethod
    def _apart(cls, value: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
        for name in value or ():
            # They are sent after the others, and would take their place.
            if name in SET_ELSEWHERE or (name in cls.model_fields and name != "extra_fields"):
                raise InvalidInput(SET_ELSEWHERE.get(name, _OWN_CONTROL), field=name)
        return value

    @field_validator("stop", mode="before")
    @classmethod
    def _one_or_many(cls, value: Any) -> Any:
        return (value,) if isinstance(value, str) else value

    @classmethod
    def checked(cls, values: Mapping[str, Any]) -> Self:
        """New `values` as parameters; raises InvalidInput for the first one outside the contract or our bounds."""
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
        extra = json.dumps(dict(self.extra_fields or {}), separators=(",", ":"), ensure_ascii=False)
        if len(extra) > MAX_EXTRA_CHARACTERS:
            raise InvalidInput(N_("The further fields are longer than {most:,} characters."), most=MAX_EXTRA_CHARACTERS)
        return self

    @classmethod
    def recorded(cls, values: Mapping[str, Any]) -> Self:
        """The parameters that `to_send` gave, as they were stored: names the contract lacks are further fields."""
        extra = {
            name: value for name, value in values.items() if name not in cls.model_fields or name == "extra_fields"
        }
        return cls._read({**{name: values[name] for name in values.keys() - extra}, "extra_fields": extra or None})

    def to_send(self) -> dict[str, Any]:
        """The fields that are on, as JSON values in the contract's order; empty ones count as off."""
        fields = self.model_dump(mode="json", exclude_none=True, exclude={"extra_fields"})
        return {name: value for name, value in fields.items() if value not in ([], "")} | dict(self.extra_fields or {})


def _refusal(name: str) -> InvalidInput:
    bounds = RANGES.get(name)
    if name == "stop":
        return InvalidInput(N_("There can be at most {most} stop sequences."), most=MAX_STOP_SEQUENCES)
    if bounds is None:
        return InvalidInput(N_("“{field}” can't be sent with this value."), field=name)
    if bounds.ours:
        message = N_("“{field}” has to be a whole number from {lowest:,} to {highest:,}.")
        return InvalidInput(message, field=name, lowest=bounds.lowest, highest=bounds.highest)
    return InvalidInput(
        N_("“{field}” has to be a number from {lowest:g} to {highest:g}."),
        field=name,
        lowest=bounds.lowest,
        highest=bounds.highest,
    )


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """One request: the model's id at its endpoint, the conversation, and what the user set.

    `unsupported` are the names of fields that the model is known not to take; they are left out.
    """

    model: str
    messages: tuple[Message, ...]
    params: Params = Params()
    unsupported: frozenset[str] = frozenset()

    def checked(self) -> Self:
        """The request itself; raises InvalidInput when it is empty, too long or asks for too much to be sent."""
        last = self.messages[-1] if self.messages else None
        if last is None or not (last.content.strip() or last.images):
            raise InvalidInput(N_("The message is empty."))
        if sum(len(message.content) for message in self.messages) > MAX_PROMPT_CHARACTERS:
            raise InvalidInput(N_("The conversation is longer than {most:,} characters."), most=MAX_PROMPT_CHARACTERS)
        self.params.limited()
        return self

    def body(self) -> dict[str, Any]:
        """The JSON body, holding only what was set."""
        return {"model": self.model, "messages": [message.to_send() for message in self.messages], **self.sent}

    @property
    def sent(self) -> dict[str, Any]:
        """The parameters under the names, and only those, that the model takes; a stream also asks for its usage."""
        named = {self._name_for(name): value for name, value in self.params.to_send().items()}
        if named.get("stream") and "stream" not in self.unsupported:
            # Services report no usage of a stream unless asked for it.
            named["stream_options"] = {"include_usage": True}
        return {name: value for name, value in named.items() if name not in self.unsupported}

    def _name_for(self, name: str) -> str:
        if name not in LIMIT_NAMES:
            return name
        first, second = reversed(LIMIT_NAMES) if NEWER_MODELS.match(self.model) else LIMIT_NAMES
        return second if first in self.unsupported else first

    @property
    def choices(self) -> int:
        """How many completions are asked for."""
        return 1 if "n" in self.unsupported else self.params.n or 1


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one call. The parts (reasoning, cached) are contained in the wholes; None is "not known"."""

    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    reasoning_tokens: int | None = None
    cached_tokens: int | None = None
    source: UsageSource = "unknown"
    cost: float | None = field(default=None, compare=False)
    """What the service says that the call cost, in its own currency, as most say US dollars."""
    of_one_choice: bool = field(default=False, compare=False)
    """Whether the completion's tokens are those of the first of several choices only."""
    received: Mapping[str, Any] | None = field(default=None, compare=False)
    """The report as it came; None where there was none, or one too large to keep."""


@dataclass(frozen=True, slots=True)
class Delta:
    """One step of an answer: a piece of one choice's text, or a fact about the call."""

    choice: int = 0
    text: str = ""
    reasoning: str = ""
    finish_reason: str | None = None
    usage: Usage | None = None
    model: str = ""
    request_id: str = ""
    all_was_thought: bool = False
    """All text of the choice before this delta was reasoning: its end came without its beginning."""
    parts: tuple[Part, ...] | None = None
    """What the choice holds beside its text, all of it as it is by now; None: nothing new."""


@dataclass(slots=True)
class Choice:
    """One completion as it grows; the pieces are joined when read, so that adding one costs the same at any length."""

    pieces: list[str] = field(default_factory=list)
    thoughts: list[str] = field(default_factory=list)
    finish_reason: str | None = None
    parts: Sequence[Part] = ()
    """What is not text: tool calls, images, audio, sources; see lib/core/parts.py."""

    @property
    def text(self) -> str:
        return "".join(self.pieces)

    @property
    def reasoning(self) -> str:
        return "".join(self.thoughts)

    def add(self, delta: Delta) -> None:
        """Take in one delta of this choice."""
        if delta.all_was_thought:
            # As new lists: a thread that reads meanwhile sees the words in one of them, or in both.
            self.thoughts = [*self.thoughts, *self.pieces]
            self.pieces = []
        if delta.text:
            self.pieces.append(delta.text)
        if delta.reasoning:
            self.thoughts.append(delta.reasoning)
        if delta.parts is not None:
            self.parts = delta.parts
        self.finish_reason = delta.finish_reason or self.finish_reason


@dataclass(slots=True)
class Reply:
    """An answer as it grows, and how it ended: written by one task, readable from any thread at any time.

    Times are in seconds, `cost` in US dollars: what the service reports, else at the `price` of its model (None: no
    price).
    """

    # Only appended to, so that a thread that reads meanwhile sees a shorter answer, never a broken one.
    choices: list[Choice] = field(default_factory=list)
    usage: Usage = Usage()
    model: str = ""
    request_id: str = ""
    state: State = "started"
    seconds: float = 0.0
    first_token_seconds: float | None = None
    error_kind: str = ""
    error_text: str = ""
    error_record: Mapping[str, Any] = field(default_factory=dict)
    """The sentence of the error, as `TemperaError.record` gives it."""
    billed: Billed = "yes"
    attempts: int = 1
    attempt_times: tuple[Mapping[str, Any], ...] = ()
    """Of each attempt the seconds, from the call's beginning, at which it was queued, connected, sent, had its first
    word and ended, and the kind of its error."""
    cost: float | None = None
    cost_source: CostSource = ""
    price: tuple[float, float] | None = None
    """US dollars per million prompt and completion tokens at the time."""

    def add(self, delta: Delta) -> None:
        """Take in one delta; choices may come in any order."""
        # llama.cpp begins with choice 1; and a delta of facts alone begins none.
        if delta.text or delta.reasoning or delta.finish_reason or delta.parts or delta.all_was_thought:
            while len(self.choices) <= delta.choice:
                self.choices.append(Choice())
            self.choices[delta.choice].add(delta)
        # The last report counts: vLLM sends one with each piece, growing.
        self.usage = delta.usage or self.usage
        self.model = delta.model or self.model
        self.request_id = delta.request_id or self.request_id

    @property
    def finish_reason(self) -> str | None:
        """How the answer ended: with several choices the first end that is not a normal one, else the first."""
        reasons = [choice.finish_reason for choice in self.choices]
        return next((reason for reason in reasons if reason not in (None, NORMAL_END)), next(iter(reasons), None))

    @property
    def empty(self) -> bool:
        """Whether nothing of an answer has come yet."""
        return not any(choice.pieces or choice.thoughts or choice.parts for choice in self.choices)


@dataclass(frozen=True, slots=True)
class Call:
    """A call about to be made, and for whom. Ids are random, 128 bits in hex."""

    id: str
    owner: str
    session: str
    page: Page
    endpoint: str
    request: ChatRequest
    cell_id: str | None = None
    temporary: bool = False
    chat_id: str | None = None
    sweep_id: str | None = None
