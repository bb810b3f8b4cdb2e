"""What the visitor does to a chat: callbacks of the page's buttons and its composer."""

from dataclasses import replace

import streamlit as st

from lib import chats
from lib.chats import Turn
from lib.errors import StoreError, TemperaError
from lib.runner import Answer
from lib.talks import Form, Talk
from lib.ui import controls, resources
from lib.ui.state import SHOWN_TURNS, state
from lib.ui.texts import said
from lib.ui.visitor import visitor

INPUT = "chat_input"
EDITED = "edited_message"


def current() -> Talk:
    """The open chat of this visitor."""
    who = visitor()
    return Talk(resources.house(), who.owner, who.session, state.chat_id)


def look(talk: Talk) -> tuple[list[Turn], Answer | None]:
    """The open branch, and the answer that is being written at its end."""
    turns = talk.branch()
    call = turns[-1].call if turns else None
    if call is None or call.state != "started":
        return turns, None
    answer = talk.house.answer(call.id)
    if answer is not None and not answer.finished:
        return turns, answer
    # It ended after the branch was read; its record is there by now, or can't be written at all.
    turns = talk.branch()
    if answer is not None and not answer.recorded:
        turns[-1] = _unsaved(turns[-1], answer)
    return turns, None


def _unsaved(turn: Turn, answer: Answer) -> Turn:
    """A turn as its answer ended, where the store could not take it: the text is shown, and that it is not saved."""
    if turn.call is None:
        return turn
    trouble = StoreError()
    ended = replace(
        turn.call,
        state=answer.outcome.state if answer.outcome else "partial",
        seconds=answer.seconds,
        choices=tuple(answer.reply.choices),
        usage=answer.reply.usage,
        error_kind=trouble.kind,
        error_record=trouble.record(),
    )
    return replace(turn, call=ended, text=ended.choices[0].text if ended.choices else "")


def form() -> Form:
    """The page's settings as they stand; raises InvalidInput when one is outside the contract."""
    return Form(
        model=st.session_state.get("chat_model") or "",
        system=st.session_state.get("chat_system") or "",
        params=controls.read("chat"),
    )


def send() -> None:
    """The composer's callback: send what was typed, or let it wait for the running answer."""
    text = st.session_state[INPUT] or ""
    _turns, running = look(current())
    if running is not None:
        state.waiting = text
    else:
        say(text)


def say(text: str) -> None:
    """Send `text`; when it can't be sent, say why and put it back into the composer."""
    try:
        state.chat_id = current().say(text, form())
    except TemperaError as refused:
        state.notices.append(said(refused))
        st.session_state[INPUT] = text


def edit(turn: Turn) -> None:
    """Open a question for editing."""
    state.editing = turn.id


def leave_as_it_was() -> None:
    """Close the editor."""
    state.editing = None


def say_instead(turn: Turn) -> None:
    """Send an edited question; the old one stays as a version of it."""
    try:
        current().say(st.session_state[EDITED], form(), instead_of=turn.id)
        state.editing = None
    except TemperaError as refused:
        state.notices.append(said(refused))


def show_earlier() -> None:
    """Draw more of a long chat."""
    state.shown_turns += SHOWN_TURNS


def try_again() -> None:
    """Ask the last question again, with the settings as they stand."""
    try:
        current().again(form())
    except TemperaError as refused:
        state.notices.append(said(refused))


def fetch_rest(turn: Turn) -> None:
    """Ask for the versions of an answer that did not come."""
    try:
        current().fetch_rest(turn)
    except TemperaError as refused:
        state.notices.append(said(refused))


def use_second_address(turn: Turn) -> None:
    """Ask once more, at the service's second address."""
    try:
        current().use_other_address(turn)
    except TemperaError as refused:
        state.notices.append(said(refused))


def stop() -> None:
    """End the running answer; what has come is kept."""
    _turns, running = look(current())
    if running is not None:
        running.cancel()


def choose_version(message_id: str) -> None:
    """Show another version of a turn."""
    talk = current()
    if talk.chat_id is not None:
        chat_id = talk.chat_id
        talk.house.store.write(lambda db: chats.choose(db, talk.owner, chat_id, message_id)).result()


def go_on_with(turn: Turn, index: int) -> None:
    """Let the conversation go on with another alternative of the same call."""
    choose_version(turn.alternatives[index])


def new() -> None:
    """Begin a new chat; the old one stays in the list."""
    state.chat_id = state.waiting = state.editing = None
    state.shown_turns = SHOWN_TURNS


def open_chat(chat_id: str) -> None:
    """Open a chat of the list."""
    new()
    state.chat_id = chat_id
