"""Draws a sweep's progress and the overview table."""

from collections.abc import Mapping

import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from lib.core.rich_text import literal
from lib.sweep.progress import Progress
from lib.sweep.run import SweepRun
from lib.ui.shared.figures import amount, in_column
from lib.ui.shared.texts import _, _n
from lib.ui.sweep import actions
from lib.ui.sweep.run_line import run_figures


def progress(standing: Progress, run: SweepRun | None) -> DeltaGenerator:
    """How far it is: how many answers there are, and of them what failed; what it cost; and Stop while it runs. Returns
    the row, in which there is room for a field after the end."""
    done, failed, total = standing.counts(run.failed if run else ())
    cut = _cut(standing)
    counted = [_all_well(total)] if done == total and not cut else [_so_many(done, total), *_failed(failed), *cut]
    words = " · ".join([*counted, *run_figures(standing, run)])
    going_on = run is not None and not run.finished
    row = st.container(key="sweep_progress", horizontal=True, vertical_alignment="center")
    with row:
        if going_on or done + failed < total:
            st.progress(min((done + failed) / max(total, 1), 1.0), text=words)
        else:
            st.caption(literal(words))
        if going_on:
            st.button(_("Stop"), key="sweep_stop", icon=":material/stop_circle:", on_click=actions.stop)
    return row


def _so_many(done: int, total: int) -> str:
    if done == total:
        return _n("{count:,} answer", "{count:,} answers", total).format(count=total)
    return _n("{done:,} of {total:,} answer", "{done:,} of {total:,} answers", total).format(done=done, total=total)


def _all_well(total: int) -> str:
    """Said where it is so: who looks for what failed finds nothing otherwise, and can't tell whether that is meant."""
    words = _n("{count:,} answer, not failed nor cut off", "{count:,} answers, none failed or cut off", total)
    return words.format(count=total)


def _failed(failed: int) -> list[str]:
    """How many answers failed; nothing where none did."""
    return [_n("{count} failed", "{count} failed", failed).format(count=failed)] if failed else []


def _cut(standing: Progress) -> list[str]:
    """How many answers end before their end; nothing where none does."""
    cut = sum("cut" in marks for marks in standing.findings.marks.values())
    return [_n("{count} cut", "{count} cut", cut).format(count=cut)] if cut else []


def overview(frame: pd.DataFrame, names: Mapping[str, str]) -> None:
    """One row per model and temperature; `names` are what the models are called here."""
    frame = frame.assign(
        model=frame["model"].map(names),
        variety=100 * frame["variety"].astype(float),
        cost=pd.Series(in_column([None if pd.isna(one) else amount(one) for one in frame["cost"]]), frame.index),
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
            "first_word": column.NumberColumn(_("First word after"), format="%.2f"),
            "speed": column.NumberColumn(_("Tokens per second"), format="%.0f"),
            "cost": column.TextColumn(_("Cost of one"), alignment="right"),
        },
    )
