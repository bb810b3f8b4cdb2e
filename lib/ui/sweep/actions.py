"""Callbacks of the buttons on a sweep that has begun."""

from collections.abc import Callable
from functools import partial

import streamlit as st

from lib.core.errors import BadKey, InvalidInput
from lib.sweep import repository as sweeps
from lib.sweep.estimate import estimate
from lib.sweep.plan import Plan
from lib.sweep.scheduler import ALIKE, SweepScheduler
from lib.ui.shared import resources
from lib.ui.shared.connection import ask_for
from lib.ui.shared.refusals import refusals_told, stored
from lib.ui.shared.state import state
from lib.ui.shared.visitor import Visitor, visitor
from lib.ui.sweep import form, large_run
from lib.ui.sweep.sweep_state import sweep_state
from lib.ui.sweep.view_state import begin_anew


def resume() -> None:
    """Send what is missing; the press is the consent to pay for it."""
    cap = st.session_state.get("sweep_raised_cap")
    _send_again(lambda scheduler, who, sweep_id: scheduler.resume(who.owner, who.session, sweep_id, cap))


def go_on(service: str) -> None:
    """Send what a paused service has left."""
    _send_again(lambda scheduler, who, sweep_id: scheduler.go_on(who.owner, who.session, sweep_id, service))


def change_key(service: str) -> None:
    """Ask for another key of a paused service; once it is connected, what the service has left is sent."""
    ask_for(resources.services(), visitor(), BadKey(service=service), partial(go_on, service))


def retry_failed(confirmed: bool = False) -> None:
    """Send what failed once more; its attempts so far are kept. Many are asked about first, unless `confirmed`."""
    who, services, sweep_id = visitor(), resources.services(), state.sweep_id
    plan = None if sweep_id is None or confirmed else _plan(sweep_id)
    if plan is not None and sweep_id is not None:
        failed = services.sweeps.progress.of(who.owner, sweep_id).failed
        connected = services.registry.endpoints(who.owner)
        takes = estimate(plan, connected, services.sweeps.usual(who.owner), failed)
        if large_run.TO_RETRY.has_to_be_asked((sweep_id, len(failed)), takes):
            return
    _send_again(lambda scheduler, who, sweep_id: scheduler.retry_failed(who.owner, who.session, sweep_id))


def rerun_cell(cell_id: str) -> None:
    """Send one cell once more; its answer so far is kept."""
    _send_again(lambda scheduler, who, sweep_id: scheduler.rerun(who.owner, who.session, sweep_id, cell_id))


def _send_again(send: Callable[[SweepScheduler, Visitor, str], None]) -> None:
    """Do what sends cells of the open sweep. A service that is gone is asked for in place, and what a budget has no
    room for is asked about; then it is done."""
    with refusals_told(lambda: _send_again(send)):
        if state.sweep_id is not None:
            send(resources.services().sweeps, visitor(), state.sweep_id)


def stop() -> None:
    """End all running answers; what has come is kept."""
    _tell(lambda scheduler, owner, sweep_id: scheduler.stop(owner, sweep_id))


def stop_cell(cell_id: str) -> None:
    """End one running answer; the others go on."""
    _tell(lambda scheduler, owner, sweep_id: scheduler.stop_cell(owner, sweep_id, cell_id))


def _tell(wish: Callable[[SweepScheduler, str, str], None]) -> None:
    """Do what concerns the open sweep while it runs, here or elsewhere."""
    with refusals_told():
        if state.sweep_id is not None:
            wish(resources.services().sweeps, visitor().owner, state.sweep_id)


def new() -> None:
    """Close the open sweep, which stays in the list. The form has what was typed before a sweep was looked at, and else
    asks nothing yet; what is in it and in no sweep stays."""
    if not close() and _is_stored():
        form.ask_nothing()


def close() -> bool:
    """Close the open sweep; the form is as it was before a sweep was looked at, if one was: whether it was."""
    state.sweep_id, sweep_state.missing_sweep, sweep_state.used_again = None, False, None
    return form.bring_back()


def open_sweep(sweep_id: str) -> None:
    """Open a sweep of the list, its set-up in the form."""
    plan = _plan(sweep_id)
    if plan is not None:
        form.put_aside()
        form.fill(plan)
    state.sweep_id, sweep_state.used_again = sweep_id, None
    begin_anew()


def duplicate(sweep_id: str) -> None:
    """A new sweep with the set-up of an old one; nothing is sent before Run."""
    plan = _plan(sweep_id)
    if plan is not None:
        form.put_aside()
        form.fill(plan)
    state.sweep_id, sweep_state.used_again = None, sweep_id


def rename(sweep_id: str, title: str) -> None:
    """Give a sweep another title."""
    stored(lambda db, owner: sweeps.rename(db, owner, sweep_id, title))


def delete(sweep_id: str) -> None:
    """Take a sweep out of the list; a running one is stopped."""
    with refusals_told():
        resources.services().sweeps.delete(visitor().owner, sweep_id)
        sweep_state.deleted_sweep = sweep_id
        if state.sweep_id == sweep_id:
            state.sweep_id = None


def undelete() -> None:
    """Bring back the sweep that was deleted last, and open it."""
    sweep_id = sweep_state.deleted_sweep
    if sweep_id is not None and stored(lambda db, owner: sweeps.undelete(db, owner, sweep_id)):
        sweep_state.deleted_sweep = None
        open_sweep(sweep_id)


def _is_stored() -> bool:
    """Whether one of the visitor's sweeps asks what the form does, whatever models it asks."""
    owner = visitor().owner
    try:
        asked = form.asks()
    except InvalidInput:
        return False
    found = resources.services().store.read(lambda db: sweeps.with_prompt(db, owner, str(asked[0]), ALIKE))
    return any((plan.prompt, plan.system, plan.inputs, plan.axis) == asked for _id, _made, plan in found)


def _plan(sweep_id: str) -> Plan | None:
    owner = visitor().owner
    return resources.services().store.read(lambda db: sweeps.plan_of(db, owner, sweep_id))
