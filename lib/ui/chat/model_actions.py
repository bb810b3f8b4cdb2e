"""Callbacks that ask a model."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import streamlit as st

from lib.chat import attachments, context_window
from lib.chat.conversation import Conversation
from lib.chat.form import Form
from lib.chat.repository import Turn
from lib.core import images
from lib.core.errors import InvalidInput, StoreError, TemperaError
from lib.ui.chat import chat_settings, open_chat
from lib.ui.chat.chat_state import UnconfirmedMessage, chat_state
from lib.ui.shared import controls, model_picker, resources
from lib.ui.shared.refusals import refusals_told
from lib.ui.shared.state import state
from lib.ui.shared.texts import error_sentence
from lib.ui.shared.visitor import visitor

INPUT = "chat_input"
EDITED = "edited_message"
WRITTEN = "written_turn"
LEAVE_OUT = "chat_leave_out"
ASK_FROM = "chat_ask_from"


def send_typed() -> None:
    """The composer's callback: send what was typed, or let it wait for the running answer."""
    typed = st.session_state[INPUT]
    if typed is None:
        return
    try:
        _take_along([(file.name, file.getvalue()) for file in typed.files])
    except InvalidInput as error:
        _put_back(typed.text, error)
        return
    view = open_chat.open_view(open_chat.current())
    if view.running:
        chat_state.waiting = "\n\n".join(text for text in (chat_state.waiting, typed.text) if text)
    else:
        check_and_send(typed.text, view.turns)


def _take_along(files: Sequence[tuple[str, bytes]]) -> None:
    """Let files, by name and contents, go with the next message; raises InvalidInput, and then none of them does."""
    pictures = [content for name, content in files if images.is_image(name, content)]
    urls = images.few_enough([*chat_state.images, *map(images.data_url, pictures)])
    texts = [attachments.of_file(*file) for file in files if not images.is_image(*file)]
    chat_state.attachments = list(attachments.few_enough([*chat_state.attachments, *texts]))
    chat_state.images = list(urls)


def check_and_send(text: str, turns: list[Turn] | None = None) -> None:
    """Send `text` after `turns`, the open branch; one that is too long or too dear is held, and asked about."""
    conversation = open_chat.current()
    turns = conversation.branch() if turns is None else turns
    # What is typed right after a service was connected can come before the page has drawn its models.
    model_picker.choose_first(resources.services(), visitor().owner, chat_settings.MODEL)
    try:
        chosen = chat_settings.read()
        unconfirmed = _unconfirmed(conversation, turns, chosen, text)
    except TemperaError as error:
        _put_back(text, error)
        return
    if unconfirmed is not None and not (unconfirmed.leave_out and st.session_state.get(LEAVE_OUT)):
        chat_state.unconfirmed = unconfirmed
    else:
        leave_out = (unconfirmed and unconfirmed.leave_out) or 0
        _send_or_put_back(conversation, turns, text, replace(chosen, leave_out=leave_out))


def _send_or_put_back(conversation: Conversation, turns: list[Turn], text: str, chosen: Form) -> None:
    """Send `text`; when it can't be sent, say why and put it back into the composer."""
    try:
        whole = attachments.joined(text, chat_state.attachments)
        state.chat_id = _send_or_keep_in_memory(conversation, turns, whole, chosen)
    except TemperaError as error:
        _put_back(text, error)
    else:
        _asked(chosen)
        # What was written by hand and not added stays.
        chat_state.writing = chat_state.writing and bool((st.session_state.get(WRITTEN) or "").strip())
        chat_state.images.clear()
        chat_state.attachments.clear()
        model_picker.used(resources.services(), conversation.owner, chosen.models)


def _send_or_keep_in_memory(conversation: Conversation, turns: list[Turn], text: str, chosen: Form) -> str:
    """Send `text`; where the store does not take it, the chat goes on in memory until it does."""
    try:
        return conversation.send_text(text, chosen, chat_state.images, turns)
    except StoreError as refused:
        if conversation.temporary:
            raise
        if resources.services().store.trouble is None:  # else the page says it as long as it lasts
            state.notices.append(error_sentence(refused))
        copy = conversation.in_memory()
        chat_id = copy.send_text(text, chosen, chat_state.images)
        chat_state.temporary = chat_state.unsaved = True
        return chat_id


def _put_back(text: str, why: TemperaError) -> None:
    """Say why a message was not sent, and put it back into the composer; it goes out once a service that is missing is
    connected."""
    chat_state.put_back = text  # by the next run: what waited its turn is sent when the composer has been drawn
    with refusals_told(partial(_send_put_back, text)):
        raise why


def _send_put_back(text: str) -> None:
    chat_state.put_back = ""
    check_and_send(text)


def send_unconfirmed(leave_out: bool = False) -> None:
    """Send the message that was asked about, with or without the oldest turns."""
    unconfirmed, chat_state.unconfirmed, conversation = chat_state.unconfirmed, None, open_chat.current()
    if unconfirmed is not None:
        chosen = replace(chat_settings.read(), leave_out=(unconfirmed.leave_out or 0) if leave_out else 0)
        _send_or_put_back(conversation, conversation.branch(), unconfirmed.text, chosen)


def take_back_unconfirmed() -> None:
    """Put the message that was asked about back into the composer."""
    if chat_state.unconfirmed is not None:
        st.session_state[INPUT], chat_state.unconfirmed = chat_state.unconfirmed.text, None


def _unconfirmed(conversation: Conversation, turns: list[Turn], chosen: Form, text: str) -> UnconfirmedMessage | None:
    """What makes a message one to ask about first, if anything does."""
    whole = attachments.joined(text, chat_state.attachments)
    found = context_window.estimates(conversation.endpoints(), turns, chosen, whole, len(chat_state.images))
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
        conversation, asked = open_chat.current(), chat_settings.read()
        _typed, files = attachments.parted(turn.text)
        conversation.send_edited(turn, attachments.joined(st.session_state[EDITED], files), asked)
        chat_state.editing = None
        _asked(asked)
        model_picker.used(resources.services(), conversation.owner, asked.models)


def try_again(turn: Turn | None = None, model: str | None = None) -> None:
    """Ask once more, the last question or that of the answer `turn`, with the settings as they stand."""
    with refusals_told(partial(try_again, turn, model)):
        asked = chat_settings.read()
        open_chat.current().regenerate(replace(asked, model=model, others=()) if model else asked, turn)
        _asked(asked)


def ask_beside(turn: Turn) -> None:
    """Ask the question of the answer `turn` once more, with the settings as they stand; both stay in view."""
    with refusals_told(partial(ask_beside, turn)):
        asked = chat_settings.read()
        open_chat.current().ask_beside(turn, asked)
        _asked(asked)
        model_picker.used(resources.services(), visitor().owner, asked.models)


def _asked(form: Form) -> None:
    """Let the page show the question anew, and remember what it was asked with."""
    chat_state.asked, chat_state.waited = chat_state.asked + 1, False
    chat_state.asked_form = (state.chat_id, replace(form, leave_out=0))


def continue_answer(turn: Turn) -> None:
    """Let a cut or begun answer be continued."""
    with refusals_told(partial(continue_answer, turn)):
        open_chat.current().continue_answer(turn, chat_settings.read())


def allow_longer(turn: Turn, max_tokens: int) -> None:
    """Ask once more, with a longer answer allowed."""
    controls.switch_on("chat", "max_tokens", max_tokens)
    try_again(turn)


def fetch_missing(turn: Turn) -> None:
    """Ask for the versions of an answer that did not come."""
    with refusals_told(partial(fetch_missing, turn)):
        open_chat.current().fetch_missing(turn)


def use_second_address(turn: Turn) -> None:
    """Ask once more, at the service's second address; an answer that is still awaited is given up."""
    with refusals_told(partial(use_second_address, turn)):
        conversation = open_chat.current()
        open_chat.stop(turn.call.id if turn.call else None)
        conversation.use_other_address(turn)
        chat_state.asked, chat_state.waited = chat_state.asked + 1, False
