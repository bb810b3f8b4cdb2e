"""Reads a sweep with everything that was said of it."""

from sqlalchemy import Connection

from lib.store.database import Store
from lib.sweep import decision, ratings
from lib.sweep import repository as sweeps
from lib.sweep.decision import Decision
from lib.sweep.plan import Plan
from lib.sweep.progress import ProgressReader
from lib.sweep.ratings import PERSON, Rating
from lib.sweep.study import Study


def read_study(store: Store, reader: ProgressReader, owner: str, sweep_id: str) -> Study | None:
    """An owner's sweep as it stands; None where this owner has none of that id."""
    progress = reader.of(owner, sweep_id)

    def read(db: Connection) -> tuple[Plan | None, tuple[str, int], dict[tuple[str, str], Rating], Decision]:
        said = ratings.all_of_sweep(db, owner, sweep_id), decision.of_sweep(db, owner, sweep_id)
        return sweeps.plan_of(db, owner, sweep_id), sweeps.named(db, owner, sweep_id), *said

    plan, (title, created_at), said, decided = store.read(read)
    if plan is None or not progress.cells:
        return None
    by_rater: dict[str, dict[str, Rating]] = {}
    for (call_id, rater), rating in said.items():
        by_rater.setdefault(rater, {})[call_id] = rating
    mine = by_rater.pop(PERSON, {})
    return Study(title, created_at, plan, progress.cells, progress.results, mine, decided, by_rater)
