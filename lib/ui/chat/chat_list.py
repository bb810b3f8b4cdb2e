"""The sidebar's list of chats, by the day of their last use: see lib/ui/shared/history_list.py."""

from collections import Counter
from collections.abc import Sequence

import streamlit as st
from sqlalchemy import Connection

from lib.chat import repository as chats
from lib.chat import search
from lib.services import Services
from lib.ui.chat import open_chat
from lib.ui.chat.chat_state import chat_state
from lib.ui.chat.files import import_chat
from lib.ui.chat.save_and_share import hand_on
from lib.ui.shared import resources
from lib.ui.shared.history_list import DELETE, RENAME, Entry, HistoryList, history_list
from lib.ui.shared.refusals import stored
from lib.ui.shared.save_and_share import ways
from lib.ui.shared.saved_file import say_saved
from lib.ui.shared.state import state
from lib.ui.shared.texts import _
from lib.ui.shared.visitor import Visitor, visitor


def chat_list(services: Services, who: Visitor) -> None:
    """New chat, and the old ones, the newest first."""
    kind = HistoryList(
        page="chat",
        open_id=state.chat_id,
        search_key="chat_search",
        search=_("Search all chats"),
        none_found=_("No chat has these words."),
        actions={**RENAME, **ways(), **DELETE},
        entries=lambda *of: services.store.read(lambda db: _entries(db, who.owner, *of)),
        times=lambda *of: services.store.read(lambda db: chats.times_of(db, who.owner, *of)),
        switch_to=open_chat.switch_to,
        rename=_rename,
        do=_do,
    )
    say_saved()
    with st.sidebar:
        _begin()
        history_list(kind, _undelete if chat_state.deleted_chat else None, _("The chat is deleted."))
        import_chat()


def _begin() -> None:
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


def _entries(db: Connection, owner: str, words: str, limit: int, offset: int) -> Sequence[Entry]:
    found = chats.chats_of(db, owner, words, limit, offset)
    titles = Counter(chat.title for chat in found)
    excerpts = search.excerpts(db, owner, [chat.id for chat in found], words)
    return [
        Entry(
            chat.id,
            chat.title,
            chat.updated_at,
            about=_model(chat) if titles[chat.title] > 1 else "",
            excerpt=excerpts.get(chat.id, ""),
        )
        for chat in found
    ]


def _model(chat: chats.Chat) -> str:
    """Its model's id, which tells chats of the same title apart."""
    return (chat.model or "").partition("/")[2] or chat.model or ""


def _do(chat_id: str, action: str) -> None:
    if action == "delete":
        _delete(chat_id)
    else:
        owner = visitor().owner
        hand_on(resources.services().store.read(lambda db: chats.find(db, owner, chat_id)), action)


def _rename(chat_id: str, title: str) -> None:
    stored(lambda db, owner: chats.rename(db, owner, chat_id, title))


def _delete(chat_id: str) -> None:
    is_open = chat_id == state.chat_id
    if is_open:
        open_chat.stop()
    if not stored(lambda db, owner: chats.delete(db, owner, chat_id)):
        return
    if is_open:
        open_chat.new()
    chat_state.deleted_chat, chat_state.deleted_was_open = chat_id, is_open


def _undelete() -> None:
    chat_id = chat_state.deleted_chat
    if chat_id is not None and stored(lambda db, owner: chats.undelete(db, owner, chat_id)):
        chat_state.deleted_chat = None
        if chat_state.deleted_was_open:
            open_chat.switch_to(chat_id)
