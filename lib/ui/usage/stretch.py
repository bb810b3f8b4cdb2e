"""The stretch of time that a bar of the chart stands for: chosen by a click on it, shown as a chip, kept in the
address."""

from datetime import datetime

import streamlit as st
from babel.dates import format_interval

from lib.core.clock import SECOND, as_datetime
from lib.ui.shared.dates import day, viewer_zone
from lib.ui.shared.texts import _, country_of_words

KEY, WORD = "usage_stretch", "at"
LATEST = 2**40
"""Seconds: later than any call, and still a number that the store takes in microseconds."""


def choose(since: int, until: int) -> None:
    """Show only what began from `since` on and before `until`, in microseconds since 1970 (UTC)."""
    st.session_state[KEY] = (since, until)


def take_off() -> None:
    """Show what began at any time again; a callback."""
    st.session_state.pop(KEY, None)


def chosen() -> tuple[int, int] | None:
    """The stretch, where there is one."""
    found: tuple[int, int] | None = st.session_state.get(KEY)
    return found


def bounds(since: int | None, until: int | None) -> tuple[int | None, int | None]:
    """A scope's bounds within the stretch."""
    within = chosen()
    if within is None:
        return since, until
    return max(since or 0, within[0]), within[1] if until is None else min(until, within[1])


def chip() -> None:
    """The stretch with a cross that takes it off."""
    within = chosen()
    if within is not None:
        st.button(
            _words(*within),
            key="usage_chip_stretch",
            icon=":material/close:",
            icon_position="right",
            help=_("Take this filter off"),
            on_click=take_off,
        )


def read_address() -> None:
    """Take up the stretch that the address names: two numbers of seconds."""
    parts = st.query_params.get(WORD, "").split("-")
    if len(parts) == 2 and all(part.isdecimal() and len(part) < 14 for part in parts):
        since, until = (min(int(part), LATEST) * SECOND for part in parts)
        if since < until:
            choose(since, until)


def in_address() -> list[str]:
    """The stretch as the address has it: one value, or none."""
    within = chosen()
    return [] if within is None else ["-".join(str(at // SECOND) for at in within)]


def _words(since: int, until: int) -> str:
    """`Nov 3, 2026`, `Nov 3, 2:00 – 3:00 PM`, `Nov 3 – 9`."""
    zone = viewer_zone()
    # The last moment that is in it: a day ends with its own date.
    first, last = (as_datetime(at, zone) for at in (since, until - SECOND))
    whole_days = first.timetz().replace(tzinfo=None) == datetime.min.time() and (until - since) >= 23 * 3600 * SECOND
    if whole_days and first.date() == last.date():
        return day(first.date())
    if whole_days:
        return format_interval(first.date(), last.date(), "yMMMd", locale=country_of_words())
    end = as_datetime(until, zone)
    hours = format_interval(first.replace(tzinfo=None), end.replace(tzinfo=None), "Hm", locale=country_of_words())
    return _(", ").join([day(first.date()), hours])
