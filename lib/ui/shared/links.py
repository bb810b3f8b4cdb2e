"""Links that fill a form: `/?model=..&system=..&prompt=..&temperature=..`. They send nothing.

A link is applied once and taken out of the address, so that a reload doesn't undo what was changed since.
"""

from typing import Any
from urllib.parse import quote, unquote, urlencode

import streamlit as st

from lib.chat.form import Form
from lib.core.contract import RANGES, Params
from lib.core.errors import InvalidInput
from lib.core.i18n import N_
from lib.sweep.plan import MAX_CONCURRENCY, MAX_REPEATS, unique
from lib.ui.shared.state import state
from lib.ui.shared.texts import error_sentence

INTEGERS = ("max_tokens", "n")
MAX_TEXT = 20_000
CHAT_FIELDS = {"model", "system", "prompt", "stop", "user", "stream", *RANGES}
TRUE = ("1", "true", "on", "yes")


def apply_chat_link() -> None:
    """Fill the chat's form from the address, once; what can't be used is said."""
    query = st.query_params
    if not set(query) & CHAT_FIELDS:
        return
    for name in RANGES:
        if name in query:
            _apply_checked("chat", name, query[name])
    if "stop" in query:
        _set_switched("chat_stop_words", "chat_stop_on", query.get_all("stop")[:4])
    if "user" in query:
        _set_switched("chat_user", "chat_user_on", query["user"][:256])
    if "stream" in query:
        st.session_state["chat_stream"] = query["stream"].lower() in TRUE
    for name, key in (("model", "chat_model"), ("system", "chat_system"), ("prompt", "chat_input")):
        if query.get(name):
            st.session_state[key] = query[name][:MAX_TEXT]
    if "prompt" in query:
        state.chat_id = None
    st.query_params.clear()


def chat_link(form: Form, prompt: str, page: str) -> str:
    """The address that fills the chat of the app at `page` with this form and prompt."""
    fields = {"model": form.model, "system": form.system, **form.params.to_send(), "prompt": prompt}
    known = {name: value for name, value in fields.items() if name in CHAT_FIELDS and value not in ("", None)}
    values = {name: str(value).lower() if isinstance(value, bool) else value for name, value in known.items()}
    return f"{page.partition('?')[0]}?{urlencode(values, doseq=True, quote_via=quote)}"


def apply_sweep_link() -> None:
    """Fill the sweep's form from the address, once: `/sweep?models=a,b&temperatures=0,0.7&prompt=..&repeats=2`.

    A comma inside a model's id is percent-encoded twice, as the browser takes the first encoding off.
    """
    query = st.query_params
    if not set(query) & {"models", "temperatures", "prompt", "system", "repeats", "concurrency"}:
        return
    for name in ("prompt", "system"):
        if name in query:
            st.session_state[f"sweep_{name}"] = query[name][:MAX_TEXT]
    if query.get("models"):
        st.session_state["sweep_models"] = list(unique([unquote(part.strip()) for part in query["models"].split(",")]))
    if query.get("temperatures"):
        _apply_temperatures(query["temperatures"])
    st.session_state["sweep_repeats"] = 1
    _apply_whole("repeats", MAX_REPEATS)
    _apply_whole("concurrency", MAX_CONCURRENCY)
    state.sweep_id = None
    st.query_params.clear()


def _apply_temperatures(text: str) -> None:
    try:
        values = [float(part) for part in text.split(",")]
        for value in values:
            Params.checked({"temperature": value})
    except ValueError:
        state.notices.append(
            error_sentence(InvalidInput(N_("The link's “{field}” is not a number."), field="temperatures"))
        )
    except InvalidInput as error:
        state.notices.append(error_sentence(error))
    else:
        st.session_state["sweep_temperatures"] = list(unique(values))


def _apply_whole(name: str, most: int) -> None:
    if name not in st.query_params:
        return
    text = st.query_params[name]
    if text.isdecimal() and 1 <= int(text) <= most:
        st.session_state[f"sweep_{name}"] = int(text)
    else:
        what = N_("The link's “{field}” has to be a whole number from 1 to {most}.")
        state.notices.append(error_sentence(InvalidInput(what, field=name, most=most)))


def _apply_checked(prefix: str, name: str, text: str) -> None:
    try:
        value: Any = int(text) if name in INTEGERS else float(text)
        Params.checked({name: value})
    except ValueError:
        state.notices.append(error_sentence(InvalidInput(N_("The link's “{field}” is not a number."), field=name)))
    except InvalidInput as error:
        state.notices.append(error_sentence(error))
    else:
        _set_switched(f"{prefix}_{name}", f"{prefix}_{name}_on", value)


def _set_switched(key: str, switch: str, value: Any) -> None:
    st.session_state[key] = value
    st.session_state[switch] = True
