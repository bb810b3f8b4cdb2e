"""What the next turn takes: prompt tokens, how full the model's context gets, and what it costs. All of it estimates.

The tokens are counted by tiktoken, message by message and memoised; images are not counted, as each model counts them
in a way of its own.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from lib.core import prices, tokens
from lib.core.contract import Message, Usage

TYPICAL_ANSWER_TOKENS = 300
MENTIONED_FROM = 0.6
NEARLY_FULL_FROM = 0.9


@dataclass(frozen=True, slots=True)
class Estimate:
    """Of one model. `answer_tokens` is what is kept free for the answer, `window` the model's context in tokens and
    `cost` US dollars at list prices for the prompt and a typical answer; None is "not known"."""

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


def estimate(
    model: str, window: int | None, messages: Sequence[Message], max_tokens: int | None, images: bool
) -> Estimate:
    """What sending `messages` to `model` takes, `max_tokens` being the longest answer that is asked for; `images` says
    whether some go along."""
    prompt = tokens.count_prompt(messages)
    typical = min(TYPICAL_ANSWER_TOKENS, max_tokens or TYPICAL_ANSWER_TOKENS)
    cost = prices.cost(model, Usage(prompt, typical))
    return Estimate(prompt, max_tokens or 1, window, cost, images)


def to_leave_out(turns: Sequence[Message], rest: Sequence[Message], window: int, answer_tokens: int) -> int | None:
    """How many of the oldest `turns` have to go so that the others, `rest` (the system prompt, the new message) and the
    answer fit into `window`; None where `rest` alone is too long. What is kept begins with a question."""
    sizes = [tokens.count_prompt([turn]) - tokens.TOKENS_PER_REPLY for turn in turns]
    needed = tokens.count_prompt(rest) + answer_tokens + sum(sizes)
    for gone in range(len(turns) + 1):
        begins_well = gone == 0 or gone == len(turns) or turns[gone].role == "user"
        if needed <= window and begins_well:
            return gone
        needed -= sizes[gone] if gone < len(turns) else 0
    return None
