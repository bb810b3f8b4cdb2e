"""The first slide of a sweep that is presented: what was picked, what stands next to it, and how its answer begins."""

import streamlit as st

from lib.core.rich_text import literal
from lib.sweep.decision import ReportOptions
from lib.sweep.export.answers import best_cell, chosen
from lib.sweep.export.wording import Subject, broken, input_name, per_thousand, stars
from lib.sweep.findings import text_of
from lib.sweep.plan import Cell
from lib.sweep.rule_words import keeping_figure
from lib.sweep.study import Setting, Study
from lib.sweep.verdict import (
    Verdict,
    headline,
    judges_told,
    named,
    not_rated,
    rated,
    rules_told,
    thousand,
    told,
    verdict,
)
from lib.ui.shared.markdown import markdown
from lib.ui.shared.texts import _
from lib.ui.sweep.open_study import PAGE

LINES = "**{}**  \n:small[{}]"
WORD_JOINER = "\u2060"
LONGEST = 1_500
"""Characters of an answer: more than a screen has room for."""


def verdict_slide(study: Study, options: ReportOptions) -> None:
    """The verdict and the recommendation on the left, the answer that stands for it on the right."""
    found = verdict(study)
    contenders = chosen(study, found)
    cell = best_cell(study, contenders[0]) if contenders else None
    answer = text_of(contenders[0].calls[cell.id])[:LONGEST] if cell else ""
    words, beside = st.columns([3, 2], gap="large") if answer else (st.container(), st.container())
    with words:
        _said(study, found, options)
        if options.recommendation:
            markdown(st, options.recommendation)
        _others(study, contenders, found, options)
    if cell and answer:
        with beside.container(key="sweep_slide_answer"):
            facts = [named(contenders[0], study.plan, PAGE), asked_with(study, cell)]
            facts += rules_broken(study, contenders[0], cell)
            st.caption(literal(" · ".join(fact for fact in facts if fact)))
            markdown(st, answer)


def unbroken(text: str) -> str:
    """A text whose lines end at no hyphen: one of large letters would end within a model's name."""
    return text.replace("-", f"-{WORD_JOINER}")


def asked_with(study: Study, cell: Cell | None) -> str:
    """The words of the input that an answer is to; "" where there are no inputs."""
    if cell is None or not study.plan.inputs:
        return ""
    return input_name(Subject(study, study.decision.report or ReportOptions(), PAGE), cell.input)


def rules_broken(study: Study, setting: Setting, cell: Cell) -> list[str]:
    """What the answer of a cell is like, for each rule that it breaks."""
    subject = Subject(study, study.decision.report or ReportOptions(), PAGE)
    return broken(setting.calls[cell.id], cell, subject)


def _said(study: Study, found: Verdict, options: ReportOptions) -> None:
    if found.pick is None:
        st.markdown(literal(told(study, PAGE, options.cost)))
        return
    # What few stars tell is told in a smaller voice.
    heading = st.subheader if found.is_thin else st.header
    heading(literal(unbroken(headline(found.pick, found.plan, PAGE))), anchor=False)
    facts = [_rated(found.pick), *([thousand(found.pick, PAGE)] if options.cost else [])]
    for line in (facts, rules_told(found, PAGE), [not_rated(study, PAGE)]):
        if any(line):
            st.markdown(literal(" · ".join(line)))
    for words in judges_told(study, found, PAGE):
        st.caption(literal(words))


def _others(study: Study, contenders: list[Setting], found: Verdict, options: ReportOptions) -> None:
    """What else is worth a look, a line each."""
    others = [one for one in contenders if one is not found.pick]
    if not others:
        return
    with st.container(key="sweep_slide_others"):
        st.caption(_("To compare"))
        for one in others:
            keeping = study.keeping(one) if one.answers else None
            facts = [_rated(one), *([per_thousand(one, PAGE)] if options.cost else [])]
            facts += [keeping_figure(keeping, PAGE)] if keeping else []
            st.markdown(LINES.format(literal(unbroken(named(one, found.plan, PAGE))), literal(" · ".join(facts))))


def _rated(setting: Setting) -> str:
    words = rated(setting, PAGE)
    return f"{stars(setting.stars.mean)} {words}" if setting.stars else words
