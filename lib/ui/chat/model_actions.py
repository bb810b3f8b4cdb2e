"""Callbacks that ask a model, or stop an answer."""

import asyncio
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial

import streamlit as st

from lib.calls.runner import Answer, unsaved_record
from lib.chat import attachments, context_window
from lib.chat.conversation import Conversation
from lib.chat.form import Form
from lib.chat.repository import NotFound, Turn
from lib.core import images
from lib.core.errors import InvalidInput, StoreError, TemperaError
from lib.streamlit_internals import is_open, tab_id
from lib.ui.chat import chat_settings
from lib.ui.shared import controls, model_picker, resources
from lib.ui.shared.refusals import refusals_told
from lib.ui.shared.state import SHOWN_TURNS, UnconfirmedMessage, state
from lib.ui.shared.texts import _, error_sentence
from lib.ui.shared.visitor import visitor

INPUT = "chat_input"
EDITED = "edited_message"
LEAVE_OUT = "chat_leave_out"
ASK_FROM = "chat_ask_from"
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
    return resources.services().conversation(who.owner, who.session, state.chat_id, state.temporary)


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


def form() -> Form:
    """The page's settings as they stand; raises InvalidInput when one is outside the API."""
    return chat_settings.read()


def send() -> None:
    """The composer's callback: send what was typed, or let it wait for the running answer."""
    typed = st.session_state[INPUT]
    if typed is None:
        return
    try:
        _take_along([(file.name, file.getvalue()) for file in typed.files])
    except InvalidInput as error:
        _put_back(typed.text, error)
        return
    view = open_view(current())
    if view.running:
        state.waiting = "\n\n".join(text for text in (state.waiting, typed.text) if text)
    else:
        send_text(typed.text, view.turns)


def _take_along(files: Sequence[tuple[str, bytes]]) -> None:
    """Let files, by name and contents, go with the next message; raises InvalidInput, and then none of them does."""
    pictures = [content for name, content in files if images.is_meant(name, content)]
    urls = images.few_enough([*state.images, *images.data_urls(pictures)])
    texts = [attachments.of_file(*file) for file in files if not images.is_meant(*file)]
    state.attachments = list(attachments.few_enough([*state.attachments, *texts]))
    state.images = list(urls)


def send_text(text: str, turns: list[Turn] | None = None) -> None:
    """Send `text` after `turns`, the open branch; one that is too long or too dear is held, and asked about."""
    conversation = current()
    turns = conversation.branch() if turns is None else turns
    try:
        chosen = form()
        unconfirmed = _unconfirmed(conversation, turns, chosen, text)
    except TemperaError as error:
        _put_back(text, error)
        return
    if unconfirmed is not None and not (unconfirmed.leave_out and st.session_state.get(LEAVE_OUT)):
        state.unconfirmed = unconfirmed
    else:
        _send_text(conversation, turns, text, replace(chosen, leave_out=(unconfirmed and unconfirmed.leave_out) or 0))


def _send_text(conversation: Conversation, turns: list[Turn], text: str, chosen: Form) -> None:
    """Send `text`; when it can't be sent, say why and put it back into the composer."""
    try:
        state.chat_id = _said(conversation, turns, attachments.joined(text, state.attachments), chosen)
    except TemperaError as error:
        _put_back(text, error)
    else:
        _asked(chosen)
        state.images.clear()
        state.attachments.clear()
        model_picker.used(resources.services(), conversation.owner, chosen.models)


def _said(conversation: Conversation, turns: list[Turn], text: str, chosen: Form) -> str:
    """Send `text`; where the store does not take it, the chat goes on in memory until it does."""
    try:
        return conversation.send_text(text, chosen, state.images, turns)
    except StoreError as refused:
        if conversation.temporary:
            raise
        if resources.services().store.trouble is None:  # else the page says it as long as it lasts
            state.notices.append(error_sentence(refused))
        copy = conversation.in_memory()
        chat_id = copy.send_text(text, chosen, state.images)
        state.temporary = state.unsaved = True
        return chat_id


def unsaved_warning() -> None:
    """Says, as long as it is so, that the open chat is in memory because it can't be saved."""
    if state.unsaved:
        words = _("This chat goes on in memory. It is saved by itself as soon as that is possible: keep its tab open.")
        st.warning(words, icon=":material/save:")


def keep_unsaved() -> None:
    """Save a chat that went on in memory, as soon as the store takes it."""
    conversation = current()
    if not state.unsaved or conversation.chat_id is None or open_view(conversation).running:
        return
    with suppress(StoreError):
        state.chat_id = conversation.keep()
        state.temporary = state.unsaved = False
        resources.services().temporary.left(conversation.owner, conversation.chat_id)


def _put_back(text: str, why: TemperaError) -> None:
    """Say why a message was not sent, and put it back into the composer; it goes out once a service that is missing is
    connected."""
    state.put_back = text  # by the next run: what waited its turn is sent when the composer has been drawn
    with refusals_told(partial(_send_put_back, text)):
        raise why


def _send_put_back(text: str) -> None:
    state.put_back = ""
    send_text(text)


def send_unconfirmed(leave_out: bool = False) -> None:
    """Send the message that was asked about, with or without the oldest turns."""
    unconfirmed, state.unconfirmed, conversation = state.unconfirmed, None, current()
    if unconfirmed is not None:
        chosen = replace(form(), leave_out=(unconfirmed.leave_out or 0) if leave_out else 0)
        _send_text(conversation, conversation.branch(), unconfirmed.text, chosen)


def take_back_unconfirmed() -> None:
    """Put the message that was asked about back into the composer."""
    if state.unconfirmed is not None:
        st.session_state[INPUT], state.unconfirmed = state.unconfirmed.text, None


def _unconfirmed(conversation: Conversation, turns: list[Turn], chosen: Form, text: str) -> UnconfirmedMessage | None:
    """What makes a message one to ask about first, if anything does."""
    whole = attachments.joined(text, state.attachments)
    found = context_window.estimates(conversation.endpoints(), turns, chosen, whole, len(state.images))
    cost, limit = sum(one.cost or 0 for one in found), st.session_state.get(ASK_FROM)
    narrow = [one for one in found if one.too_long]
    if narrow:
        least = min(narrow, key=lambda one: one.window or 0)
        gone = context_window.turns_to_leave_out(conversation.endpoints(), turns, chosen, whole)
        return UnconfirmedMessage(text, least.prompt_tokens, least.window, gone, cost, limit)
    dear = limit is not None and cost > limit
    return UnconfirmedMessage(text, found[0].prompt_tokens, None, None, cost, limit) if dear else None


def send_edited(turn: Turn) -> None:
    """Send an edited question; the old one stays as a version of it."""
    with refusals_told(partial(send_edited, turn)):
        conversation, asked = current(), form()
        _typed, files = attachments.parted(turn.text)
        conversation.send_edited(turn, attachments.joined(st.session_state[EDITED], files), asked)
        state.editing = None
        _asked(asked)
        model_picker.used(resources.services(), conversation.owner, asked.models)


def try_again(turn: Turn | None = None, model: str | None = None) -> None:
    """Ask once more, the last question or that of the answer `turn`, with the settings as they stand."""
    with refusals_told(partial(try_again, turn, model)):
        asked = form()
        current().regenerate(replace(asked, model=model, others=()) if model else asked, turn)
        _asked(asked)


def ask_beside(turn: Turn) -> None:
    """Ask the question of the answer `turn` once more, with the settings as they stand; both stay in view."""
    with refusals_told(partial(ask_beside, turn)):
        asked = form()
        current().ask_beside(turn, asked)
        _asked(asked)
        model_picker.used(resources.services(), visitor().owner, asked.models)


def _asked(form: Form) -> None:
    """Let the page show the question anew, and remember what it was asked with."""
    state.asked += 1
    state.asked_form = (state.chat_id, replace(form, leave_out=0))


def continue_answer(turn: Turn) -> None:
    """Let a cut or begun answer be continued."""
    with refusals_told(partial(continue_answer, turn)):
        current().continue_answer(turn, form())


def allow_longer(turn: Turn, max_tokens: int) -> None:
    """Ask once more, with a longer answer allowed."""
    controls.switch_on("chat", "max_tokens", max_tokens)
    try_again(turn)


def fetch_missing(turn: Turn) -> None:
    """Ask for the versions of an answer that did not come."""
    with refusals_told(partial(fetch_missing, turn)):
        current().fetch_missing(turn)


def use_second_address(turn: Turn) -> None:
    """Ask once more, at the service's second address; an answer that is still awaited is given up."""
    with refusals_told(partial(use_second_address, turn)):
        conversation = current()
        stop(turn.call.id if turn.call else None)
        conversation.use_other_address(turn)
        state.asked += 1


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
    state.chat_id = state.waiting = state.editing = state.deleted_turn = None
    state.writing, state.temporary, state.shown_turns = False, temporary, SHOWN_TURNS
    state.missing_chat, state.first_shown = False, None
    state.images.clear()
    state.attachments.clear()
    chat_settings.begin()


def leave() -> None:
    """Forget a temporary chat that is open."""
    conversation = current()
    if conversation.temporary and conversation.chat_id is not None:
        stop()
        if state.unsaved:
            jobs, state.unsaved = resources.services().dispatcher.jobs, False
            asyncio.run_coroutine_threadsafe(conversation.keep_when_possible(), jobs.loop)
            return
        with suppress(NotFound):  # another tab has left it before
            conversation.erase()
        resources.services().temporary.left(conversation.owner, conversation.chat_id)


def watch_temporary() -> None:
    """See to it that an open temporary chat is forgotten when its last tab is closed; where that has happened (the
    computer slept, say), begin anew."""
    services, who, chat_id, tab = resources.services(), visitor(), state.chat_id, tab_id()
    if not state.temporary or chat_id is None or tab is None:
        return
    if chat_id not in services.temporary_chats(who.owner):
        new(temporary=True)
        state.notices.append(_("The temporary chat is gone: no tab had it open for a minute."))
        return
    if state.unsaved:
        return  # it is not meant to go
    services.temporary.seen(who.owner, chat_id, tab, lambda: is_open(tab))


def open_chat(chat_id: str) -> None:
    """Open a chat of the list."""
    new()
    state.chat_id = chat_id
    chat_settings.take_up(current())
