"""Who wrote an answer, its figures in one quiet line, and all of them in a dialog, which moves nothing on the page."""

import itertools
from collections.abc import Sequence
from typing import Any

import streamlit as st

from lib.calls.records import CallRecord
from lib.calls.unsupported_params import left_out
from lib.chat.repository import Turn
from lib.core.rich_text import literal
from lib.ui.chat import open_chat
from lib.ui.chat.chat_state import chat_state
from lib.ui.chat.inspector import inspect_button
from lib.ui.chat.open_chat import ChatView
from lib.ui.shared import call_details
from lib.ui.shared.controls import CONTROLS, said
from lib.ui.shared.figures import line
from lib.ui.shared.set_price import set_price_button
from lib.ui.shared.state import state
from lib.ui.shared.texts import _

COMPARED = tuple(field for field, control in CONTROLS.items() if control.kind in ("number", "word"))
"""The settings that are said of answers beside each other, where they differ."""


def author(turn: Turn, beside: Sequence[Turn] = ()) -> None:
    """The model that was asked, and its temperature where one was sent; of several answers `beside` each other each
    says all settings in which they differ. Nothing above a text written by hand."""
    made_by = turn.made_by
    if made_by is None or not made_by.model:
        return
    sent, others = _sent(turn), [_sent(one) for one in beside]
    differ = [name for name in COMPARED if len({other.get(name) for other in others}) > 1]
    names = dict.fromkeys([*(["temperature"] if "temperature" in sent else []), *differ])
    parts = [_said(name, sent.get(name)) for name in names]
    model = turn.call.model if turn.call else made_by.model
    st.caption(" · ".join([f"**{literal(model)}**", *parts]))


def _sent(turn: Turn) -> dict[str, Any]:
    """What of COMPARED an answer was asked for with, as far as its model takes it."""
    made_by = turn.made_by
    asked = dict(made_by.settings) if made_by else {}
    gone = left_out(turn.call.params_asked, turn.call.params_sent) if turn.call else []
    return {
        name: value
        for name, value in asked.items()
        if name in COMPARED and name not in gone and isinstance(value, int | float | str)
    }


def _said(name: str, value: Any) -> str:
    return _("{name} not sent").format(name=name) if value is None else said(name, value)


def figures_button(name: str, turn: Turn) -> None:
    """Seconds, tokens and cost of an answer that has ended; all its numbers are behind it."""
    if turn.call and turn.call.state != "started":
        words, key = f"{literal(line(turn.call))} ›", f"figures_{name}"
        st.button(words, key=key, type="tertiary", on_click=_open, args=(name, turn.call.id))


def figures_dialog(view: ChatView) -> None:
    """Draw the dialog with an answer's numbers, while it is open."""
    name, call_id = chat_state.figures or ("", "")
    call = _call(view, call_id) if call_id else None
    if call is not None:
        st.dialog(_("This answer in numbers"), on_dismiss=state.close_dialogs)(_body)(name, call)
    else:
        chat_state.figures = None


def _call(view: ChatView, call_id: str) -> CallRecord | None:
    """The call of an answer that is shown: one of the branch, or one that stands beside an answer of it."""
    earlier = (one for turn in view.turns if turn.together for one in open_chat.current().side_by_side(turn))
    turns = itertools.chain(view.turns, view.beside, earlier)  # the earlier ones are only read where they are wanted
    return next((turn.call for turn in turns if turn.call and turn.call.id == call_id), None)


def _body(name: str, call: CallRecord) -> None:
    if chat_state.figures is None:
        st.rerun()  # a press in a dialog runs the dialog alone, and the next one is the page's
    with st.container(key=f"panel_{name}"):
        call_details.numbers(call)
        if call.cost is None:
            set_price_button([(call.endpoint, call.model)], "figures")
        inspect_button(f"inspect_{name}", call.id, _("View code, request and answer"))


def _open(name: str, call_id: str) -> None:
    chat_state.figures = (name, call_id)
    if chat_state.panel and chat_state.panel[0] == name:
        chat_state.panel = None  # it has the name that the dialog's contents get
