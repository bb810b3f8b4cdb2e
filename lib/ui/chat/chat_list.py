"""The sidebar's list of chats by the day of their last use: new, search, open, rename, save, delete."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import partial

import streamlit as st

from lib.chat import last_used, search
from lib.chat import repository as chats
from lib.chat.last_used import Age
from lib.chat.repository import Chat
from lib.core.clock import as_datetime
from lib.core.i18n import N_
from lib.core.rich_text import literal
from lib.services import Services
from lib.ui.chat import open_chat
from lib.ui.chat.chat_state import chat_state
from lib.ui.chat.files import import_chat
from lib.ui.chat.handing_on import WAYS, hand_on, ways
from lib.ui.shared import dates
from lib.ui.shared.saved_file import say_saved
from lib.ui.shared.state import state
from lib.ui.shared.texts import _, _n
from lib.ui.shared.visitor import Visitor

TITLE = "chat_title"
FIRST_CHATS = 40
MORE_CHATS = 200
SPANS = {
    "today": N_("Today"),
    "yesterday": N_("Yesterday"),
    "week": N_("Previous 7 days"),
    "month": N_("Previous 30 days"),
}
ACTIONS: Mapping[str, tuple[str, str]] = {
    "rename": ("edit", N_("Rename")),
    **WAYS,
    "delete": ("delete", N_("Delete")),
}
"""Of each chat: its icon and words."""


def chat_list(services: Services, visitor: Visitor) -> None:
    """New chat, and the old ones, the newest first."""
    words = (st.session_state.get("chat_search") or "").strip()
    found = services.store.read(lambda db: chats.chats_of(db, visitor.owner, words, FIRST_CHATS + 1))
    now = datetime.now(dates.viewer_zone())
    say_saved()
    with st.sidebar:
        _begin(searchable=bool(found or words))
        if chat_state.deleted_chat is not None:
            _undo()
        with st.container(key="chat_list", gap="xsmall"):
            _entries(services, visitor, found[:FIRST_CHATS], words, now)
            if len(found) > FIRST_CHATS:
                _further(services, visitor, words, now)
        if words and not found:
            st.caption(_("No chat has these words."))
        import_chat()


def _begin(searchable: bool) -> None:
    with st.container(horizontal=True, wrap=False, gap="xsmall"):
        st.button(_("New chat"), key="chat_new", icon=":material/add:", on_click=open_chat.new, width="stretch")
        st.button(
            _("Temporary"),
            key="chat_new_temporary",
            icon=":material/timer:",
            help=_("A temporary chat: its texts are not saved, only its numbers."),
            on_click=open_chat.new,
            args=(True,),
        )
    if searchable:
        st.text_input(_("Search"), key="chat_search", placeholder=_("Search all chats"), label_visibility="collapsed")


def _further(services: Services, visitor: Visitor, words: str, now: datetime) -> None:
    """What is not listed at once, by its day or month: a press lists it. However many there are, each is one or two
    presses away."""
    start = FIRST_CHATS
    times = services.store.read(lambda db: chats.times_of(db, visitor.owner, words, FIRST_CHATS))
    for age, count in Counter(last_used.age_at(time, now) for time in times).items():
        most = min(count, chat_state.listed_ages.get(age.key, 0))
        some = services.store.read(partial(chats.chats_of, owner=visitor.owner, search=words, limit=most, offset=start))
        _entries(services, visitor, some, words, now)
        if count > most:
            label = _n("{when}: {count:,} more", "{when}: {count:,} more", count - most)
            st.button(
                label.format(when=_when(age), count=count - most),
                key=f"chat_list_more_{age.key}",
                type="tertiary",
                icon=":material/expand_more:",
                on_click=_more,
                args=(age.key, most),
            )
        start += count


def _entries(services: Services, visitor: Visitor, found: Sequence[Chat], words: str, now: datetime) -> None:
    titles = Counter(chat.title for chat in found)
    where = {}
    if words:
        ids = [chat.id for chat in found]
        where = services.store.read(lambda db: search.excerpts(db, visitor.owner, ids, words))
    for age, some in last_used.grouped(found, now):
        st.caption(_when(age))
        for chat in some:
            twice = titles[chat.title] > 1 and chat.model
            _entry(chat, _label(chat, chat.model if twice else None, age, now, words), words, where.get(chat.id))


def _entry(chat: Chat, label: str, words: str, excerpt: str | None) -> None:
    with st.container(horizontal=True, wrap=False, gap=None, vertical_alignment="center"):
        st.button(
            label,
            key=f"chat_open_{chat.id}",
            type="secondary" if chat.id == state.chat_id else "tertiary",
            on_click=open_chat.switch_to,
            args=(chat.id,),
            width="stretch",
        )
        key = f"chat_menu_{chat.id}"
        more = _("More: {title}").format(title=literal(chat.title) or _("Untitled"))
        st.menu_button(
            more,
            ["rename", *ways(), "delete"],
            key=key,
            type="tertiary",
            format_func=_action,
            on_click=_do,
            args=(chat,),
        )
    if excerpt and not search.names(chat.title, words):
        st.caption(_marked(excerpt, words))
    if chat_state.renaming == chat.id:
        _rename_field(chat)


def _when(age: Age) -> str:
    return dates.month(age.first) if age.first else _(SPANS[age.name])


def _label(chat: Chat, model: str | None, age: Age, now: datetime, words: str) -> str:
    """The title, with the words found in it marked, the model where several chats have that title, and the time."""
    title = _marked(chat.title, words) or _("Untitled")
    named = f"{title}  \n:small[{literal(model.partition('/')[2] or model)}]" if model else title
    return f"{named} :small[{_time(as_datetime(chat.updated_at, now.tzinfo or UTC), age)}]"


def _time(moment: datetime, age: Age) -> str:
    if age.name in ("today", "yesterday"):
        return dates.time_of_day(moment)
    return dates.weekday(moment) if age.name == "week" else dates.short_day(moment.date())


def _marked(text: str, words: str) -> str:
    """A text to the letter, in which the words are marked."""
    pieces = search.marked(" ".join(text.split()), search.words_of(words))
    return "".join(f":orange-background[**{literal(piece)}**]" if found else _between(piece) for piece, found in pieces)


def _between(piece: str) -> str:
    """A piece between two others to the letter, with the blanks at its ends."""
    return f"{' ' * piece.startswith(' ')}{literal(piece)}{' ' * (piece.endswith(' ') and len(piece) > 1)}"


def _action(name: str) -> str:
    icon, words = ACTIONS[name]
    return f":material/{icon}: {_(words)}"


def _do(chat: Chat) -> None:
    action = st.session_state[f"chat_menu_{chat.id}"]
    if action == "delete":
        _delete(chat.id)
    elif action == "rename":
        chat_state.renaming = chat.id
    elif action in WAYS:
        hand_on(chat, action)


def _close() -> None:
    chat_state.renaming = None


def _more(age: str, listed: int) -> None:
    chat_state.listed_ages |= {age: listed + MORE_CHATS}


def _rename_field(chat: Chat) -> None:
    # Its own key for each title, so that it always begins with the present one.
    with st.container(key="chat_rename", border=True, gap="xsmall"):
        # A form: leaving the field by the button beside it keeps nothing.
        with st.form("chat_rename_form", border=False):
            st.text_input(_("Title"), chat.title, key=f"{TITLE}_{chat.id}")
            st.form_submit_button(_("Keep"), key="chat_rename_keep", on_click=_rename, args=(chat.id,))
        st.button(_("Leave it as it was"), key="chat_rename_leave", type="tertiary", on_click=_close)


def _undo() -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(_("The chat is deleted."))
        st.button(_("Undo"), key="chat_undelete", type="tertiary", icon=":material/undo:", on_click=_undelete)


def _rename(chat_id: str) -> None:
    owned, title = open_chat.current(), st.session_state[f"{TITLE}_{chat_id}"]
    owned.dispatcher.store.write(lambda db: chats.rename(db, owned.owner, chat_id, title)).result()
    _close()


def _delete(chat_id: str) -> None:
    owned, is_open = open_chat.current(), chat_id == state.chat_id
    if is_open:
        open_chat.stop()
    owned.dispatcher.store.write(lambda db: chats.delete(db, owned.owner, chat_id)).result()
    if is_open:
        open_chat.new()
    chat_state.deleted_chat, chat_state.deleted_was_open, chat_state.renaming = chat_id, is_open, None


def _undelete() -> None:
    owned, chat_id = open_chat.current(), chat_state.deleted_chat
    if chat_id is not None:
        owned.dispatcher.store.write(lambda db: chats.undelete(db, owned.owner, chat_id)).result()
        chat_state.deleted_chat = None
        if chat_state.deleted_was_open:
            open_chat.switch_to(chat_id)
