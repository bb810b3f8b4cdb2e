"""What the sweep page keeps over a reload: the open sweep and its form."""

from functools import partial

import streamlit as st

from lib.services import Services
from lib.sweep import repository as sweeps
from lib.ui.shared import session_restore
from lib.ui.shared.session_restore import PageMemory
from lib.ui.shared.state import state
from lib.ui.shared.visitor import Visitor
from lib.ui.sweep import actions, form, links
from lib.ui.sweep.sweep_state import sweep_state


def _exists(services: Services, owner: str, sweep_id: str) -> bool:
    return services.store.read(lambda db: sweeps.plan_of(db, owner, sweep_id)) is not None


SWEEP = PageMemory("sweep", "sweep_models", form.KEYS, _exists, frozenset(links.FIELDS))


def restore_sweep(services: Services, visitor: Visitor) -> None:
    """Bring back what was open and set, or follow the browser to another sweep of its history."""
    if session_restore.restore(services, visitor, SWEEP) or set(st.query_params) & SWEEP.links:
        return
    session_restore.follow_browser(SWEEP, partial(_open, services, visitor))


def _open(services: Services, visitor: Visitor, sweep_id: str) -> None:
    """Open a sweep of the browser's history, an empty form for ""."""
    if sweep_id == (state.sweep_id or ""):
        return
    actions.close()
    if sweep_id and _exists(services, visitor.owner, sweep_id):
        actions.open_sweep(sweep_id)
    sweep_state.missing_sweep = bool(sweep_id) and state.sweep_id is None
