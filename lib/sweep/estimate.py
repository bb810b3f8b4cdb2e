"""Estimates a plan's calls, prompt tokens and cost before it runs."""

from collections.abc import Sequence
from dataclasses import dataclass

from lib.core import tokens
from lib.core.reply import Usage
from lib.gateway.endpoints import Endpoint, find
from lib.gateway.pricing import cost_of
from lib.sweep.plan import Plan

TYPICAL_ANSWER_TOKENS = 300


@dataclass(frozen=True, slots=True)
class PlanEstimate:
    """`prompt_tokens` of all answers together. Costs are US dollars at list prices for the models that have one:
    `typical` for answers of a usual length, `highest` where max_tokens bounds them; None is "no price known" or "not
    bounded". `unpriced` is how many of the plan's models are left out of both."""

    answers: int
    prompt_tokens: int
    typical: float | None
    highest: float | None
    unpriced: int


def estimate(plan: Plan, endpoints: Sequence[Endpoint]) -> PlanEstimate:
    """What running `plan` takes; tokens are counted by tiktoken."""
    prompt = tokens.count_prompt(plan.request("", None).messages)
    models = [find(model, endpoints) for model in plan.models] if endpoints else []
    longest = plan.params.max_tokens
    typical = min(TYPICAL_ANSWER_TOKENS, longest or TYPICAL_ANSWER_TOKENS)
    costs = [cost for model in models if (cost := cost_of(*model, Usage(prompt, typical))) is not None]
    highest = sum(cost_of(*model, Usage(prompt, longest)) or 0 for model in models) if longest and costs else None
    calls = len(plan.temperatures) * plan.repeats
    return PlanEstimate(
        answers=plan.size,
        prompt_tokens=prompt * plan.size,
        typical=sum(costs) * calls if costs else None,
        highest=None if highest is None else highest * calls,
        unpriced=len(models) - len(costs),
    )
