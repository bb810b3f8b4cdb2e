"""Counts again what services have counted: prompt and answer of each call, with tiktoken.

tiktoken is exact for OpenAI's models only, and there also only nearly: a service may add its own words to a prompt. For
all others the two numbers stand beside each other and nobody is accused.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from lib.calls.records import CallRecord
from lib.core import model_names, tokens
from lib.core.request import Message

OPENAI = ("gpt-4o", "gpt-4.1", "gpt-4.5", "gpt-5", "o1", "o3", "o4", "chatgpt-4o")
"""How the ids of the models begin that use the vocabulary which is counted with (o200k_base)."""
ENOUGH_CALLS = 20
DRIFT = 0.1
"""A warning needs this many calls and this share between the sums."""


@dataclass(frozen=True, slots=True)
class Counted:
    """One call: tokens as the service reports them and as they are counted here. Output is text alone: tokens for
    thinking, whose words mostly don't come, are taken off what was reported."""

    call: CallRecord
    prompt_reported: int
    prompt_counted: int
    completion_reported: int
    completion_counted: int
    words: int


@dataclass(frozen=True, slots=True)
class ModelAudit:
    """The sums of one model's calls. `exact` is whether tiktoken has this model's vocabulary."""

    model: str
    exact: bool
    calls: int
    prompt_reported: int
    prompt_counted: int
    completion_reported: int
    completion_counted: int
    words: int

    @property
    def drifts(self) -> bool:
        """Whether the sums differ by so much, over so many calls, that it is worth a look."""
        pairs = (self.prompt_reported, self.prompt_counted), (self.completion_reported, self.completion_counted)
        far = any(abs(reported - counted) > DRIFT * max(counted, 1) for reported, counted in pairs)
        return self.exact and self.calls >= ENOUGH_CALLS and far


def counted(call: CallRecord, messages: Sequence[Message]) -> Counted | None:
    """A call counted again; None where its numbers or its words are not there, or not words alone."""
    usage = call.usage
    pictures = any(message.images for message in messages)
    beside = any(choice.parts for choice in call.choices)
    if usage.prompt_tokens is None or usage.completion_tokens is None or not messages or pictures or beside:
        return None
    texts = [choice.text for choice in call.choices]
    return Counted(
        call,
        usage.prompt_tokens,
        tokens.count_prompt(messages),
        max(0, usage.completion_tokens - (usage.reasoning_tokens or 0)),
        sum(tokens.count(text) for text in texts),
        sum(words(text) for text in texts),
    )


def by_model(calls: Iterable[Counted]) -> list[ModelAudit]:
    """The sums of each model, the most calls first."""
    groups: dict[str, list[Counted]] = {}
    for one in calls:
        groups.setdefault(one.call.model, []).append(one)
    found = [_sums(model, group) for model, group in groups.items()]
    return sorted(found, key=lambda one: (-one.calls, one.model))


def words(text: str) -> int:
    """How many words a reader would count: a Chinese, Japanese or Korean character is one, and so is a run of letters
    between spaces."""
    ideographs = sum(_is_ideograph(sign) for sign in text)
    rest = "".join(" " if _is_ideograph(sign) else sign for sign in text)
    return ideographs + sum(any(sign.isalnum() for sign in word) for word in rest.split())


def _is_ideograph(sign: str) -> bool:
    return "\u3040" <= sign <= "\u30ff" or "\u3400" <= sign <= "\u9fff" or "\uac00" <= sign <= "\ud7af"


def _sums(model: str, group: Sequence[Counted]) -> ModelAudit:
    return ModelAudit(
        model,
        exact=model_names.bare(model).lower().startswith(OPENAI),
        calls=len(group),
        prompt_reported=sum(one.prompt_reported for one in group),
        prompt_counted=sum(one.prompt_counted for one in group),
        completion_reported=sum(one.completion_reported for one in group),
        completion_counted=sum(one.completion_counted for one in group),
        words=sum(one.words for one in group),
    )
