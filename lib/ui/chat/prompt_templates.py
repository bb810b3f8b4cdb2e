"""Dialog with saved prompts: choose one, fill in its {{variables}}, put it into the message."""

from collections.abc import Callable

import streamlit as st
from sqlalchemy import Connection

from lib.core.rich_text import literal
from lib.core.variables import filled, names
from lib.ui.chat import model_actions
from lib.ui.chat.chat_state import chat_state
from lib.ui.shared import resources
from lib.ui.shared.choices import choice_key
from lib.ui.shared.markdown import to_the_letter
from lib.ui.shared.refusals import refusals_told
from lib.ui.shared.state import state
from lib.ui.shared.texts import _
from lib.ui.shared.visitor import visitor
from lib.visitor.prompt_templates import READY, TEMPLATES, checked
from lib.visitor.saved_items import LONGEST_NAME

CHOSEN = "chat_template"
NAME = "chat_template_name"
TEXT = "chat_template_text"


def templates() -> None:
    """Draw the button that opens the saved prompts, and their dialog while it is open."""
    words, key = _("Prompts to be used again"), "chat_templates_open"
    st.button(_("Prompts"), key=key, type="tertiary", icon=":material/bookmarks:", help=words, on_click=_open)
    if chat_state.choosing_prompt:
        st.dialog(words, on_dismiss=state.close_dialogs)(_body)()


def _body() -> None:
    if not chat_state.choosing_prompt:
        st.rerun()
    _choose()
    with st.expander(_("Save a prompt of your own"), key="chat_template_new", type="compact"):
        _new()


def _open() -> None:
    chat_state.choosing_prompt = True


def _choose() -> None:
    texts = _texts()
    name = st.selectbox(
        _("Prompts"),
        list(texts),
        index=None,
        key=choice_key(CHOSEN),
        format_func=lambda name: _(READY[name][0]) if name in READY else name,
        placeholder=_("Choose a prompt"),
    )
    text = texts.get(name or "")
    if text is None:
        return
    to_the_letter(st, text, wrap_lines=True)
    for variable in names(text):
        st.text_area(literal(variable), key=_key(variable), height="content")
    with st.container(horizontal=True):
        st.button(
            _("Put into the message"), key="chat_template_use", type="primary", on_click=_put_into_message, args=(text,)
        )
        if name not in READY:
            st.button(_("Delete"), key="chat_template_delete", type="tertiary", on_click=_delete, args=(name,))


def _new() -> None:
    st.text_input(_("Name"), key=NAME, max_chars=LONGEST_NAME)
    hint = _("Write {{topic}} where something is to be filled in each time.")
    st.text_area(_("Prompts"), key=TEXT, placeholder=hint, label_visibility="collapsed")
    st.caption(hint)
    st.button(_("Save"), key="chat_template_keep", on_click=_keep)


def _texts() -> dict[str, str]:
    """The text of each prompt, the visitor's own after the ready ones."""
    own = resources.services().store.read(lambda db: TEMPLATES.own(db, visitor().owner))
    return {name: _(text) for name, (_title, text) in READY.items()} | {name: own[name]["text"] for name in own}


def _key(variable: str) -> str:
    return f"chat_variable_{variable}"


def _put_into_message(text: str) -> None:
    values = {name: st.session_state.get(_key(name)) or "" for name in names(text)}
    st.session_state[model_actions.INPUT] = filled(
        text, {name: value for name, value in values.items() if value.strip()}
    )
    state.close_dialogs()


def _keep() -> None:
    name, text = st.session_state[NAME], st.session_state[TEXT]
    if _change(lambda db, owner: TEMPLATES.save(db, owner, name, {"text": checked(text)})):
        st.session_state[NAME] = st.session_state[TEXT] = ""


def _delete(name: str) -> None:
    st.session_state[CHOSEN] = None
    _change(lambda db, owner: TEMPLATES.delete(db, owner, name))


def _change(work: Callable[[Connection, str], str | None]) -> bool:
    """Do `work` and let the prompt that it names be the chosen one; say so when it can't be done."""
    owner = visitor().owner
    with refusals_told():
        st.session_state[CHOSEN] = resources.services().store.write(lambda db: work(db, owner)).result()
        return True
    return False
