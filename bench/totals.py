"""Totals of a long history: a million calls in a year, as the Usage page asks for them.

    python -m bench.totals [--calls 1000000] [--runs 20]

Calls are written as rows, then summed up by the code that a migration or a restore uses. Printed are the milliseconds
of each question, and those of the same sums from the rows.
"""

import argparse
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, func, select

from lib.calls import usage_rollups
from lib.store.database import Store
from lib.store.schema import calls
from lib.usage import queries, speed
from lib.usage.scope import Scope

OWNER = "local"
BEGAN = 1_760_000_000_000_000
YEAR = 365 * 24 * 3600 * 1_000_000
MODELS = ("gpt-4o", "gpt-4o-mini", "o3", "claude-sonnet-4", "deepseek-chat", "qwen-max", "gemini-2.5-pro", "practice")
STATES = ("ok",) * 17 + ("error", "cancelled", "partial")
AT_ONCE = 20_000


def rows(count: int) -> Iterator[dict[str, Any]]:
    """Calls over a year, most of them in the hours and with the models of a working day."""
    luck = random.Random(7)
    for number in range(count):
        day = number * 365 // count
        began = day * 86_400_000_000 + int(luck.triangular(7, 22, 14) * 3600 * 1_000_000)
        state = luck.choice(STATES)
        yield {
            **dict(id=f"{number:032x}", owner=OWNER, session=f"{day:032x}", attempt=1, temporary=False),
            **dict(page=luck.choice(("chat", "sweep", "sweep")), endpoint="apiyi", model=luck.choice(MODELS)),
            **dict(model_answered="", state=state, prompt_tokens=luck.randrange(5_000), completion_tokens=300),
            **dict(first_token_seconds=luck.lognormvariate(-0.5, 0.6), seconds=5 + luck.lognormvariate(1, 0.5)),
            **dict(usage_source="reported", started_at=BEGAN + began, error_kind="", request_id="r"),
            **dict(billed="yes", attempts=1, cost=0.01, cost_source="list", price_currency="USD", process="p"),
        }


def fill(store: Store, count: int) -> None:
    """Write the calls, then their sums."""
    found = rows(count)
    while some := [row for _, row in zip(range(AT_ONCE), found, strict=False)]:
        store.write(lambda db, some=some: db.execute(calls.insert(), some)).result()  # type: ignore[misc]
    store.write(usage_rollups.rebuild_all).result()


def milliseconds(store: Store, runs: int, work: Callable[[Connection], Any]) -> str:
    """Median and greatest of some runs after one that is not counted."""
    took = []
    for _ in range(runs + 1):
        began = time.perf_counter()
        store.read(work)
        took.append(1000 * (time.perf_counter() - began))
    return f"{statistics.median(took[1:]):.1f} (most {max(took[1:]):.1f})"


def main() -> None:
    """Measure, and print a line for each question."""
    options = argparse.ArgumentParser(description="Time the totals of a long history.")
    options.add_argument("--calls", type=int, default=1_000_000)
    options.add_argument("--runs", type=int, default=20)
    asked = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        store = Store.open(f"sqlite:///{Path(folder) / 'tempera.db'}")
        fill(store, asked.calls)
        everything, session = Scope(OWNER), Scope(OWNER, f"{100:032x}")
        last = BEGAN + YEAR
        month = Scope(OWNER, since=last - YEAR // 12 + 12_345, until=last)
        model = replace(everything, models=("o3",))
        failed = replace(everything, outcomes=("failed",))
        spread = queries.spread
        names = [("apiyi", model) for model in MODELS]
        from_rows = select(calls.c.model, func.count(), func.sum(calls.c.prompt_tokens), func.sum(calls.c.cost))
        from_rows = from_rows.where(calls.c.owner == OWNER).group_by(calls.c.model)
        for name, work in {
            "totals by model, all calls": lambda db: queries.by_model(db, everything),
            "totals by model, one session": lambda db: queries.by_model(db, session),
            "quarters of an hour, all calls": lambda db: queries.by_slice(db, everything, 900),
            "quarters of an hour, one session": lambda db: queries.by_slice(db, session, 900),
            "totals by model, a month that begins within a day": lambda db: queries.by_model(db, month),
            "totals, one model": lambda db: queries.by_model(db, model),
            "totals, one page in a month": lambda db: queries.by_model(db, replace(month, pages=("chat",))),
            "totals, failed calls": lambda db: queries.by_model(db, failed),
            "quarters of an hour, one model": lambda db: queries.by_slice(db, model, 900),
            "the newest 2,000 failed calls": lambda db: queries.newest(db, failed, 2_000),
            "percentiles by model, all calls": lambda db: speed.by_model(spread(db, everything, speed.KINDS), names),
            "percentiles by model, a month": lambda db: spread(db, month, speed.KINDS),
            "the newest 2,000 calls": lambda db: queries.newest(db, everything, 2_000),
            "three sums by model from the rows": lambda db: db.execute(from_rows).all(),
        }.items():
            print(f"{name}: {milliseconds(store, asked.runs, work)} ms", flush=True)
        store.close()


if __name__ == "__main__":
    main()
