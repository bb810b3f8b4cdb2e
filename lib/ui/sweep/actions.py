"""What the visitor does to a sweep that has begun: callbacks of the page's buttons."""

import streamlit as st

from lib.core.errors import NotConnected
from lib.sweep import repository as sweeps
from lib.sweep import scheduler
from lib.ui.shared import resources
from lib.ui.shared.state import state
from lib.ui.shared.texts import said
from lib.ui.shared.visitor import visitor


def resume() -> None:
    """Send what is missing; the press is the consent to pay for it. A service that is gone is asked for in place."""
    who = visitor()
    try:
        if state.sweep_id is not None:
            scheduler.resume(resources.house(), who.owner, who.session, state.sweep_id)
    except NotConnected as gone:
        state.notices.append(said(gone))
        state.connecting = True


def stop() -> None:
    """End all running answers; what has come is kept."""
    running = scheduler.running(resources.house(), state.sweep_id)
    if running is not None and running.owner == visitor().owner:
        running.cancel()


def stop_cell(cell_id: str) -> None:
    """End one running answer; the others go on."""
    running = scheduler.running(resources.house(), state.sweep_id)
    if running is not None and running.owner == visitor().owner:
        running.stop_cell(cell_id)


def new() -> None:
    """Close the open sweep; it stays in the list."""
    state.sweep_id = None


def open_sweep(sweep_id: str) -> None:
    """Open a sweep of the list."""
    state.sweep_id = sweep_id
    st.session_state.pop("sweep_page", None)


def delete(sweep_id: str) -> None:
    """Take a sweep out of the list; a running one is stopped."""
    house, who = resources.house(), visitor()
    running = scheduler.running(house, sweep_id)
    if running is not None and running.owner == who.owner:
        running.cancel()
    house.store.write(lambda db: sweeps.delete(db, who.owner, sweep_id)).result()
    if state.sweep_id == sweep_id:
        state.sweep_id = None
