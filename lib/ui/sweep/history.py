"""A conversation of Chat that a sweep's prompt goes on: taken along, shown in the form, left out again."""

from collections.abc import Sequence

import streamlit as st

from lib.chat.repository import Turn
from lib.core.contract import Message
from lib.ui.chat import actions
from lib.ui.shared import session_restore
from lib.ui.shared.state import state
from lib.ui.shared.texts import _, role_names
from lib.ui.shared.visitor import visitor

KEY = "sweep_history"
PAGE = "../../pages/sweep.py"


def why_not(turn: Turn) -> str | None:
    """Why the conversation up to `turn` can't be swept; None where it can."""
    if state.temporary:
        return _("A sweep is kept; a temporary chat is not.")
    pictured = any(one.images for one in _up_to(turn))
    return _("A sweep sends text only; this conversation has images.") if pictured else None


def take_along(turn: Turn) -> None:
    """Open Sweep with the question of `turn` as its prompt, and what was said before as its history."""
    owned, form = actions.current(), actions.form()
    messages = owned.to_send(_up_to(turn))
    while messages and messages[-1].role != "user":
        messages.pop()
    session_restore.restore(owned.services, visitor(), session_restore.SWEEP)
    st.session_state["sweep_prompt"] = messages.pop().content if messages else ""
    st.session_state[KEY] = [message.to_send() for message in messages]
    st.session_state["sweep_system"], st.session_state["sweep_models"] = form.system, list(form.models)
    state.sweep_id = None
    st.switch_page(PAGE)


def history() -> tuple[Message, ...]:
    """The conversation that the sweep's prompt goes on; empty for most sweeps."""
    return tuple(Message(**message) for message in st.session_state.get(KEY) or ())


def history_line() -> None:
    """What goes before the prompt, where something does: to be read, or left out."""
    kept = history()
    if not kept:
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="sweep_after"):
        label = _("After a conversation of {count} messages").format(count=len(kept))
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


def _up_to(turn: Turn) -> list[Turn]:
    turns = actions.current().branch()
    at = next((index for index, one in enumerate(turns) if one.id == turn.id), len(turns) - 1)
    return turns[: at + 1]
