"""The answers of a sweep on the page: what is looked for, the component that draws them, and what is done in it."""

from collections import Counter
from collections.abc import Callable, Hashable, Mapping
from dataclasses import replace
from html import escape
from pathlib import Path
from typing import Any

import streamlit as st

from lib.core.rich_text import FORMULA_STYLES
from lib.core.variables import filled
from lib.streamlit_internals import component_of_files
from lib.sweep import ratings
from lib.sweep.filters import Kind, kinds_of
from lib.sweep.plan import Cell, Plan, in_order
from lib.sweep.progress import Progress
from lib.sweep.ratings import Rating
from lib.sweep.rule_check import RuleCheck
from lib.sweep.run import SweepRun
from lib.sweep.verdict import temperature_name
from lib.ui.shared import closed_fields, resources
from lib.ui.shared.choices import choice_key
from lib.ui.shared.refusals import stored
from lib.ui.shared.state import state
from lib.ui.shared.texts import _, language
from lib.ui.shared.visitor import visitor
from lib.ui.sweep import actions, view_state
from lib.ui.sweep.answer_data import Answers, stand_beside
from lib.ui.sweep.equal_answers import rate_alike
from lib.ui.sweep.hidden_names import hidden, in_address, other_names, switch, to_address
from lib.ui.sweep.open_study import checked_rules, open_plan, pick, picked_cell
from lib.ui.sweep.rule_filter import rule_field, rules_looked_for
from lib.ui.sweep.sent_answers import already_sent
from lib.ui.sweep.slice_picker import chosen_slice
from lib.ui.sweep.sweep_state import sweep_state
from lib.ui.sweep.view_state import KIND_HELP, KIND_NAMES, VIEWS, remembered

FOLDER = Path(__file__).parents[1] / "assets" / "answers"
KEY = "sweep_answers"
COUNTED: tuple[Kind, ...] = ("failed", "cut", "odd", "same")
KEPT: dict[str, Any] = {"persist_state": "session"}


def answers(progress: Progress, run: SweepRun | None) -> None:
    """How the answers are looked at, which of them, and those of one input and variant."""
    if remembered.asks_for_page:
        remembered.asks_for_page = False
        st.rerun()
    owner, sweep_id = visitor().owner, str(state.sweep_id)
    checked = checked_rules(progress)
    view_state.from_address(progress.cells, in_address(progress.cells), checked[0])
    st.session_state.setdefault("sweep_view", view_state.GRID)
    rated = resources.services().store.read(lambda db: ratings.of_sweep(db, owner, sweep_id))
    shown = _find_bar(progress, run, rated, checked)
    to_address()
    view_state.to_address(in_address(progress.cells))
    if view_state.view() not in view_state.OF_ANSWERS:
        return
    found = _looked_at(shown, run, rated, checked)
    rules_looked_for(progress, *checked)
    with st.container(horizontal=True, vertical_alignment="center"):
        if not found.kept:
            st.caption(_("No answer is like that."), width="content")
            st.button(_("Show all"), key="sweep_show_all", type="tertiary", on_click=view_state.show_all)
    # Without a gap: what the browser keeps of them takes no room.
    with st.container(key="sweep_grid", gap=None):
        _draw(found)


def answers_since(progress: Progress, run: SweepRun | None, alone: bool) -> None:
    """What has changed of the answers that are on the page, for the component that draws them: all else that is there
    stays as it is, unless it would be another by now."""
    data = stock = b""
    if alone and view_state.view() in view_state.OF_ANSWERS:
        progress = progress.slice(*remembered.slice)
        owner, sweep_id = visitor().owner, str(state.sweep_id)
        rated = resources.services().store.read(lambda db: ratings.of_sweep(db, owner, sweep_id))
        found = _looked_at(progress, run, rated, checked_rules(progress))
        data, stock = already_sent.since(_of_what(), found, _drawn_around(found))
    component = component_of_files(FOLDER, FORMULA_STYLES)
    component(key=f"{KEY}_since", data=data)
    component(key=f"{KEY}_since_stock", data=stock)


def _looked_at(
    progress: Progress, run: SweepRun | None, rated: Mapping[str, Rating], checked: tuple[RuleCheck, Plan | None]
) -> Answers:
    return Answers(
        progress,
        run,
        rated,
        view_state.chosen_filter(progress.cells, checked[0]),
        view_state.view(),
        remembered.place,
        model_names(progress),
        language(),
        _picked(progress),
        *checked,
    )


def _of_what() -> tuple[Hashable, ...]:
    """What the drawn cells are of: the sweep, the slice of it, and how names and numbers are written."""
    return (state.sweep_id, *remembered.slice, language(), hidden())


def _drawn_around(found: Answers) -> Hashable:
    """What is drawn about the answers around the component."""
    return (found.offered, bool(found.kept))


def _to_read(progress: Progress) -> None:
    """From the grid to where the temperature is moved; not where every answer failed. There it stays, pale: what stands
    behind it would come under the pointer."""
    calls = progress.results.values()
    there = not calls or any(call.state != "error" for call in calls)
    if there and len({cell.column for cell in progress.cells}) > 1:
        words, is_there = _("Move the temperature"), view_state.view() == view_state.READ
        icon = ":material/tune:"
        st.button(words, key="sweep_to_read", icon=icon, on_click=view_state.read, disabled=is_there)


def _prompt() -> None:
    """What was asked, folded: the field in the set-up is too low to read a long one in. Of the input that is looked at,
    with its words in place of the variables."""
    plan = open_plan()
    if plan is None:
        return
    with st.expander(_("The prompt"), key="sweep_prompt_read", type="compact"):
        values = plan.inputs[remembered.slice[0]] if plan.inputs else {}
        if system := plan.system_of(remembered.slice[1]).strip():
            st.caption(_("System prompt"))
            _as_sent(system, values)
            st.caption(_("Prompt"))
        _as_sent(plan.prompt, values)


def _as_sent(text: str, values: Mapping[str, str]) -> None:
    """A prompt to the letter; what was put in for its variables is marked."""
    if not values:
        st.text(text)
        return
    marked = {escape(name): f"<mark><bdi>{escape(value)}</bdi></mark>" for name, value in values.items()}
    st.html(f'<div class="as-sent" dir="auto">{filled(escape(text), marked)}</div>')


def _draw(found: Answers) -> None:
    """Send the component what the browser has not got yet."""
    data, stock = already_sent.whole(_of_what(), found, _drawn_around(found))
    component = component_of_files(FOLDER, FORMULA_STYLES)
    component(key=KEY, data=data, on_did_change=_heard)
    component(key=f"{KEY}_stock", data=stock)


def warm_up() -> None:
    """Let the browser load what draws answers, before there are any."""
    with st.container(key="sweep_grid_later", gap=None):
        component_of_files(FOLDER, FORMULA_STYLES)(key=f"{KEY}_later", data=b"")


def _picked(progress: Progress) -> tuple[int, int] | None:
    """Row and column of what was picked, where it is of the variant that is shown."""
    chosen = picked_cell()
    shown = chosen is not None and any(cell.variant == chosen.variant for cell in progress.cells)
    return (chosen.row, chosen.column) if chosen and shown else None


def model_names(progress: Progress) -> dict[int, str]:
    """What the models are called, by row: without their service where all have the same; and while names are hidden,
    letters in another order."""
    if hidden():
        return other_names(progress.models)
    models = progress.models
    services = {model.partition("/")[0] for model in models.values()}
    return {row: model if len(services) > 1 else model.partition("/")[2] for row, model in models.items()}


def _offered(progress: Progress, run: SweepRun | None, rated: Mapping[str, Rating]) -> Mapping[Kind, str]:
    """The kinds of which there are answers, and those that are looked for already, with their names. How many there are
    is said once all have ended: a button's words that change under the finger are pressed by mistake."""
    failed = progress.failed_ids(run.failed if run else ())
    found = (kinds_of(cell.id, progress.results, progress.findings, rated, failed) for cell in progress.cells)
    how_many = Counter(kind for kinds in found for kind in kinds)
    chosen = closed_fields.values_of(view_state.KINDS_SHOWN)
    lowest = min((cell.temperature for cell in progress.cells if cell.temperature is not None), default=None)
    told = COUNTED if run is None or run.finished else ()
    return {
        kind: _(words).format(temperature=temperature_name(lowest)) + (f" {how_many[kind]}" if kind in told else "")
        for kind, words in KIND_NAMES.items()
        if how_many[kind] or kind in chosen
    }


def _find_bar(
    progress: Progress, run: SweepRun | None, rated: Mapping[str, Rating], checked: tuple[RuleCheck, Plan | None]
) -> Progress:
    """Which view is open and what is looked for, which stand in the address; and which input. Returns the part of the
    sweep that is looked at; all of it in the views that tell of all answers together."""
    with st.container(key="sweep_find", horizontal=True, vertical_alignment="center", gap="small"):
        st.segmented_control(
            _("View"),
            list(VIEWS),
            required=True,
            format_func=lambda name: _(VIEWS[name]),
            key="sweep_view",
            label_visibility="collapsed",
            **KEPT,
        )
        if view_state.view() not in view_state.OF_ANSWERS:
            return progress
        # Before what names the models: while names are hidden, each input has others.
        shown = _one_slice(progress)
        remembered.slice = (shown.cells[0].input, shown.cells[0].variant)
        st.text_input(
            _("Search"),
            key="sweep_search",
            max_chars=view_state.MOST_SEARCHED,
            placeholder=_("Search"),
            icon=":material/search:",
            label_visibility="collapsed",
            width=150,
            **KEPT,
        )
        _places(shown, model_names(shown), checked)
        switch()
        _to_read(shown)
        with st.container(key="sweep_found", horizontal=True, vertical_alignment="center", gap="small"):
            _prompt()
            _kinds(_offered(shown, run, rated))
    return shown


def _one_slice(progress: Progress) -> Progress:
    """Of a sweep that asks with several inputs, or varies one thing further, what is of the one that is chosen."""
    plan = open_plan()
    if plan is None or plan.slices == (1, 1):
        return progress
    return progress.slice(*chosen_slice(str(state.sweep_id), plan))


def _kinds(offered: Mapping[Kind, str]) -> None:
    """Buttons that show some kinds of answers only. They have no help of their own: it is behind a question mark.
    Without any, the room for them."""
    with st.container(
        key="sweep_kinds", horizontal=True, wrap=False, vertical_alignment="center", gap="xsmall", width="content"
    ):
        if not offered:
            st.space("small")  # an empty container is not drawn
            return
        st.pills(
            _("Show only"),
            list(offered),
            selection_mode="multi",
            format_func=offered.__getitem__,
            key="sweep_show",
            label_visibility="collapsed",
            width="content",
            **KEPT,
        )
        lines = [f"- **{name}**: {_(KIND_HELP[kind])}" for kind, name in offered.items()]
        st.markdown("", width="content", help="\n".join(lines))


def _places(progress: Progress, names: Mapping[int, str], checked: tuple[RuleCheck, Plan | None]) -> None:
    """Some of the models and temperatures only, and what keeps or breaks some rules."""
    models = {cell.model: names[cell.row] for cell in progress.cells}
    temperatures = list(dict.fromkeys(temperature_name(cell.temperature) for cell in in_order(progress.cells)))
    with st.popover(_("Filter"), icon=":material/filter_list:", key="sweep_places", type="tertiary"):
        st.multiselect(
            _("Models"),
            list(models),
            format_func=models.__getitem__,
            key=choice_key(closed_fields.key_of(view_state.MODELS)),
            placeholder=_("All"),
            **KEPT,
        )
        key = choice_key(closed_fields.key_of(view_state.TEMPERATURES))
        st.multiselect(_("Temperature"), temperatures, key=key, placeholder=_("All"), **KEPT)
        rule_field(*checked)


def _heard() -> None:
    """Something was done in the component."""
    did = (st.session_state.get(KEY) or {}).get("did")
    if isinstance(did, dict):
        do(did)


def do(did: Mapping[str, Any]) -> None:
    """Do what was asked for in the component: `what`, mostly with a `cell` named `<row>_<column>_<repeat>`. What is no
    such thing comes from no component of ours, and nothing happens."""
    owner, sweep_id = visitor().owner, state.sweep_id
    if sweep_id is None:
        return
    progress = resources.services().sweeps.progress.of(owner, sweep_id).slice(*remembered.slice)
    by_place = {f"{cell.row}_{cell.column}_{cell.repeat}": cell for cell in progress.cells}
    cell, what = by_place.get(str(did.get("cell"))), did.get("what")
    if what == "go":
        _go(did)
    elif what == "all":
        view_state.show_all()
    elif what == "unpair":
        remembered.place = replace(remembered.place, pair=None)
    elif cell is not None and isinstance(what, str) and what in DOES:
        DOES[what](progress, cell, did)


def _open(progress: Progress, cell: Cell, did: Mapping[str, Any]) -> None:
    found = view_state.chosen_filter(progress.cells)
    kept = [one for one in progress.cells if found.place_kept(one)]
    if stand_beside(kept, found):
        columns, here = sorted({one.repeat for one in kept}), cell.repeat
    else:
        columns, here = [row for row in model_names(progress) if row in {one.row for one in kept}], cell.row
    at = columns.index(here) if here in columns else 0
    view_state.open_cell(cell, min(at, len(columns) - _whole(did, "fit", 1)))


def _rate(progress: Progress, cell: Cell, did: Mapping[str, Any]) -> None:
    call, owner, sweep_id = progress.results.get(cell.id), visitor().owner, str(state.sweep_id)
    if call is None:
        return
    store, stars = resources.services().store, _whole(did, "stars", 0) or None
    before = store.read(lambda db: ratings.of_sweep(db, owner, sweep_id)).get(call.id, Rating())
    stored(lambda db, owner: ratings.rate(db, owner, call.id, replace(before, stars=stars)))


def _alike(progress: Progress, cell: Cell, _did: Mapping[str, Any]) -> None:
    rate_alike(progress, cell)


def _detail(_progress: Progress, cell: Cell, _did: Mapping[str, Any]) -> None:
    sweep_state.cell, remembered.asks_for_page = cell.id, True


def _pick(_progress: Progress, cell: Cell, _did: Mapping[str, Any]) -> None:
    pick(cell.id)


def _stop(_progress: Progress, cell: Cell, _did: Mapping[str, Any]) -> None:
    actions.stop_cell(cell.id)


DOES: Mapping[str, Callable[[Progress, Cell, Mapping[str, Any]], None]] = {
    "open": _open,
    "rate": _rate,
    "alike": _alike,
    "detail": _detail,
    "pick": _pick,
    "stop": _stop,
}


def _go(did: Mapping[str, Any]) -> None:
    """Other models, or another repeat."""
    remembered.place = replace(
        remembered.place,
        first=_whole(did, "first", remembered.place.first),
        repeat=_whole(did, "repeat", remembered.place.repeat),
        column=_whole(did, "column", remembered.place.column),
    )


def _whole(did: Mapping[str, Any], name: str, otherwise: int) -> int:
    value = did.get(name)
    return value if type(value) is int and 0 <= value < 10_000 else otherwise
