"""Calls as files: CSV, an Excel workbook and JSON, with the same columns and the same values.

Times are in UTC, costs US dollars; what is not known is empty, and never 0.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any

from lib.calls.records import CallRecord, usage_columns
from lib.core import csv_table, excel
from lib.core.clock import as_datetime
from lib.core.i18n import N_
from lib.visitor import service_terms
from lib.visitor.service_terms import Terms

MOST_EXCEL_ROWS = 100_000
"""A workbook is made in memory: of so many calls it takes some hundred megabytes, of a million it would take all."""
SOURCES = ("prompt_tokens", "completion_tokens", "reasoning_tokens", "cached_tokens")
"""The counts whose source stands beside them in a file; in `usage_source` it is that of the whole call."""
PAID = ("paid", "paid_currency", "paid_per_dollar")
"""What was really paid, in which currency, and what a dollar of list price cost then; empty where that is not known."""
NO_TERMS: Terms = {}
TIME_FORMAT = "%Y-%m-%d %H:%M:%S"
SHEET = N_("Calls")
WORDS = {
    "time_utc": N_("Time (UTC)"),
    "model": N_("Model"),
    "prompt_tokens": N_("Input tokens (prompt)"),
    "completion_tokens": N_("Output tokens (completion)"),
    "cost_usd": N_("Cost (US dollars)"),
    "seconds": N_("Seconds"),
    "page": N_("Page"),
    "endpoint": N_("Service"),
    "state": N_("State"),
    "finish_reason": N_("Ended because"),
    "error_kind": N_("Error"),
    "reasoning_tokens": N_("For thinking"),
    "cached_tokens": N_("From the cache"),
    "first_token_seconds": N_("First word after (seconds)"),
    "model_answered": N_("Answered by"),
    "usage_source": N_("Tokens are"),
    "cost_source": N_("Cost is"),
    "billed": N_("Billed"),
    "attempts": N_("Attempts"),
    "id": N_("Id"),
    "request_id": N_("Request id"),
    "paid": N_("You pay"),
    "paid_currency": N_("In the currency"),
    "paid_per_dollar": N_("A dollar costs"),
    "prompt_tokens_source": N_("Input tokens are"),
    "completion_tokens_source": N_("Output tokens are"),
    "reasoning_tokens_source": N_("Tokens for thinking are"),
    "cached_tokens_source": N_("Tokens from the cache are"),
}
"""The columns, first what people look for, and what a workbook calls them: a sheet is read by people, CSV and JSON by
programs, which go by the names. A sheet comes in again by these words in any language, so what was saved keeps them."""
HEADER = tuple(WORDS)

EXCEL_FORMS = {
    **dict.fromkeys(("cost_usd", "paid", "paid_per_dollar"), "0.00####"),
    **dict.fromkeys(("seconds", "first_token_seconds"), "0.00"),
}
"""How a workbook shows its long numbers; it keeps them whole, as it may be brought in again."""


def to_csv(rows: Iterable[CallRecord], terms: Terms = NO_TERMS) -> bytes:
    """A spreadsheet of calls: UTF-8 with BOM; no text in it is taken for a formula, numbers stay numbers. `terms` tell
    what was paid."""
    return csv_table.to_csv(HEADER, _lines(rows, terms))


def to_excel(rows: Iterable[CallRecord], terms: Terms = NO_TERMS, translate: Callable[[str], str] = str) -> bytes:
    """The calls as a workbook of one sheet, of the first MOST_EXCEL_ROWS calls, its columns named in words."""
    words = {name: translate(WORDS[name]) for name in HEADER}
    forms = {words[name]: form for name, form in EXCEL_FORMS.items()}
    lines = _lines(islice(rows, MOST_EXCEL_ROWS), terms)
    return excel.to_xlsx([excel.Sheet(translate(SHEET), list(words.values()), lines, forms)])


def to_json(rows: Iterable[CallRecord], terms: Terms = NO_TERMS) -> bytes:
    """The calls as JSON: an object a call, with the columns of the CSV; what is not known is null."""
    calls = [dict(zip(HEADER, line, strict=True)) for line in _lines(rows, terms)]
    return json.dumps({"calls": calls}, ensure_ascii=False, indent=1).encode("utf-8", "replace")


def _lines(rows: Iterable[CallRecord], terms: Terms) -> Iterator[list[Any]]:
    for row in rows:
        made = {
            "time_utc": as_datetime(row.started_at).strftime(TIME_FORMAT),
            "cost_usd": row.cost,
            **usage_columns(row.usage),
            **dict(zip(PAID, _paid(row, terms), strict=True)),
            **{f"{name}_source": row.usage.source_of(name) for name in SOURCES},
        }
        yield [made[name] if name in made else getattr(row, name) for name in HEADER]


def _paid(row: CallRecord, terms: Terms) -> tuple[float | None, str | None, float | None]:
    term = service_terms.at_moment(terms.get(row.endpoint, ()), row.started_at)
    if term is None or term.factor is None or row.cost is None:
        return None, None, None
    return row.cost * term.factor, term.currency, term.factor
