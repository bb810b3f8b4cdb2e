"""Calls as files: CSV, an Excel workbook and JSON, with the same columns and the same values.

Times are in UTC, costs US dollars; what is not known is empty, and never 0.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any

from lib.calls.records import CallRecord
from lib.core import csv_table, excel
from lib.core.clock import as_datetime
from lib.core.i18n import N_
from lib.visitor import service_terms
from lib.visitor.service_terms import Terms

MOST_EXCEL_ROWS = 100_000
"""A workbook is made in memory: of so many calls it takes some hundred megabytes, of a million it would take all."""
CSV_COLUMNS = (
    *("model", "prompt_tokens", "completion_tokens", "cost", "seconds", "page", "endpoint", "state"),
    *("finish_reason", "error_kind", "reasoning_tokens", "cached_tokens", "first_token_seconds", "model_answered"),
    *("usage_source", "cost_source", "billed", "attempts", "id", "request_id"),
)
"""The facts of a call, after its time: first what people look for. Whoever brings a file in goes by the names."""
SOURCES = ("prompt_tokens", "completion_tokens", "reasoning_tokens", "cached_tokens")
"""The counts whose source stands beside them in a file; in `usage_source` it is that of the whole call."""
PAID = ("paid", "paid_currency", "paid_per_dollar")
"""What was really paid, in which currency, and what a dollar of list price cost then; empty where that is not known."""
NO_TERMS: Terms = {}
TIME_FORMAT = "%Y-%m-%d %H:%M:%S"
HEADER = (
    *("time_utc", *("cost_usd" if name == "cost" else name for name in CSV_COLUMNS)),
    *(*PAID, *(f"{name}_source" for name in SOURCES)),
)

SHEET = N_("Calls")
WORDS = {
    "time_utc": N_("Time (UTC)"),
    "page": N_("Page"),
    "endpoint": N_("Service"),
    "model": N_("Model"),
    "model_answered": N_("Answered by"),
    "state": N_("State"),
    "finish_reason": N_("Ended because"),
    "error_kind": N_("Error"),
    "prompt_tokens": N_("Input tokens (prompt)"),
    "completion_tokens": N_("Output tokens (completion)"),
    "reasoning_tokens": N_("For thinking"),
    "cached_tokens": N_("From the cache"),
    "usage_source": N_("Tokens are"),
    "seconds": N_("Seconds"),
    "first_token_seconds": N_("First word after (seconds)"),
    "cost_usd": N_("Cost (US dollars)"),
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
"""What a workbook calls its columns: a sheet is read by people, CSV and JSON by programs. It comes in again by these
words in any language, so what was saved keeps them."""

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
        sources = (row.usage.source_of(name) for name in SOURCES)
        yield [as_datetime(row.started_at).strftime(TIME_FORMAT), *_cells(row), *_paid(row, terms), *sources]


def _paid(row: CallRecord, terms: Terms) -> tuple[float | None, str | None, float | None]:
    term = service_terms.at_moment(terms.get(row.endpoint, ()), row.started_at)
    if term is None or term.factor is None or row.cost is None:
        return None, None, None
    return row.cost * term.factor, term.currency, term.factor


def _cells(row: CallRecord) -> Iterator[Any]:
    usage = {
        "prompt_tokens": row.usage.prompt_tokens,
        "completion_tokens": row.usage.completion_tokens,
        "reasoning_tokens": row.usage.reasoning_tokens,
        "cached_tokens": row.usage.cached_tokens,
        "usage_source": row.usage.source,
    }
    return (usage[name] if name in usage else getattr(row, name) for name in CSV_COLUMNS)
