"""Times and dates for people: in the time zone of the reader's browser, as their language and country write them."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

import streamlit as st
from babel.dates import format_date, format_skeleton, format_time

from lib.core.clock import as_datetime
from lib.ui.shared.texts import country_of_words


def viewer_zone() -> ZoneInfo:
    """The time zone of the visitor's browser; UTC where it names none that we know."""
    try:
        return ZoneInfo(str(st.context.timezone or "UTC"))
    except (ValueError, OSError, LookupError):  # what a browser calls its zone can be anything, a path included
        return ZoneInfo("UTC")


def short_date(microseconds: int, now: datetime | None = None) -> str:
    """A moment (microseconds since 1970) in a word or two: today the time, this year the day, before it the month."""
    zone = viewer_zone()
    moment = as_datetime(microseconds, zone)
    today = now or datetime.now(zone)
    if moment.date() == today.date():
        return time_of_day(moment)
    skeleton = "MMMd" if moment.year == today.year else "yMMM"
    return str(format_skeleton(skeleton, moment, locale=country_of_words()))


def time_of_day(moment: datetime) -> str:
    """`14:05`, `2:05 PM`."""
    return str(format_time(moment, "short", locale=country_of_words()))


def weekday(moment: datetime) -> str:
    """`Wed`, `周三`."""
    return str(format_skeleton("E", moment, locale=country_of_words()))


def short_day(day: date) -> str:
    """`Nov 3`, `11月3日`."""
    return str(format_skeleton("MMMd", day, locale=country_of_words()))


def month(day: date) -> str:
    """`November 2026`, `2026年11月`."""
    return str(format_skeleton("yMMMM", day, locale=country_of_words()))


def day(day: date) -> str:
    """`Nov 3, 2026`, `2026年11月3日`."""
    return str(format_date(day, "medium", locale=country_of_words()))
