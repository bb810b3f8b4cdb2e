"""A sweep as an Excel workbook: its answers, and its numbers."""

from collections.abc import Iterable
from typing import Any

from lib.core.excel import Sheet, to_xlsx
from lib.sweep import report
from lib.sweep.export.wording import Subject, title
from lib.sweep.verdict import named, told


def workbook(subject: Subject) -> bytes:
    """The file: verdict, numbers and answers, each a sheet."""
    _, study = subject.texts.one, subject.study
    said = told(study, subject.texts, subject.options.cost)
    labels = [_(measure.label) for measure in subject.measures]
    rules = [_("Answers that keep all rules")] if study.decision.rules else []
    head = [_("Setting"), _("Answers"), _("Failed"), _("Stars"), *rules, *labels]
    answers = report.rows(study.cells, study.results, study.ratings)
    return to_xlsx(
        [
            Sheet(_("Verdict"), (_("Title"), _("Verdict")), [(title(*subject), said)]),
            Sheet(_("Numbers"), head, _numbers(subject)),
            Sheet(_("Answers"), report.HEADER, answers),
        ]
    )


def _numbers(subject: Subject) -> Iterable[list[Any]]:
    for setting in subject.study.settings:
        values = [setting.measure(measure.name) for measure in subject.measures]
        keeping = subject.study.keeping(setting)
        yield [
            named(setting, subject.study.plan, subject.texts),
            len(setting.answers),
            setting.failed,
            setting.stars.mean if setting.stars else None,
            *([keeping.kept] if keeping else []),
            *(value.mean if value else None for value in values),
        ]
