"""The answers in full: of each input a table, with the models down and the temperatures across."""

from html import escape

from lib.sweep import charts
from lib.sweep.export.answers import best_cell, one_answer
from lib.sweep.export.wording import Subject, by_temperature_head, input_name, name, place_of_repeat, section, table
from lib.sweep.plan import Cell
from lib.sweep.study import Setting, Study

MOST_COLUMNS, MOST_PLACES = 4, 100
"""So many temperatures have room beside each other, and so many answers in a report that is to be read."""


def fits(study: Study) -> bool:
    """Whether whole texts have room in such tables."""
    inputs, _variants = study.plan.slices
    return len(study.temperatures) <= MOST_COLUMNS and len(study.settings) * inputs <= MOST_PLACES


def answer_tables(subject: Subject) -> str:
    """A table for each input: for those who decide the best answer of each setting, else all of them."""
    _ = subject.texts.one
    inputs, _variants = subject.study.plan.slices
    every = subject.options.depth == "full"
    shown = "".join(_of_input(subject, at, every) for at in range(inputs))
    note = f'<p class="note">{escape(_which(subject))}</p>' if subject.study.plan.repeats > 1 and not every else ""
    return section(_("All answers") if every else _("The answers"), note, shown, kind="answers")


def _which(subject: Subject) -> str:
    """Which answer of a setting stands there, where it is one of several."""
    _ = subject.texts.one
    if subject.study.decision.rules:
        return _(
            "Of each model and temperature the answer with the most stars; of equal ones, and without stars, the first "
            "that keeps all rules."
        )
    return _(
        "Of each model and temperature the answer with the most stars; of equal ones, and without stars, the first."
    )


def _of_input(subject: Subject, input: int, every: bool) -> str:
    """Folded with a press, which needs no script; on paper it is never folded."""
    rows = []
    for line in subject.study.lines.values():
        by_temperature = {one.temperature: one for one in line}
        settings = [by_temperature.get(value) for value in subject.study.temperatures]
        cells = [_answers(subject, one, input, every) if one else "–" for one in settings]
        rows.append([name(charts.line_name(subject.study, line, subject.texts)), *cells])
    shown = table(by_temperature_head(subject), rows, f"stack texts {'every' if every else ''}")
    if not subject.study.plan.inputs:
        return shown
    return f"<details open><summary>{name(input_name(subject, input))}</summary>{shown}</details>"


def _answers(subject: Subject, setting: Setting, input: int, every: bool) -> str:
    cells = [cell for cell in setting.cells if cell.input == input]
    shown = cells if every else [_best(subject.study, setting, cells)]
    is_pick = any(cell.id == subject.study.decision.pick for cell in setting.cells)
    mark = f'<p class="chosen">{escape(subject.texts.one("Picked"))}</p>' if is_pick else ""
    return mark + "".join(
        one_answer(subject, setting, cell, place_of_repeat(cell, subject) if every else "") for cell in shown
    )


def _best(study: Study, setting: Setting, cells: list[Cell]) -> Cell:
    found = best_cell(study, setting, cells[0].input)
    return found if found in cells else cells[0]
