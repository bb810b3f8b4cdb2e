"""Reads token counts from an answer, in every shape that gateways use.

Numbers may be missing, zero, strings, doubled or absurd.
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeGuard

from lib.core.reply import Usage

MOST_TOKENS = 1_000_000_000
MOST_REPORTS = 128
MOST_DOLLARS = 1_000_000
_COSTS = ("cost", "total_cost", "estimated_cost")
_TICKS = 10_000_000_000
"""xAI counts in these to the dollar (docs.x.ai/developers/cost-tracking)."""
_PROMPT, _COMPLETION = ("prompt_tokens", "input_tokens"), ("completion_tokens", "output_tokens")
_CACHED = ("cached_tokens", "prompt_cache_hit_tokens", "cache_read_input_tokens", "cache_read_tokens")
_GUESSED = ("estimated", "is_estimated", "usage_estimated")
_SOURCES, _GUESSES = ("usage_source", "source"), ("estimate", "estimated", "gateway_estimate", "local_estimate")
_WORDS_OF_GUESSES = frozenset((*_GUESSED, *_SOURCES))
_WRITER = json.JSONEncoder(default=str)
MOST_KEPT = 4_000
"""Characters of a report that is kept as it came; those of services are a tenth of it."""


def reports_in(value: Mapping[str, Any]) -> list[Any]:
    """The usage objects in a chunk or a completion: its own, Groq's, or those in its choices, as Moonshot sends it."""
    grouped = value.get("x_groq")
    found = [value.get("usage"), grouped.get("usage") if isinstance(grouped, dict) else None]
    if value.get("usage_estimated") is True:
        found = [{"usage_estimated": True, **one} if isinstance(one, dict) and one else one for one in found]
    choices = value.get("choices")
    inside = [choice.get("usage") for choice in choices if isinstance(choice, dict)] if _is_list(choices) else []
    return [report for report in (*found, *inside) if isinstance(report, dict) and report][:MOST_REPORTS]


def usage_of(report: Any) -> Usage | None:
    """The counts and the cost in one `usage` object; without counts (source `unknown`) where either side is missing or
    all are zero, None where there is no cost then either."""
    if not isinstance(report, dict):
        return None
    received = _kept(report)
    cost = cost_in(report)
    prompt, completion = _first(report, *_PROMPT), _first(report, *_COMPLETION)
    total = tokens(report.get("total_tokens"))
    if completion is None and total is not None and prompt is not None and total >= prompt:
        completion = total - prompt
    if prompt is None and total is not None and completion is not None and total >= completion:
        prompt = total - completion
    if prompt is None or completion is None or prompt + completion == 0:
        return None if cost is None else Usage(cost=cost, received=received)
    prompt += _beside_the_prompt(report, prompt, completion, total)
    reasoning = _detail(report, ("completion_tokens_details", "output_tokens_details"), "reasoning_tokens")
    if reasoning and total == prompt + completion + reasoning:
        completion += reasoning  # some services report reasoning beside the completion rather than inside it
    groups = ("prompt_tokens_details", "input_tokens_details")
    cached = _detail(report, groups, *_CACHED)
    return Usage(
        prompt_tokens=prompt,
        completion_tokens=completion,
        reasoning_tokens=None if reasoning is None else min(reasoning, completion),
        cached_tokens=None if cached is None else min(cached, prompt),
        source="gateway" if _is_a_guess(report) else "reported",
        cost=cost,
        received=received,
    )


class UsageReports:
    """The reports of one answer to a request for `choices` completions, as they come."""

    def __init__(self, choices: int) -> None:
        self._choices = choices
        self._frames: list[Usage] = []
        self._last: Usage | None = None
        self._cost: float | None = None
        self._sides: dict[str, int] = {}

    @property
    def any_counts(self) -> bool:
        """Whether any report had counts."""
        return self._last is not None

    def read(self, report: Any) -> Usage | None:
        """What one `usage` object says, with the side that it leaves out, or has 0 for, and an earlier one had: who
        speaks Anthropic's language behind a gateway counts the prompt at the beginning and the answer at the end."""
        usage = usage_of(report)
        if self._choices > 1 or not isinstance(report, dict):
            return usage
        counts = {names[0]: _first(report, *names) for names in (_PROMPT, _COMPLETION)}
        missing = {name: self._sides[name] for name, count in counts.items() if not count and name in self._sides}
        self._sides |= {name: count for name, count in counts.items() if count}
        whole = usage_of({**report, **missing}) if missing else None
        return replace(whole, received=_kept(report)) if whole else usage

    def add(self, usage: Usage, alone: bool) -> None:
        """Take in one report; `alone`: it came with no choices."""
        self._cost = self._cost if usage.cost is None else usage.cost
        if usage.source == "unknown":
            return
        self._last = usage
        if alone and len(self._frames) < MOST_REPORTS:
            self._frames.append(usage)

    def settled(self, of_one_choice: bool, spoken: bool, header_cost: float | None) -> Usage | None:
        """The usage of the whole answer: without counts where they are 0 though something was `spoken`, and not called
        reported where they are `of_one_choice`. What the last report says counts, with the last cost of all."""
        cost = header_cost if self._cost is None else self._cost
        counts = self._summed()
        if counts and (counts.completion_tokens or not spoken):
            whole = counts if counts.cost == cost else replace(counts, cost=cost)
            return replace(whole, source="unknown", of_one_choice=True) if of_one_choice else whole
        return None if cost is None else Usage(cost=cost)

    def _summed(self) -> Usage | None:
        """Some services send one frame for each choice, and then the completions add up."""
        if not self._frames or (self._choices == 1 and not self._frames[-1].completion_tokens):
            return self._last
        if self._choices == 1 or len(self._frames) != self._choices:
            return self._frames[-1]
        reasoning = [frame.reasoning_tokens for frame in self._frames if frame.reasoning_tokens is not None]
        return replace(
            self._frames[-1],
            completion_tokens=sum(frame.completion_tokens or 0 for frame in self._frames),
            reasoning_tokens=sum(reasoning) if reasoning else None,
        )


def _kept(report: dict[str, Any]) -> dict[str, Any] | None:
    return report if len(_WRITER.encode(report)) <= MOST_KEPT else None


def tokens(value: Any) -> int | None:
    """A count of tokens; None for what can't be one."""
    if isinstance(value, str) and len(value) < 20:
        try:
            value = float(value)
        except ValueError:
            return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= MOST_TOKENS:
        return None
    return int(value)


def cost_in(report: Mapping[str, Any]) -> float | None:
    """What the call cost in US dollars, as a `usage` object says; None where it says nothing."""
    ticks = _money(report.get("cost_in_usd_ticks"))
    if ticks is not None:
        return ticks / _TICKS
    said = next((report[name] for name in _COSTS if report.get(name) is not None), None)
    # Perplexity's is an object that has the sum of its parts.
    cost = _money(said.get("total_cost") if isinstance(said, dict) else said)
    details = report.get("cost_details")
    behind = _money(details.get("upstream_inference_cost")) if isinstance(details, dict) else None
    # With an own key OpenRouter's `cost` is only its fee (openrouter.ai/docs, usage accounting).
    return cost + behind if cost is not None and behind is not None and report.get("is_byok") is True else cost


def cost_from(header: str) -> float | None:
    """The same from a header; 0 there is what LiteLLM sends before it knows."""
    return _money(header.strip()) or None


def _money(value: Any) -> float | None:
    if isinstance(value, str) and len(value) < 30:
        try:
            value = float(value)
        except ValueError:
            return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < MOST_DOLLARS * _TICKS:
        return None
    return float(value) if math.isfinite(value) else None


def _beside_the_prompt(report: Mapping[str, Any], prompt: int, completion: int, total: int | None) -> int:
    """Input that is counted beside `input_tokens`: Anthropic's own count leaves out what the cache took."""
    beside = sum(tokens(report.get(name)) or 0 for name in ("cache_read_input_tokens", "cache_creation_input_tokens"))
    return 0 if "prompt_tokens" in report or total == prompt + completion else beside


def _is_a_guess(report: Mapping[str, Any]) -> bool:
    """Whether a gateway says that it has counted itself, as the service behind it told nothing. Most that do so say
    nothing of it: those can't be told apart."""
    if _WORDS_OF_GUESSES.isdisjoint(report):
        return False
    if any(report.get(name) is True for name in _GUESSED):
        return True
    said = (report.get(name) for name in _SOURCES)
    return any(isinstance(one, str) and one.lower() in _GUESSES for one in said)


def _is_list(value: Any) -> TypeGuard[list[Any]]:
    return isinstance(value, list)


def _first(report: Mapping[str, Any], *names: str) -> int | None:
    counts = [count for name in names if name in report and (count := tokens(report[name])) is not None]
    return max(counts, default=None)


def _detail(report: Mapping[str, Any], groups: Sequence[str], *names: str) -> int | None:
    parts = [report, *[group for group in map(report.get, groups) if isinstance(group, dict)]]
    counts = [count for part in parts if (count := _first(part, *names)) is not None]
    return max(counts, default=None)
