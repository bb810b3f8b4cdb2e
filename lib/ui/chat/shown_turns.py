"""Which turns of a long chat are drawn: the last ones, and earlier ones when they are wanted."""

from collections.abc import Sequence

import streamlit as st

from lib.chat.repository import Turn
from lib.ui.chat.chat_state import chat_state
from lib.ui.shared.state import state
from lib.ui.shared.texts import _n

AT_MOST = 30
MORE = 30


def first_shown(turns: Sequence[Turn]) -> int:
    """The index of the first turn that is drawn. It stays while the chat grows, up to AT_MOST turns: with each that
    goes at the top, all others would have to be drawn anew in another's place."""
    chat_id, first = chat_state.first_shown or (None, 0)
    drawn = len(turns) - first
    most = max(AT_MOST, chat_state.shown_turns)
    if chat_id != state.chat_id or drawn > most or (first and drawn < chat_state.shown_turns):
        first = max(0, len(turns) - chat_state.shown_turns)
    chat_state.first_shown = (state.chat_id, first)
    return first


def earlier_button(turns: Sequence[Turn]) -> None:
    """Draws what was said before; assets/conversation.js presses it for whoever scrolls up to it."""
    first = first_shown(turns)
    if first:
        words = _n("Show {count} earlier message", "Show {count} earlier messages", first)
        icon = ":material/history:"
        st.button(words.format(count=first), key="chat_earlier", type="tertiary", icon=icon, on_click=_more)


def _more() -> None:
    chat_state.shown_turns += MORE
