"""Writes tables as Excel workbooks; no text in them is taken for a formula, and each is there to the letter."""

import io
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

import xlsxwriter

from lib.core.csv_table import FORMULA_STARTS

MOST_CHARACTERS = 32_767
"""What a cell of Excel takes."""
MOST_ROWS = 1_048_575
"""What a sheet takes, its head apart."""
CUT = " …"
OPTIONS = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
FIRST_WIDTH, WIDTH = 36, 14


class Sheet(NamedTuple):
    """A table under its title; a number stays one, None is an empty cell. `forms` are Excel's own number formats by the
    names in the head: a cell keeps its whole value, and shows it so."""

    title: str
    head: Sequence[str]
    rows: Iterable[Sequence[Any]]
    forms: Mapping[str, str] = MappingProxyType({})


def to_xlsx(sheets: Iterable[Sheet]) -> bytes:
    """The file. A text that is too long for a cell ends in “…”; rows that a sheet has no room for are left out."""
    file = io.BytesIO()
    with xlsxwriter.Workbook(file, OPTIONS) as book:
        bold = book.add_format({"bold": True})
        wrapped = book.add_format({"text_wrap": True, "valign": "top"})
        # Excel's own mark for a text, which it keeps when the cell is edited, and shows in no cell.
        text = book.add_format({"text_wrap": True, "valign": "top", "quote_prefix": True})
        for sheet in sheets:
            formed = {
                at: book.add_format({"valign": "top", "num_format": sheet.forms[name]})
                for at, name in enumerate(sheet.head)
                if name in sheet.forms
            }
            _write(book.add_worksheet(sheet.title), sheet, bold, wrapped, text, formed)
    return file.getvalue()


def _write(worksheet: Any, sheet: Sheet, bold: Any, wrapped: Any, text: Any, formed: Mapping[int, Any]) -> None:
    worksheet.freeze_panes(1, 1)
    worksheet.set_column(0, 0, FIRST_WIDTH)
    worksheet.set_column(1, len(sheet.head) - 1, WIDTH)
    for number, line in zip(range(MOST_ROWS + 1), (sheet.head, *sheet.rows), strict=False):
        for at, value in enumerate(line):
            if isinstance(value, str):
                form = bold if not number else text if value.startswith(FORMULA_STARTS) else wrapped
                worksheet.write_string(number, at, _fit(value), form)
            elif value is not None:
                worksheet.write_number(number, at, value, formed.get(at, wrapped))


def _fit(text: str) -> str:
    # Excel counts UTF-16 units, and refuses the whole file where a cell has more.
    units = text.encode("utf-16-le", "replace")
    if len(units) <= 2 * MOST_CHARACTERS:
        return units.decode("utf-16-le")
    return units[: 2 * (MOST_CHARACTERS - len(CUT))].decode("utf-16-le", "ignore") + CUT
