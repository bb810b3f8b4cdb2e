"""Brings a page back after a reload: what was open, and its form. Follows the browser's Back and Forward.

The address names what is open, `?chat=..` or `?sweep=..`. It is read when a tab opens and whenever the browser has
moved to another entry of its history; what is opened on the page is written into it, which makes a new entry.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import streamlit as st

from lib.services import Services
from lib.ui.shared import closed_fields
from lib.ui.shared.state import state
from lib.ui.shared.visitor import Visitor
from lib.visitor import preferences

Restored = Literal["", "new", "session"]
"""Whether something was brought back: nothing, as the page was shown before; what a new tab has; the form of something
new that was begun before the reload."""


@dataclass(frozen=True, slots=True)
class PageMemory:
    """What one page remembers: under `page` in the address and in the store, and the widgets named by `keys`.

    `model_key` is the widget whose models may be gone after a restart; `exists` tells whether an owner has
    something of that id; `links` are the names in an address that fill the form; `private` are the keys that must not
    be stored now.
    """

    page: str
    model_key: str
    keys: tuple[str, ...]
    exists: Callable[[Services, str, str], bool]
    links: frozenset[str]
    private: Callable[[], tuple[str, ...]] = tuple

    @property
    def open_key(self) -> str:
        """Where the session keeps the id of what is open."""
        return f"open_{self.page}"

    @property
    def missing_key(self) -> str:
        """Where the session keeps whether the address names something that there is not."""
        return f"missing_{self.page}"

    @property
    def address_key(self) -> str:
        """Where the session keeps the id that the address had at the end of the last run."""
        return f"address_{self.page}"


def restore(services: Services, visitor: Visitor, memory: PageMemory) -> Restored:
    """At a tab's first run of a page: what the address names, else what was last open in this browser session."""
    # Session state is empty after a reload (streamlit#10229), and only then.
    if f"recalled_{memory.page}" in st.session_state:
        return ""
    st.session_state[f"recalled_{memory.page}"] = True
    kept = services.store.read(lambda db: preferences.get(db, visitor.owner, memory.page)) or {}
    same = kept.get("session") == visitor.session
    named = st.session_state[memory.address_key] = st.query_params.get(memory.page)
    # A link begins something of its own.
    last = kept.get("open") if same and not set(st.query_params) & memory.links else None
    wanted = named or last
    if wanted and memory.exists(services, visitor.owner, wanted):
        st.session_state[memory.open_key] = wanted
    st.session_state[memory.missing_key] = bool(named) and memory.open_key not in st.session_state
    _restore_form(services, visitor, memory, kept.get("form", {}))
    # A form that was kept while something was open belongs to that.
    return "session" if same and kept.get("open") is None else "new"


def follow_browser(memory: PageMemory, open: Callable[[str], None]) -> None:
    """Where the browser has moved by itself since the last run, by Back or Forward or from another page, `open` what
    its address names; "" where that entry names nothing."""
    named = st.query_params.get(memory.page)
    # Any other run may come with an old address: a part of the page that is refreshed by itself was asked for before
    # the browser had heard of the new one, and the whole page is then run with what it was asked with.
    if not state.moved or named == st.session_state.get(memory.address_key):
        return
    # The links between the pages name nothing: who comes back by one finds open what was.
    if named is not None or state.moved != "page":
        open(named or "")
    # Only now: a run that was cut short while it opened that is followed by one that has to open it.
    st.session_state[memory.address_key] = named


def remember(services: Services, visitor: Visitor, memory: PageMemory) -> None:
    """Keep what `restore` brings back, whenever it has changed."""
    opened = st.session_state.get(memory.open_key)
    if opened is not None or not st.session_state.get(memory.missing_key):
        _write_address(memory, opened)
    # Only now: a run that was cut short before is followed by one that has to know it.
    state.moved = ""
    keys = [key for key in memory.keys if key not in memory.private()]
    values = {key: st.session_state.get(closed_fields.key_of(key)) for key in keys}
    form = {key: value for key, value in values.items() if value is not None}
    # Written only when it differs: this runs with every rerun, and a write per keystroke would keep the disk busy.
    snapshot = {"session": visitor.session, "open": opened, "form": form}
    if snapshot != st.session_state.get(f"remembered_{memory.page}"):
        st.session_state[f"remembered_{memory.page}"] = snapshot
        services.store.write(lambda db: preferences.put(db, visitor.owner, memory.page, snapshot))


def _write_address(memory: PageMemory, opened: str | None) -> None:
    st.session_state[memory.address_key] = opened
    if opened is None:
        st.query_params.pop(memory.page, None)
    elif st.query_params.get(memory.page) != opened:
        st.query_params[memory.page] = opened


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
