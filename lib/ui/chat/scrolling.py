"""Where the conversation stands on the screen: what assets/conversation.js has to know, and the button it shows."""

from html import escape

import streamlit as st

from lib.ui.chat.chat_state import chat_state
from lib.ui.chat.open_chat import ChatView
from lib.ui.shared.markdown import draw_piece
from lib.ui.shared.state import state
from lib.ui.shared.texts import _


def tell_script(view: ChatView) -> None:
    """Which chat is open, how often something was asked in this tab, the last time by itself or not, and which turn the
    last question is."""
    question = max((index for index, turn in enumerate(view.turns) if turn.role == "user"), default=-1)
    told = f"--chat: 'chat {state.chat_id or ''}'; --asked: {chat_state.asked}; --question: {question}"
    told += f"; --waited: {int(chat_state.waited)}"
    st.html(f"<style>:root {{ {told} }}</style>")


def newest_button() -> None:
    """Leads to the end; seen only where that is out of sight, so it asks nothing of the server."""
    with st.container(key="chat_newest"):
        # Lets the browser load what reads HTML ahead: it would come after the first message, which then jumps.
        draw_piece(st, "<span></span>")
        st.html(f'<button type="button">↓ {escape(_("To the newest"))}</button>')
