"""The sidebar's list of what a page has made, chats or sweeps, by day: searched, opened, renamed, deleted and back."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from itertools import groupby

import streamlit as st

from lib.core import ages, found_words
from lib.core.ages import Age
from lib.core.clock import as_datetime
from lib.core.i18n import N_
from lib.core.rich_text import literal
from lib.ui.shared import dates
from lib.ui.shared.page_part import page_part
from lib.ui.shared.session_value import SessionValue, nothing
from lib.ui.shared.texts import _, _n

LIVE_SECONDS = 2.0
FIRST = 20
"""Each is drawn with every run of its page; forty made a long chat noticeably slower."""
MORE = 200
SPANS = {
    "today": N_("Today"),
    "yesterday": N_("Yesterday"),
    "week": N_("Previous 7 days"),
    "month": N_("Previous 30 days"),
}
Actions = Mapping[str, tuple[str, str]]
"""What an entry's menu offers: by its name an icon and words."""
RENAME = {"rename": ("edit", N_("Rename"))}
DELETE = {"delete": ("delete", N_("Delete"))}


@dataclass(frozen=True, slots=True)
class Entry:
    """A chat or a sweep of the list; `time`, by which it is listed, in microseconds since 1970 (UTC).

    `about` is what stands below its title, `excerpt` the text around the words that were searched for; `look_again`
    makes one anew that changes by itself."""

    id: str
    title: str
    time: int
    about: str = ""
    excerpt: str = ""
    look_again: "Callable[[], Entry] | None" = None


@dataclass(frozen=True, slots=True)
class HistoryList:
    """Where a page's list gets its entries, and what can be done with them.

    `page` begins the keys of its widgets. `entries` finds those with some words, the newest first, at most so many
    behind the first so many; `times` those of all behind the first so many. `do` gets an entry's id and an action."""

    page: str
    open_id: str | None
    search_key: str
    search: str
    none_found: str
    actions: Actions
    entries: Callable[[str, int, int], Sequence[Entry]]
    times: Callable[[str, int], Sequence[int]]
    switch_to: Callable[[str], None]
    rename: Callable[[str, str], None]
    do: Callable[[str, str], None]


class ListState:
    """What a browser tab remembers of the lists."""

    renaming: SessionValue[str | None] = SessionValue("renaming_entry", nothing)
    """The chat or sweep whose title is being changed."""
    listed: SessionValue[dict[str, int]] = SessionValue("listed_spans", dict)
    """How many are listed of the days and months that are not listed at once, by the keys of their buttons."""


list_state = ListState()


def history_list(kind: HistoryList, undo: Callable[[], None] | None, deleted: str) -> None:
    """The newest entries, and buttons for all others. `undo` brings back what `deleted` says is deleted."""
    words = (st.session_state.get(kind.search_key) or "").strip()
    found = kind.entries(words, FIRST + 1, 0)
    now = datetime.now(dates.viewer_zone())
    if found or words:
        st.text_input(kind.search, key=kind.search_key, placeholder=kind.search, label_visibility="collapsed")
    if undo is not None:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.caption(deleted)
            st.button(_("Undo"), key=f"{kind.page}_undelete", type="tertiary", icon=":material/undo:", on_click=undo)
    with st.container(key=f"{kind.page}_list", gap="xsmall"):
        _entries(kind, found[:FIRST], words, now)
        if len(found) > FIRST:
            _others(kind, words, now, ages.age_at(found[FIRST - 1].time, now))
    if words and not found:
        st.caption(kind.none_found)


def _others(kind: HistoryList, words: str, now: datetime, above: Age) -> None:
    """What is not listed at once, by its day or month: a press lists it. However many there are, each is one or two
    presses away. `above` is how long ago the last one was that is listed."""
    start = FIRST
    for age, count in Counter(ages.age_at(time, now) for time in kind.times(words, start)).items():
        key = f"{kind.page}_list_more_{age.key}"
        most = min(count, list_state.listed.get(key, 0))
        if most:
            _entries(kind, kind.entries(words, most, start), words, now, above)
        if count > most:
            label = _n("{when}: {count:,} more", "{when}: {count:,} more", count - most)
            st.button(
                label.format(when=_when(age), count=count - most),
                key=key,
                type="tertiary",
                icon=":material/expand_more:",
                on_click=_more,
                args=(key, most),
            )
        start += count


def _more(key: str, listed: int) -> None:
    list_state.listed |= {key: listed + MORE}


def _entries(kind: HistoryList, found: Sequence[Entry], words: str, now: datetime, above: Age | None = None) -> None:
    for age, some in groupby(found, lambda entry: ages.age_at(entry.time, now)):
        if age != above:
            st.caption(_when(age))
        for entry in some:
            _entry(kind, entry, age, now, words)


def _entry(kind: HistoryList, entry: Entry, age: Age, now: datetime, words: str) -> None:
    with st.container(horizontal=True, wrap=False, gap=None, vertical_alignment="center"):
        if entry.look_again is None:
            _button(kind, entry, age, now, words)
        else:
            page_part(_live_button, run_every=LIVE_SECONDS)(kind, entry.look_again, age, now, words)
        key = f"{kind.page}_menu_{entry.id}"
        st.menu_button(
            _("More: {title}").format(title=literal(entry.title) or _("Untitled")),
            list(kind.actions),
            key=key,
            type="tertiary",
            format_func=partial(action_words, kind.actions),
            on_click=_do,
            args=(kind, entry.id, key),
        )
    if entry.excerpt and found_words.longest(words).casefold() not in entry.title.casefold():
        st.caption(_marked(entry.excerpt, words))
    if list_state.renaming == entry.id:
        _rename_field(kind, entry)


def _live_button(kind: HistoryList, look_again: Callable[[], Entry], age: Age, now: datetime, words: str) -> None:
    """One that changes by itself: of the list, which may be long, only this is drawn for it."""
    _button(kind, look_again(), age, now, words)


def _button(kind: HistoryList, entry: Entry, age: Age, now: datetime, words: str) -> None:
    st.button(
        _label(entry, age, now, words),
        key=f"{kind.page}_open_{entry.id}",
        type="secondary" if entry.id == kind.open_id else "tertiary",
        on_click=kind.switch_to,
        args=(entry.id,),
        width="stretch",
    )


def action_words(actions: Actions, name: str) -> str:
    """An action as a menu has it: its icon and its words."""
    icon, words = actions[name]
    return f":material/{icon}: {_(words)}"


def _when(age: Age) -> str:
    return dates.month(age.first) if age.first else _(SPANS[age.name])


def _label(entry: Entry, age: Age, now: datetime, words: str) -> str:
    """The title, with the words found in it marked, what stands below it, and the time."""
    title = _marked(entry.title, words) or _("Untitled")
    named = f"{title}  \n:small[{literal(entry.about)}]" if entry.about else title
    return f"{named} :small[{_time(as_datetime(entry.time, now.tzinfo or UTC), age)}]"


def _time(moment: datetime, age: Age) -> str:
    if age.name in ("today", "yesterday"):
        return dates.time_of_day(moment)
    return dates.weekday(moment) if age.name == "week" else dates.short_day(moment.date())


def _marked(text: str, words: str) -> str:
    """A text to the letter, in which the words are marked."""
    pieces = found_words.marked(" ".join(text.split()), words)
    return "".join(f":orange-background[**{literal(piece)}**]" if found else _between(piece) for piece, found in pieces)


def _between(piece: str) -> str:
    """A piece between two others to the letter, with the blanks at its ends."""
    return f"{' ' * piece.startswith(' ')}{literal(piece)}{' ' * (piece.endswith(' ') and len(piece) > 1)}"


def _do(kind: HistoryList, id: str, key: str) -> None:
    action = st.session_state[key]
    list_state.renaming = id if action == "rename" else None
    if action in kind.actions and action != "rename":
        kind.do(id, action)


def _rename_field(kind: HistoryList, entry: Entry) -> None:
    # Its own key for each one, so that it always begins with the present title.
    field = f"{kind.page}_title_{entry.id}"
    with st.container(key=f"{kind.page}_rename", border=True, gap="xsmall"):
        # A form: leaving the field by the button beside it keeps nothing.
        with st.form(f"{kind.page}_rename_form", border=False):
            st.text_input(_("Title"), entry.title, key=field)
            keep = f"{kind.page}_rename_keep"
            st.form_submit_button(_("Save"), key=keep, on_click=_rename, args=(kind, entry.id, field))
        st.button(_("Cancel"), key=f"{kind.page}_rename_leave", type="tertiary", on_click=_close)


def _rename(kind: HistoryList, id: str, field: str) -> None:
    kind.rename(id, st.session_state[field])
    _close()


def _close() -> None:
    list_state.renaming = None
