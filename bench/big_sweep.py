"""A sweep of 2,000 cells over a history of 200 kB: how long its planning holds the writer, and what a rerun costs.

    python -m bench.big_sweep [--history 200000] [--answer 2000]

No model is asked: the answers are written as if they had come.
"""

import argparse
import secrets
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

from sqlalchemy import Connection, event

from lib.calls import records
from lib.calls.outcome_writer import OutcomeWriter
from lib.core.reply import Delta, Reply
from lib.core.request import Call, Message
from lib.store.database import Store
from lib.sweep import repository as sweeps
from lib.sweep.plan import Cell, Plan
from lib.sweep.progress import ProgressReader

WORDS = [f"word{number}" for number in range(400)]


def timed(what: str, work: Callable[[], Any]) -> Any:
    """The result of `work`; its seconds are printed."""
    began = time.perf_counter()
    result = work()
    print(f"{what}: {(time.perf_counter() - began) * 1000:.0f} ms", flush=True)
    return result


def answered(db: Connection, plan: Plan, some: list[Cell], characters: int) -> None:
    """Record good answers to some cells; their conversation is left out, as it is not what is measured."""
    for cell in some:
        request = Plan(plan.prompt, plan.models, plan.temperatures).request(cell.model, cell.temperature)
        call = Call(secrets.token_hex(16), "ann", "s1", "sweep", "service", request, cell.id)
        records.start_call(db, call, "bench")
        reply = Reply(state="ok", seconds=1.0)
        text = " ".join(secrets.choice(WORDS) for _ in range(characters // 7))
        reply.add(Delta(text=text, finish_reason="stop"))
        records.finish_call(db, call.id, reply)


def main() -> None:
    """Measure, and print."""
    options = argparse.ArgumentParser(description="Measure a large sweep.")
    options.add_argument("--history", type=int, default=200_000)
    options.add_argument("--answer", type=int, default=2_000)
    chosen = options.parse_args()
    turns = tuple(
        Message(role="user" if turn % 2 == 0 else "assistant", content="word " * (chosen.history // 100))
        for turn in range(20)
    )
    models = tuple(f"service/model-{number}" for number in range(8))
    temperatures = tuple(number / 10 for number in range(10))
    plan = Plan("Praise tea.", models, temperatures, repeats=25, history=turns)
    with tempfile.TemporaryDirectory() as folder:
        store = Store.open(f"sqlite:///{Path(folder) / 'bench.db'}")
        held: list[float] = []
        began = [0.0]
        event.listen(store._writer, "begin", lambda conn: began.__setitem__(0, time.perf_counter()))
        event.listen(store._writer, "commit", lambda conn: held.append(time.perf_counter() - began[0]))
        sweep_id = secrets.token_hex(16)
        cells = timed("cells named", lambda: list(plan.cells(sweep_id)))
        store.write(lambda db: sweeps.add_plan(db, "ann", "s1", sweep_id, plan)).result()
        for piece in sweeps.in_pieces(cells):
            store.write(lambda db, piece=piece: sweeps.add_cells(db, "ann", sweep_id, piece)).result()  # type: ignore[misc]
        print(f"planning: {len(held)} writes, the longest {max(held) * 1000:.0f} ms", flush=True)
        for start in range(0, len(cells), 100):
            store.write(lambda db, s=start: answered(db, plan, cells[s : s + 100], chosen.answer)).result()  # type: ignore[misc]
        reader = ProgressReader(store, OutcomeWriter(store))
        timed("first look", lambda: reader.of("ann", sweep_id).overview)
        reruns = []
        for _ in range(5):
            at = time.perf_counter()
            assert len(reader.of("ann", sweep_id).overview)
            store.read(lambda db: sweeps.sweeps_of(db, "ann", limit=101))
            reruns.append(time.perf_counter() - at)
        print(f"rerun: {median(reruns) * 1000:.0f} ms", flush=True)
        store.close()


if __name__ == "__main__":
    main()
