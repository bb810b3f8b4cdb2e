"""How fast models answer, and how often they fail: percentiles over calls."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

LEAST_WRITING_SECONDS = 0.2
"""An answer that came faster than this came at once, and says nothing of a speed."""


class Timing(NamedTuple):
    """What one call's speed is told by; the fields are those of the table of calls."""

    endpoint: str
    model: str
    state: str
    seconds: float | None
    first_token_seconds: float | None
    completion_tokens: int | None
    attempts: int


@dataclass(frozen=True, slots=True)
class ModelSpeed:
    """The times of one model at one endpoint, in seconds: half of its calls were faster than `..._median`, nine of ten
    faster than `..._p90`; `rate` is tokens a second, None what is not known. `retried` calls took several attempts."""

    endpoint: str
    model: str
    calls: int
    first_word_median: float | None
    first_word_p90: float | None
    rate: float | None
    seconds_median: float | None
    retried: int


def by_model(timings: Iterable[Timing]) -> list[ModelSpeed]:
    """Each model's speed, the slowest to its first word first; those without one come last."""
    groups: dict[tuple[str, str], list[Timing]] = {}
    for one in timings:
        groups.setdefault((one.endpoint, one.model), []).append(one)
    found = [_speed(*names, group) for names, group in groups.items()]
    return sorted(found, key=lambda one: (-(one.first_word_median or -1), one.model))


def _speed(endpoint: str, model: str, group: list[Timing]) -> ModelSpeed:
    first_words = [one.first_token_seconds for one in group if one.first_token_seconds is not None]
    rates = [rate for one in group if (rate := _rate(one)) is not None]
    # A failed call's time is the time until it failed, which would make a broken service look fast.
    whole = [one.seconds for one in group if one.state == "ok" and one.seconds is not None]
    return ModelSpeed(
        endpoint,
        model,
        calls=len(group),
        first_word_median=_percentile(first_words, 50),
        first_word_p90=_percentile(first_words, 90),
        rate=_percentile(rates, 50),
        seconds_median=_percentile(whole, 50),
        retried=sum(one.attempts > 1 for one in group),
    )


def _rate(one: Timing) -> float | None:
    if one.seconds is None or one.first_token_seconds is None or not one.completion_tokens:
        return None
    writing = one.seconds - one.first_token_seconds
    return one.completion_tokens / writing if writing >= LEAST_WRITING_SECONDS else None


def _percentile(values: list[float], percent: int) -> float | None:
    return float(np.percentile(values, percent)) if values else None
