"""The field at the bottom of the chat, and what stands above it: images to send, Stop, Edit last."""

import streamlit as st

from lib import images
from lib.ui import talk, turns
from lib.ui.bar import bar, held_message
from lib.ui.frame import passing
from lib.ui.pictures import images_to_send
from lib.ui.safe import plain
from lib.ui.state import state
from lib.ui.talk import View
from lib.ui.templates import templates
from lib.ui.texts import _

MEGABYTE = 1_000_000


def composer(view: View) -> None:
    """Draw the field; it stays open while an answer is written, and what is sent then waits its turn."""
    with st.bottom:
        with passing(state.held or state.images):
            held_message()
            images_to_send()
        with st.container(horizontal=True, horizontal_alignment="right", vertical_alignment="center"):
            templates()
            if state.temporary:
                st.caption(
                    _("A temporary chat: its texts are in memory only and are gone when you leave it."), width="content"
                )
            bar(view)
            if view.running:
                st.button(_("Stop"), key="chat_stop", icon=":material/stop_circle:", on_click=talk.stop, shortcut="Esc")
            else:
                _edit_last(view)
    st.chat_input(
        _("Type a message"),
        key=talk.INPUT,
        on_submit=talk.send,
        accept_file="multiple",
        file_type=images.ENDINGS,
        max_upload_size=images.MAX_BYTES // MEGABYTE,
    )


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


def _edit_last(view: View) -> None:
    last = next((turn for turn in reversed(view.turns) if turn.role == "user"), None)
    if last is not None:
        st.button(
            _("Edit last"),
            key="chat_edit_last",
            type="tertiary",
            icon=":material/edit:",
            shortcut="Mod+ArrowUp",
            on_click=turns.edit,
            args=(last,),
        )


def _unsend() -> None:
    st.session_state[talk.INPUT] = state.waiting
    state.waiting = None
