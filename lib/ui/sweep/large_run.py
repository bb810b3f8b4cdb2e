"""Asks before a large sweep is run: above a number of answers or a sum of money, both of which can be set."""

from dataclasses import dataclass

import streamlit as st

from lib.sweep.estimate import PlanEstimate
from lib.ui.shared import resources
from lib.ui.shared.figures import money
from lib.ui.shared.texts import _, _n
from lib.ui.shared.visitor import visitor
from lib.visitor import preferences

ANSWERS = 200
DOLLARS = 1.0
MOST_ANSWERS = 2_000
MOST_DOLLARS = 10_000.0
NAME = "sweep_asks"


@dataclass(frozen=True, slots=True)
class Limits:
    """Above how many answers, and how many US dollars at the most, Run asks first."""

    answers: int = ANSWERS
    dollars: float = DOLLARS

    def asks(self, found: PlanEstimate) -> bool:
        """Whether a plan with this estimate is a large one."""
        cost = found.highest if found.highest is not None else found.typical
        return found.answers > self.answers or (cost or 0) > self.dollars


def limits() -> Limits:
    """The visitor's."""
    owner = visitor().owner
    kept = resources.services().store.read(lambda db: preferences.get(db, owner, NAME)) or {}
    return Limits(**{name: kept[name] for name in ("answers", "dollars") if name in kept})


def limit_fields() -> None:
    """The two limits, to be set."""
    now = limits()
    st.session_state.setdefault("sweep_ask_answers", now.answers)
    st.session_state.setdefault("sweep_ask_dollars", now.dollars)
    with st.container(horizontal=True):
        st.number_input(
            _("Ask above so many answers"),
            1,
            MOST_ANSWERS,
            key="sweep_ask_answers",
            width=220,
            on_change=_keep,
            persist_state="session",
        )
        st.number_input(
            _("Ask above so many dollars"),
            0.0,
            MOST_DOLLARS,
            step=0.5,
            key="sweep_ask_dollars",
            width=220,
            on_change=_keep,
            persist_state="session",
        )


def question(found: PlanEstimate) -> str:
    """What is asked before a large plan is run."""
    words = _n("That makes {count:,} answer", "That makes {count:,} answers", found.answers)
    parts = [words.format(count=found.answers)]
    if found.highest is not None:
        parts.append(_("at most {cost}").format(cost=money(found.highest)))
    elif found.typical:
        parts.append(_("about {cost}").format(cost=money(found.typical)))
    return ", ".join(parts).replace("$", "\\$") + "."


def _keep() -> None:
    owner, session = visitor().owner, st.session_state
    value = {"answers": session["sweep_ask_answers"], "dollars": session["sweep_ask_dollars"]}
    resources.services().store.write(lambda db: preferences.put(db, owner, NAME, value)).result()
