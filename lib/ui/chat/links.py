"""Fills the chat from an address such as `/?model=..&prompt=..&temperature=..`, and makes such addresses."""

from urllib.parse import quote, urlencode

import streamlit as st

from lib.chat.form import Form
from lib.ui.chat.chat_state import chat_state
from lib.ui.shared.controls import CONTROLS
from lib.ui.shared.links import MAX_TEXT, fill_controls

SETTINGS = tuple(field for field in CONTROLS if field != "json")
FIELDS = frozenset({"model", "prompt", *SETTINGS})


def is_link() -> bool:
    """Whether the address is a link that was not used yet; one that was, to which Back has led, is emptied."""
    query = st.query_params
    if not set(query) & FIELDS:
        return False
    if _name() in chat_state.used_links:
        for field in set(query) & FIELDS:
            query.pop(field)
        return False
    return True


def _name() -> str:
    return urlencode(sorted(st.query_params.to_dict().items()))


def apply_link() -> None:
    """Fill the form from the address, once; what can't be used is said."""
    if not is_link():
        return
    query = st.query_params
    chat_state.used_links.add(_name())
    fill_controls("chat", SETTINGS)
    for name, key in (("model", "chat_model"), ("prompt", "chat_input")):
        if query.get(name):
            st.session_state[key] = query[name][:MAX_TEXT]
    query.clear()


def chat_link(form: Form, prompt: str, page: str) -> str:
    """The address that fills the chat of the app at `page` with this form and prompt; never a key."""
    fields = {"model": form.model, "system": form.system, **form.params.to_send(), "prompt": prompt}
    known = {name: value for name, value in fields.items() if name in FIELDS and value not in ("", None)}
    values = {name: str(value).lower() if isinstance(value, bool) else value for name, value in known.items()}
    return f"{page.partition('?')[0]}?{urlencode(values, doseq=True, quote_via=quote)}"
