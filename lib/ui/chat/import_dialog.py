"""Dialog that lists the chats in a file and brings in those that are chosen."""

from collections import Counter
from collections.abc import Collection
from dataclasses import replace

import streamlit as st

from lib.chat import chat_import
from lib.chat.chat_import import Listed, Listing
from lib.chat.imported import Losses
from lib.core.clock import as_datetime
from lib.core.errors import TemperaError
from lib.core.rich_text import literal
from lib.ui.chat import open_chat
from lib.ui.chat.chat_state import chat_state
from lib.ui.shared.dates import day, viewer_zone
from lib.ui.shared.pop_ups import pop_up
from lib.ui.shared.state import state
from lib.ui.shared.texts import _, _n, error_message

CHOSEN = "chat_import_chosen"
FEW = 8


def offer() -> None:
    """The dialog, where a file with several chats was chosen."""
    if chat_state.offered_chats is not None:
        st.dialog(_("Bring in a chat"), on_dismiss=_close)(_body)()


def upload() -> str:
    """The key of the field for the file: another one each time a file was taken, so that the field is empty again.
    Streamlit lets nobody empty it."""
    return f"chat_import_{chat_state.files_taken}"


def open_only(found: Listing) -> None:
    """Bring in the one chat of a file, and open it."""
    for chat in chat_import.chosen(st.session_state[upload()].getvalue(), {0}):
        open_chat.new()
        open_chat.switch_to(open_chat.current().import_chat(chat))
    for sentence in _losses(found.lost):
        # Not at the top of the page, which a long chat scrolls away.
        pop_up(sentence, ":material/info:", "infinite")


def _body() -> None:
    found = chat_state.offered_chats
    if found is None:
        st.rerun()
    count = len(found.chats)
    st.markdown(_n("{count} chat is in this file.", "{count} chats are in this file.", count).format(count=count))
    for sentence in _losses(found.lost):
        st.caption(sentence)
    # Above the chats: the field changes its height when it is left, and would take a button away from under a finger.
    row = st.container(horizontal=True)
    places = _ticked(found) if count <= FEW else _picked(found)
    with row:
        label = _n("Bring in {count} chat", "Bring in {count} chats", len(places)).format(count=len(places))
        # First, so that it stays where it is when the other one comes.
        words = _("Bring in all {count}").format(count=count)
        every = st.button(words, key="chat_import_all", type="secondary" if places else "primary")
        some = bool(places) and st.button(label, key="chat_import_some", type="primary")
    if some or every:
        _bring_in(range(count) if every else places)
        st.rerun()


def _ticked(found: Listing) -> list[int]:
    """A few chats, each with a box to tick."""
    boxes = [st.checkbox(literal(_label(chat)), key=f"{CHOSEN}_{place}") for place, chat in enumerate(found.chats)]
    return [place for place, ticked in enumerate(boxes) if ticked]


def _picked(found: Listing) -> list[int]:
    """Many chats, to be searched by title and date."""
    return st.multiselect(
        _("Chats to bring in"),
        range(len(found.chats)),
        format_func=lambda place: _label(found.chats[place]),
        key=CHOSEN,
        placeholder=_("Choose chats; type to search"),
        select_all=False,
    )


def _bring_in(places: Collection[int]) -> None:
    """Bring in the chats at `places`, and open the only one."""
    file, ids = st.session_state.get(upload()), []
    lost: Losses = Counter()
    target = replace(open_chat.current(), chat_id=None, temporary=False)
    bar = st.progress(0.0)
    try:
        for chat in chat_import.chosen(file.getvalue() if file else b"", places):
            ids.append(target.import_chat(chat))
            lost.update(chat.lost)
            bar.progress(len(ids) / len(places))
    except TemperaError as error:
        state.notices.append(error_message(error))
    done = len(ids)
    state.notices.append(
        _n(
            "{count} chat was brought in: it is in the list.",
            "{count} chats were brought in: they are in the list.",
            done,
        ).format(count=done)
    )
    state.notices.extend(_losses(lost))
    if done == 1:
        chat_state.to_open = ids[0]
    _close()


def _close() -> None:
    chat_state.offered_chats = None
    chat_state.files_taken += 1
    st.session_state.pop(CHOSEN, None)


def _label(chat: Listed) -> str:
    messages = _n("{count} message", "{count} messages", chat.messages).format(count=chat.messages)
    when = [day(as_datetime(chat.updated_at, viewer_zone()).date())] if chat.updated_at else []
    return " · ".join([chat.title or _("Untitled"), *when, messages])


def _losses(lost: Losses) -> list[str]:
    """What can't be taken, in words."""
    words = {
        "image": _n(
            "{count} image is left out: it is not in the file, or can't be sent.",
            "{count} images are left out: they are not in the file, or can't be sent.",
            lost["image"],
        ),
        "part": _n(
            "{count} attachment or other part of a message is left out.",
            "{count} attachments or other parts of messages are left out.",
            lost["part"],
        ),
        "message": _n(
            "{count} message is left out: it is not clear who says it.",
            "{count} messages are left out: it is not clear who says them.",
            lost["message"],
        ),
        "setting": _n(
            "{count} further field of the settings is left out: only those that shape an answer are taken from a file.",
            "{count} further fields of the settings are left out: only those that shape an answer are taken from a "
            "file.",
            lost["setting"],
        ),
        "empty": _n(
            "{count} chat is left out: it has no message.",
            "{count} chats are left out: they have no message.",
            lost["empty"],
        ),
        "large": _n(
            "{count} part of the file is left out: it is too large.",
            "{count} parts of the file are left out: they are too large.",
            lost["large"],
        ),
        "unreadable": _n(
            "{count} entry is left out: it is not a chat.",
            "{count} entries are left out: they are not chats.",
            lost["unreadable"],
        ),
        "cut": _("The end of the file is missing or damaged; what stands before it can be taken."),
    }
    return [words[kind].format(count=count) for kind, count in lost.items() if count]
