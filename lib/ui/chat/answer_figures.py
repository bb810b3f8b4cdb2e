"""Who wrote an answer, its figures in one quiet line, and all of them in a dialog, which moves nothing on the page."""

import streamlit as st

from lib.calls.records import CallRecord
from lib.chat.repository import Turn
from lib.core.rich_text import literal
from lib.ui.chat.inspector import inspect_button
from lib.ui.chat.model_actions import ChatView
from lib.ui.shared import call_details
from lib.ui.shared.figures import line
from lib.ui.shared.set_price import set_price_button
from lib.ui.shared.state import state
from lib.ui.shared.texts import _


def author(turn: Turn) -> None:
    """The model that was asked, and its temperature where one was sent; nothing above a text written by hand."""
    made_by = turn.made_by
    if made_by is None or not made_by.model:
        return
    model, sent = (turn.call.model, turn.call.params_sent) if turn.call else (made_by.model, made_by.settings)
    parts = [f"**{literal(model)}**"]
    if isinstance(temperature := sent.get("temperature"), int | float):
        parts.append(f"temperature {temperature:g}")
    st.caption(" · ".join(parts))


def figures_button(name: str, turn: Turn) -> None:
    """Seconds, tokens and cost of an answer that has ended; all its numbers are behind it."""
    if turn.call and turn.call.state != "started":
        words, key = f"{literal(line(turn.call))} ›", f"figures_{name}"
        st.button(words, key=key, type="tertiary", on_click=_open, args=(name, turn.call.id))


def figures_dialog(view: ChatView) -> None:
    """The dialog, while it is open."""
    name, call_id = state.figures or ("", "")
    calls = [turn.call for turn in (*view.turns, *view.beside) if turn.call and turn.call.id == call_id]
    if calls:
        st.dialog(_("This answer in numbers"), on_dismiss=_close)(_body)(name, calls[0])
    else:
        _close()


def _body(name: str, call: CallRecord) -> None:
    if state.figures is None:
        st.rerun()  # a press in a dialog runs the dialog alone, and the next one is the page's
    with st.container(key=f"panel_{name}"):
        call_details.numbers(call)
        if call.cost is None:
            set_price_button([(call.endpoint, call.model)], "figures")
        inspect_button(f"inspect_{name}", call.id, _("View code, request and answer"))


def _open(name: str, call_id: str) -> None:
    state.close_dialogs()
    state.figures = (name, call_id)


def _close() -> None:
    state.figures = None
