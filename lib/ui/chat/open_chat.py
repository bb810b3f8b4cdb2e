"""The open chat: its branch as it is now, and how another one is opened or a new one begun.

A temporary chat ends when it is left; one that can't be saved at present is kept in memory like one, until it can.
"""

import asyncio
import time
from contextlib import suppress
from dataclasses import dataclass, field

import streamlit as st

from lib.calls.runner import Answer, unsaved_record
from lib.chat.conversation import Conversation
from lib.chat.repository import Turn
from lib.core.errors import ChatNotFound, StoreError
from lib.streamlit_internals import is_open, tab_id
from lib.ui.chat import chat_settings
from lib.ui.chat.chat_state import SHOWN_TURNS, chat_state
from lib.ui.shared import resources
from lib.ui.shared.state import state
from lib.ui.shared.texts import _
from lib.ui.shared.visitor import visitor

STOP_SECONDS = 0.5
"""How long a press of Stop waits for the end; longer where the disk is slow, and then the page is drawn without it."""


@dataclass(frozen=True, slots=True)
class ChatView:
    """The open branch as it is now. `beside` are the answers at its end, more than one where several models were asked;
    `running` are those that are being written, by the id of their call."""

    turns: list[Turn]
    beside: list[Turn] = field(default_factory=list)
    running: dict[str, Answer] = field(default_factory=dict)


def current() -> Conversation:
    """The open chat of this visitor."""
    who = visitor()
    return resources.services().conversation(who.owner, who.session, state.chat_id, chat_state.temporary)


def open_view(conversation: Conversation) -> ChatView:
    """The open branch, and what is being written at its end."""
    turns = conversation.branch()
    if not turns or turns[-1].call is None:
        return ChatView(turns)
    beside = conversation.side_by_side(turns[-1])
    answers = {one.call.id: _answer_of(conversation, one) for one in beside if one.call and one.call.state == "started"}
    running = {id: answer for id, answer in answers.items() if answer and not answer.finished}
    if len(running) == len(answers):
        return ChatView(turns, beside, running)
    # One ended after the branch was read; its record is there by now, or can't be written at all.
    turns = conversation.branch()
    beside = [_as_it_ended(one, answers) for one in conversation.side_by_side(turns[-1])]
    turns[-1] = next((one for one in beside if one.id == turns[-1].id), turns[-1])
    return ChatView(turns, beside, running)


def _answer_of(conversation: Conversation, turn: Turn) -> Answer | None:
    return conversation.dispatcher.find(turn.call.id) if turn.call else None


def _as_it_ended(turn: Turn, answers: dict[str, Answer | None]) -> Turn:
    """A turn whose answer could not be stored: the text is shown, and that it is not saved."""
    answer = answers.get(turn.call.id) if turn.call else None
    if turn.call is None or turn.call.state != "started" or answer is None or not answer.finished or answer.recorded:
        return turn
    return turn.with_call(unsaved_record(turn.call, answer))


def stop(call_id: str | None = None) -> None:
    """End the running answers, or one of them; what has come is kept."""
    stopped = [answer for id, answer in open_view(current()).running.items() if call_id in (None, id)]
    for answer in stopped:
        answer.cancel()
    # Else the page would be drawn with answers that are about to end, and at once again with their end.
    end = time.monotonic() + STOP_SECONDS
    for answer in stopped:
        answer.wait_until_finished(max(0.0, end - time.monotonic()))


def new(temporary: bool = False) -> None:
    """Begin a new chat; the old one stays in the list, unless it was a temporary one."""
    leave()
    state.chat_id = chat_state.waiting = chat_state.editing = chat_state.deleted_turn = None
    chat_state.writing, chat_state.temporary, chat_state.shown_turns = False, temporary, SHOWN_TURNS
    chat_state.missing_chat, chat_state.first_shown = False, None
    chat_state.images.clear()
    chat_state.attachments.clear()
    chat_settings.begin()


def leave() -> None:
    """Forget a temporary chat that is open."""
    conversation = current()
    if conversation.temporary and conversation.chat_id is not None:
        stop()
        if chat_state.unsaved:
            jobs, chat_state.unsaved = resources.services().dispatcher.jobs, False
            asyncio.run_coroutine_threadsafe(conversation.keep_when_possible(), jobs.loop)
            return
        with suppress(ChatNotFound):  # another tab has left it before
            conversation.erase()
        resources.services().temporary.left(conversation.owner, conversation.chat_id)


def watch_temporary() -> None:
    """See to it that an open temporary chat is forgotten when its last tab is closed; where that has happened (the
    computer slept, say), begin anew."""
    services, who, chat_id, tab = resources.services(), visitor(), state.chat_id, tab_id()
    if not chat_state.temporary or chat_id is None or tab is None:
        return
    if chat_id not in services.temporary_chats(who.owner):
        new(temporary=True)
        state.notices.append(_("The temporary chat is gone: no tab had it open for a minute."))
        return
    if chat_state.unsaved:
        return  # it is not meant to go
    services.temporary.seen(who.owner, chat_id, tab, lambda: is_open(tab))


def switch_to(chat_id: str) -> None:
    """Open a chat of the list."""
    new()
    state.chat_id = chat_id
    chat_settings.take_up(current())


def unsaved_warning() -> None:
    """Says, as long as it is so, that the open chat is in memory because it can't be saved."""
    if chat_state.unsaved:
        words = _("This chat goes on in memory. It is saved by itself as soon as that is possible: keep its tab open.")
        st.warning(words, icon=":material/save:")


def keep_unsaved() -> None:
    """Save a chat that went on in memory, as soon as the store takes it."""
    conversation = current()
    if not chat_state.unsaved or conversation.chat_id is None or open_view(conversation).running:
        return
    with suppress(StoreError):
        state.chat_id = conversation.keep()
        chat_state.temporary = chat_state.unsaved = False
        resources.services().temporary.left(conversation.owner, conversation.chat_id)
