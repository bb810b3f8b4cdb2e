"""Estimates a plan's calls, prompt tokens and cost before it runs, and what a run will have cost when it ends."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from statistics import fmean
from typing import Any

from lib.calls import worst_case
from lib.calls.worst_case import LONGEST_ANSWER_TOKENS
from lib.core import tokens
from lib.core.budget import Use
from lib.core.reply import Usage
from lib.gateway.endpoints import Endpoint, find
from lib.gateway.pricing import cost_of
from lib.sweep.history import NOTHING, Usual
from lib.sweep.plan import Cell, Plan
from lib.sweep.progress import Progress
from lib.sweep.run import SweepRun

TYPICAL_ANSWER_TOKENS = 300


@dataclass(frozen=True, slots=True)
class PlanEstimate:
    """`prompt_tokens` of all answers together. Costs are US dollars at list prices for the models that have one:
    `typical` for answers of a usual length, `highest` where max_tokens bounds them; None is "no price known" or "not
    bounded". `unpriced` is how many of the plan's models are left out of both; `unpriced_answers` is how many of the
    answers those give, and `free_answers` how many cost nothing."""

    answers: int
    prompt_tokens: int
    typical: float | None
    highest: float | None
    unpriced: int
    unpriced_answers: int = 0
    free_answers: int = 0
    seconds: float | None = None
    """How long it takes by what is known of the models; None: nothing is known of any."""
    untimed: int = 0
    """How many of the plan's models are taken to be as fast as the others, as nothing is known of them."""

    def to_json(self) -> dict[str, Any]:
        """What is kept beside the sweep, to be set beside what it was."""
        return {"typical": self.typical, "highest": self.highest, "seconds": self.seconds}


def estimate(
    plan: Plan,
    endpoints: Sequence[Endpoint],
    usual: Mapping[tuple[str, str], Usual] = NOTHING.models,
    cells: Iterable[Cell] | None = None,
) -> PlanEstimate:
    """What running `plan` takes, or sending those `cells` of it; tokens are counted by tiktoken. `usual` is what the
    visitor's own calls tell of each model: how much it writes, and how long it takes."""
    # One for each conversation that is sent: its tokens, and the longest answer to it.
    asked = {
        (input, variant): (tokens.count_prompt(plan.messages(input, variant)), plan.params_of(None, variant).max_tokens)
        for input, variant in product(*map(range, plan.slices))
    }
    of_each = len(plan.temperatures) * plan.repeats
    counts = Counter({(model, place): of_each for model in plan.models for place in asked})
    if cells is not None:
        counts = Counter((cell.model, (cell.input, cell.variant)) for cell in cells)
    models = {model: find(model, endpoints) for model, _place in counts} if endpoints else {}
    # A price belongs to a model, whatever is asked.
    priced = {model for model, found in models.items() if cost_of(*found, Usage(1, 1)) is not None}

    def cost(length: Callable[[str, int | None], int]) -> float | None:
        costs = [
            count * (cost_of(*models[model], Usage(asked[place][0], length(model, asked[place][1]))) or 0)
            for (model, place), count in counts.items()
            if model in priced
        ]
        return sum(costs) if priced else None

    def typical(model: str, longest: int | None) -> int:
        return _usual_length(usual.get((models[model][0].name, models[model][1])), longest)

    of_each_model: Counter[str] = Counter()
    for (model, _place), count in counts.items():
        of_each_model[model] += count
    free = {model for model in priced if cost_of(*models[model], Usage(1_000_000, 1_000_000)) == 0}
    seconds, untimed = _seconds(of_each_model, models, usual, plan)
    return PlanEstimate(
        answers=counts.total(),
        prompt_tokens=sum(count * asked[place][0] for (_model, place), count in counts.items()),
        typical=cost(typical),
        highest=cost(lambda _model, longest: longest or 0) if all(longest for _, longest in asked.values()) else None,
        unpriced=len(models) - len(priced),
        unpriced_answers=sum(count for model, count in of_each_model.items() if model not in priced),
        free_answers=sum(of_each_model[model] for model in free),
        seconds=seconds,
        untimed=untimed,
    )


def with_more(before: Mapping[str, Any], more: Mapping[str, Any]) -> dict[str, Any]:
    """The stored estimate of a sweep that grows, from that of before and of what is added; a part that either has not
    is not known."""
    return {
        name: value + before[name] for name, value in more.items() if value is not None and before.get(name) is not None
    }


def unpriced(plan: Plan, endpoints: Sequence[Endpoint]) -> list[tuple[str, str]]:
    """The plan's models without a price, by service and id."""
    models = [find(model, endpoints) for model in plan.models] if endpoints else []
    return [(endpoint.name, model) for endpoint, model in models if cost_of(endpoint, model, Usage(1, 1)) is None]


def _usual_length(usual: Usual | None, longest: int | None) -> int:
    """How many tokens an answer has that is as long as the model's mostly are, and at most `longest`."""
    if usual is not None and usual.completion_tokens is not None:
        return min(round(usual.completion_tokens), longest or LONGEST_ANSWER_TOKENS)
    # Nothing is known of it: few answers are as long as they may be.
    return min(TYPICAL_ANSWER_TOKENS, (longest or LONGEST_ANSWER_TOKENS) // 2)


def _seconds(
    answers: Mapping[str, int],
    models: Mapping[str, tuple[Endpoint, str]],
    usual: Mapping[tuple[str, str], Usual],
    plan: Plan,
) -> tuple[float | None, int]:
    """How long so many answers of each model take, as many at once and a minute as the plan lets; and of how many
    models that is not known: they are taken to be as fast as the others. What a service with a pace writes goes on
    beside the rest."""
    each = {model: _seconds_of_one(found, usual) for model, found in models.items()}
    known = [seconds for seconds in each.values() if seconds is not None]
    leaving = _seconds_to_leave(answers, models, plan.per_minute)
    if not known:
        return leaving or None, len(each)
    at_pace: dict[str, float] = {}
    rest: list[float] = []
    longest = 0.0
    for model, (endpoint, _name) in models.items():
        seconds = each[model] or fmean(known)
        if endpoint.seconds_each is not None:
            at_pace[endpoint.name] = at_pace.get(endpoint.name, 0.0) + answers[model] * seconds
        else:
            rest.append(answers[model] * seconds / plan.concurrency)
            longest = max(longest, seconds)
    return max(*at_pace.values(), longest, sum(rest), leaving), len(each) - len(known)


def _seconds_to_leave(
    answers: Mapping[str, int], models: Mapping[str, tuple[Endpoint, str]], per_minute: int | None
) -> float:
    """How long the requests to one service take to leave, where only so many a minute may; 0 without such a bound."""
    of_service: Counter[str] = Counter()
    for model, (endpoint, _name) in models.items():
        of_service[endpoint.name] += answers[model]
    return max(of_service.values(), default=0) * 60 / per_minute if per_minute else 0.0


def _seconds_of_one(found: tuple[Endpoint, str], usual: Mapping[tuple[str, str], Usual]) -> float | None:
    """How long a model takes for an answer; None where that is not known."""
    endpoint, name = found
    if endpoint.seconds_each is not None:
        return endpoint.seconds_each
    mean = usual.get((endpoint.name, name))
    return None if mean is None else mean.seconds


def worst_of_each(plan: Plan, models: Iterable[str], endpoints: Sequence[Endpoint]) -> dict[str, Use]:
    """What one call of each of the plan's models takes at worst."""
    slices = list(product(*map(range, plan.slices)))
    prompt = max(worst_case.longest_prompt(plan.messages(*place)) for place in slices)
    bounds = [plan.params_of(None, variant).max_tokens for _input, variant in slices]
    worst: dict[str, Use] = {}
    for model in models if endpoints else ():
        endpoint, name = find(model, endpoints)
        longest = max(bound or worst_case.window_left(name, prompt) for bound in bounds)
        worst[model] = worst_case.use_of(endpoint, name, prompt, longest * (plan.params.n or 1))
    return worst


def worst_of_all(plan: Plan, endpoints: Sequence[Endpoint]) -> list[Use]:
    """What all calls of each of the plan's models take at worst."""
    of_each = plan.size // len(plan.models)
    return [one.times(of_each) for one in worst_of_each(plan, plan.models, endpoints).values()]


def usual_of_each(
    plan: Plan, models: Iterable[str], endpoints: Sequence[Endpoint], usual: Mapping[tuple[str, str], Usual]
) -> dict[str, float | None]:
    """What one call of each of the plan's models mostly costs, in US dollars; None: no price."""
    prompt = tokens.count_prompt(plan.messages())
    found: dict[str, float | None] = {}
    for model in models if endpoints else ():
        endpoint, name = find(model, endpoints)
        length = _usual_length(usual.get((endpoint.name, name)), plan.params.max_tokens)
        found[model] = cost_of(endpoint, name, Usage(prompt, length))
    return found


def expected_cost(progress: Progress, run: SweepRun) -> float | None:
    """US dollars when the run has ended: what it cost so far, and for each missing answer what those of its model cost,
    or mostly cost; None where no price is known."""
    costs: dict[str, list[float]] = {}
    for cell in progress.cells:
        call = progress.results.get(cell.id)
        if call is not None and call.state == "ok" and call.cost is not None:
            costs.setdefault(cell.model, []).append(call.cost)
    open_calls = [call for call in progress.results.values() if call.state == "started"]
    open_cells = {call.cell_id for call in open_calls} | {cell.id for cell in progress.left}
    expected, known = progress.spent, bool(costs)
    for cell in progress.cells:
        if cell.id not in open_cells:
            continue
        known_costs = costs.get(cell.model)
        mean = fmean(known_costs) if known_costs else run.usual.get(cell.model)
        if mean is not None:
            expected, known = expected + mean, True
    return expected if known else None
