"""One answer of a sweep with all that is known of it, and what can be done with it."""

import streamlit as st

from lib.calls.records import CallRecord
from lib.core.errors import StoreError, recorded
from lib.core.i18n import N_
from lib.core.rich_text import literal
from lib.services import Services
from lib.sweep import ratings
from lib.sweep.findings import has_words, text_of
from lib.sweep.plan import Cell, in_order
from lib.sweep.progress import Progress
from lib.sweep.verdict import temperature_name
from lib.ui.shared import call_details
from lib.ui.shared.answer_parts import answer_parts
from lib.ui.shared.choices import choice_key
from lib.ui.shared.error_box import error_box
from lib.ui.shared.markdown import markdown
from lib.ui.shared.other_pages import continue_in_chat
from lib.ui.shared.state import state
from lib.ui.shared.texts import _
from lib.ui.shared.visitor import visitor
from lib.ui.sweep import actions, equal_answers, view_state
from lib.ui.sweep.answers import model_names
from lib.ui.sweep.hidden_names import hidden, unnamed_error
from lib.ui.sweep.open_study import is_picked, pick
from lib.ui.sweep.rating_fields import rating_fields
from lib.ui.sweep.sweep_state import sweep_state

PARTS = {
    "answer": N_("Answer"),
    "numbers": N_("Numbers"),
    "request": N_("Request"),
    "raw": N_("Answer as it came"),
}


def cell_dialog(services: Services, progress: Progress) -> None:
    """The dialog, while it is open."""
    cell = next((cell for cell in progress.cells if cell.id == sweep_state.cell), None)
    if cell is None:
        return
    title = literal(_name(cell, model_names(progress)[cell.row]))
    # Two that are compared stand in one grid.
    slice = progress.slice(cell.input, cell.variant)
    st.dialog(title, width="large", on_dismiss=_close)(_body)(services, slice, cell)


def _body(services: Services, progress: Progress, cell: Cell) -> None:
    if sweep_state.cell is None:
        st.rerun()  # closed by what was chosen in it
    call = progress.results.get(cell.id)
    _ways_on(services, progress, cell, call)
    if call is None:
        st.caption(_("No answer here yet."))
        return
    if has_words(call):
        rating_fields(call)
        _rate_alike(services, progress, cell)
    if hidden():
        # The other parts name the model.
        _answer(call, progress)
        return
    part = st.segmented_control(
        _("Part"),
        list(PARTS),
        default="answer",
        required=True,
        format_func=lambda name: _(PARTS[name]),
        key="sweep_cell_part",
        label_visibility="collapsed",
    )
    if part == "numbers":
        call_details.numbers(call)
    elif part == "request":
        call_details.request(services, call)
    elif part == "raw":
        call_details.raw_answer(services, call)
    else:
        _answer(call, progress)


def _rate_alike(services: Services, progress: Progress, cell: Cell) -> None:
    owner, sweep_id = visitor().owner, str(state.sweep_id)
    rated = services.store.read(lambda db: ratings.of_sweep(db, owner, sweep_id))
    if words := equal_answers.words(progress, cell, rated):
        alike = equal_answers.rate_alike
        st.button(words, key="sweep_cell_alike", icon=":material/done_all:", on_click=alike, args=(progress, cell))


def _answer(call: CallRecord, progress: Progress) -> None:
    if call.error_kind:
        unnamed_error(recorded(call.error_record, call.error_text, call.error_kind), progress)
    if not call.choices:
        return
    choice = call.choice()
    if choice.reasoning:
        with st.expander(_("Thinking"), type="compact"):
            markdown(st, choice.reasoning)
    markdown(st, choice.text)
    answer_parts(st, f"parts_{call.id}", call.owner, choice.parts)


def _ways_on(services: Services, progress: Progress, cell: Cell, call: CallRecord | None) -> None:
    """Going on with the answer in Chat, asking once more, comparing it."""
    named = None if hidden() else call
    with st.container(horizontal=True, vertical_alignment="bottom"):
        if named is not None and st.button(_("Continue in Chat"), key="sweep_cell_chat", icon=":material/chat:"):
            _close()
            try:
                continue_in_chat(services, named)
            except StoreError as refused:
                error_box(refused)
        if not services.sweeps.is_running(visitor().owner, state.sweep_id):
            again = _("Run again")
            st.button(again, key="sweep_cell_again", icon=":material/replay:", on_click=_again, args=(cell.id,))
        if named is not None:
            words = _("Picked") if is_picked(cell) else _("Pick")
            st.button(words, key="sweep_cell_pick", icon=":material/check:", on_click=_pick, args=(cell.id,))
        if call is not None and has_words(call):
            _compare(progress, cell)


def _pick(cell_id: str) -> None:
    _close()
    pick(cell_id)


def _compare(progress: Progress, cell: Cell) -> None:
    names = model_names(progress)
    others = {
        one.id: _name(one, names[one.row])
        for one in in_order(progress.cells)
        if one.id != cell.id and one.id in progress.results and text_of(progress.results[one.id]).strip()
    }
    if others:
        st.selectbox(
            _("Compare word by word with"),
            list(others),
            index=None,
            format_func=others.__getitem__,
            key=choice_key("sweep_cell_compare"),
            placeholder=_("Another answer"),
            on_change=_word_by_word,
            args=(progress, cell),
        )


def _word_by_word(progress: Progress, cell: Cell) -> None:
    other = next((one for one in progress.cells if one.id == st.session_state["sweep_cell_compare"]), None)
    if other is not None:
        view_state.compare(cell, other)
        _close()


def _again(cell_id: str) -> None:
    _close()
    actions.rerun_cell(cell_id)


def _close() -> None:
    sweep_state.cell = None


def _name(cell: Cell, model: str) -> str:
    if cell.temperature is None:
        return _("{model}, no temperature sent, answer {number}").format(model=model, number=cell.repeat + 1)
    words = _("{model}, temperature {temperature}, answer {number}")
    return words.format(model=model, temperature=temperature_name(cell.temperature), number=cell.repeat + 1)
