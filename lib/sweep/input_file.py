"""Reads a list of inputs from a file, CSV or an Excel workbook, whose first row names the columns."""

from dataclasses import dataclass
from itertools import islice

from lib.core import table_file
from lib.core.errors import InvalidInput
from lib.core.i18n import N_
from lib.sweep.plan import MAX_CELLS

MAX_BYTES = table_file.MAX_BYTES
MOST_COLUMNS = 50


@dataclass(frozen=True, slots=True)
class InputFile:
    """The columns and rows of a file. `encoding` is how it was read where that had to be guessed, else empty."""

    columns: tuple[str, ...]
    rows: tuple[dict[str, str], ...]
    encoding: str = ""


def read(file: bytes) -> InputFile:
    """What the file holds; rows without any value are left out. Raises InvalidInput with a sentence."""
    filled, encoding = table_file.rows_of(file)
    header = next(filled, None)
    if header is None:
        raise InvalidInput(N_("This file is empty."))
    columns = _columns(header)
    # One more than may be: to tell a file of a million rows need not be read to its end.
    rows = [
        {name: value for name, value in zip(columns, line, strict=False) if name}
        for line in islice(filled, MAX_CELLS + 1)
    ]
    if len(rows) > MAX_CELLS:
        raise InvalidInput(
            N_("This file has more than {most:,} rows, and no more can be asked at once. Take a part of it."),
            most=MAX_CELLS,
        )
    if not rows:
        raise InvalidInput(N_("This file has a first row, which names the columns, and nothing below it."))
    names = tuple(name for name in columns if name)
    return InputFile(names, tuple({name: row.get(name, "") for name in names} for row in rows), encoding)


def _columns(header: list[str]) -> list[str]:
    """The names of the columns; what has none is left out."""
    columns = [" ".join(name.split()) for name in header]
    named = [name for name in columns if name]
    twice = next((name for name in named if named.count(name) > 1), None)
    if twice is not None:
        raise InvalidInput(N_("Two columns of this file have the name “{name}”."), name=twice)
    if len(named) > MOST_COLUMNS:
        raise InvalidInput(N_("This file has more than {most} columns."), most=MOST_COLUMNS)
    return columns
