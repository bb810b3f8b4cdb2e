"""Reads a sweep with everything that was said of it."""

from sqlalchemy import Connection

from lib.store.database import Store
from lib.sweep import decision, ratings
from lib.sweep import repository as sweeps
from lib.sweep.decision import Decision
from lib.sweep.plan import Plan
from lib.sweep.progress import ProgressReader
from lib.sweep.ratings import Rating
from lib.sweep.study import Study


def read_study(store: Store, reader: ProgressReader, owner: str, sweep_id: str) -> Study | None:
    """An owner's sweep as it stands; None where this owner has none of that id."""
    progress = reader.of(owner, sweep_id)

    def read(db: Connection) -> tuple[Plan | None, tuple[str, int], dict[str, Rating], Decision]:
        said = ratings.of_sweep(db, owner, sweep_id), decision.of_sweep(db, owner, sweep_id)
        return sweeps.plan_of(db, owner, sweep_id), sweeps.named(db, owner, sweep_id), *said

    plan, (title, created_at), rated, decided = store.read(read)
    if plan is None or not progress.cells:
        return None
    return Study(title, created_at, plan, progress.cells, progress.results, rated, decided)
