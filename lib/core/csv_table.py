"""Writes tables as CSV for spreadsheets: UTF-8 with BOM, and no text in them is taken for a formula."""

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Any

# OWASP's list for CSV injection, with the full-width signs that some spreadsheets read as the plain ones.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def to_csv(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> bytes:
    """A CSV file; numbers stay numbers, None is an empty cell."""
    # csv writes its own line ends; Python would change those inside a text.
    text = io.StringIO(newline="")
    sheet = csv.writer(text, quoting=csv.QUOTE_NONNUMERIC)
    sheet.writerow(header)
    sheet.writerows([escaped(value) for value in row] for row in rows)
    # The BOM tells Excel that it is UTF-8; half a surrogate pair has none.
    return text.getvalue().encode("utf-8-sig", "replace")


def escaped(value: Any) -> Any:
    """A cell that no spreadsheet runs: an apostrophe stands before text that would begin a formula, and before one
    that was there already, so that it is not taken for ours."""
    return f"'{value}" if isinstance(value, str) and _would_run(value) else value


def unescaped(value: str) -> str:
    """A text as it was before `escaped`."""
    return value[1:] if value.startswith("'") and _would_run(value) else value


def _would_run(value: str) -> bool:
    return value.lstrip("'").startswith(FORMULA_STARTS)
