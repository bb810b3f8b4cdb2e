"""Reads the rows of a table in a file: CSV in whatever encoding and with whatever separator, or an Excel workbook.

Everything is text, as it stands in the file; a whole number in a workbook stays one.
"""

import codecs
import csv
import io
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from datetime import date, datetime
from typing import Any
from xml.parsers import expat

from charset_normalizer import from_bytes

from lib.core.errors import InvalidInput
from lib.core.i18n import N_

MAX_BYTES = 50_000_000
MAX_UNPACKED = 100_000_000
"""Of a workbook, which is an archive: what it claims to be when it is unpacked."""
MOST_MARKS = 1_000_000
"""Elements and attributes in a workbook: 2,000 rows of 50 columns have 700,000. openpyxl makes up to 700 bytes of each
before it hands out the first row, and an archive of a few kilobytes can have millions."""
MARKS_OF_A_SHEET = 1_000
"""A sheet takes openpyxl as long as so many of them."""
SAMPLE = 64_000
"""Bytes or characters by which encoding and separator are told."""
SEPARATORS = ",;\t|"
ENCODINGS = ("gb18030", "big5", "shift_jis", "cp1252", "cp1251")
"""What spreadsheets write that is not Unicode: of Chinese, Japanese, western and Cyrillic systems."""
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_ZIP = b"PK\x03\x04"
_OLD_EXCEL = b"\xd0\xcf\x11\xe0"


def rows_of(file: bytes) -> tuple[Iterator[list[str]], str]:
    """The rows that have any value, and the encoding where that had to be guessed. Raises InvalidInput with a
    sentence, that of a workbook while its rows are read."""
    if len(file) > MAX_BYTES:
        raise InvalidInput(N_("This file is larger than {most} MB."), most=MAX_BYTES // 1_000_000)
    if file.startswith(_OLD_EXCEL):
        raise InvalidInput(N_("This is a workbook of an old Excel. Save it as .xlsx or .csv, and choose that."))
    if file.startswith(_ZIP):
        return _filled(_workbook_lines(file)), ""
    text, guessed = _decoded(file)
    return _filled(_csv_lines(text)), guessed


def _filled(lines: Iterator[list[str]]) -> Iterator[list[str]]:
    return (line for line in lines if any(value.strip() for value in line))


def _decoded(file: bytes) -> tuple[str, str]:
    """The text of a file, and its encoding where that had to be guessed."""
    named = next((encoding for mark, encoding in _BOMS if file.startswith(mark)), "utf-8")
    try:
        return file.decode(named), ""
    except UnicodeDecodeError:
        found = from_bytes(file[:SAMPLE], cp_isolation=list(ENCODINGS)).best()
    if found is None or b"\0" in file[:SAMPLE]:
        raise InvalidInput(N_("This file is no table that can be read. Save it as CSV in UTF-8, or as .xlsx."))
    return file.decode(found.encoding, "replace"), found.encoding


def _csv_lines(text: str) -> Iterator[list[str]]:
    # Longer than any field may be by default, which is an error that says nothing to a person.
    csv.field_size_limit(MAX_BYTES)
    # With newline="" a line end inside a quoted value stays as it is.
    return csv.reader(io.StringIO(text, newline=""), delimiter=_separator(text[:SAMPLE]))


def _separator(sample: str) -> str:
    """What separates the columns: the one that the first line has most of."""
    # csv.Sniffer takes a letter for a separator where a file has one column.
    first = sample.lstrip().partition("\n")[0]
    return max(SEPARATORS, key=first.count)


def _workbook_lines(file: bytes) -> Iterator[list[str]]:
    """The rows of the first sheet, one at a time: a sheet may have a million."""
    # Only here: it takes longer to import than everything else of the page.
    from openpyxl import load_workbook

    try:
        with zipfile.ZipFile(io.BytesIO(file)) as archive:
            _check_size(archive)
        sheet = load_workbook(io.BytesIO(file), read_only=True, data_only=True).worksheets[0]
        for line in sheet.iter_rows(values_only=True):
            yield [_as_text(value) for value in line]
    except InvalidInput:
        raise
    # openpyxl names no errors of its own for a damaged file: whatever its XML is, that is what comes.
    except Exception:
        raise InvalidInput(N_("This workbook can't be read. Save it anew as .xlsx or .csv, and choose that.")) from None


def _check_size(archive: zipfile.ZipFile) -> None:
    """Raises InvalidInput for a workbook that openpyxl would need too much memory or time for."""
    if sum(member.file_size for member in archive.infolist()) > MAX_UNPACKED:
        raise InvalidInput(N_("This file is larger than {most} MB."), most=MAX_UNPACKED // 1_000_000)
    marks = 0

    def count(name: str, attributes: list[str]) -> None:
        nonlocal marks
        marks += MARKS_OF_A_SHEET if name.rpartition(":")[2] == "sheet" else 1 + len(attributes) // 2
        if marks > MOST_MARKS:
            raise InvalidInput(
                N_("This workbook holds more than can be read at once. Save the part that you need as .csv.")
            )

    def refuse(*_: object) -> None:
        # No spreadsheet writes one, and what it defines may stand for thousands of elements.
        raise InvalidInput(N_("This workbook can't be read. Save it anew as .xlsx or .csv, and choose that."))

    for name in archive.namelist():
        parser = expat.ParserCreate()
        parser.ordered_attributes = True
        parser.StartElementHandler, parser.StartDoctypeDeclHandler = count, refuse
        # A picture, say: openpyxl would come no further either.
        with suppress(expat.ExpatError), archive.open(name) as part:
            parser.ParseFile(part)


def _as_text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, datetime) and value.time() == datetime.min.time():
        return value.date().isoformat()
    return value.isoformat() if isinstance(value, date | datetime) else str(value)
