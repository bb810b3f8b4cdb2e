"""Brings back after a reload what the tab forgot: what was open on a page, and its form."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import streamlit as st

from lib.chat import repository as chats
from lib.core.contract import RANGES
from lib.services import Services
from lib.sweep import repository as sweeps
from lib.ui.shared.state import state
from lib.ui.shared.visitor import Visitor
from lib.visitor import preferences


@dataclass(frozen=True, slots=True)
class Memory:
    """What one page remembers: under `page` in the address and in the store, and the widgets named by `keys`."""

    page: str
    model_key: str
    keys: tuple[str, ...]
    exists: Callable[[Services, str, str], object]

    @property
    def open_key(self) -> str:
        """Where the session keeps the id of what is open."""
        return f"open_{self.page}"


def _find_chat(services: Services, owner: str, chat_id: str) -> bool:
    """Whether there is such a chat; a temporary one is found as long as the process lives."""
    state.temporary = chat_id in services.temporary_chats(owner)
    store = services.fleeting if state.temporary else services.store
    return bool(store.read(lambda db: chats.open_branch(db, owner, chat_id)))


CHAT = Memory(
    "chat",
    "chat_model",
    (
        *("chat_model", "chat_system", "chat_stop_words", "chat_user", "chat_stream", "chat_json", "waiting_message"),
        *(f"chat_{name}" for name in RANGES),
        *(f"chat_{name}_on" for name in (*RANGES, "stop", "user")),
    ),
    _find_chat,
)
SWEEP = Memory(
    "sweep",
    "sweep_models",
    (
        *("sweep_prompt", "sweep_system", "sweep_models", "sweep_temperatures", "sweep_repeats"),
        *("sweep_concurrency", "sweep_max_tokens_on", "sweep_max_tokens", "sweep_history"),
    ),
    lambda services, owner, sweep_id: services.store.read(lambda db: sweeps.plan_of(db, owner, sweep_id)),
)


def restore(services: Services, visitor: Visitor, memory: Memory) -> None:
    """At a tab's first run of a page: what the address names, else what was last open in this browser session."""
    if f"recalled_{memory.page}" in st.session_state:
        return
    st.session_state[f"recalled_{memory.page}"] = True
    kept = services.store.read(lambda db: preferences.get(db, visitor.owner, memory.page)) or {}
    last = kept.get("open") if kept.get("session") == visitor.session else None
    wanted = st.query_params.get(memory.page) or last
    if wanted and memory.exists(services, visitor.owner, wanted):
        st.session_state[memory.open_key] = wanted
    _restore_form(services, visitor, memory, kept.get("form", {}))
    if state.waiting is not None:
        # Nobody saw it go: it is for the visitor to send.
        st.session_state["chat_input"], state.waiting = state.waiting, None


def remember(services: Services, visitor: Visitor, memory: Memory) -> None:
    """Keep what `restore` brings back, whenever it has changed."""
    opened = st.session_state.get(memory.open_key)
    if opened is None:
        st.query_params.pop(memory.page, None)
    elif st.query_params.get(memory.page) != opened:
        st.query_params[memory.page] = opened
    form = {key: st.session_state[key] for key in memory.keys if st.session_state.get(key) is not None}
    if state.temporary:
        form.pop("waiting_message", None)
    snapshot = {"session": visitor.session, "open": opened, "form": form}
    if snapshot != st.session_state.get(f"remembered_{memory.page}"):
        st.session_state[f"remembered_{memory.page}"] = snapshot
        services.store.write(lambda db: preferences.put(db, visitor.owner, memory.page, snapshot))


def _restore_form(services: Services, visitor: Visitor, memory: Memory, form: dict[str, Any]) -> None:
    for key in memory.keys:
        if key in form and key not in st.session_state:
            st.session_state[key] = form[key]
    # A visitor's own service is gone after a restart; its models can't be asked any more.
    names = {endpoint.name for endpoint in services.registry.endpoints(visitor.owner)}
    models = st.session_state.get(memory.model_key) or []
    chosen = [models] if isinstance(models, str) else models
    if any(model.partition("/")[0] not in names for model in chosen):
        st.session_state.pop(memory.model_key)
