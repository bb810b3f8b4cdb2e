"""How long ago something was: the days and months by which lists are headed, in the reader's time zone."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Literal

from lib.core.clock import as_datetime

WEEK = 7
DAYS = 30
Name = Literal["today", "yesterday", "week", "month", "earlier"]


@dataclass(frozen=True, slots=True)
class Age:
    """Today, yesterday, in the 7 or 30 days before today, or in a calendar month before those, of which `first` is the
    first day."""

    name: Name
    first: date | None = None

    @property
    def key(self) -> str:
        """`week`, `2026-10`: a name of its own."""
        return f"{self.first:%Y-%m}" if self.first else self.name


def age_at(time: int, now: datetime) -> Age:
    """How long ago a timestamp (microseconds since 1970) is; `now` in the reader's time zone."""
    day, today = as_datetime(time, now.tzinfo or UTC).date(), now.date()
    ago = (today - day).days
    if ago <= 0:  # also what a clock that was ahead has written
        return Age("today")
    if ago == 1:
        return Age("yesterday")
    if ago <= WEEK:
        return Age("week")
    return Age("month") if ago <= DAYS else Age("earlier", day.replace(day=1))
