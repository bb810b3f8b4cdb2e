"""Answers of a model that are the same word for word: one press gives all of them the stars of one."""

from collections.abc import Mapping
from dataclasses import replace

from sqlalchemy import Connection

from lib.sweep import ratings
from lib.sweep.plan import Cell
from lib.sweep.progress import Progress
from lib.sweep.ratings import Rating
from lib.ui.shared.texts import _n
from lib.ui.sweep.open_study import keep


def words(progress: Progress, cell: Cell, rated: Mapping[str, Rating]) -> str:
    """What the button says that does it; "" where there is nothing to give, or nobody to give it to."""
    mine = _rating(progress, cell.id, rated)
    if mine.stars is None:
        return ""
    count = sum(_rating(progress, id, rated).stars != mine.stars for id in progress.findings.alike(cell.id))
    label = _n("Rate the same for {count} equal answer", "Rate the same for {count} equal answers", count)
    return label.format(count=count) if count else ""


def rate_alike(progress: Progress, cell: Cell) -> None:
    """Give the stars of a cell's answer to those that are the same; their notes and thumbs stay."""
    alike = [progress.results[id].id for id in progress.findings.alike(cell.id)]

    def rate(db: Connection, owner: str, sweep_id: str) -> None:
        rated = ratings.of_sweep(db, owner, sweep_id)
        stars = _rating(progress, cell.id, rated).stars
        for call_id in alike:
            ratings.rate(db, owner, call_id, replace(rated.get(call_id, Rating()), stars=stars))

    keep(rate)


def _rating(progress: Progress, id: str, rated: Mapping[str, Rating]) -> Rating:
    call = progress.results.get(id)
    return rated.get(call.id, Rating()) if call is not None else Rating()
