"""Brings a page back after a reload: what was open, and its form."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import streamlit as st

from lib.services import Services
from lib.ui.shared.visitor import Visitor
from lib.visitor import preferences


@dataclass(frozen=True, slots=True)
class PageMemory:
    """What one page remembers: under `page` in the address and in the store, and the widgets named by `keys`.

    `model_key` is the widget whose models may be gone after a restart; `exists` tells whether what was open still is;
    `private` are the keys that must not be stored now.
    """

    page: str
    model_key: str
    keys: tuple[str, ...]
    exists: Callable[[Services, str, str], object]
    private: Callable[[], tuple[str, ...]] = tuple

    @property
    def open_key(self) -> str:
        """Where the session keeps the id of what is open."""
        return f"open_{self.page}"


def restore(services: Services, visitor: Visitor, memory: PageMemory) -> bool:
    """At a tab's first run of a page: what the address names, else what was last open in this browser session.
    Whether this was the first run."""
    # Session state is empty after a reload (streamlit#10229), and only then.
    if f"recalled_{memory.page}" in st.session_state:
        return False
    st.session_state[f"recalled_{memory.page}"] = True
    kept = services.store.read(lambda db: preferences.get(db, visitor.owner, memory.page)) or {}
    last = kept.get("open") if kept.get("session") == visitor.session else None
    wanted = st.query_params.get(memory.page) or last
    if wanted and memory.exists(services, visitor.owner, wanted):
        st.session_state[memory.open_key] = wanted
    _restore_form(services, visitor, memory, kept.get("form", {}))
    return True


def remember(services: Services, visitor: Visitor, memory: PageMemory) -> None:
    """Keep what `restore` brings back, whenever it has changed."""
    opened = st.session_state.get(memory.open_key)
    if opened is None:
        st.query_params.pop(memory.page, None)
    elif st.query_params.get(memory.page) != opened:
        st.query_params[memory.page] = opened
    keys = [key for key in memory.keys if key not in memory.private()]
    form = {key: st.session_state[key] for key in keys if st.session_state.get(key) is not None}
    # Written only when it differs: this runs with every rerun, and a write per keystroke would keep the disk busy.
    snapshot = {"session": visitor.session, "open": opened, "form": form}
    if snapshot != st.session_state.get(f"remembered_{memory.page}"):
        st.session_state[f"remembered_{memory.page}"] = snapshot
        services.store.write(lambda db: preferences.put(db, visitor.owner, memory.page, snapshot))


def _restore_form(services: Services, visitor: Visitor, memory: PageMemory, form: dict[str, Any]) -> None:
    for key in memory.keys:
        if key in form and key not in st.session_state:
            st.session_state[key] = form[key]
    # A visitor's own service is gone after a restart; its models can't be asked any more.
    names = {endpoint.name for endpoint in services.registry.endpoints(visitor.owner)}
    models = st.session_state.get(memory.model_key) or []
    chosen = [models] if isinstance(models, str) else models
    if any(model.partition("/")[0] not in names for model in chosen):
        st.session_state.pop(memory.model_key)
