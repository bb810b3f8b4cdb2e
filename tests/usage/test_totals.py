"""Calls -> totals, tables, CSV: values only."""

import csv
import io
import json
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import load_workbook

from lib.calls.records import CallRecord
from lib.core import csv_table, excel
from lib.core.reply import Usage
from lib.ui.shared.figures import sum_of_costs
from lib.usage import call_files, totals
from lib.usage.totals import ModelTotals, Slice, Totals

UTC_ZONE = ZoneInfo("UTC")


def moment(text: str) -> int:
    """Microseconds since 1970 of a time in UTC."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 1_000_000


def a_row(**facts: Any) -> CallRecord:
    counts = {"prompt_tokens": 3, "completion_tokens": 5, "reasoning_tokens": None, "cached_tokens": None}
    usage = Usage(**{name: facts.pop(name, usual) for name, usual in counts.items()}, source="reported")
    usual = {
        **dict(started_at=moment("2026-11-03 12:04:05"), page="chat", endpoint="apiyi", model="gpt-4o"),
        **dict(model_answered="gpt-4o-2024", state="ok", finish_reason="stop", error_kind="", seconds=1.5),
        **dict(
            first_token_seconds=0.2,
            cost=0.01,
            cost_source="list",
            billed="yes",
            attempts=1,
            id="a1",
            request_id="req_1",
        ),
        **dict(owner="ann", session="s1", cell_id=None, attempt=1, params_asked={}, params_sent={}),
        **dict(error_text="", error_record={}, usage=usage),
    }
    return CallRecord(**{**usual, **facts})


def read(table: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(table.decode("utf-8-sig"), newline="")))


def bucket(unit: str) -> totals.Bucket:
    return next(one for one in totals.BUCKETS if one.unit == unit)


def test_totals_add_up_and_what_nobody_knows_stays_unknown() -> None:
    one = Totals(calls=2, prompt_tokens=3, cost=0.1, first_at=5, last_at=9, failed=1)
    two = Totals(calls=1, prompt_tokens=4, cost=0.2, first_at=2, last_at=6)

    found = totals.total([one, two])

    assert (found.calls, found.prompt_tokens, found.completion_tokens, found.failed) == (3, 7, None, 1)
    assert found.cost == pytest.approx(0.3)
    assert (found.first_at, found.last_at) == (2, 9)
    assert totals.total([]) == Totals()


def test_the_csv_opens_in_a_spreadsheet_as_it_is() -> None:
    table = call_files.to_csv([a_row(model="模型", cost=1e-06, completion_tokens=None)])

    assert table.startswith(b"\xef\xbb\xbf")
    row = read(table)[0]
    assert (row["time_utc"], row["model"]) == ("2026-11-03 12:04:05", "模型")
    assert (row["prompt_tokens"], row["completion_tokens"], float(row["cost_usd"])) == ("3", "", 1e-06)
    frame = pd.read_csv(io.BytesIO(table))
    assert frame["prompt_tokens"].sum() == 3 and frame["cost_usd"].sum() == 1e-06


@pytest.mark.row("T10")
@given(st.sampled_from(["=", "+", "-", "@", "\t", "\r", "\n", "＝", "", "a"]), st.text(max_size=20))
def test_no_cell_begins_a_formula_and_no_text_is_lost(start: str, rest: str) -> None:
    foreign = (start + rest).replace("\0", "")

    row = read(call_files.to_csv([a_row(model=foreign, request_id=foreign, error_kind=foreign, endpoint=foreign)]))[0]

    assert not any(cell.startswith(csv_table.FORMULA_STARTS) for cell in row.values())
    assert row["model"].removeprefix("'") == foreign.removeprefix("'")


@pytest.mark.row("T10")
def test_numbers_stay_numbers() -> None:
    assert [csv_table.escaped(value) for value in (5, 0.25, None, "-5")] == [5, 0.25, None, "'-5"]
    for text in ("=1", "'=1", "''=1", "'", "'a", "-", "it's"):
        assert csv_table.unescaped(csv_table.escaped(text)) == text


def test_buckets_grow_with_the_history() -> None:
    spans = [timedelta(0), timedelta(hours=3), timedelta(hours=8), timedelta(days=2), timedelta(days=30)]
    spans += [timedelta(days=365), timedelta(days=3650)]

    found = [totals.bucket_for(Totals(first_at=0, last_at=span // timedelta(microseconds=1))).unit for span in spans]

    assert found == ["1min", "5min", "15min", "1h", "1D", "W", "M"]


@pytest.mark.row("U20")
def test_a_day_is_a_day_of_the_viewer() -> None:
    slices = [Slice(moment("2026-11-03 15:45:00"), 1, 1, 1), Slice(moment("2026-11-03 16:00:00"), 1, 2, 2)]

    in_shanghai = totals.by_time(slices, bucket("1D"), ZoneInfo("Asia/Shanghai"))
    in_london = totals.by_time(slices, bucket("1D"), ZoneInfo("Europe/London"))

    assert [f"{day:%d}" for day in in_shanghai["time"]] == ["03", "04"]
    assert list(in_london["prompt"]) == [3]


def test_hours_without_calls_are_0_and_calls_without_counts_are_not() -> None:
    slices = [Slice(moment("2026-11-03 10:15:00"), 1, 5, 5), Slice(moment("2026-11-03 12:00:00"), 2, None, None)]

    frame = totals.by_time(slices, bucket("1h"), UTC_ZONE)

    assert list(frame["calls"]) == [1, 0, 2]
    assert list(frame["prompt"][:2]) == [5, 0] and pd.isna(frame["prompt"][2])


@pytest.mark.row("U14")
@given(
    st.lists(st.tuples(st.integers(0, 3 * 365 * 96), st.none() | st.integers(0, 10**6)), max_size=30),
    st.sampled_from(["UTC", "Europe/Berlin", "Asia/Kathmandu", "America/St_Johns"]),
    st.sampled_from(totals.BUCKETS[3:]),
)
def test_no_zone_and_no_bucket_loses_a_token(
    parts: list[tuple[int, int | None]], zone: str, bucket: totals.Bucket
) -> None:
    slices = [Slice(at * 900 * 1_000_000, 1, count, count) for at, count in parts]

    frame = totals.by_time(slices, bucket, ZoneInfo(zone))

    assert frame["calls"].sum() == len(slices)
    assert frame["prompt"].sum() == sum(count or 0 for _, count in parts)
    assert frame["time"].is_monotonic_increasing and frame["time"].is_unique


@pytest.mark.row("U3")
def test_models_are_ordered_by_their_tokens() -> None:
    models = [
        ModelTotals(calls=9, endpoint="apiyi", model="quiet"),
        ModelTotals(calls=1, prompt_tokens=1, completion_tokens=9, cost=0.5, endpoint="apiyi", model="both"),
        ModelTotals(calls=1, prompt_tokens=50, endpoint="openai", model="both"),
    ]

    frame = totals.by_model(models)

    assert list(frame["model"]) == ["openai/both", "apiyi/both", "quiet"]
    assert pd.isna(frame["cost"][0]) and frame["cost"][1] == 0.5 and pd.isna(frame["prompt"][2])


@pytest.mark.row("U13")
def test_a_call_is_told_in_the_viewers_time_and_its_gaps_are_gaps() -> None:
    frame = totals.call_frame([a_row(prompt_tokens=None, cost=None)], ZoneInfo("Asia/Shanghai"))

    assert f"{frame['time'][0]:%H:%M}" == "20:04"
    assert pd.isna(frame["prompt"][0]) and pd.isna(frame["cost"][0])


def test_the_chart_of_calls_begins_with_the_oldest() -> None:
    frame = totals.by_call([a_row(prompt_tokens=2), a_row(prompt_tokens=1)], UTC_ZONE)

    assert list(frame["prompt"]) == [1, 2]
    assert totals.by_call([], UTC_ZONE).empty


def test_half_a_character_costs_no_file() -> None:
    """Half of the two in which JSON writes an emoji has no UTF-8."""
    book = load_workbook(io.BytesIO(excel.to_xlsx([excel.Sheet("Texts", ["a\ud83d"], [["b\ude00"]])])))

    assert [[cell.value for cell in row] for row in book.active.rows] == [["a?"], ["b?"]]
    assert csv_table.to_csv(["a\ud83d"], [["b\ude00"]]).decode("utf-8-sig").split() == ['"a?"', '"b?"']


@pytest.mark.row("U14")
def test_a_file_begins_with_what_people_look_for() -> None:
    [line] = read(call_files.to_csv([a_row()]))

    assert list(line)[:5] == ["time_utc", "model", "prompt_tokens", "completion_tokens", "cost_usd"]


@pytest.mark.row("U14")
def test_csv_json_and_excel_say_the_same() -> None:
    rows = [a_row(model="模型", completion_tokens=None), a_row(model="=1+1", cost=1e-06)]

    lines = [list(line.values()) for line in read(call_files.to_csv(rows))]
    calls = [list(call.values()) for call in json.loads(call_files.to_json(rows))["calls"]]
    page = load_workbook(io.BytesIO(call_files.to_excel(rows))).active
    sheet = list(page.iter_rows(values_only=True))
    shown = dict(zip(sheet[0], (cell.number_format for cell in page[2]), strict=True))
    formed = [shown[name] for name in ("Cost (US dollars)", "Seconds", "Input tokens (prompt)")]
    assert formed == ["0.00####", "0.00", "General"]

    assert sheet[0] == tuple(call_files.WORDS[name] for name in call_files.HEADER), (
        "read by people; the others by programs"
    )
    for line, call, cells in zip(lines, calls, sheet[1:], strict=True):
        # In a CSV an apostrophe keeps spreadsheets from taking text for a formula; Excel's own files say what is text.
        assert [csv_table.unescaped(cell) for cell in line] == ["" if value is None else str(value) for value in cells]
        assert list(cells) == call


@pytest.mark.row("U7")
def test_a_sum_of_costs_says_whose_word_it_is_and_calls_nothing_free_that_is_so_in_part(
    subtests: pytest.Subtests,
) -> None:
    nothing = a_row(cost=None, cost_source="", billed="no")
    cases = {
        "free": ["free", "local", nothing],
        "": ["free", a_row(cost=None, cost_source="")],
        "$0.01 at list prices": ["list", "free", nothing],
        "$0.02, at your prices where you set them": ["own", "reported"],
        "$0.01 reported by the service": ["reported", "local"],
        "$0.02, reported by the service or at list prices": ["reported", "list"],
    }
    for said, made in cases.items():
        with subtests.test(said):
            cost = {"free": 0.0, "local": 0.0}
            rows = [
                one if isinstance(one, CallRecord) else a_row(cost_source=one, cost=cost.get(one, 0.01)) for one in made
            ]
            assert sum_of_costs(rows) == said
