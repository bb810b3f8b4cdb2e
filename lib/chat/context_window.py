"""Estimates how full a model's context gets with the next message and what it costs, and decides what must be left
out.

All of it is an estimate: tokens are counted by tiktoken, message by message and memoised; images are not counted, as
each model counts them in a way of its own.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from lib.chat.form import Form
from lib.chat.repository import Turn
from lib.core import prices, tokens
from lib.core.images import without_data
from lib.core.reply import Usage
from lib.core.request import Message
from lib.gateway.endpoints import Endpoint, find
from lib.gateway.pricing import cost_of

TYPICAL_ANSWER_TOKENS = 300
MENTIONED_FROM = 0.6
NEARLY_FULL_FROM = 0.9


@dataclass(frozen=True, slots=True)
class Estimate:
    """Of one `model`, by its service's name and its id. `answer_tokens` is what is kept free for the answer, `window`
    the model's context in tokens and `cost` US dollars at list prices for the prompt and a typical answer; None is "not
    known"."""

    model: tuple[str, str]
    prompt_tokens: int
    answer_tokens: int
    window: int | None
    cost: float | None
    images: bool

    @property
    def fill(self) -> float | None:
        """The part of the context that the prompt takes; 1 is full."""
        return self.prompt_tokens / self.window if self.window else None

    @property
    def too_long(self) -> bool:
        """Whether prompt and answer together are more than the model's context, as far as that is known."""
        return self.window is not None and self.prompt_tokens + self.answer_tokens > self.window


def estimates(
    endpoints: Sequence[Endpoint], turns: Sequence[Turn], form: Form, text: str = "", images: int = 0
) -> list[Estimate]:
    """What sending `text` with so many images after `turns` would take, for each model of `form`."""
    if not endpoints or not form.model.strip():
        return []
    messages = [*form.preface, *_without_images(turns), *_new(text)]
    pictured = bool(images) or any(turn.images for turn in turns)
    found = [find(model.strip(), endpoints) for model in form.models]
    return [_estimate(endpoint, model, messages, form.params.max_tokens, pictured) for endpoint, model in found]


def turns_to_leave_out(endpoints: Sequence[Endpoint], turns: Sequence[Turn], form: Form, text: str) -> int | None:
    """How many of the oldest `turns` have to go so that `text` fits for every model of `form`; None where nothing
    helps."""
    # The smallest window counts: all models get the same turns.
    windows = [one.window for one in estimates(endpoints, turns, form, text) if one.window]
    if not windows:
        return 0
    rest = [*form.preface, *_new(text)]
    return _oldest_that_do_not_fit(_without_images(turns), rest, min(windows), form.params.max_tokens or 1)


def window_of(endpoint: Endpoint, model: str) -> int | None:
    """The context of a model in tokens, or None."""
    return endpoint.context_window or prices.context_window(model)


def _estimate(
    endpoint: Endpoint, model: str, messages: Sequence[Message], max_tokens: int | None, images: bool
) -> Estimate:
    prompt = tokens.count_prompt(messages)
    # Its length can't be known; a bound that was set is never exceeded.
    typical = min(TYPICAL_ANSWER_TOKENS, max_tokens or TYPICAL_ANSWER_TOKENS)
    cost = cost_of(endpoint, model, Usage(prompt, typical))
    return Estimate((endpoint.name, model), prompt, max_tokens or 1, window_of(endpoint, model), cost, images)


def _oldest_that_do_not_fit(
    turns: Sequence[Message], rest: Sequence[Message], window: int, answer_tokens: int
) -> int | None:
    """How many of the oldest `turns` have to go so that the others, `rest` (the system prompt, the new message) and the
    answer fit into `window`; None where `rest` alone is too long. What is kept begins with a question."""
    # One by one, and without what each count adds for the reply, so that the sums below are those of the whole prompt.
    sizes = [tokens.count_prompt([turn]) - tokens.TOKENS_PER_REPLY for turn in turns]
    needed = tokens.count_prompt(rest) + answer_tokens + sum(sizes)
    for gone in range(len(turns) + 1):
        begins_well = gone == 0 or gone == len(turns) or turns[gone].role == "user"
        if needed <= window and begins_well:
            return gone
        needed -= sizes[gone] if gone < len(turns) else 0
    return None


def _without_images(turns: Sequence[Turn]) -> list[Message]:
    return [Message(role=turn.role, content=without_data(turn.text)) for turn in turns]


def _new(text: str) -> list[Message]:
    return [Message(role="user", content=text)] if text.strip() else []
