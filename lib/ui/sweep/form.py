"""The form of a sweep, and the line that says what pressing Run will do."""

from typing import Any

import streamlit as st

from lib.services import Services
from lib.sweep.plan import MAX_CONCURRENCY, MAX_PATIENCE, MAX_PER_MINUTE, MAX_REPEATS, PATIENCE, Plan, unique
from lib.ui.shared import controls
from lib.ui.shared.texts import _
from lib.ui.shared.unsupported_params import ANY_MODEL
from lib.ui.shared.visitor import Visitor
from lib.ui.sweep import axis_picker, examples, input_table, large_run, models, temperatures
from lib.ui.sweep.prior_conversation import fill_history, history, history_line

FIELDS = ("system", "max_tokens")
"""The controls of a request that the form has; the temperature has a place of its own."""
SWITCHED = tuple(field for field in FIELDS if controls.CONTROLS[field].switch)
START = {
    "sweep_repeats": 2,
    "sweep_concurrency": 4,
    "sweep_max_tokens": 200,
    "sweep_max_tokens_on": True,
    "sweep_patience": PATIENCE,
}
KEPT: dict[str, Any] = {"persist_state": "session"}
NARROW: dict[str, Any] = {"width": 205, **KEPT}
KEYS = (
    *("sweep_prompt", "sweep_models", "sweep_temperatures", "sweep_repeats", "sweep_concurrency", "sweep_history"),
    *(*input_table.KEYS, *axis_picker.KEYS, temperatures.TYPED),
    *controls.keys("sweep", FIELDS),
    *("sweep_cap", "sweep_patience", "sweep_per_minute"),
)
"""Everything that is set in the form; the first are the names under which the first versions stored it."""
_UNTOUCHED = "sweep_form_untouched"
_ASIDE = "sweep_form_aside"


def sweep_form(services: Services, visitor: Visitor) -> None:
    """Prompt, inputs, models, temperatures, repeats; the rest under More options."""
    for key, value in {**START, temperatures.KEY: list(temperatures.START)}.items():
        st.session_state.setdefault(key, value)
    history_line()
    st.text_area(
        _("What should they write?"),
        key="sweep_prompt",
        height=90,
        placeholder=_(examples.EXAMPLES["creative"].prompt),
        **KEPT,
    )
    examples.examples()
    input_table.input_table(_texts())
    models.models_field(services, visitor)
    with st.container(horizontal=True, vertical_alignment="bottom", key="sweep_settings"):
        temperatures.temperature_picker()
        st.number_input(_("Answers per setting"), 1, MAX_REPEATS, key="sweep_repeats", width=160, **KEPT)
    # It names what is in it: who looks for a limit to what is spent finds it nowhere else.
    with st.expander(_("More options: system prompt, length, spending limit, pace"), key="sweep_more"):
        _more()


def read_plan() -> Plan:
    """The plan as the form stands; raises InvalidInput with a sentence for what can't be run."""
    state = st.session_state
    state.setdefault("sweep_max_tokens_on", True)
    params = controls.read("sweep").model_copy(update={"stream": True})
    return Plan(
        prompt=state.get("sweep_prompt") or "",
        system=state.get("sweep_system") or "",
        models=unique(models.chosen()),
        temperatures=temperatures.temperatures(),
        repeats=state.get("sweep_repeats", 1),
        concurrency=state.get("sweep_concurrency", START["sweep_concurrency"]),
        params=params,
        history=history(),
        inputs=input_table.inputs(_texts()),
        axis=axis_picker.axis(),
        cap=state.get("sweep_cap"),
        patience=state.get("sweep_patience", PATIENCE),
        per_minute=state.get("sweep_per_minute"),
    ).checked()


def fill(plan: Plan) -> None:
    """Let the form ask what `plan` asks."""
    session = st.session_state
    session["sweep_prompt"], session["sweep_system"] = plan.prompt, plan.system
    session["sweep_models"], session[temperatures.KEY] = list(plan.models), list(plan.temperatures)
    session[temperatures.TYPED] = ""
    session["sweep_repeats"], session["sweep_concurrency"] = plan.repeats, plan.concurrency
    session["sweep_cap"], session["sweep_patience"] = plan.cap, plan.patience
    session["sweep_per_minute"] = plan.per_minute
    session["sweep_max_tokens"] = START["sweep_max_tokens"]
    controls.switch("sweep", SWITCHED, plan.params)
    fill_history(plan.history)
    input_table.fill(plan.inputs)
    axis_picker.fill(plan.axis)
    untouched()


def put_aside() -> None:
    """Keep the form as it stands for `bring_back`, where it was filled in by hand."""
    if not is_untouched():
        st.session_state[_ASIDE] = snapshot()


def bring_back() -> bool:
    """Let the form be as it was when it was put aside, once; whether it was."""
    aside: dict[str, Any] | None = st.session_state.pop(_ASIDE, None)
    if aside is None:
        return False
    input_table.forget_edits()
    for key in KEYS:
        st.session_state.pop(key, None)
    st.session_state.update(aside)
    return True


def asks() -> tuple[object, ...]:
    """What the form asks, whatever it asks of: prompt, system prompt, inputs, and what is varied further. Raises
    InvalidInput for what can't be run."""
    session = st.session_state
    texts = session.get("sweep_prompt") or "", session.get("sweep_system") or ""
    return *texts, input_table.inputs(_texts()), axis_picker.axis()


def ask_nothing() -> None:
    """Empty what is asked: the texts, their inputs, and what they vary in; models and numbers stay."""
    st.session_state["sweep_prompt"] = st.session_state["sweep_system"] = ""
    fill_history(())
    input_table.fill(())
    axis_picker.fill(None)
    untouched()


def place(sweep_id: str | None) -> str:
    """The key of the panel with the form, for each sweep its own: that of a sweep is folded at first."""
    return f"sweep_setup_{sweep_id}"


def fold(sweep_id: str) -> None:
    """Fold the panel."""
    st.session_state[place(sweep_id)] = False


def untouched() -> None:
    """From now on the form counts as filled in by the page, as long as nothing in it is changed."""
    st.session_state[_UNTOUCHED] = snapshot()


def is_untouched() -> bool:
    """Whether nothing in the form was changed since the page filled it, or what is in it was run."""
    return snapshot() == st.session_state.get(_UNTOUCHED)


def snapshot() -> dict[str, Any]:
    """What the form's widgets hold now, by key."""
    return {key: st.session_state[key] for key in KEYS if key in st.session_state}


def _more() -> None:
    for field in FIELDS:
        controls.draw("sweep", field, ANY_MODEL)
    axis_picker.axis_picker()
    _bounds()
    large_run.limit_fields()


def _bounds() -> None:
    """How fast it is sent, for how much, and how long what is refused is tried again."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.number_input(_("Requests at the same time"), 1, MAX_CONCURRENCY, key="sweep_concurrency", **NARROW)
        st.number_input(
            _("Requests a minute"),
            1,
            MAX_PER_MINUTE,
            key="sweep_per_minute",
            placeholder=_("as many as it takes"),
            value=None,
            help=_("At most so many go to each service. Left empty, its limits are learnt from what it refuses."),
            **NARROW,
        )
        st.number_input(
            _("Stop at (dollars)"),
            0.0,
            step=0.5,
            key="sweep_cap",
            placeholder=_("no limit"),
            value=None,
            **NARROW,
        )
        st.number_input(
            _("Minutes to wait at a limit"),
            1,
            MAX_PATIENCE,
            key="sweep_patience",
            help=_("When a service says “too many requests”, it is asked again until this long after the last answer."),
            **NARROW,
        )


def _texts() -> tuple[str, ...]:
    """The texts of the form that may hold variables."""
    session = st.session_state
    return (session.get("sweep_prompt") or "", session.get("sweep_system") or "", *axis_picker.texts())
