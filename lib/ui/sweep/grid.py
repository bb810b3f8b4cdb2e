"""Draws a sweep's progress and the overview table."""

from collections.abc import Mapping

import pandas as pd
import streamlit as st

from lib.core.rich_text import literal
from lib.sweep.progress import Progress
from lib.sweep.run import SweepRun
from lib.ui.shared.figures import amount
from lib.ui.shared.texts import _, _n
from lib.ui.sweep import actions
from lib.ui.sweep.run_line import run_figures


def progress(standing: Progress, run: SweepRun | None) -> None:
    """How far it is: done, failed, all; what it cost; and Stop while it runs."""
    done, failed, total = standing.counts(run.failed if run else ())
    words = _("{done} done, {failed} failed, {total} in all").format(done=done, failed=failed, total=total)
    words = " · ".join([words, *_cut(standing), *run_figures(standing, run)])
    going_on = run is not None and not run.finished
    with st.container(key="sweep_progress", horizontal=True, vertical_alignment="center"):
        if going_on or done + failed < total:
            st.progress(min((done + failed) / max(total, 1), 1.0), text=words)
        else:
            st.caption(literal(words))
        if going_on:
            st.button(_("Stop"), key="sweep_stop", icon=":material/stop_circle:", on_click=actions.stop)


def _cut(standing: Progress) -> list[str]:
    """How many answers end before their end; nothing where none does."""
    cut = sum("cut" in marks for marks in standing.findings.marks.values())
    return [_n("{count} cut", "{count} cut", cut).format(count=cut)] if cut else []


def overview(frame: pd.DataFrame, names: Mapping[str, str]) -> None:
    """One row per model and temperature; `names` are what the models are called here."""
    frame = frame.assign(
        model=frame["model"].map(names),
        variety=100 * frame["variety"].astype(float),
        cost=frame["cost"].map(lambda cost: None if pd.isna(cost) else amount(cost)),
    )
    column = st.column_config
    st.dataframe(
        frame,
        hide_index=True,
        placeholder="–",
        column_config={
            "model": column.TextColumn(_("Model")),
            "temperature": column.NumberColumn(_("Temperature"), format="%g"),
            "done": column.NumberColumn(_("Done")),
            "failed": column.NumberColumn(_("Failed")),
            "variety": column.ProgressColumn(_("How different"), format="%.0f%%", min_value=0.0, max_value=100.0),
            "words": column.NumberColumn(_("Words"), format="%.0f"),
            "completion": column.NumberColumn(_("Output tokens"), format="%.0f"),
            "seconds": column.NumberColumn(_("Seconds"), format="%.1f"),
            "cost": column.TextColumn(_("Cost of one"), alignment="right"),
        },
    )
