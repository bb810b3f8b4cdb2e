"""Reads token counts from an answer, in every shape that gateways use.

Numbers may be missing, zero, strings, doubled or absurd.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from lib.core.contract import Usage

MOST_TOKENS = 1_000_000_000
MOST_KEPT = 4_000
"""Characters of a report that is kept as it came; those of services are a tenth of it."""


def usage_of(report: Any) -> Usage | None:
    """The counts in one `usage` object; None where either side is missing or all are zero."""
    if not isinstance(report, Mapping):
        return None
    prompt = _first(report, "prompt_tokens", "input_tokens")
    completion = _first(report, "completion_tokens", "output_tokens")
    total = tokens(report.get("total_tokens"))
    if completion is None and total is not None and prompt is not None and total >= prompt:
        completion = total - prompt
    if prompt is None or completion is None or prompt + completion == 0:
        return None
    reasoning = _detail(report, ("completion_tokens_details", "output_tokens_details"), "reasoning_tokens")
    if reasoning and total == prompt + completion + reasoning:
        completion += reasoning  # some services report reasoning beside the completion rather than inside it
    groups = ("prompt_tokens_details", "input_tokens_details")
    cached = _detail(report, groups, "cached_tokens", "prompt_cache_hit_tokens")
    return Usage(
        prompt_tokens=prompt,
        completion_tokens=completion,
        reasoning_tokens=None if reasoning is None else min(reasoning, completion),
        cached_tokens=None if cached is None else min(cached, prompt),
        source="reported",
        cost=_cost(report.get("cost")),
        received=report if len(json.dumps(report, default=str)) <= MOST_KEPT else None,
    )


def settled(frames: Sequence[Usage], last: Usage | None, choices: int) -> Usage | None:
    """The usage of a whole stream. `frames` came with no choices, `last` is the last of all; some services send one
    frame per choice, and then the completions add up."""
    if not frames:
        return last
    if choices == 1 or len(frames) != choices:
        return frames[-1]
    reasoning = [frame.reasoning_tokens for frame in frames if frame.reasoning_tokens is not None]
    return replace(
        frames[-1],
        completion_tokens=sum(frame.completion_tokens or 0 for frame in frames),
        reasoning_tokens=sum(reasoning) if reasoning else None,
    )


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


def _cost(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1e9:
        return None
    return float(value)


def _first(report: Mapping[str, Any], *names: str) -> int | None:
    counts = [count for count in (tokens(report.get(name)) for name in names) if count is not None]
    return max(counts, default=None)


def _detail(report: Mapping[str, Any], groups: Sequence[str], *names: str) -> int | None:
    parts = [report, *(group for group in map(report.get, groups) if isinstance(group, Mapping))]
    counts = [count for count in (_first(part, *names) for part in parts) if count is not None]
    return max(counts, default=None)
