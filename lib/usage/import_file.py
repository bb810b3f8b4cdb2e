"""Reads the calls in a file that Usage has saved: CSV, Excel or JSON.

Rows that can't be read are counted, and the rest comes. Whatever a file says, a call from it is nobody's on another
page: it has figures, and no text.
"""

from codecs import BOM_UTF8
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, ValidationError
from pydantic_core import from_json

from lib.calls.imported import Dollars, Seconds, Tokens, Word
from lib.calls.records import FACTS, IMPORTED, CallRecord, usage_of
from lib.core import table_file
from lib.core.clock import SECOND
from lib.core.csv_table import unescaped
from lib.core.errors import Billed, InvalidInput
from lib.core.i18n import N_
from lib.core.money import CURRENCIES
from lib.core.reply import CostSource, UsageSource
from lib.core.request import Page
from lib.usage.call_files import HEADER, TIME_FORMAT
from lib.visitor import service_terms
from lib.visitor.service_terms import MOST_OF_A_SERVICE, Term, Terms

RUNNING = "started"
SAMPLE = "sample-"
"""How the ids of made-up calls begin; see lib/usage/sample.py."""
NEEDED = ("time_utc", "model", "id")
_NOT_OURS = N_("This file is none that Usage has saved: it has no column “{name}”.")

NO_NAMES: Mapping[str, str] = {}


class _Row(BaseModel):
    """A call as a file has it; numbers may be written as text, and an empty cell is nothing."""

    time_utc: str
    page: Page = "chat"
    endpoint: Word = ""
    model: Annotated[str, Field(min_length=1, max_length=500)]
    model_answered: Word = ""
    state: Literal["ok", "partial", "error", "cancelled", "interrupted"] = "ok"
    finish_reason: Word | None = None
    error_kind: Word = ""
    prompt_tokens: Tokens = None
    completion_tokens: Tokens = None
    reasoning_tokens: Tokens = None
    cached_tokens: Tokens = None
    usage_source: UsageSource = "unknown"
    seconds: Seconds = None
    first_token_seconds: Seconds = None
    cost_usd: Dollars = None
    cost_source: CostSource = ""
    billed: Billed = "unknown"
    attempts: Annotated[int, Field(ge=1, le=1_000)] = 1
    id: Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[\w.-]+$")]
    request_id: Word = ""
    paid_currency: Word = ""
    paid_per_dollar: float | None = None


@dataclass(frozen=True, slots=True)
class ImportFile:
    """The calls of a file, the newest first as they were saved; how many were in progress then, how many rows can't
    be read, and how many calls are of the sample; and what a dollar cost at the services then."""

    calls: tuple[CallRecord, ...]
    running: int
    unreadable: int
    made_up: int = 0
    terms: Terms = field(default_factory=dict)


def read(file: bytes, owner: str, names: Mapping[str, str] = NO_NAMES) -> ImportFile:
    """What the file holds for `owner`; `names` are its columns by what a workbook calls them, in any language. Raises
    InvalidInput with a sentence where it is no such file at all."""
    found: list[CallRecord] = []
    paid: dict[str, list[Term]] = {}
    running = unreadable = made_up = 0
    is_json = file.removeprefix(BOM_UTF8).lstrip().startswith((b"{", b"["))
    for row in _json_rows(file) if is_json else _table_rows(file, names):
        if row.get("state") == RUNNING:
            running += 1
            continue
        if str(row.get("id", "")).startswith(SAMPLE):
            made_up += 1
            continue
        try:
            given = _Row.model_validate({name: value for name, value in row.items() if value not in ("", None)})
            found.append(_call(given, owner))
            if given.cost_usd is not None:  # else it says nothing of what a dollar cost
                paid.setdefault(given.endpoint, []).append(_term(given, found[-1].started_at))
        except (ValidationError, ValueError):
            unreadable += 1
    terms = {service: changes for service, some in paid.items() if (changes := _changes(some))}
    return ImportFile(tuple(found), running, unreadable, made_up, terms)


def _term(given: _Row, at: int) -> Term:
    if not service_terms.usable(given.paid_per_dollar) or given.paid_currency not in CURRENCIES:
        return Term(at, None)
    return Term(at, given.paid_per_dollar, given.paid_currency)


def _changes(some: list[Term]) -> list[Term]:
    """The oldest first, each with the moment of the first call that it counted for."""
    found: list[Term] = []
    for term in sorted(some, key=lambda one: one.since):
        before = found[-1] if found else Term(0, None)
        if (term.factor, term.currency) != (before.factor, before.currency):
            found.append(term)
    return found[-MOST_OF_A_SERVICE:]


def _json_rows(file: bytes) -> Iterator[Mapping[str, Any]]:
    if len(file) > table_file.MAX_BYTES:
        raise InvalidInput(N_("This file is larger than {most} MB."), most=table_file.MAX_BYTES // 1_000_000)
    try:
        content = from_json(file.removeprefix(BOM_UTF8))
    except ValueError:
        raise InvalidInput(N_("This file is no whole JSON: it may have been cut.")) from None
    rows = content.get("calls") if isinstance(content, dict) else content
    if not isinstance(rows, list):
        raise InvalidInput(_NOT_OURS, name="calls")
    return (row if isinstance(row, dict) else {} for row in rows)


def _table_rows(file: bytes, names: Mapping[str, str]) -> Iterator[Mapping[str, Any]]:
    lines, _encoding = table_file.rows_of(file)
    header = [names.get(name.strip(), name.strip()) for name in next(lines, [])]
    missing = next((name for name in NEEDED if name not in header), None)
    if missing is not None:
        raise InvalidInput(_NOT_OURS, name=missing)
    return (
        {name: unescaped(value) for name, value in zip(header, line, strict=False) if name in HEADER} for line in lines
    )


def _call(given: _Row, owner: str) -> CallRecord:
    began = int(datetime.strptime(given.time_utc, TIME_FORMAT).replace(tzinfo=UTC).timestamp()) * SECOND
    facts = given.model_dump()
    same = {name: value for name, value in facts.items() if name in FACTS}
    return CallRecord(
        owner=owner,
        session=IMPORTED,
        cell_id=None,
        attempt=1,
        usage=usage_of(facts),
        cost=given.cost_usd,
        started_at=began,
        **same,
    )
