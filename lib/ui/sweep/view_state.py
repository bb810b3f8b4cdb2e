"""How the answers of the open sweep are looked at in this tab: as a grid or to be read, and which of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import streamlit as st

from lib.core.i18n import N_
from lib.sweep.filters import FORMER, KINDS, Filter, Kind
from lib.sweep.plan import Cell
from lib.sweep.rule_check import NO_RULES, RuleCheck
from lib.sweep.verdict import temperature_name
from lib.ui.shared.closed_fields import key_of, put, values_of
from lib.ui.shared.session_value import SessionValue
from lib.ui.sweep.sweep_state import sweep_state

GRID, READ, CHARTS, JUDGE, REPORT = "grid", "read", "charts", "judge", "report"
MOST_SEARCHED = 200
VIEWS = {GRID: N_("Grid"), READ: N_("Read"), CHARTS: N_("Charts"), JUDGE: N_("Rules"), REPORT: N_("Report")}
OF_ANSWERS = (GRID, READ)
"""The views that show answers, so that some of them can be looked for."""
KIND_NAMES: Mapping[Kind, str] = {
    "failed": N_("failed"),
    "cut": N_("cut"),
    "odd": N_("odd"),
    "same": N_("same text"),
    "different": N_("differs from temperature {temperature}"),
    "rated": N_("rated"),
}
KIND_HELP: Mapping[Kind, str] = {
    "failed": N_("the service answered with an error, or not at all"),
    "cut": N_("it ended too early: at the length limit, by Stop, or because the connection was lost"),
    "odd": N_("it is empty, the model declined, or the service’s content rules stopped it"),
    "same": N_("word for word like another answer of the same model"),
    "different": N_("not the words that the same model wrote there"),
    "rated": N_("you gave it stars, a thumb or a note"),
}
ONE = ("sweep_view", "sweep_search")
KINDS_SHOWN, MODELS, TEMPERATURES = "sweep_show", "sweep_show_models", "sweep_show_temperatures"
RULES = "sweep_show_rules"
SEVERAL = (KINDS_SHOWN, MODELS, TEMPERATURES, RULES)
"""The widgets with one value and those with several; they stand in the address under their own names."""


@dataclass(frozen=True, slots=True)
class Place:
    """What Read shows: the models from the `first` of those that are looked at on, and one of the repeats. `row`,
    `column` and `repeat` are the cell that was opened last, `number` counts how often one was. `pair` are two cells to
    be compared word by word."""

    number: int = 0
    first: int = 0
    row: int = 0
    column: int = 0
    repeat: int = 0
    pair: tuple[str, str] | None = None


class Remembered:
    """What a tab remembers of how the answers are looked at."""

    place: SessionValue[Place] = SessionValue("sweep_place", Place)
    """Which answers the view Read shows."""
    slice: SessionValue[tuple[int, int]] = SessionValue("sweep_slice_shown", lambda: (0, 0))
    """The input and the variant whose answers are drawn."""
    drawn_with_page: SessionValue[bool] = SessionValue("sweep_drawn_with_page", bool)
    """Whether how a running sweep stands is drawn together with the page, not by itself."""
    asks_for_page: SessionValue[bool] = SessionValue("sweep_asks_for_page", bool)
    """Whether something was done in the answers that the rest of the page has to show."""
    slide: SessionValue[int | None] = SessionValue("sweep_slide_shown", lambda: None)
    """The slide that is shown while the sweep is presented, from 0; None while it is not."""


remembered = Remembered()


def view() -> str:
    """The view that is open."""
    return str(st.session_state.get("sweep_view") or GRID)


def chosen_filter(cells: Sequence[Cell], found: RuleCheck = NO_RULES) -> Filter:
    """What the visitor looks for."""
    wanted = {temperature_name(cell.temperature): cell.temperature for cell in cells}
    return Filter(
        text=(st.session_state.get("sweep_search") or "").strip(),
        kinds=tuple(kind for kind in KINDS if kind in values_of(KINDS_SHOWN)),
        models=tuple(values_of(MODELS)),
        temperatures=tuple(wanted[name] for name in values_of(TEMPERATURES) if name in wanted),
        # A rule that was taken back is looked for no more.
        rules=tuple(name for name in values_of(RULES) if name in found.names),
    )


def open_cell(cell: Cell, first: int) -> None:
    """Read a cell beside those of its neighbours, the first of them in place `first`."""
    before = remembered.place
    remembered.place = Place(before.number + 1, max(0, first), cell.row, cell.column, cell.repeat)
    st.session_state["sweep_view"] = READ


def read() -> None:
    """Read the answers, as they were read last."""
    st.session_state["sweep_view"] = READ


def compare(one: Cell, other: Cell) -> None:
    """Read two cells beside each other, the words tinted in which they differ."""
    remembered.place = replace(remembered.place, pair=(one.id, other.id))
    st.session_state["sweep_view"] = READ


def begin_anew() -> None:
    """Look at all of another sweep."""
    remembered.place, sweep_state.cell = Place(remembered.place.number + 1), None
    # Set, not taken away: of a field without a value the browser tells its old one.
    st.session_state["sweep_view"] = GRID
    show_all()
    for key in (*ONE, *SEVERAL):
        st.query_params.pop(key, None)


def show_all() -> None:
    """Look for nothing."""
    st.session_state["sweep_search"], st.session_state[KINDS_SHOWN] = "", []
    for key in (MODELS, TEMPERATURES, RULES):
        put(key, [])


def show_only(kind: Kind) -> None:
    """Look for the answers of one kind, in the grid."""
    show_all()
    st.session_state["sweep_view"], st.session_state[KINDS_SHOWN] = GRID, [kind]


def from_address(cells: Sequence[Cell], models: Mapping[str, str], found: RuleCheck) -> None:
    """At a tab's first look: as the address says, which calls the `models` by these names, and rules by theirs."""
    # Not `bind="query-params"`: that puts the words of a choice into the address, which depend on the language.
    if "sweep_looked" in st.session_state:
        return
    st.session_state["sweep_looked"] = True
    query = st.query_params
    if query.get("sweep_view") in VIEWS:
        st.session_state["sweep_view"] = query["sweep_view"]
    st.session_state["sweep_search"] = query.get("sweep_search", "")[:MOST_SEARCHED]
    known = (KINDS, models, {temperature_name(cell.temperature) for cell in cells}, found.names)
    for key, values in zip(SEVERAL, known, strict=True):
        # No model, no temperature and no rule has the name of a former kind.
        asked = [now for value in query.get_all(key) for now in FORMER.get(value, (value,))]
        named = [value for value in dict.fromkeys(asked) if value in values]
        st.session_state[key_of(key)] = [models[name] for name in named] if key == MODELS else named


def to_address(models: Mapping[str, str]) -> None:
    """The address says how the answers are looked at."""
    called = {model: name for name, model in models.items()}
    for key in (*ONE, *SEVERAL):
        value = st.session_state.get(key_of(key))
        if key == MODELS:
            value = [called[model] for model in value or () if model in called]
        if not value or value == GRID:
            st.query_params.pop(key, None)
        elif st.query_params.get_all(key) != ([value] if key in ONE else value):
            st.query_params[key] = value
