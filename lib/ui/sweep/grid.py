"""Draws a sweep's progress, its cells, the overview table and the chart."""

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Any

import altair as alt
import pandas as pd
import streamlit as st

from lib.calls import unsupported_params
from lib.calls.records import CallRecord
from lib.core.errors import recorded
from lib.core.rich_text import Growing, literal
from lib.sweep.plan import Cell
from lib.sweep.progress import Progress
from lib.sweep.scheduler import SweepRun
from lib.ui.shared.answer_parts import answer_parts
from lib.ui.shared.figures import SENT_BEFORE, amount, sum_of_costs, summary
from lib.ui.shared.live_text import CURSOR, waiting
from lib.ui.shared.markdown import draw, markdown
from lib.ui.shared.texts import _, _n, error_sentence
from lib.ui.sweep import actions

CELLS_A_PAGE = 24
CELLS_A_LINE = 4
CELL_HEIGHT = 250


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


def grid(standing: Progress, run: SweepRun | None) -> None:
    """The cells of one page: a line of cards for each model, a column for each temperature."""
    cells, results = standing.cells, standing.results
    pages = -(-len(cells) // CELLS_A_PAGE)
    page = st.pagination(pages, key="sweep_page") if pages > 1 else 1
    shown = cells[(page - 1) * CELLS_A_PAGE : page * CELLS_A_PAGE]
    repeats = max(cell.repeat for cell in cells) + 1
    with st.container(key="sweep_grid"):
        for model, of_model in groupby(shown, key=lambda cell: cell.model):
            st.markdown(f"**{literal(model)}**")
            for line in _lines(_by_temperature(of_model)):
                for place, setting in zip(st.columns(CELLS_A_LINE), line, strict=False):
                    with place:
                        for cell in setting:
                            _card(cell, repeats, results.get(cell.id), run)


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


def _by_temperature(cells: Iterable[Cell]) -> list[list[Cell]]:
    """The cells of one model, those of the same temperature together."""
    return [list(setting) for _column, setting in groupby(cells, key=lambda cell: cell.column)]


def _lines(settings: Sequence[list[Cell]]) -> list[Sequence[list[Cell]]]:
    return [settings[start : start + CELLS_A_LINE] for start in range(0, len(settings), CELLS_A_LINE)]


def _card(cell: Cell, repeats: int, call: CallRecord | None, run: SweepRun | None) -> None:
    with st.container(key=f"cell_{cell.row}_{cell.column}_{cell.repeat}", border=True, height=CELL_HEIGHT):
        ended = call is not None and call.state != "started"
        st.caption(literal(" · ".join([_place(cell, repeats), *(_figures(call) if call and ended else ())])))
        answer = run.answers.get(cell.id) if run is not None else None
        if answer is not None and not answer.finished:
            text = answer.reply.choices[0].text if answer.reply.choices else ""
            if answer.waiting is not None and answer.reply.empty:
                st.caption(waiting(answer))
            draw(st, Growing().pieces(text, CURSOR))
            st.button(
                _("Stop this one"),
                key=f"stop_{cell.id}",
                type="tertiary",
                on_click=actions.stop_cell,
                args=(cell.id,),
            )
        elif call is not None and ended:
            _ended(call)
        elif run is not None and cell.id in run.failed:
            st.error(error_sentence(run.failed[cell.id]))
        elif run is not None and not run.finished:
            st.caption(_("waits"))
        else:
            st.caption(_("not sent, or cut off"))


def _ended(call: CallRecord) -> None:
    if call.sent_before and call.state == "ok":
        st.caption(_(SENT_BEFORE))
    for name in unsupported_params.left_out(call.params_asked, call.params_sent):
        st.caption(_("Fixed: this model does not take “{name}”.").format(name=literal(name)))
    if call.choices:
        markdown(st, call.choices[0].text)
        answer_parts(st, f"parts_{call.id}", call.owner, call.choices[0].parts)
    if call.error_kind:
        st.error(error_sentence(recorded(call.error_record, call.error_text)))
        if call.error_text:
            with st.expander(_("What the service said"), type="compact"):
                st.code(call.error_text, language=None, wrap_lines=True)


def _figures(call: CallRecord) -> list[str]:
    tokens = call.usage.completion_tokens
    if tokens is None:
        return [summary(call)]
    return [summary(call), _n("{count} token", "{count} tokens", tokens).format(count=tokens)]


def _place(cell: Cell, repeats: int) -> str:
    place = _("temperature {value:g}").format(value=cell.temperature) if cell.temperature is not None else ""
    return place + (f" · {cell.repeat + 1}/{repeats}" if repeats > 1 else "")
