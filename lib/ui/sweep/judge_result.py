"""What came of a model that was to judge: how many answers it judged, why not the others, and what it cost."""

from collections.abc import Iterator

import streamlit as st

from lib.core.errors import CapReached
from lib.core.i18n import joined
from lib.core.rich_text import literal
from lib.core.segmentation import beginning
from lib.sweep.judge import JudgeRun
from lib.ui.shared import resources
from lib.ui.shared.error_box import error_box
from lib.ui.shared.figures import amount
from lib.ui.shared.model_picker import model_label
from lib.ui.shared.texts import _, _n

LONGEST_QUOTED = 120


def judge_result(run: JudgeRun) -> None:
    """Stands until it is closed, or another judge begins."""
    with st.container(border=True, key="sweep_judge_result"):
        judged = _("{model} judged {done} of {total} answers.")
        called = model_label(run.judge)
        st.markdown(f"**{literal(judged.format(model=called, done=run.done, total=run.total))}**")
        st.markdown(literal(joined(_told(run), _)))
        if run.last_error is not None:
            error_box(run.last_error)
        st.button(
            _("Close"),
            key="sweep_judge_close",
            type="tertiary",
            icon=":material/close:",
            on_click=resources.services().dispatcher.jobs.forget,
            args=(run.id,),
        )


def _told(run: JudgeRun) -> Iterator[str]:
    """Why answers are left that it did not judge, and what it cost."""
    if run.unread:
        words = _n(
            "In {count} of its replies no grade could be read: it wrote “{words}”",
            "In {count} of its replies no grade could be read: the last one was “{words}”",
            len(run.unread),
        )
        yield words.format(count=len(run.unread), words=_quoted(run.unread[-1]))
    asked = run.done + run.failed
    if run.hopeless and not isinstance(run.last_error, CapReached):
        yield _("Stopped after {count}, as none of them gave a grade.").format(count=asked)
    elif asked < run.total and run.last_error is None:
        yield _("Stopped by you after {count}.").format(count=asked)
    if run.cost or (asked and not run.unpriced):
        yield _("Cost: {cost}.").format(cost=amount(run.cost))
    if run.unpriced:
        yield _("No price is known for {count} of its calls.").format(count=run.unpriced)


def _quoted(text: str) -> str:
    line = " ".join(text.split())
    cut = beginning(line, LONGEST_QUOTED)
    return cut if cut == line else f"{cut}…"
