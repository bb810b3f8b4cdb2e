"""Sorts chats into the days and months in which they were last used, in the reader's time zone."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Literal

from lib.chat.repository import Chat
from lib.core.clock import as_datetime

WEEK = 7
DAYS = 30
Name = Literal["today", "yesterday", "week", "month", "earlier"]


@dataclass(frozen=True, slots=True)
class Age:
    """How long ago: today, yesterday, in the 7 or 30 days before today, or in a calendar month before those, of which
    `first` is the first day."""

    name: Name
    first: date | None = None

    @property
    def key(self) -> str:
        """`week`, `2026-10`: a name of its own."""
        return f"{self.first:%Y-%m}" if self.first else self.name


def grouped(chats: Iterable[Chat], now: datetime) -> list[tuple[Age, list[Chat]]]:
    """The chats by how long ago they were last used, in their order; `now` in the reader's time zone."""
    found: dict[Age, list[Chat]] = {}
    for chat in chats:
        found.setdefault(age_at(chat.updated_at, now), []).append(chat)
    return list(found.items())


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
