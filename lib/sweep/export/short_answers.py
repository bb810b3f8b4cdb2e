"""The answers in the report for those who decide: at most three are open, all others folded."""

from html import escape

from lib.sweep.export import answer_table, answers
from lib.sweep.export.wording import Subject, input_name, section
from lib.sweep.verdict import Verdict, named

MOST_OPEN = 3


def short_answers(subject: Subject, found: Verdict) -> str:
    """What the pick, or the best, answers to the first inputs; where there is one question alone, what three settings
    answer to it. Then, folded, the answers of every setting."""
    _, study = subject.texts.one, subject.study
    inputs, _variants = study.plan.slices
    fits = answer_table.fits(study)
    every = answer_table.answer_tables(subject) if fits else answers.compared(subject, found)
    if inputs * len(study.settings) <= MOST_OPEN:
        return every
    few = _to_each_input(subject, found) if inputs > 1 else ""
    few = few or answers.contenders_section(subject, answers.chosen(study, found))
    if not few or few == every:
        return every
    words = _("More answers, by model and temperature")
    return f'{few}<details class="rest"><summary>{escape(words)}</summary>{every}</details>'


def _to_each_input(subject: Subject, found: Verdict) -> str:
    """The best answer of the pick to each of the first inputs; nothing where there is neither a pick nor a best."""
    _, study = subject.texts.one, subject.study
    if not found.lead:
        return ""
    lead, (inputs, _variants) = found.lead[0], study.plan.slices
    best = [answers.best_cell(study, lead, input) for input in range(min(inputs, MOST_OPEN))]
    # Where there is no answer to an input, the best one to another stands for it.
    cells = [cell for at, cell in enumerate(best) if cell and cell.input == at]
    drawn = [answers.one_answer(subject, lead, cell, input_name(subject, cell.input)) for cell in cells]
    note = _("To the first {most} of {count} inputs.").format(most=MOST_OPEN, count=inputs)
    beneath = f'<p class="note">{escape(note)}</p>' if inputs > MOST_OPEN else ""
    title = _("What {name} answers").format(name=named(lead, study.plan, subject.texts))
    return section(title, f'{beneath}<div class="three">{"".join(drawn)}</div>') if drawn else ""
