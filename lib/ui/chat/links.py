"""Fills the chat from an address such as `/?model=..&prompt=..&temperature=..`, and makes such addresses."""

from urllib.parse import quote, urlencode

import streamlit as st

from lib.chat.form import Form
from lib.ui.shared.controls import CONTROLS
from lib.ui.shared.links import MAX_TEXT, fill_controls
from lib.ui.shared.state import state

SETTINGS = tuple(field for field in CONTROLS if field != "json")
FIELDS = {"model", "prompt", *SETTINGS}


def apply_link() -> None:
    """Fill the form from the address, once; what can't be used is said."""
    query = st.query_params
    if not set(query) & FIELDS:
        return
    fill_controls("chat", SETTINGS)
    for name, key in (("model", "chat_model"), ("prompt", "chat_input")):
        if query.get(name):
            st.session_state[key] = query[name][:MAX_TEXT]
    if "prompt" in query:
        state.chat_id = None
    query.clear()


def chat_link(form: Form, prompt: str, page: str) -> str:
    """The address that fills the chat of the app at `page` with this form and prompt; never a key."""
    fields = {"model": form.model, "system": form.system, **form.params.to_send(), "prompt": prompt}
    known = {name: value for name, value in fields.items() if name in FIELDS and value not in ("", None)}
    values = {name: str(value).lower() if isinstance(value, bool) else value for name, value in known.items()}
    return f"{page.partition('?')[0]}?{urlencode(values, doseq=True, quote_via=quote)}"
