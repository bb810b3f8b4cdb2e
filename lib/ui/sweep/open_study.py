"""The open sweep with all that was said of it, and the changes that a press makes to that."""

from collections.abc import Callable
from typing import Any

import streamlit as st
from sqlalchemy import Connection

from lib.core.i18n import Texts
from lib.sweep import decision
from lib.sweep import repository as sweeps
from lib.sweep.charts import DARK, LIGHT, Look
from lib.sweep.plan import Cell, Plan
from lib.sweep.progress import Progress
from lib.sweep.rule_check import NO_RULES, RuleCheck, check
from lib.sweep.study import Study, read_study
from lib.ui.shared import resources
from lib.ui.shared.figures import money
from lib.ui.shared.refusals import stored
from lib.ui.shared.state import state
from lib.ui.shared.texts import _, _n, catalogue
from lib.ui.shared.visitor import visitor

PAGE = Texts(_, _n, money)
"""The visitor's language and numbers."""


def texts_of(language: str) -> Texts:
    """The sentences in a language that need not be the page's."""
    return Texts(catalogue(language).gettext, catalogue(language).ngettext)


def open_study() -> Study | None:
    """The open sweep; None where there is none."""
    services = resources.services()
    if state.sweep_id is None:
        return None
    return read_study(services.store, services.sweeps.progress, visitor().owner, state.sweep_id)


def chart_look() -> Look:
    """A chart's colours on the page as it is shown: light or dark."""
    return DARK if st.context.theme.type == "dark" else LIGHT


def keep(change: Callable[[Connection, str, str], Any]) -> bool:
    """Write a change to what is said of the open sweep; a refusal is said, and False."""
    sweep_id = state.sweep_id
    return sweep_id is not None and stored(lambda db, owner: change(db, owner, sweep_id))


def open_plan() -> Plan | None:
    """What the open sweep asks."""
    owner, sweep_id = visitor().owner, str(state.sweep_id)
    return resources.services().store.read(lambda db: sweeps.plan_of(db, owner, sweep_id))


def checked_rules(progress: Progress) -> tuple[RuleCheck, Plan | None]:
    """What the rules of the open sweep say of these of its answers, and what it asks; None where it has no rules."""
    owner, sweep_id = visitor().owner, str(state.sweep_id)
    rules = resources.services().store.read(lambda db: decision.of_sweep(db, owner, sweep_id)).rules
    plan = open_plan() if rules else None
    if plan is None:
        return NO_RULES, None
    return check(rules, plan, progress.cells, progress.results, progress.checked), plan


def picked_cell() -> Cell | None:
    """The cell of the open sweep whose model and temperature were picked."""
    owner, sweep_id, services = visitor().owner, str(state.sweep_id), resources.services()
    chosen = services.store.read(lambda db: decision.of_sweep(db, owner, sweep_id)).pick
    whole = services.sweeps.progress.of(owner, sweep_id).cells if chosen else ()
    return next((cell for cell in whole if cell.id == chosen), None)


def is_picked(cell: Cell) -> bool:
    """Whether a cell has the model and temperature that were picked, whatever its input."""
    chosen = picked_cell()
    setting = (cell.row, cell.column, cell.variant)
    return chosen is not None and setting == (chosen.row, chosen.column, chosen.variant)


def pick(cell_id: str | None) -> None:
    """Choose the model and the temperature of a cell; None takes the choice back."""
    keep(lambda db, owner, sweep_id: decision.pick(db, owner, sweep_id, cell_id))
