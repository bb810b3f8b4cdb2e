"""The chat history before a sweep's prompt: taken over from Chat, shown, left out again."""

from collections.abc import Sequence

import streamlit as st

from lib.core.request import Message
from lib.ui.shared.other_pages import taken_sweep_draft
from lib.ui.shared.state import state
from lib.ui.shared.texts import _, _n, role_names

KEY = "sweep_history"


def take_over_draft() -> None:
    """Fill the form with what Chat handed over, if it did."""
    draft = taken_sweep_draft()
    if draft is None:
        return
    st.session_state["sweep_prompt"] = draft.prompt
    st.session_state["sweep_system"], st.session_state["sweep_models"] = draft.system, list(draft.models)
    fill_history(draft.history)
    state.sweep_id = None


def fill_history(messages: Sequence[Message]) -> None:
    """Let the prompt go on from `messages`."""
    st.session_state[KEY] = [message.to_send() for message in messages]


def history() -> tuple[Message, ...]:
    """The conversation that the sweep's prompt goes on; empty for most sweeps."""
    return tuple(Message(**message) for message in st.session_state.get(KEY) or ())


def history_line() -> None:
    """What goes before the prompt, where something does: to be read, or left out."""
    kept = history()
    if not kept:
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="sweep_after"):
        label = _n("After a conversation of {count} message", "After a conversation of {count} messages", len(kept))
        label = label.format(count=len(kept))
        opened = st.popover(label, type="tertiary", key="sweep_history_shown", on_change="rerun")
        if opened.open:
            with opened:
                _shown(kept)
        st.button(_("Leave it out"), key="sweep_history_drop", type="tertiary", on_click=_leave_out)


def _shown(messages: Sequence[Message]) -> None:
    names = role_names()
    for message in messages:
        st.caption(names[message.role])
        st.text(message.content)


def _leave_out() -> None:
    st.session_state[KEY] = []
