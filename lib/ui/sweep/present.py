"""A sweep on a projector: verdict, charts and three answers in large type, one after the other by the arrow keys."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import streamlit as st

from lib.core.i18n import joined
from lib.core.rich_text import literal
from lib.sweep import charts
from lib.sweep.decision import ReportOptions
from lib.sweep.export.answers import best_cell, chosen
from lib.sweep.export.wording import title
from lib.sweep.findings import text_of
from lib.sweep.measures import BY_NAME, THOUSAND, Measure, Name
from lib.sweep.study import Setting, Study
from lib.sweep.verdict import headline, rated, temperature_name, verdict
from lib.ui.shared.markdown import markdown
from lib.ui.shared.texts import _
from lib.ui.sweep.chart_view import beside_each_other
from lib.ui.sweep.open_study import PAGE, chart_look, open_study
from lib.ui.sweep.verdict_slide import asked_with, rules_broken, unbroken, verdict_slide
from lib.ui.sweep.view_state import remembered

STYLES = Path(__file__).parents[1] / "assets" / "present.css"
CHARTS: tuple[Name, ...] = ("difference", "seconds", "cost")

ONE_ROW = 3
"""So many charts stand beside each other."""


@dataclass(frozen=True, slots=True)
class Slide:
    """What is shown at once: a heading, and what stands below it."""

    heading: str
    draw: Callable[[], None]


def present() -> bool:
    """Draw the slide that is shown; False where nothing is presented."""
    study = open_study() if remembered.slide is not None else None
    if study is None:
        remembered.slide = None
        return False
    shown = slides(study)
    at = max(0, min(remembered.slide or 0, len(shown) - 1))
    st.html(STYLES)
    with st.container(key="sweep_slide"):
        st.title(literal(unbroken(shown[at].heading)), anchor=False)
        shown[at].draw()
    with st.container(
        key="sweep_slide_bar", horizontal=True, horizontal_alignment="center", vertical_alignment="center"
    ):
        st.button(_("Back"), key="sweep_slide_back", shortcut="Left", on_click=_go, args=(at - 1,))
        st.text(f"{at + 1} / {len(shown)}", width="content")
        st.button(_("Forward"), key="sweep_slide_on", shortcut="Right", on_click=_go, args=(at + 1,))
        st.button(_("End"), key="sweep_slide_end", shortcut="Escape", type="tertiary", on_click=_end)
    return True


def slides(study: Study) -> list[Slide]:
    """Verdict, the charts that have something to show, and three answers."""
    options = study.decision.report or ReportOptions()
    found = verdict(study)
    drawn = [Slide(title(study, options, PAGE), partial(verdict_slide, study, options))]
    for name in CHARTS:
        if (name != "cost" or options.cost) and charts.panels(study, BY_NAME[name], PAGE):
            measure = THOUSAND if name == "cost" else BY_NAME[name]
            drawn.append(Slide(_(measure.label), partial(_chart, study, measure)))
    return drawn + [
        Slide(headline(setting, study.plan, PAGE), partial(_answer, study, setting)) for setting in chosen(study, found)
    ]


def _chart(study: Study, measure: Measure) -> None:
    panels = charts.panels(study, measure, PAGE, chart_look(), charts.LARGE)
    st.markdown(beside_each_other(panels), unsafe_allow_html=True)
    if len(panels) <= ONE_ROW:
        _numbers(study, measure)
    others = [charts.OTHERS] if len(panels) > 1 else []
    words = [charts.explained(study, measure, PAGE), _("From left to right the temperature."), *map(_, others)]
    st.caption(joined(words, _))


def _numbers(study: Study, measure: Measure) -> None:
    """The same in large numbers, where one row of charts leaves half of the screen."""
    head = [_("Model"), *(temperature_name(value) for value in study.temperatures)]
    rows = []
    for line in study.lines.values():
        by_temperature = {one.temperature: one.measure(measure.name) for one in line}
        found = [by_temperature.get(value) for value in study.temperatures]
        written = [measure.written(one.mean, PAGE) if one else "–" for one in found]
        rows.append([charts.line_name(study, line, PAGE), *written])
    lines = [head, ["---", *["--:"] * len(study.temperatures)], *([literal(cell) for cell in row] for row in rows)]
    with st.container(key="sweep_slide_numbers"):
        st.markdown("\n".join(f"| {' | '.join(line)} |" for line in lines))


def _answer(study: Study, setting: Setting) -> None:
    cell = best_cell(study, setting)
    facts = [rated(setting, PAGE) if setting.stars else "", asked_with(study, cell)]
    facts += rules_broken(study, setting, cell) if cell else []
    if shown := " · ".join(fact for fact in facts if fact):
        st.caption(literal(shown))
    if cell is not None:
        markdown(st, text_of(setting.calls[cell.id]))


def _go(to: int) -> None:
    remembered.slide = max(0, to)


def _end() -> None:
    remembered.slide = None
