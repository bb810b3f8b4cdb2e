"""Stretches of time as the viewer's calendar has them: days begin at midnight in the viewer's time zone."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from lib.core.clock import SECOND, as_datetime


def today(zone: ZoneInfo) -> date:
    """The day that it is now in `zone`."""
    return datetime.now(zone).date()


def from_to(first: date, last: date, zone: ZoneInfo) -> tuple[int, int]:
    """The beginning of the day `first` and the end of the day `last`, as microseconds since 1970 in UTC."""
    return _midnight(first, zone), _midnight(last + timedelta(days=1), zone)


def last_days(count: int, zone: ZoneInfo) -> int:
    """The beginning of the last `count` days, today included, as microseconds since 1970 in UTC."""
    return _midnight(today(zone) - timedelta(days=count - 1), zone)


def yesterday(zone: ZoneInfo) -> tuple[int, int]:
    """The beginning and the end of the day before today, as microseconds since 1970 in UTC."""
    day = today(zone) - timedelta(days=1)
    return from_to(day, day, zone)


def day_around(moment: int, zone: ZoneInfo) -> tuple[int, int]:
    """The beginning and the end of the day in which `moment` lies; all are microseconds since 1970 in UTC."""
    day = _day_of(moment, zone)
    return from_to(day, day, zone)


def month_around(moment: int, zone: ZoneInfo) -> tuple[int, int]:
    """The beginning and the end of the month in which `moment` lies; all are microseconds since 1970 in UTC."""
    first = _day_of(moment, zone).replace(day=1)
    next_month = (first + timedelta(days=31)).replace(day=1)
    return _midnight(first, zone), _midnight(next_month, zone)


def _day_of(moment: int, zone: ZoneInfo) -> date:
    return as_datetime(moment, zone).date()


def _midnight(day: date, zone: ZoneInfo) -> int:
    # By the calendar, and not by 24 hours: the days on which the clocks change are shorter or longer.
    return int(datetime(day.year, day.month, day.day, tzinfo=zone).timestamp()) * SECOND
