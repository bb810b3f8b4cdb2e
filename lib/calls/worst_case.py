"""What a call may take at worst: told before it is sent, so that no cap and no budget is passed."""

from collections.abc import Iterable

from lib.core import prices, tokens
from lib.core.budget import Use
from lib.core.reply import Usage
from lib.core.request import ChatRequest, Message
from lib.gateway.endpoints import Endpoint
from lib.gateway.pricing import cost_of

LONGEST_ANSWER_TOKENS = 16_384
"""Where neither max_tokens nor the model's own window bounds an answer."""
PROMPT_MARGIN, FURTHER_TOKENS = 1.25, 10
"""Other models' words have more tokens than those of the tokenizer that counts here."""


def of_request(endpoint: Endpoint, request: ChatRequest) -> Use:
    """What `request` may take at `endpoint`; images come on top, as nobody knows their tokens before."""
    prompt, params = longest_prompt(request.messages), request.params
    # Few models write as much as they can read: with their windows as bounds, a budget would ask before every call.
    longest = params.max_tokens or min(LONGEST_ANSWER_TOKENS, window_left(request.model, prompt))
    return use_of(endpoint, request.model, prompt, longest * request.choices)


def use_of(endpoint: Endpoint, model: str, prompt: int, completion: int) -> Use:
    """What so many tokens are, and cost."""
    return Use(cost_of(endpoint, model, Usage(prompt, completion)), prompt + completion)


def longest_prompt(messages: Iterable[Message]) -> int:
    """How many tokens these may be at any model."""
    return round(tokens.count_prompt(messages) * PROMPT_MARGIN) + FURTHER_TOKENS


def window_left(model: str, prompt: int) -> int:
    """How many tokens the model's window leaves for an answer to so long a prompt."""
    return max(1, (prices.context_window(model) or LONGEST_ANSWER_TOKENS) - prompt)
