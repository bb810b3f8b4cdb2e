"""Brings back after a reload what the tab forgot: the open chat and the form."""

from typing import Any

import streamlit as st

from lib import chats, preferences
from lib.house import House
from lib.models import RANGES
from lib.ui.state import state
from lib.ui.visitor import Visitor

OPEN_CHAT = "open_chat"
CHAT_FORM = "chat_form"
FORM_KEYS = (
    "chat_model",
    "chat_system",
    "chat_stop_words",
    "chat_user",
    "chat_stream",
    *(f"chat_{name}" for name in RANGES),
    *(f"chat_{name}_on" for name in (*RANGES, "stop", "user")),
)


def recall_chat(house: House, visitor: Visitor) -> None:
    """At a tab's first run: the chat in the address, else the one last open in this browser session, and the form."""
    if "recalled" in st.session_state:
        return
    st.session_state["recalled"] = True
    kept = house.store.read(lambda db: preferences.get(db, visitor.owner, OPEN_CHAT)) or {}
    wanted = st.query_params.get("chat") or (kept.get("chat") if kept.get("session") == visitor.session else None)
    if wanted and house.store.read(lambda db: chats.open_branch(db, visitor.owner, wanted)):
        state.chat_id = wanted
    form = house.store.read(lambda db: preferences.get(db, visitor.owner, CHAT_FORM)) or {}
    for key in FORM_KEYS:
        if key in form and key not in st.session_state:
            st.session_state[key] = form[key]
    names = {endpoint.name for endpoint in house.connections.endpoints(visitor.owner)}
    if str(form.get("chat_model", "")).partition("/")[0] not in names:
        st.session_state.pop("chat_model", None)
    st.session_state["remembered"] = _snapshot(visitor)


def remember_chat(house: House, visitor: Visitor) -> None:
    """Keep what `recall_chat` brings back, whenever it has changed."""
    if state.chat_id is None:
        st.query_params.pop("chat", None)
    elif st.query_params.get("chat") != state.chat_id:
        st.query_params["chat"] = state.chat_id
    snapshot = _snapshot(visitor)
    if snapshot != st.session_state.get("remembered"):
        st.session_state["remembered"] = snapshot
        for name, value in snapshot.items():
            house.store.write(lambda db, name=name, value=value: preferences.put(db, visitor.owner, name, value))


def _snapshot(visitor: Visitor) -> dict[str, Any]:
    form = {key: st.session_state[key] for key in FORM_KEYS if st.session_state.get(key) is not None}
    return {OPEN_CHAT: {"session": visitor.session, "chat": state.chat_id}, CHAT_FORM: form}
