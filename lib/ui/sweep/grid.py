"""Draws a sweep's progress, the overview table and the chart."""

from typing import Any

import altair as alt
import pandas as pd
import streamlit as st

from lib.sweep.progress import Progress
from lib.sweep.scheduler import SweepRun
from lib.ui.shared.figures import amount, sum_of_costs
from lib.ui.shared.texts import _
from lib.ui.sweep import actions


def progress(standing: Progress, run: SweepRun | None) -> None:
    """How far it is: done, failed, all; and Stop while it runs."""
    cells, results = standing.cells, standing.results
    unsent = {} if run is None else run.failed
    states = [results[cell.id].state for cell in cells if cell.id in results]
    failed = states.count("error") + sum(cell.id in unsent and cell.id not in results for cell in cells)
    done, total = states.count("ok"), len(cells)
    words = _("{done} done, {failed} failed, {total} in all").format(done=done, failed=failed, total=total)
    spent = sum_of_costs((call.cost, call.cost_source) for call in results.values())
    words += f" · {spent}" if spent else ""
    with st.container(key="sweep_progress", horizontal=True, vertical_alignment="center"):
        st.progress((done + failed) / total, text=words)
        if run is not None and not run.finished:
            st.button(_("Stop"), key="sweep_stop", icon=":material/stop_circle:", on_click=actions.stop)


def overview(frame: pd.DataFrame) -> None:
    """One row per model and temperature."""
    frame = frame.assign(cost=frame["cost"].map(lambda cost: None if pd.isna(cost) else amount(cost)))
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
            "variety": column.ProgressColumn(_("How different"), format="percent", min_value=0.0, max_value=1.0),
            "words": column.NumberColumn(_("Words"), format="%.0f"),
            "completion": column.NumberColumn(_("Output tokens"), format="%.0f"),
            "seconds": column.NumberColumn(_("Seconds"), format="%.1f"),
            "cost": column.TextColumn(_("Cost of one"), alignment="right"),
        },
    )


def temperature_chart(overview: pd.DataFrame) -> None:
    """How different the answers to one question are, against temperature; one line for each model."""
    frame = overview.dropna(subset=["variety"])
    if frame.empty:
        st.caption(_("With two or more answers per setting, this shows how different they are at each temperature."))
        return
    st.markdown(f"**{_('What the temperature does: how different the answers are')}**")
    st.altair_chart(_lines_chart(frame), width="stretch")
    st.caption(_("0 % means word for word the same, 100 % means no word in common. The table has the same numbers."))


def _lines_chart(frame: pd.DataFrame) -> Any:
    across = alt.X("temperature:Q", title=_("Temperature"), scale=alt.Scale(nice=True), axis=alt.Axis(tickCount=7))
    up = alt.Y("variety:Q", title=_("How different"), axis=alt.Axis(format="%"), scale=alt.Scale(domain=[0, 1]))
    below = alt.Legend(orient="bottom", columns=1, labelLimit=0, title=None)
    model = {"color": alt.Color("model:N", legend=below), "shape": alt.Shape("model:N", legend=below)}
    base = alt.Chart(frame).encode(
        x=across, y=up, tooltip=["model", "temperature", alt.Tooltip("variety", format=".0%")]
    )
    line = base.mark_line().encode(color=model["color"])
    return (line + base.mark_point(size=90, filled=True).encode(**model)).properties(height=260)
