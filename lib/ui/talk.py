"""What the visitor does to a chat: callbacks of the page's buttons and its composer."""

import streamlit as st

from lib import chats
from lib.chats import Turn
from lib.errors import TemperaError
from lib.house import House
from lib.runner import Answer
from lib.talks import Form, Talk
from lib.ui import controls, resources
from lib.ui.state import state
from lib.ui.texts import said
from lib.ui.visitor import visitor

INPUT = "chat_input"


def current() -> Talk:
    """The open chat of this visitor."""
    who = visitor()
    return Talk(resources.house(), who.owner, who.session, state.chat_id)


def running_of(house: House, turns: list[Turn]) -> Answer | None:
    """The answer that is being written at the end of `turns`."""
    call = turns[-1].call if turns else None
    answer = house.answer(call.id) if call else None
    return answer if answer is not None and not answer.finished else None


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
    talk = current()
    if running_of(talk.house, talk.branch()):
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


def try_again() -> None:
    """Ask the last question again, with the settings as they stand."""
    try:
        current().again(form())
    except TemperaError as refused:
        state.notices.append(said(refused))


def stop() -> None:
    """End the running answer; what has come is kept."""
    talk = current()
    answer = running_of(talk.house, talk.branch())
    if answer is not None:
        answer.cancel()


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
    state.chat_id = None
    state.waiting = None


def open_chat(chat_id: str) -> None:
    """Open a chat of the list."""
    new()
    state.chat_id = chat_id
