"""A sweep as an Excel workbook: its answers, and its numbers."""

import io
from collections.abc import Iterable, Sequence
from typing import Any

import xlsxwriter

from lib.core.csv_table import harmless
from lib.sweep import report
from lib.sweep.export.wording import Subject
from lib.sweep.verdict import named, sentence, verdict

MOST_CHARACTERS = 32_767
"""What a cell of Excel takes."""
CUT = " …"
OPTIONS = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}


def workbook(subject: Subject) -> bytes:
    """The file: verdict, numbers and answers, each a sheet. No text in it is taken for a formula; one that is too long
    for a cell ends in “…”."""
    _, study = subject.texts.one, subject.study
    file = io.BytesIO()
    with xlsxwriter.Workbook(file, OPTIONS) as book:
        bold = book.add_format({"bold": True})
        wrapped = book.add_format({"text_wrap": True, "valign": "top"})
        said = sentence(verdict(study), subject.texts, subject.options.cost)
        _sheet(book, _("Verdict"), (_("Title"), _("Verdict")), [(study.title, said)], bold, wrapped)
        _sheet(book, _("Numbers"), _head(subject), _numbers(subject), bold, wrapped)
        _sheet(book, _("Answers"), report.HEADER, report.rows(study.cells, study.results, study.ratings), bold, wrapped)
    return file.getvalue()


def _sheet(book: Any, title: str, head: Sequence[str], rows: Iterable[Sequence[Any]], bold: Any, wrapped: Any) -> None:
    sheet = book.add_worksheet(title)
    sheet.freeze_panes(1, 1)
    sheet.set_column(0, 0, 36)
    sheet.set_column(1, len(head) - 1, 14)
    for number, line in enumerate([head, *rows]):
        for at, value in enumerate(line):
            if isinstance(value, str):
                sheet.write_string(number, at, _fit(harmless(value)), wrapped if number else bold)
            elif value is not None:
                sheet.write_number(number, at, value, wrapped)


def _fit(text: str) -> str:
    # Excel counts UTF-16 units, and refuses the whole file where a cell has more.
    units = text.encode("utf-16-le", "replace")
    if len(units) <= 2 * MOST_CHARACTERS:
        return text
    return units[: 2 * (MOST_CHARACTERS - len(CUT))].decode("utf-16-le", "ignore") + CUT


def _head(subject: Subject) -> list[str]:
    _ = subject.texts.one
    return [_("Setting"), _("Answers"), _("Failed"), _("Stars"), *(_(measure.label) for measure in subject.measures)]


def _numbers(subject: Subject) -> Iterable[list[Any]]:
    for setting in subject.study.settings:
        values = [setting.measured.get(measure.name) for measure in subject.measures]
        yield [
            named(setting, subject.study.plan, subject.texts),
            len(setting.answers),
            setting.failed,
            setting.stars.mean if setting.stars else None,
            *(value.mean if value else None for value in values),
        ]
