"""Callbacks of the buttons on a sweep that has begun."""

from lib.core.errors import NotConnected, StoreError
from lib.ui.shared import resources
from lib.ui.shared.connection import ask_for
from lib.ui.shared.state import state
from lib.ui.shared.texts import error_sentence
from lib.ui.shared.visitor import visitor
from lib.ui.sweep.look import begin_anew


def resume() -> None:
    """Send what is missing; the press is the consent to pay for it. A service that is gone is asked for in place."""
    who = visitor()
    try:
        if state.sweep_id is not None:
            resources.services().sweeps.resume(who.owner, who.session, state.sweep_id)
    except NotConnected as gone:
        ask_for(resources.services(), who, gone, resume)


def stop() -> None:
    """End all running answers; what has come is kept."""
    running = resources.services().sweeps.running(state.sweep_id)
    if running is not None and running.owner == visitor().owner:
        running.cancel()


def stop_cell(cell_id: str) -> None:
    """End one running answer; the others go on."""
    running = resources.services().sweeps.running(state.sweep_id)
    if running is not None and running.owner == visitor().owner:
        running.stop_cell(cell_id)


def new() -> None:
    """Close the open sweep; it stays in the list."""
    state.sweep_id, state.missing_sweep = None, False


def open_sweep(sweep_id: str) -> None:
    """Open a sweep of the list."""
    state.sweep_id = sweep_id
    begin_anew()


def delete(sweep_id: str) -> None:
    """Take a sweep out of the list; a running one is stopped."""
    try:
        resources.services().sweeps.delete(visitor().owner, sweep_id)
    except StoreError as refused:
        state.notices.append(error_sentence(refused))
        return
    if state.sweep_id == sweep_id:
        state.sweep_id = None
