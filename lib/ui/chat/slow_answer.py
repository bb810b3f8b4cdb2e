"""Offers to wait, stop or use a second address when the first word of an answer is late."""

from collections.abc import Sequence
from functools import partial

import streamlit as st

from lib.calls.runner import Answer
from lib.chat.repository import Turn
from lib.core.rich_text import literal
from lib.gateway.addresses import host_of
from lib.ui.chat import model_actions, open_chat
from lib.ui.chat.chat_state import chat_state
from lib.ui.chat.edit_actions import keep_waiting
from lib.ui.chat.live_answer import LiveAnswer, is_late
from lib.ui.shared import resources
from lib.ui.shared.markdown import Container
from lib.ui.shared.texts import _


def live_answer(
    answer: Answer, turn: Turn, containers: Sequence[Container], stop: Container | None = None
) -> LiveAnswer:
    """The live view of an answer in its containers; `stop` is where its own Stop stands."""
    status = st.empty()
    patience = resources.services().settings.patience_seconds
    if answer.id in chat_state.patient:  # who chose to wait is not asked again
        return LiveAnswer(answer, containers, status, turn.begun, stop=stop)
    if asked := is_late(answer, patience):
        _what_to_do(turn, status.container())
    return LiveAnswer(answer, containers, status, turn.begun, asked, patience, stop)


def own_stop(container: Container, turn: Turn, key: str) -> Container:
    """Stops one of several answers; its place."""
    container.button(_("Stop"), key=key, type="tertiary", icon=":material/stop_circle:", on_click=partial(_stop, turn))
    return container


def _stop(turn: Turn) -> None:
    open_chat.stop(turn.call.id if turn.call else None)


def _what_to_do(turn: Turn, container: Container) -> None:
    """No first word yet: wait on, give up, or ask elsewhere, which may be billed twice."""
    call = turn.call
    if call is None:
        return
    other = open_chat.current().other_address(call)
    with container:
        st.caption(_("No first word yet from {model}.").format(model=literal(call.model)))
        with st.container(horizontal=True, gap="small"):
            st.button(_("Keep waiting"), key=f"wait_{call.id}", on_click=keep_waiting, args=(call.id,))
            st.button(_("Stop"), key=f"give_up_{call.id}", type="tertiary", on_click=partial(_stop, turn))
            if other is not None:
                _second_address(turn, host_of(other.base_url))
        if other is not None:
            st.caption(_("What has been sent may be billed even if it is stopped: asking again can cost twice."))


def _second_address(turn: Turn, address: str) -> None:
    st.button(
        _("Use the second address"),
        key="chat_second_address",
        type="tertiary",
        icon=":material/alt_route:",
        help=_("The same service, at {address}.").format(address=literal(address)),
        on_click=model_actions.use_second_address,
        args=(turn,),
    )
