"""Charts of a sweep against temperature: a panel for each model, the same as a table, and as a picture to save."""

import base64
from collections.abc import Sequence
from html import escape, unescape
from typing import Any

import pandas as pd
import streamlit as st

from lib.core.i18n import N_, joined, listed
from lib.sweep import charts
from lib.sweep.measures import BY_NAME, MEASURES, Measure
from lib.sweep.study import Study
from lib.sweep.verdict import temperature_name
from lib.ui.shared.figures import in_column
from lib.ui.shared.texts import _
from lib.ui.sweep.open_study import PAGE, chart_look

COLUMNS = "display:grid;gap:1rem;grid-template-columns:repeat(auto-fit,minmax(min(17rem,100%),1fr))"
# Streamlit lets a picture grow no larger than it says it is.
WIDEST = "width:100%;max-width:30rem;object-fit:contain"


def chart_view(study: Study) -> None:
    """What the temperature does to one measure, first to the difference of the answers, where there are several of a
    setting."""
    names = [measure.name for measure in MEASURES]
    known = (name for name in names if any(setting.measure(name) for setting in study.settings))
    st.session_state.setdefault("sweep_measure", next(known, names[0]))
    name = st.pills(
        _("Measure"),
        names,
        required=True,
        format_func=lambda one: _(BY_NAME[one].label),
        key="sweep_measure",
        label_visibility="collapsed",
        persist_state="session",
    )
    measure = BY_NAME[name or names[0]]
    if words := charts.explained(study, measure, PAGE):
        st.caption(words, help=_(measure.technical) if measure.technical else None)
    _panels(study, measure)
    with st.expander(_("This chart as a table"), key="sweep_chart_table"):
        _table(study, measure)


def _panels(study: Study, measure: Measure) -> None:
    drawn = charts.panels(study, measure, PAGE, chart_look())
    if not drawn:
        st.caption(_("There is nothing to measure yet. How different answers are takes two or more per setting."))
        return
    st.markdown(beside_each_other(drawn), unsafe_allow_html=True)
    words = [N_("From left to right the temperature; the line is the mean, the area from the lowest to the highest.")]
    st.caption(joined(map(_, words + [charts.OTHERS] * (len(drawn) > 1)), _))
    missing = charts.without_values(study, measure, PAGE)
    if missing:
        st.text(_("Not known of: {models}.").format(models=listed(missing, _)))
    st.download_button(
        _("Save as a picture"),
        lambda: charts.picture(study, measure, PAGE).encode(),
        file_name=f"tempera-{measure.name}.svg",
        mime="image/svg+xml",
        key="sweep_chart_save",
        icon=":material/image:",
        type="tertiary",
        on_click="ignore",
    )


def beside_each_other(panels: Sequence[str]) -> str:
    """Panels as HTML, as many beside each other as the screen is wide."""
    return f'<div style="{COLUMNS}">{"".join(map(_picture, panels))}</div>'


def _picture(svg: str) -> str:
    """A panel as an image: its script, had it one, would not run, and what it says is its description."""
    words = unescape(svg.partition("<title>")[2].partition("</title>")[0])
    data = base64.b64encode(svg.encode()).decode()
    return f'<img style="{WIDEST}" alt="{escape(words, quote=True)}" src="data:image/svg+xml;base64,{data}">'


def _table(study: Study, measure: Measure) -> None:
    """The same numbers: mean, lowest and highest of each model at each temperature, and of how many answers."""
    lines = [(charts.line_name(study, line, PAGE), setting) for line in study.lines.values() for setting in line]
    found = [setting.measure(measure.name) for _name, setting in lines]
    columns: dict[str, list[Any]] = {
        _("Model"): [name for name, _setting in lines],
        _("Temperature"): [temperature_name(setting.temperature) for _name, setting in lines],
    }
    values = {
        _("Mean"): [one.mean if one else None for one in found],
        _("Lowest"): [one.low if one else None for one in found],
        _("Highest"): [one.high if one else None for one in found],
    }
    for name, column in values.items():
        columns[name] = in_column(["–" if one is None else measure.written(one, PAGE) for one in column])
    columns[_("Answers")] = [len(setting.answers) for _name, setting in lines]
    columns[_("Failed")] = [setting.failed for _name, setting in lines]
    right = st.column_config.TextColumn(alignment="right")
    st.dataframe(pd.DataFrame(columns), hide_index=True, column_config=dict.fromkeys(values, right))
