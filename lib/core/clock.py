"""The time as it is recorded."""

import time


def now() -> int:
    """Microseconds since 1970 (UTC)."""
    return time.time_ns() // 1000
