"""Builds the overview table and the CSV of a sweep from its cells and their answers."""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import pandas as pd

from lib.calls.records import CallRecord
from lib.core.csv_table import to_csv
from lib.sweep.measures import Name, measured
from lib.sweep.plan import Cell, in_order
from lib.sweep.ratings import Rating

_OF_CALL = (
    *("state", "text", "reasoning", "finish_reason", "prompt_tokens", "completion_tokens", "usage_source"),
    *("seconds", "first_token_seconds", "cost_usd", "cost_source", "attempt", "error", "model_answered"),
    "beside_the_text",
)
HEADER = (
    *("model", "temperature", "repeat", *_OF_CALL),
    *("cell_id", "input", "variant", "stars", "thumb", "note"),
)
MEANS: Mapping[str, Name] = {
    "variety": "difference",
    "words": "length",
    "completion": "tokens",
    "seconds": "seconds",
    "first_word": "first_word",
    "speed": "speed",
    "cost": "cost",
}
"""The columns of the overview that are means, and of which measure."""
NO_RATINGS: Mapping[str, Rating] = {}


def overview(cells: Sequence[Cell], results: Mapping[str, CallRecord]) -> pd.DataFrame:
    """One row per model and temperature: how many are done and failed, and the means of what came."""
    groups: dict[tuple[str, float | None], list[Cell]] = defaultdict(list)
    for cell in in_order(cells):
        groups[cell.model, cell.temperature].append(cell)
    return pd.DataFrame([_row(key, group, results) for key, group in groups.items()])


def csv(cells: Iterable[Cell], results: Mapping[str, CallRecord], ratings: Mapping[str, Rating] = NO_RATINGS) -> bytes:
    """Every cell as a row of a spreadsheet, those without an answer too; `ratings` are by the ids of the calls."""
    return to_csv(HEADER, rows(cells, results, ratings))


def rows(
    cells: Iterable[Cell], results: Mapping[str, CallRecord], ratings: Mapping[str, Rating]
) -> Iterator[Sequence[Any]]:
    """Every cell as a row of values, under the names of HEADER."""
    for cell in in_order(cells):
        call = results.get(cell.id)
        rating = ratings.get(call.id, Rating()) if call is not None else Rating()
        yield [*_line(cell, call), rating.stars, rating.thumb, rating.note]


def _row(key: tuple[str, float | None], cells: Sequence[Cell], results: Mapping[str, CallRecord]) -> dict[str, Any]:
    tried = [(cell, results[cell.id]) for cell in cells if cell.id in results]
    # Means are of whole answers: half of one is neither as long nor as dear as the model makes them.
    good: dict[tuple[int, int], list[CallRecord]] = defaultdict(list)
    for cell, call in tried:
        if call.state == "ok":
            good[cell.input, cell.variant].append(call)
    spreads = {column: measured(name, list(good.values())) for column, name in MEANS.items()}
    return {
        "model": key[0],
        "temperature": key[1],
        "done": sum(map(len, good.values())),
        "failed": sum(call.state == "error" for _cell, call in tried),
        **{column: found.mean if found else None for column, found in spreads.items()},
    }


def _line(cell: Cell, call: CallRecord | None) -> list[Any]:
    # Counted from 1, as people do.
    place = [cell.model, cell.temperature, cell.repeat + 1]
    if call is None:
        return [*place, "", *[None] * (len(_OF_CALL) - 1), *_end(cell)]
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
        # As JSON; large contents stay in the app.
        json.dumps(list(choice.parts), ensure_ascii=False) if choice.parts else "",
        *_end(cell),
    ]


def _end(cell: Cell) -> list[Any]:
    return [cell.id, cell.input + 1, cell.variant + 1]
