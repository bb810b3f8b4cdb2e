"""The field at the bottom of the chat, and Stop while an answer is being written."""

import streamlit as st

from lib.runner import Answer
from lib.ui import talk
from lib.ui.safe import plain
from lib.ui.state import state
from lib.ui.texts import _


def composer(running: Answer | None) -> None:
    """Draw the field; it stays open while an answer is written, and what is sent then waits its turn."""
    if running is not None:
        with st.bottom, st.container(horizontal=True, horizontal_alignment="right"):
            st.button(_("Stop"), key="chat_stop", icon=":material/stop_circle:", on_click=talk.stop, shortcut="Esc")
    st.chat_input(_("Type a message"), key=talk.INPUT, on_submit=talk.send)


def waiting_message() -> None:
    """The message that will be sent when the running answer has ended."""
    if state.waiting is None:
        return
    with st.container(key="chat_waiting", horizontal=True, vertical_alignment="center"):
        st.caption(_("Waits its turn: {text}").format(text=plain(state.waiting[:200])))
        st.button(_("Don't send"), key="chat_unsend", type="tertiary", on_click=_unsend)


def send_waiting_message() -> None:
    """Send what waited; called when the answer before it has ended."""
    text, state.waiting = state.waiting, None
    if text is not None:
        talk.say(text)


def _unsend() -> None:
    st.session_state[talk.INPUT] = state.waiting
    state.waiting = None
