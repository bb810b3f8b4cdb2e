"""Dates as the visitor reads them: in the browser's time zone and the page's language."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import streamlit as st
from babel.dates import format_skeleton

from lib.ui.shared.texts import language


def viewer_zone() -> ZoneInfo:
    """The time zone of the visitor's browser; UTC where it names none that we know."""
    try:
        return ZoneInfo(str(st.context.timezone or "UTC"))
    except (ValueError, OSError, LookupError):  # what a browser calls its zone can be anything, a path included
        return ZoneInfo("UTC")


def short_date(microseconds: int, now: datetime | None = None) -> str:
    """A moment (microseconds since 1970) in a word or two: today the time, this year the day, before it the month."""
    zone = viewer_zone()
    moment = datetime.fromtimestamp(microseconds / 1e6, UTC).astimezone(zone)
    today = now or datetime.now(zone)
    if moment.date() == today.date():
        return f"{moment:%H:%M}"
    skeleton = "MMMd" if moment.year == today.year else "yMMM"
    return str(format_skeleton(skeleton, moment, locale=language()))
