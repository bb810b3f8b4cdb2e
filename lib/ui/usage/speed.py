"""How fast each model answers, and what went wrong with it."""

from collections.abc import Iterable, Sequence
from typing import Any

import pandas as pd
import streamlit as st

from lib.services import Services
from lib.ui.shared.figures import precise_seconds, seconds
from lib.ui.shared.texts import _
from lib.ui.shared.written_table import MISSING, Form, written
from lib.ui.usage.model_column import model_column, with_dark_names
from lib.usage import queries
from lib.usage import speed as speeds
from lib.usage.scope import Scope
from lib.usage.totals import ModelTotals, named


def speed(services: Services, scope: Scope, models: Sequence[ModelTotals]) -> None:
    """A row for each model, the fastest to its first word first. A problem that none of them had has no column."""
    binned = services.store.read(lambda db: queries.spread(db, scope, speeds.KINDS))
    rows = speeds.by_model(binned, [(one.endpoint, one.model) for one in models])
    names = named([(row.endpoint, row.model) for row in rows])
    problems = {(one.endpoint, one.model): one for one in models}
    further = {
        name: [getattr(problems[row.endpoint, row.model], name) for row in rows]
        for name in ("cut", "filtered", "stopped")
    } | {"retried": [row.retried for row in rows]}
    frame = pd.DataFrame(
        {
            "model": names,
            "first_word": [row.first_word_median for row in rows],
            "first_word_p90": [row.first_word_p90 for row in rows],
            "rate": [row.rate for row in rows],
            "seconds": [row.seconds_median for row in rows],
            "calls": [problems[row.endpoint, row.model].calls for row in rows],
            "failed": [problems[row.endpoint, row.model].failed for row in rows],
            **{name: counts for name, counts in further.items() if any(counts)},
        }
    )
    with st.container(key="usage_speed"):
        if any(row.first_word_median is not None for row in rows):
            st.caption(_("The model that begins its answer soonest stands first."))
        shown = with_dark_names(written(frame, _forms()))
        st.dataframe(shown, hide_index=True, placeholder=MISSING, column_config=_columns(names))
        st.caption(_("Half of the answers were faster than the usual time; nine of ten were faster than the slow one."))


def _forms() -> dict[str, Form]:
    """How the numbers of the table are written, by column."""
    counts = ("calls", "failed", "cut", "filtered", "stopped", "retried")
    times = {"first_word": precise_seconds, "first_word_p90": precise_seconds, "seconds": _seconds}
    return {**dict.fromkeys(counts, ",.0f"), **times, "rate": ",.0f"}


def _seconds(value: float) -> str:
    """Of a quick answer its hundredths are told: no answer takes 0.0 s."""
    return precise_seconds(value) if value < 1 else seconds(value)


def _columns(names: Iterable[str]) -> dict[str, Any]:
    number = st.column_config.NumberColumn
    return {
        "model": model_column(names),
        "first_word": number(_("First word, usual")),
        "first_word_p90": number(_("First word, slow")),
        "rate": number(_("Tokens/s")),
        "seconds": number(_("Whole answer")),
        "calls": number(_("Calls")),
        "failed": number(_("Failed")),
        "cut": number(_("Cut off")),
        "filtered": number(_("Filtered")),
        "stopped": number(_("Stopped by you")),
        "retried": number(_("Tried again")),
    }
