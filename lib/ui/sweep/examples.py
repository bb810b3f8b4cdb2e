"""What to start from, where the form is empty: examples, each of which shows something else that a sweep can tell, and
the visitor's own prompts."""

from dataclasses import dataclass

import streamlit as st

from lib.core.i18n import N_
from lib.core.rich_text import literal
from lib.ui.shared import resources
from lib.ui.shared.state import state
from lib.ui.shared.texts import _
from lib.ui.shared.visitor import visitor
from lib.ui.sweep import input_table, temperatures
from lib.visitor.prompt_templates import TEMPLATES


@dataclass(frozen=True, slots=True)
class Example:
    """What an example sets. `inputs` are the values of the prompt's variables, by name."""

    title: str
    prompt: str
    temperatures: tuple[float, ...]
    repeats: int
    inputs: tuple[tuple[tuple[str, str], ...], ...] = ()


EXAMPLES = {
    "creative": Example(
        N_("How creative?"), N_("Name a new flavour of ice cream and praise it in one sentence."), (0, 0.7, 1.3), 3
    ),
    "product": Example(
        N_("A product text"),
        N_("Write a product text for a steel thermos: 60 words, warm, no superlatives."),
        (0, 0.7, 1.2),
        2,
    ),
    "list": Example(
        N_("A list of inputs"),
        N_("Write a slogan of at most six words: {{product}}, for {{people}}."),
        (0.7, 1.3),
        1,
        (
            (("product", N_("steel thermos")), ("people", N_("hikers"))),
            (("product", N_("umbrella")), ("people", N_("commuters"))),
            (("product", N_("notebook")), ("people", N_("students"))),
        ),
    ),
    "sums": Example(
        N_("Right or wrong?"),
        N_("A bat and a ball cost 1.10 together. The bat costs 1.00 more than the ball. What does the ball cost?"),
        (0, 1),
        3,
    ),
}
KEY = "sweep_example"
OWN = "own:"
"""Before the name of a prompt of the visitor's own, so that none is taken for an example."""


def examples() -> None:
    """A menu of them. It stays where it is when there is a prompt, so that nothing moves under the pointer; it replaces
    one that came from it, and none that was typed."""
    if state.sweep_id is not None:
        return
    own = _own()
    prompt = (st.session_state.get("sweep_prompt") or "").strip()
    typed = bool(prompt) and prompt not in {*(_(example.prompt) for example in EXAMPLES.values()), *own.values()}
    st.menu_button(
        _("Start from a prompt of yours or an example") if own else _("Start from an example"),
        [*(f"{OWN}{name}" for name in own), *EXAMPLES],
        key=KEY,
        disabled=typed,
        help=_("It would replace what you typed: empty the field first.") if typed else None,
        type="tertiary",
        icon=":material/lightbulb:",
        format_func=lambda name: literal(name.removeprefix(OWN)) if name.startswith(OWN) else _(EXAMPLES[name].title),
        on_click=_fill,
    )


def _own() -> dict[str, str]:
    """The visitor's own prompts, by name."""
    kept = resources.services().store.read(lambda db: TEMPLATES.own(db, visitor().owner))
    return {name: str(values["text"]) for name, values in kept.items()}


def _fill() -> None:
    chosen = str(st.session_state.get(KEY))
    example = EXAMPLES.get(chosen)
    if example is None:
        st.session_state["sweep_prompt"] = _own().get(chosen.removeprefix(OWN), "")
        return
    st.session_state["sweep_prompt"] = _(example.prompt)
    st.session_state[temperatures.KEY] = list(example.temperatures)
    st.session_state["sweep_repeats"] = example.repeats
    # The names stand in the translated prompt as they are: a variable is a name, not a word.
    input_table.fill({name: _(value) for name, value in row} for row in example.inputs)
