"""Totals of a long history: a million calls in a year, as the Usage page asks for them.

    python -m bench.totals [--calls 1000000] [--runs 20]

Calls are written as rows, then summed up by the code that a migration or a restore uses. Printed are the milliseconds
of each question, and those of the same sums from the rows. Where DuckDB is installed (`pip install duckdb`; it is none
of Tempera's packages) the same calls are put into a file of its own, and it is asked for tokens by day and model and
for percentiles in the same run.
"""

import argparse
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
from sqlalchemy import Connection, func, select

from lib.calls import usage_rollups
from lib.calls.usage_rollups import QUARTER
from lib.core.clock import DAY
from lib.store.database import Store
from lib.store.schema import calls, usage_days
from lib.usage import queries, speed
from lib.usage.scope import Scope
from lib.usage.totals import BUCKETS, by_time, parted_days

OWNER = "local"
BEGAN = 1_760_000_000_000_000
YEAR = 365 * 24 * 3600 * 1_000_000
MODELS = ("gpt-4o", "gpt-4o-mini", "o3", "claude-sonnet-4", "deepseek-chat", "qwen-max", "gemini-2.5-pro", "practice")
STATES = ("ok",) * 17 + ("error", "cancelled", "partial")
PAGE = ("chat",)
FIRST = ("first_word",)
ZONE, WEEK = ZoneInfo("Asia/Kolkata"), next(one for one in BUCKETS if one.unit == "W")
AT_ONCE = 20_000


def rows(count: int, first: int = BEGAN) -> Iterator[dict[str, Any]]:
    """Calls over a year from `first` on, most of them in the hours and with the models of a working day."""
    luck = random.Random(7)
    for number in range(count):
        day = number * 365 // count
        began = day * 86_400_000_000 + int(luck.triangular(7, 22, 14) * 3600 * 1_000_000)
        state = luck.choice(STATES)
        yield {
            **dict(id=f"{number:032x}", owner=OWNER, session=f"{day:032x}", attempt=1, temporary=False),
            **dict(endpoint="apiyi", model=luck.choice(MODELS), **place(luck, number)),
            **dict(model_answered="", state=state, prompt_tokens=luck.randrange(5_000), completion_tokens=300),
            **dict(first_token_seconds=luck.lognormvariate(-0.5, 0.6), seconds=5 + luck.lognormvariate(1, 0.5)),
            **dict(usage_source="reported", started_at=first + began, error_kind="", request_id="r"),
            **dict(billed="yes", attempts=1, cost=0.01, cost_source="list", price_currency="USD", process="p"),
        }


def place(luck: random.Random, number: int) -> dict[str, Any]:
    """Sweeps of 40 calls, and chats of 20."""
    page = luck.choice(("chat", "sweep", "sweep"))
    return {"page": page, "chat_id": None, "sweep_id": None, f"{page}_id": f"{number // 60}"}


def bars(conn: Connection, scope: Scope) -> pd.DataFrame:
    """What the chart of a year is drawn from, where midnight is within a day in UTC."""
    parted = partial(parted_days, WEEK, ZONE)
    return by_time(queries.by_day(conn, scope, parted), WEEK, ZONE)


def by_day_and_model(conn: Connection) -> Any:
    """What DuckDB is asked too."""
    days, kinds = usage_days.c, ("prompt_tokens", "completion_tokens")
    # any owner: there is one.
    query = select(days.at, days.endpoint, days.model, *(func.sum(days[kind]) for kind in kinds))
    return conn.execute(query.where(days.owner == OWNER).group_by(days.at, days.endpoint, days.model)).all()


def fill(store: Store, count: int, first: int = BEGAN) -> None:
    """Write the calls, then their sums."""
    found = rows(count, first)
    while some := [row for _, row in zip(range(AT_ONCE), found, strict=False)]:
        store.write(lambda db, some=some: db.execute(calls.insert(), some)).result()  # type: ignore[misc]
    store.write(usage_rollups.rebuild_all).result()


def milliseconds(work: Callable[[], Any], runs: int) -> str:
    """Median and greatest of some runs after one that is not counted."""
    took = []
    for _ in range(runs + 1):
        began = time.perf_counter()
        work()
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
        narrow = Scope(OWNER, models=("o3",), pages=PAGE, outcomes=("ok",))
        whole_month = Scope(OWNER, since=last - last % QUARTER - 30 * DAY, until=last - last % QUARTER)
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
            "bars of weeks, all calls": lambda db: bars(db, everything),
            "bars of weeks, one model": lambda db: bars(db, model),
            "bars of weeks, failed calls": lambda db: bars(db, failed),
            "bars of weeks, one model in chats that went well": lambda db: bars(db, narrow),
            "bars of days, a month": lambda db: queries.by_slice(db, whole_month, 900),
            "bars of days, a month of one page": lambda db: queries.by_slice(db, replace(whole_month, pages=PAGE), 900),
            "totals, one model in chats that went well": lambda db: queries.by_model(db, narrow),
            "totals by chat and sweep": lambda db: queries.by_place(db, everything, 200),
            "totals of one sweep": lambda db: queries.by_model(db, replace(everything, places=("9",))),
            "the newest 2,000 failed calls": lambda db: queries.newest(db, failed, 2_000),
            "percentiles by model, all calls": lambda db: speed.by_model(spread(db, everything, speed.KINDS), names),
            "tokens by day and model": by_day_and_model,
            "percentiles by model, first word alone": lambda db: speed.by_model(spread(db, everything, FIRST), names),
            "percentiles by model, a month": lambda db: speed.by_model(spread(db, month, speed.KINDS), names),
            "the newest 2,000 calls": lambda db: queries.newest(db, everything, 2_000),
            "three sums by model from the rows": lambda db: db.execute(from_rows).all(),
        }.items():
            print(f"{name}: {milliseconds(partial(store.read, work), asked.runs)} ms", flush=True)
        store.close()
        duck(Path(folder), asked.runs)


def duck(folder: Path, runs: int) -> None:
    """The two questions of the page, asked of DuckDB; nothing where it is not installed."""
    try:
        duckdb: Any = import_module("duckdb")
    except ImportError:
        return
    frame = pd.read_sql_query(
        "SELECT started_at, model, prompt_tokens, completion_tokens, first_token_seconds FROM calls",
        f"sqlite:///{folder / 'tempera.db'}",
    )
    db = duckdb.connect(str(folder / "duck.db"))
    db.register("frame", frame)
    db.execute("CREATE TABLE calls AS SELECT * FROM frame")
    days = (
        "SELECT started_at // 86400000000, model, sum(prompt_tokens), sum(completion_tokens) FROM calls GROUP BY 1, 2"
    )
    spread = "SELECT model, quantile_cont(first_token_seconds, [0.5, 0.9]) FROM calls GROUP BY 1"
    for name, query in (("tokens by day and model", days), ("percentiles by model", spread)):
        print(f"DuckDB, {name}: {milliseconds(partial(_all_of, db, query), runs)} ms", flush=True)


def _all_of(db: Any, query: str) -> Any:
    return db.execute(query).fetchall()


if __name__ == "__main__":
    main()
