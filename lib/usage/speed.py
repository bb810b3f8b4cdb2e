"""How fast models answer: percentiles of all their calls, from the bins that these are counted in."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from math import ceil, floor, inf
from typing import NamedTuple

from lib.calls.usage_spread import RATE_TICKS, TICKS, middle

KINDS = ("first_word", "rate", "whole", "retried")


class Binned(NamedTuple):
    """How many calls of a model at an endpoint are in a bin of a kind; see lib/calls/usage_spread.py."""

    endpoint: str
    model: str
    kind: str
    bin: int
    calls: int


@dataclass(frozen=True, slots=True)
class ModelSpeed:
    """The times of one model at one endpoint, in seconds: half of its calls were faster than `..._median`, nine of ten
    faster than `..._p90`; `rate` is tokens a second, None what is not known. `retried` calls took several attempts."""

    endpoint: str
    model: str
    first_word_median: float | None
    first_word_p90: float | None
    rate: float | None
    seconds_median: float | None
    retried: int


def by_model(binned: Iterable[Binned], names: Iterable[tuple[str, str]]) -> list[ModelSpeed]:
    """The speed of each of the models, which `names` names with their endpoints, the fastest to its first word first;
    those without one come last."""
    groups: dict[tuple[str, str], dict[str, list[Binned]]] = {}
    for one in binned:
        groups.setdefault((one.endpoint, one.model), {}).setdefault(one.kind, []).append(one)
    found = [_speed(*name, groups.get(name, {})) for name in names]
    return sorted(found, key=lambda one: (inf if one.first_word_median is None else one.first_word_median, one.model))


def percentile(bins: Sequence[Binned], percent: float) -> float | None:
    """The value, in units, below which so many per cent of the calls are; None of no calls. Between two of them it is
    interpolated, as NumPy does it."""
    ordered = sorted(bins, key=lambda one: one.bin)
    ends = list(accumulate(one.calls for one in ordered))
    if not ends:
        return None
    rank = percent / 100 * (ends[-1] - 1)
    low, high = (_at(ordered, ends, whole) for whole in (floor(rank), ceil(rank)))
    return low + (high - low) * (rank - floor(rank))


def _at(ordered: Sequence[Binned], ends: Sequence[int], rank: int) -> float:
    return middle(next(one.bin for one, end in zip(ordered, ends, strict=True) if rank < end))


def _speed(endpoint: str, model: str, kinds: dict[str, list[Binned]]) -> ModelSpeed:
    def of(kind: str, percent: float, units: float) -> float | None:
        found = percentile(kinds.get(kind, []), percent)
        return None if found is None else found / units

    return ModelSpeed(
        endpoint,
        model,
        first_word_median=of("first_word", 50, TICKS),
        first_word_p90=of("first_word", 90, TICKS),
        rate=of("rate", 50, RATE_TICKS),
        seconds_median=of("whole", 50, TICKS),
        retried=sum(one.calls for one in kinds.get("retried", [])),
    )
