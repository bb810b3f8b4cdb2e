"""What comes back from `POST /v1/chat/completions`: the answer as it grows, how it ended, and what it used."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from lib.core.errors import Billed
from lib.core.parts import Part

State = Literal["started", "ok", "partial", "error", "cancelled", "interrupted"]
UsageSource = Literal["reported", "gateway", "estimated", "unknown"]
"""Whose word a count of tokens is: the service's; a gateway's own estimate, where it says that it is one; ours;
nobody's. The surest first."""
CostSource = Literal["", "list", "own", "reported", "free", "local"]
"""Whose word a cost is: nobody's where there is none, the price list's, the service's; of a model that is free, or that
runs on this computer."""

NORMAL_END = "stop"
"""The finish reason of an answer that is whole."""


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

    @property
    def total_tokens(self) -> int | None:
        """Prompt and completion together; None where either is not known."""
        if self.prompt_tokens is None or self.completion_tokens is None:
            return None
        return self.prompt_tokens + self.completion_tokens

    def source_of(self, name: str) -> UsageSource:
        """Whose word one of the counts is, by its name in a report (`prompt_tokens`, .., `total_tokens`)."""
        if name == "total_tokens":
            parts = (self.source_of("prompt_tokens"), self.source_of("completion_tokens"))
            return max(parts, key=get_args(UsageSource).index)
        count = getattr(self, name)
        if count is None:
            return "unknown"
        # Of several versions a service may count one: then the prompt is its word, and the rest of the completion ours.
        counted = self.source == "estimated" and (self.received or {}).get(name) == count
        return "reported" if counted else self.source


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
    """Of each attempt the seconds, from the call's beginning, at which it was queued, had its turn, was connected,
    sent, had its first word and ended, and the kind of its error."""
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
