"""Builds the overview table and the CSV of a sweep from its cells and their answers."""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from statistics import fmean
from typing import Any

import pandas as pd

from lib.calls.records import CallRecord
from lib.core.csv_table import to_csv
from lib.core.parts import Part
from lib.core.segmentation import word_count
from lib.sweep.diversity import variety
from lib.sweep.plan import Cell
from lib.sweep.ratings import Rating

HEADER = (
    *("model", "temperature", "repeat", "state", "text", "reasoning", "finish_reason", "prompt_tokens"),
    *("completion_tokens", "usage_source", "seconds", "first_token_seconds", "cost_usd", "cost_source", "attempt"),
    *("error", "model_answered", "beside_the_text", "cell_id", "input", "variant", "stars", "thumb", "note"),
)
NO_RATINGS: Mapping[str, Rating] = {}


def overview(cells: Sequence[Cell], results: Mapping[str, CallRecord]) -> pd.DataFrame:
    """One row per model and temperature: how many are done and failed, and the means of what came."""
    groups: dict[tuple[str, float | None], list[Cell]] = defaultdict(list)
    for cell in cells:
        groups[cell.model, cell.temperature].append(cell)
    return pd.DataFrame([_row(key, group, results) for key, group in groups.items()])


def csv(cells: Iterable[Cell], results: Mapping[str, CallRecord], ratings: Mapping[str, Rating] = NO_RATINGS) -> bytes:
    """Every cell as a row of a spreadsheet, those without an answer too; `ratings` are by the ids of the calls."""
    return to_csv(HEADER, rows(cells, results, ratings))


def rows(
    cells: Iterable[Cell], results: Mapping[str, CallRecord], ratings: Mapping[str, Rating]
) -> Iterator[Sequence[Any]]:
    """The same as values, under the names of HEADER."""
    for cell in cells:
        call = results.get(cell.id)
        rating = ratings.get(call.id, Rating()) if call is not None else Rating()
        yield [*_line(cell, call), rating.stars, rating.thumb, rating.note]


def _row(key: tuple[str, float | None], cells: Sequence[Cell], results: Mapping[str, CallRecord]) -> dict[str, Any]:
    tried = [results[cell.id] for cell in cells if cell.id in results]
    # Means are of whole answers: half of one is neither as long nor as dear as the model makes them.
    good = [call for call in tried if call.state == "ok"]
    texts = [call.choices[0].text for call in good if call.choices]
    return {
        "model": key[0],
        "temperature": key[1],
        "done": len(good),
        "failed": sum(call.state == "error" for call in tried),
        "variety": _mean(map(variety, _asked_the_same(cells, results))),
        "words": _mean(word_count(text) for text in texts),
        "completion": _mean(call.usage.completion_tokens for call in good),
        "seconds": _mean(call.seconds for call in good),
        "cost": _mean(call.cost for call in good),
    }


def _asked_the_same(cells: Sequence[Cell], results: Mapping[str, CallRecord]) -> Iterable[list[str]]:
    """The texts of whole answers; those to one question together."""
    groups: dict[tuple[int, int], list[str]] = defaultdict(list)
    for cell in cells:
        call = results.get(cell.id)
        if call is not None and call.state == "ok" and call.choices:
            groups[cell.input, cell.variant].append(call.choices[0].text)
    return groups.values()


def _beside(found: Sequence[Part]) -> str:
    """What an answer holds beside its text, as JSON; large contents stay in the app."""
    return json.dumps(list(found), ensure_ascii=False) if found else ""


def _mean(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return fmean(known) if known else None


def _line(cell: Cell, call: CallRecord | None) -> list[Any]:
    # Counted from 1, as people do.
    place = [cell.model, cell.temperature, cell.repeat + 1]
    if call is None:
        return [*place, "", *[None] * (len(HEADER) - 10), *_end(cell)]
    choice = call.choice()
    return [
        *place,
        call.state,
        choice.text,
        choice.reasoning,
        call.finish_reason or "",
        call.usage.prompt_tokens,
        call.usage.completion_tokens,
        call.usage.source,
        call.seconds,
        call.first_token_seconds,
        call.cost,
        call.cost_source,
        call.attempt,
        call.error_kind,
        call.model_answered,
        _beside(choice.parts),
        *_end(cell),
    ]


def _end(cell: Cell) -> list[Any]:
    return [cell.id, cell.input + 1, cell.variant + 1]
