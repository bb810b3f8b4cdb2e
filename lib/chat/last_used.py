"""Sorts chats into the days and months in which they were last used, in the reader's time zone."""

from collections import Counter
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
        found.setdefault(_age_at(chat.updated_at, now), []).append(chat)
    return list(found.items())


def counted(times: Iterable[int], now: datetime) -> list[tuple[Age, int]]:
    """How many chats were last used at each age, by those times, in their order."""
    return list(Counter(_age_at(time, now) for time in times).items())


def used(chat: Chat, now: datetime) -> datetime:
    """When a chat was last used, in the time zone of `now`."""
    return _used(chat.updated_at, now)


def _used(time: int, now: datetime) -> datetime:
    return as_datetime(time, now.tzinfo or UTC)


def _age_at(time: int, now: datetime) -> Age:
    return _age(_used(time, now).date(), now.date())


def _age(day: date, today: date) -> Age:
    ago = (today - day).days
    if ago <= 0:  # also what a clock that was ahead has written
        return Age("today")
    if ago == 1:
        return Age("yesterday")
    if ago <= WEEK:
        return Age("week")
    return Age("month") if ago <= DAYS else Age("earlier", day.replace(day=1))
