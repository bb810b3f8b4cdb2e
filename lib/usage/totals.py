"""Makes totals and tables out of what the queries found.

Tokens are whole numbers, times microseconds since 1970 (UTC), costs US dollars, reported by the service or at
list prices. What is not known stays None (NA in tables) and never becomes 0.
"""

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import timedelta
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import pandas as pd

from lib.calls.records import CallRecord
from lib.core.clock import DAY, SECOND

MOST_ROWS = 500


@dataclass(frozen=True, slots=True)
class Totals:
    """What some calls used. `calls` has them all; those in progress have no tokens yet.

    `reported`, `gateway`, `estimated`, `unknown`, `unbilled` and `running` share `calls` among them: counted by the
    service, guessed by a gateway that says so, estimated here; `unbilled` ones failed before any token was used. The
    other counts overlap; `cost_...` are those whose cost the service reported, is at the visitor's own price, is none.
    Reasoning is part of the completion, cached of the prompt. Sums are None when not one of their parts is known.
    """

    calls: int = 0
    running: int = 0
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    reasoning_tokens: int | None = None
    cached_tokens: int | None = None
    cost: float | None = None
    reported: int = 0
    gateway: int = 0
    estimated: int = 0
    unknown: int = 0
    unbilled: int = 0
    unpriced: int = 0
    failed: int = 0
    cut: int = 0
    filtered: int = 0
    stopped: int = 0
    ended_early: int = 0
    cost_reported: int = 0
    cost_own: int = 0
    cost_free: int = 0
    first_at: int | None = None
    last_at: int | None = None

    @property
    def tokens(self) -> int | None:
        """Prompt and completion tokens together."""
        return _sum((self.prompt_tokens, self.completion_tokens))

    @property
    def priced(self) -> int:
        """How many of them have a cost, be it none; those that failed before anything was used need none."""
        return self.calls - self.running - self.unbilled - self.unpriced


@dataclass(frozen=True, slots=True)
class ModelTotals(Totals):
    """What the calls of one model at one endpoint used."""

    endpoint: str = ""
    model: str = ""


@dataclass(frozen=True, slots=True)
class PageTotals(Totals):
    """What the calls of one page used: chats, sweeps, models that judge."""

    page: str = ""


@dataclass(frozen=True, slots=True)
class PlaceTotals(Totals):
    """What the calls of one chat or sweep used; `place` is its id, "" of calls that belong to none."""

    place: str = ""


@dataclass(frozen=True, slots=True)
class Slice:
    """What the calls that began within one short slice of time used; `at` is its beginning."""

    at: int
    calls: int
    prompt_tokens: int | None
    completion_tokens: int | None


@dataclass(frozen=True, slots=True)
class Bucket:
    """How much time one bar covers, in pandas' words. `slice_seconds` divides every bucket in every time zone, whose
    offsets are quarters of an hour; histories up to `longest` get this bucket."""

    unit: str
    slice_seconds: int
    longest: timedelta


BUCKETS = (
    Bucket("1min", 60, timedelta(hours=1)),
    Bucket("5min", 300, timedelta(hours=5)),
    Bucket("15min", 900, timedelta(hours=12)),
    Bucket("1h", 900, timedelta(hours=60)),
    Bucket("1D", 900, timedelta(days=62)),
    Bucket("W", 900, timedelta(days=400)),
    Bucket("M", 900, timedelta.max),
)
One = TypeVar("One", bound=Totals)
STEPS = {"W": "W-MON", "M": "MS"}
COUNTS = tuple(field.name for field in fields(Totals) if field.default == 0)


def total(parts: Iterable[Totals]) -> Totals:
    """Several totals as one."""
    parts = list(parts)
    firsts = [part.first_at for part in parts if part.first_at is not None]
    lasts = [part.last_at for part in parts if part.last_at is not None]
    return Totals(
        **{name: sum(getattr(part, name) for part in parts) for name in COUNTS},
        prompt_tokens=_sum(part.prompt_tokens for part in parts),
        completion_tokens=_sum(part.completion_tokens for part in parts),
        reasoning_tokens=_sum(part.reasoning_tokens for part in parts),
        cached_tokens=_sum(part.cached_tokens for part in parts),
        cost=_money(part.cost for part in parts),
        first_at=min(firsts, default=None),
        last_at=max(lasts, default=None),
    )


def bucket_for(totals: Totals) -> Bucket:
    """The shortest bucket that draws the whole history in about 60 bars."""
    span = timedelta(microseconds=(totals.last_at or 0) - (totals.first_at or 0))
    return next(bucket for bucket in BUCKETS if span <= bucket.longest)


def by_call(rows: Sequence[CallRecord], zone: ZoneInfo) -> pd.DataFrame:
    """`time model prompt completion` of each call, oldest first; `rows` come newest first."""
    return call_frame(rows, zone)[["time", "model", "prompt", "completion"]].iloc[::-1].reset_index(drop=True)


def by_time(slices: Sequence[Slice], bucket: Bucket, zone: ZoneInfo) -> pd.DataFrame:
    """`time calls prompt completion` of each bucket, without gaps; `time` is the viewer's clock, without a zone."""
    frame = pd.DataFrame(
        {
            "time": _starts([part.at for part in slices], bucket, zone),
            "calls": [part.calls for part in slices],
            "prompt": _whole([part.prompt_tokens for part in slices]),
            "completion": _whole([part.completion_tokens for part in slices]),
        }
    )
    # min_count: the sum of nothing but unknown numbers is unknown, and not 0.
    grouped = frame.groupby("time").sum(min_count=1)
    if grouped.empty:
        return grouped.reset_index()
    steps = pd.date_range(grouped.index.min(), grouped.index.max(), freq=STEPS.get(bucket.unit, bucket.unit))
    filled = grouped.reindex(steps)
    filled.loc[~steps.isin(grouped.index)] = 0  # nobody called then: this 0 is known
    return filled.rename_axis("time").reset_index()


def stretch_of(start: pd.Timestamp, bucket: Bucket, zone: ZoneInfo) -> tuple[int, int]:
    """From when on and until when calls are of the bar that begins at `start`, as `by_time` gives it; microseconds
    since 1970 (UTC)."""
    end = start + pd.tseries.frequencies.to_offset(STEPS.get(bucket.unit, bucket.unit))
    # An hour that comes twice in autumn is one bar, and one that is left out in spring begins where the clock goes on.
    clock = (at.tz_localize(zone, ambiguous=True, nonexistent="shift_forward") for at in (start, end))
    since, until = (int(at.timestamp()) * SECOND for at in clock)
    return since, until


def parted_days(bucket: Bucket, zone: ZoneInfo, days: Sequence[int]) -> list[int]:
    """Which of these days in UTC, by their beginnings, are not wholly of one bar: there it is midnight within them
    where the viewer is."""
    first, last = (_starts([day + more for day in days], bucket, zone) for more in (0, DAY - 1))
    return [day for day, parted in zip(days, first != last, strict=True) if parted]


def ordered(parts: Sequence[One]) -> list[One]:
    """Models, pages or places, the most tokens first."""
    return sorted(parts, key=lambda one: (-(one.tokens or 0), -one.calls, _name(one)))


def _name(one: Totals) -> str:
    return next((str(getattr(one, name)) for name in ("model", "page", "place") if hasattr(one, name)), "")


def by_model(models: Sequence[ModelTotals]) -> pd.DataFrame:
    """`model calls prompt completion cost`, the most tokens first."""
    rows = ordered(models)
    return pd.DataFrame({"model": named([(one.endpoint, one.model) for one in rows]), **figures(rows)})


def named(models: Sequence[tuple[str, str]]) -> list[str]:
    """Models, given with their endpoints, by their ids; with its endpoint where several serve the same id, which a
    chart would take for one."""
    times = Counter(model for _endpoint, model in models)
    return [f"{endpoint}/{model}" if times[model] > 1 else model for endpoint, model in models]


def figures(rows: Sequence[Totals]) -> dict[str, Any]:
    """`calls prompt completion cost` of totals as columns; with `cached` and `reasoning`, the parts of these, where
    there are any."""
    parts = {"cached": [one.cached_tokens for one in rows], "reasoning": [one.reasoning_tokens for one in rows]}
    return {
        "calls": [one.calls for one in rows],
        "prompt": _whole([one.prompt_tokens for one in rows]),
        "completion": _whole([one.completion_tokens for one in rows]),
        **{name: _whole(counts) for name, counts in parts.items() if any(counts)},
        "cost": _numbers([one.cost for one in rows]),
    }


def call_frame(rows: Sequence[CallRecord], zone: ZoneInfo) -> pd.DataFrame:
    """One row per call, in the order of `rows`: its figures, times in the viewer's zone. The table adds what is said in
    words."""
    return pd.DataFrame(
        {
            "time": _times([row.started_at for row in rows], zone),
            "model": [row.model for row in rows],
            "endpoint": [row.endpoint for row in rows],
            "prompt": _whole([row.usage.prompt_tokens for row in rows]),
            "completion": _whole([row.usage.completion_tokens for row in rows]),
            "cached": _whole([row.usage.cached_tokens for row in rows]),
            "reasoning": _whole([row.usage.reasoning_tokens for row in rows]),
            "seconds": _numbers([row.seconds for row in rows]),
            "first_token_seconds": _numbers([row.first_token_seconds for row in rows]),
            "cost": _numbers([row.cost for row in rows]),
        }
    )


def _sum(values: Iterable[int | None]) -> int | None:
    known = [value for value in values if value is not None]
    return sum(known) if known else None


def _money(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    # Exact: thousands of tiny costs would else add up to another sum in another order.
    return math.fsum(known) if known else None


def _whole(values: Sequence[int | None]) -> "pd.Series[Any]":
    # pandas' own integers: with NumPy's one unknown number would make the whole column floats.
    return pd.Series(values, dtype="Int64")


def _numbers(values: Sequence[float | None]) -> "pd.Series[Any]":
    return pd.Series(values, dtype="Float64")


def _times(microseconds: Sequence[int], zone: ZoneInfo) -> "pd.Series[Any]":
    return pd.to_datetime(pd.Series(microseconds, dtype="int64"), unit="us", utc=True).dt.tz_convert(zone)


def _starts(microseconds: Sequence[int], bucket: Bucket, zone: ZoneInfo) -> "pd.Series[Any]":
    # Without its zone, as the hour that comes twice in autumn has no start of its own.
    local = _times(microseconds, zone).dt.tz_localize(None)
    starts = local.dt.to_period(bucket.unit).dt.start_time if bucket.unit in STEPS else local.dt.floor(bucket.unit)
    return pd.Series(starts)
