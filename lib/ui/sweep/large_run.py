"""Asks before much is sent: above a number of answers or a sum of money, both of which can be set."""

from collections.abc import Callable
from dataclasses import dataclass

import streamlit as st

from lib.core.rich_text import literal
from lib.sweep.estimate import PlanEstimate
from lib.ui.shared import resources
from lib.ui.shared.figures import money
from lib.ui.shared.refusals import stored
from lib.ui.shared.texts import _, _n
from lib.ui.shared.visitor import visitor
from lib.visitor import preferences

ANSWERS = 200
DOLLARS = 1.0
MOST_ANSWERS = 2_000
MOST_DOLLARS = 10_000.0
NAME = "sweep_asks"
WIDTH = 560
"""Of a question, in pixels: beside other buttons it would else be squeezed, on a phone to a few words a line."""


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
    """Above how many answers or dollars the visitor is asked first."""
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
            _("Ask me first above (answers)"),
            1,
            MOST_ANSWERS,
            key="sweep_ask_answers",
            width=205,
            on_change=_keep,
            persist_state="session",
        )
        st.number_input(
            _("Ask me first above (dollars)"),
            0.0,
            MOST_DOLLARS,
            step=0.5,
            key="sweep_ask_dollars",
            width=205,
            on_change=_keep,
            persist_state="session",
        )


def question(found: PlanEstimate) -> str:
    """What is asked before a large plan is run, as Markdown."""
    words = _n("That makes {count:,} answer", "That makes {count:,} answers", found.answers)
    parts = [words.format(count=found.answers)]
    if found.highest:
        parts.append(_("at most {cost}").format(cost=literal(money(found.highest))))
    elif found.typical:
        parts.append(_("about {cost}").format(cost=literal(money(found.typical))))
    if found.unpriced:
        parts.append(_("{count:,} with no price known").format(count=found.unpriced_answers))
    return _(", ").join(parts) + _(".")


class Question:
    """What is asked before something large beside Run is done. It stands as long as what it is about does."""

    def __init__(self, key: str) -> None:
        self._key, self._asked = key, f"{key}_asked"

    def has_to_be_asked(self, about: object, found: PlanEstimate) -> bool:
        """Whether what takes `found` is large; then the question stands from now on."""
        large = limits().asks(found)
        if large:
            st.session_state[self._asked] = (about, question(found))
        return large

    def stands(self, about: object) -> bool:
        """Whether it was asked, and about this."""
        return bool(st.session_state.get(self._asked, (None,))[0] == about)

    def draw(self, label: str, do: Callable[[], None]) -> None:
        """The question, the button that does it all the same, and the way back."""
        with st.container(key=f"{self._key}_question", width=WIDTH):
            st.warning(st.session_state[self._asked][1])
            with st.container(horizontal=True, vertical_alignment="center"):
                st.button(
                    label,
                    key=f"{self._key}_anyway",
                    type="primary",
                    icon=":material/play_arrow:",
                    on_click=self._do(do),
                )
                st.button(_("Not yet"), key=f"{self._key}_not_yet", type="tertiary", on_click=self.let_go)

    def let_go(self) -> None:
        """Take the question back."""
        st.session_state.pop(self._asked, None)

    def _do(self, do: Callable[[], None]) -> Callable[[], None]:
        def done() -> None:
            self.let_go()
            do()

        return done


TO_GROW, TO_RETRY = Question("sweep_grow"), Question("sweep_retry")


def _keep() -> None:
    session = st.session_state
    value = {"answers": session["sweep_ask_answers"], "dollars": session["sweep_ask_dollars"]}
    stored(lambda db, owner: preferences.put(db, owner, NAME, value))
