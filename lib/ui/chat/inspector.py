"""Dialog with a call's code sample, request body and raw answer."""

import streamlit as st

from lib.calls.code_samples import KEY, SAMPLES
from lib.chat import inspection
from lib.chat.inspection import Inspection
from lib.core.errors import TemperaError
from lib.core.i18n import N_
from lib.core.request import Message
from lib.core.rich_text import literal
from lib.ui.chat import chat_settings, open_chat
from lib.ui.chat.chat_state import NEXT, chat_state
from lib.ui.chat.open_chat import ChatView
from lib.ui.shared import call_details
from lib.ui.shared.state import state
from lib.ui.shared.texts import _, error_sentence

PARTS = {"code": N_("Code"), "request": N_("Request"), "answer": N_("Answer")}


def inspect_button(key: str, call_id: str, words: str) -> None:
    """Opens the inspector for a call, or for the one that comes (NEXT)."""
    st.button(words, key=key, type="tertiary", icon=":material/data_object:", on_click=_open, args=(call_id,))


def inspector(view: ChatView) -> None:
    """Draw the inspector's dialog, while it is open."""
    if chat_state.inspected is None:
        return
    title = _("What will be sent") if chat_state.inspected == NEXT else _("View code, request and answer")
    st.dialog(title, width="large", on_dismiss=state.close_dialogs)(_body)(view, chat_state.inspected)


def _body(view: ChatView, call_id: str) -> None:
    try:
        found = _planned(view) if call_id == NEXT else _made(view, call_id)
    except TemperaError as error:
        st.caption(error_sentence(error))
        return
    if len(found) > 1:
        models = range(len(found))
        names = [literal(one.model) for one in found]
        at = st.pills(_("Model"), models, default=0, format_func=names.__getitem__, key="inspector_model") or 0
    else:
        at = 0
    if found:
        _one(found[at], made=call_id != NEXT)


def _planned(view: ChatView) -> list[Inspection]:
    # Streamlit tells no keystrokes: a draft is unknown to the server until it is sent.
    last = Message(role="user", content=_("(what you type)"), images=tuple(chat_state.images))
    asked = open_chat.current().planned(view.turns, last, chat_settings.read())
    return [inspection.planned(request, endpoint) for request, endpoint in asked]


def _made(view: ChatView, call_id: str) -> list[Inspection]:
    found = [turn.call for turn in (*view.turns, *view.beside) if turn.call and turn.call.id == call_id]
    return [inspection.made(open_chat.current(), found[0])] if found else []


def _one(found: Inspection, made: bool) -> None:
    parts = list(PARTS) if made else [part for part in PARTS if part != "answer"]
    part = st.segmented_control(
        _("Part"),
        parts,
        default="code",
        format_func=lambda name: _(PARTS[name]),
        key="inspector_part",
        label_visibility="collapsed",
    )
    if part == "answer":
        call_details.answer(found.answer)
    elif part == "request":
        st.code(found.url, language=None)
        call_details.body(found.body)
    else:
        _code(found)


def _code(found: Inspection) -> None:
    title = st.pills(
        _("Language"), list(SAMPLES), default="curl", key="inspector_language", label_visibility="collapsed"
    )
    sample, language, ending = SAMPLES[title or "curl"]
    call_details.to_the_letter(sample(found.url, found.body), language, ending)
    st.caption(_("The key is not in it: put yours into the environment variable {name} first.").format(name=KEY))
    if found.ours_alone:
        st.caption(_("This model can't be asked from elsewhere: change the address and the model's name."))


def _open(call_id: str) -> None:
    chat_state.inspected = call_id
