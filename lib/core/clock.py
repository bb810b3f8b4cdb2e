"""Timestamps as they are stored: microseconds since 1970 (UTC)."""

import time
from datetime import UTC, datetime, tzinfo

SECOND = 1_000_000
MINUTE, HOUR, DAY = 60 * SECOND, 3_600 * SECOND, 86_400 * SECOND
LATEST = 2**62
"""Later than anything that is stored: the end of a stretch of time that has none."""


def now() -> int:
    """The timestamp of this moment."""
    return time.time_ns() // 1000


def as_datetime(timestamp: int, zone: tzinfo = UTC) -> datetime:
    """A timestamp as a date and a time of day in `zone`."""
    return datetime.fromtimestamp(timestamp / SECOND, zone)
