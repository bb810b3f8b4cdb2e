"""Filters of the calls: chosen in a popover, shown as chips, and kept in the address."""

from collections.abc import Mapping
from datetime import date
from typing import Any

import streamlit as st

from lib.core.i18n import N_
from lib.core.rich_text import literal
from lib.services import Services
from lib.ui.shared import closed_fields
from lib.ui.shared.choices import choice_key
from lib.ui.shared.texts import _
from lib.ui.usage import stretch
from lib.ui.usage.usage_state import usage_state
from lib.usage import places, queries
from lib.usage.scope import FILTERS, OUTCOMES

PAGES = {"chat": N_("Chat"), "sweep": N_("Sweep"), "judge": N_("Judge")}
ENDED = {
    "ok": N_("whole answer"),
    "failed": N_("failed"),
    "cut": N_("cut off"),
    "filtered": N_("stopped by content rules"),
    "stopped": N_("stopped by you"),
    "running": N_("in progress"),
}
LABELS = {"endpoints": N_("Service"), "models": N_("Model"), "pages": N_("Page"), "outcomes": N_("How it ended")}
"""Those with a field. A chat or sweep is chosen in the table of them: there may be thousands."""
ADDRESS = {"endpoints": "service", "models": "model", "pages": "page", "outcomes": "ended", "places": "of"}
"""The filters' names in the address."""
SCOPE, FROM, TO = "scope", "from", "to"
MOST, LONGEST = 20, 300
"""So many values of so many characters are taken from an address."""


def key_of(name: str) -> str:
    """The key of a filter's widget."""
    return closed_fields.key_of(f"usage_filter_{name}")


def values_of(name: str) -> list[Any]:
    """What a filter lets through; nothing: all."""
    return closed_fields.values_of(f"usage_filter_{name}")


def chosen(services: Services, owner: str) -> dict[str, tuple[Any, ...]]:
    """The filters that are set, by name; a popover changes them."""
    there = services.store.read(lambda db: queries.choices(db, owner)) | {"outcomes": list(OUTCOMES)}
    count = sum(len(values_of(name)) for name in FILTERS)
    label = _("Filters ({count})").format(count=count) if count else _("Filters")
    with st.popover(label, icon=":material/filter_list:", key="usage_filters"):
        for name in LABELS:
            _choice(name, there[name])
    return {name: tuple(values_of(name)) for name in FILTERS}


def chips(services: Services, owner: str) -> None:
    """Every filter that is set, and the stretch of a bar, each with a cross to take it off."""
    values = [(name, value) for name in FILTERS for value in values_of(name)]
    if not values and stretch.chosen() is None:
        return
    titles = services.store.read(lambda db: places.titles(db, owner, values_of("places")))
    names = {place: place_name(place, titles) for place in values_of("places")}
    with st.container(key="usage_chips", horizontal=True, gap="small"):
        stretch.chip()
        for number, (name, value) in enumerate(values):
            st.button(
                literal(names[value] if name == "places" else named(name, value)),
                key=f"usage_chip_{number}",
                icon=":material/close:",
                icon_position="right",
                help=_("Take this filter off"),
                on_click=_take_off,
                args=(name, value),
            )


def show_only(**values: tuple[str, ...]) -> None:
    """Set filters; a callback for whatever opens what is behind a number."""
    for name, some in values.items():
        closed_fields.put(f"usage_filter_{name}", list(some))


def clear() -> None:
    """Take all filters off; a callback."""
    show_only(**dict.fromkeys(FILTERS, ()))
    stretch.take_off()


def read_address(scope_key: str, dates_key: str, scopes: tuple[str, ...]) -> None:
    """Take up what the address asks for, once in a tab: later it says what is chosen."""
    query = st.query_params
    if usage_state.address_read:
        return
    usage_state.address_read = True
    if query.get(SCOPE) in scopes:
        st.session_state[scope_key] = query[SCOPE]
    dates = _date(query.get(FROM)), _date(query.get(TO))
    if None not in dates:
        st.session_state[dates_key] = tuple(sorted(day for day in dates if day))
    stretch.read_address()
    known: Mapping[str, Any] = {"pages": PAGES, "outcomes": OUTCOMES}
    for name, word in ADDRESS.items():
        values = [value[:LONGEST] for value in dict.fromkeys(query.get_all(word))][:MOST]
        values = [value for value in values if value in known.get(name, values)]
        if values:
            st.session_state[key_of(name)] = values


def write_address(scope_key: str, dates_key: str, opened_on: str | None) -> None:
    """Say in the address what is chosen, so that it can be kept and shared; the scope that the page has opened on by
    itself needs no word."""
    scope, wanted = st.session_state[scope_key], {}
    if scope != opened_on:
        wanted[SCOPE] = [scope]
    if dates_key and st.session_state.get(dates_key):
        days = st.session_state[dates_key]
        wanted |= {FROM: [days[0].isoformat()], TO: [days[-1].isoformat()]}
    wanted[stretch.WORD] = stretch.in_address()
    for name, word in ADDRESS.items():
        wanted[word] = values_of(name)
    # Written only where it differs: each writing is a message to the browser.
    for word in (SCOPE, FROM, TO, stretch.WORD, *ADDRESS.values()):
        values = wanted.get(word, [])
        if st.query_params.get_all(word) != values:
            if values:
                st.query_params[word] = values
            else:
                del st.query_params[word]


def _choice(name: str, there: list[str]) -> None:
    # What a link names may not have been asked yet.
    options = [*there, *(value for value in values_of(name) if value not in there)]
    st.multiselect(
        _(LABELS[name]),
        options,
        format_func=lambda value: named(name, value),
        key=choice_key(key_of(name)),
        placeholder=_("all"),
        select_all=False,
        persist_state="session",
    )


def place_name(place: str, titles: Mapping[str, tuple[str, str]]) -> str:
    """What a chat or sweep is called; `titles` are those that there are."""
    if not place:
        return _("in no chat or sweep: deleted, or from a file")
    return titles[place][1] if place in titles else _("deleted or temporary")


def named(name: str, value: str) -> str:
    """A value of a filter in words."""
    words = {"pages": PAGES, "outcomes": ENDED}.get(name, {})
    return _(words[value]) if value in words else value


def _take_off(name: str, value: str) -> None:
    show_only(**{name: tuple(one for one in values_of(name) if one != value)})


def _date(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text or "")
    except ValueError:
        return None
