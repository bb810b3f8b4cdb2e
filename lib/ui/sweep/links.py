"""Links that fill the sweep's form: `/sweep?models=a,b&temperatures=0,0.7&prompt=..&repeats=2&concurrency=8`."""

from urllib.parse import unquote

import streamlit as st

from lib.core.errors import InvalidInput
from lib.sweep.plan import MAX_CONCURRENCY, MAX_REPEATS, unique
from lib.ui.shared import links
from lib.ui.shared.state import state
from lib.ui.shared.texts import error_sentence

SETTINGS = ("system", "max_tokens")
FIELDS = {"prompt", "models", "temperatures", "repeats", "concurrency", *SETTINGS}


def apply_link() -> None:
    """Fill the form from the address, once; what can't be used is said.

    A comma inside a model's id is percent-encoded twice, as the browser takes the first encoding off.
    """
    query = st.query_params
    if not set(query) & FIELDS:
        return
    if "prompt" in query:
        st.session_state["sweep_prompt"] = query["prompt"][: links.MAX_TEXT]
    links.fill_controls("sweep", SETTINGS)
    if query.get("models"):
        st.session_state["sweep_models"] = list(unique([unquote(part.strip()) for part in query["models"].split(",")]))
    if query.get("temperatures"):
        _apply_temperatures(query["temperatures"])
    st.session_state["sweep_repeats"] = links.whole("repeats", MAX_REPEATS) or 1
    concurrency = links.whole("concurrency", MAX_CONCURRENCY)
    if concurrency is not None:
        st.session_state["sweep_concurrency"] = concurrency
    state.sweep_id = None
    query.clear()


def _apply_temperatures(text: str) -> None:
    try:
        values = [links.number("temperatures", part, "temperature") for part in text.split(",")]
    except InvalidInput as error:
        state.notices.append(error_sentence(error))
    else:
        st.session_state["sweep_temperatures"] = list(unique(values))
