"""The input field of the chat, with images and files to send, Stop and Edit last above it."""

import streamlit as st

from lib.core import images
from lib.core.rich_text import literal
from lib.ui.chat import edit_actions, model_actions, open_chat
from lib.ui.chat.attachments import attachments_to_send
from lib.ui.chat.chat_state import chat_state
from lib.ui.chat.images import images_to_send
from lib.ui.chat.next_turn import next_turn_bar, unconfirmed_message
from lib.ui.chat.open_chat import ChatView
from lib.ui.chat.prompt_templates import templates
from lib.ui.chat.scrolling import newest_button
from lib.ui.shared import resources
from lib.ui.shared.budgets import budget_line
from lib.ui.shared.frame import transient
from lib.ui.shared.texts import _
from lib.ui.shared.visitor import visitor

MEGABYTE = 1_000_000


def composer(view: ChatView) -> None:
    """Draw the field; it stays open while an answer is written, and what is sent then waits its turn."""
    if chat_state.put_back is not None:
        st.session_state[model_actions.INPUT], chat_state.put_back = chat_state.put_back, None
    with st.bottom:
        newest_button()
        with transient(chat_state.unconfirmed or chat_state.images or chat_state.attachments):
            unconfirmed_message()
            images_to_send()
            attachments_to_send()
        with st.container(horizontal=True, vertical_alignment="center"):
            templates()
            if not view.running:
                _edit_last(view)
            if chat_state.temporary and not chat_state.unsaved:  # that one is saved as soon as it can be
                with st.container(key="chat_temporary", width="content"):  # assets/composer.js keeps no draft then
                    st.caption(_("A temporary chat: its texts are in memory only and are gone when you leave it."))
            budget_line(resources.services(), visitor(), "chat")
            next_turn_bar(view)
            if view.running:
                # At the other end: a second press that was meant for Stop must not meet a button that has taken its
                # place.
                st.space("stretch")
                st.button(
                    _("Stop"),
                    key="chat_stop",
                    icon=":material/stop_circle:",
                    on_click=open_chat.stop,
                    shortcut="Esc",
                )
        # Outside of `st.bottom` it would be put there too, but then Streamlit glides to the end of all that grows.
        st.chat_input(
            _("Type a message"),
            key=model_actions.INPUT,
            on_submit=model_actions.send_typed,
            # Any kind: what is neither an image nor a text is refused in a sentence that says why.
            accept_file="multiple",
            max_upload_size=images.MAX_BYTES // MEGABYTE,
        )


def waiting_message() -> None:
    """The message that will be sent when the running answer has ended."""
    if chat_state.waiting is None:
        return
    with st.container(key="chat_waiting", horizontal=True, vertical_alignment="center"):
        st.caption(_("Waits its turn: {text}").format(text=literal(chat_state.waiting[:200])))
        st.button(_("Don't send"), key="chat_unsend", type="tertiary", on_click=_unsend)


def send_waiting_message() -> None:
    """Send what waited; called when the answer before it has ended."""
    text, chat_state.waiting = chat_state.waiting, None
    if text is not None:
        model_actions.check_and_send(text)
        chat_state.waited = True


def _edit_last(view: ChatView) -> None:
    last = next((turn for turn in reversed(view.turns) if turn.role == "user"), None)
    if last is not None:
        st.button(
            _("Edit last"),
            key="chat_edit_last",
            type="tertiary",
            icon=":material/edit:",
            shortcut="Mod+ArrowUp",
            on_click=edit_actions.edit,
            args=(last,),
        )


def _unsend() -> None:
    st.session_state[model_actions.INPUT] = chat_state.waiting
    chat_state.waiting = None
