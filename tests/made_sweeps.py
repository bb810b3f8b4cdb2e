"""Sweeps as they lie in a store when they have run, made without asking anybody: for pictures, benches and tests."""

import random
import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Connection

from lib.calls import records
from lib.core.reply import Delta, Reply, Usage
from lib.core.request import Call
from lib.services import Services
from lib.settings import Settings
from lib.store.database import Store
from lib.sweep import repository as sweeps
from lib.sweep.plan import Cell, Plan
from lib.visitor import LOCAL_OWNER
from tests.app_server import AppServer, forked_app

Ids = TypeVar("Ids")
MODELS = (
    *("claude-sonnet-4", "gpt-4o", "gpt-4o-mini", "gemini-2.5-flash", "deepseek-v3", "qwen-max", "llama-3.3-70b"),
    *("mistral-large", "grok-3", "doubao-pro-32k", "glm-4.5", "kimi-k2"),
)
SENTENCES = (
    "Steam rises, and the day slows down for as long as the cup is warm.",
    "This steel thermos keeps tea hot for **twelve hours** and fits every cup holder.",
    "Meet the one bottle that never sweats, never leaks and never asks for attention.",
    "Carry your morning with you: four hours later it is still warm.",
    "Brushed steel outside, a vacuum inside, and nothing in between but time.",
    "它能把清晨的温度留到下午，轻巧、结实，放进包里就走。",
    "For hikers, night shifts and long lectures alike.",
    "A quiet click, and the lid is sealed; a second one, and you drink.",
)
LISTING = "\n\n- keeps warm for 12 hours\n- 420 g\n- dishwasher safe\n"


def made_answer(cell: Cell, words: int = 60) -> Reply:
    """A plausible answer: the same sentences at temperature 0, others the warmer it gets."""
    warmth = cell.temperature or 0.0
    plain = random.Random(cell.row)
    chosen = plain.sample(SENTENCES, len(SENTENCES))
    wild = random.Random(f"{cell.row} {cell.column} {cell.repeat}")
    text = " ".join(
        wild.choice(SENTENCES) if wild.random() < warmth / 2 else one for one in chosen[: max(1, words // 12)]
    )
    reply = Reply(state="ok", seconds=0.6 + plain.random() * 3 + wild.random(), first_token_seconds=0.3)
    reply.cost, reply.cost_source = (0.0001 * (1 + cell.row) ** 2 * (1 + wild.random() / 5), "list")
    reply.usage = Usage(42, len(text) // 4, 0, 0, "reported")
    reply.add(Delta(text=text + (LISTING if cell.row % 3 == 1 else ""), finish_reason="stop"))
    return reply


def odd_answer(cell: Cell) -> Reply:
    """The same, now and then one that is cut, blank, refused, stopped or failed."""
    reply = made_answer(cell)
    match (cell.row * 31 + cell.column * 7 + cell.repeat) % 17:
        case 3:
            reply.choices[0].finish_reason = "length"
        case 5:
            reply.choices = []
            reply.add(Delta(text="  ", finish_reason="stop"))
        case 8:
            reply.choices[0].finish_reason = "content_filter"
        case 11:
            reply.choices = []
            reply.state, reply.error_kind, reply.error_text = (
                "error",
                "rate_limit",
                "429 Too many requests: <b>slow</b> down",
            )
            reply.error_record = {"what": "The service is busy.", "do": "Try again in a moment.", "facts": {}}
    return reply


def make_sweep(
    store: Store,
    models: Sequence[str],
    temperatures: Sequence[float],
    repeats: int,
    answer: Callable[[Cell], Reply | None] = made_answer,
    owner: str = LOCAL_OWNER,
    things: Sequence[str] = (),
) -> str:
    """Store a sweep with its answers; its id. Where there is no answer, the cell was not sent. With `things` each of
    them is an input."""
    prompt = f"Write 60 words for {'{{thing}}' if things else 'a steel thermos'}."
    inputs = tuple({"thing": thing} for thing in things)
    whom = (tuple(f"fake/{name}" for name in models), tuple(temperatures))
    plan = Plan(prompt, *whom, repeats=repeats, inputs=inputs)
    sweep_id = secrets.token_hex(16)
    cells = list(plan.cells(sweep_id))

    def put(db: Connection, some: Sequence[Cell]) -> None:
        sweeps.add_cells(db, owner, sweep_id, some)
        for cell in some:
            reply = answer(cell)
            if reply is not None:
                request = plan.request(cell.model.partition("/")[2], cell.temperature)
                call = Call(secrets.token_hex(16), owner, "s", "sweep", "fake", request, cell.id, sweep_id=sweep_id)
                records.start_call(db, call, "made")
                records.finish_call(db, call.id, reply)

    store.write(lambda db: sweeps.add_plan(db, owner, "s", sweep_id, plan)).result()
    for piece in sweeps.in_pieces(cells):
        store.write(lambda db, piece=piece: put(db, piece)).result()  # type: ignore[misc]
    return sweep_id


@contextmanager
def app_with_sweeps(folder: Path, make: Callable[[Store], Ids]) -> Iterator[tuple[AppServer, Ids]]:
    """An app at its own address whose store has the sweeps that `make` puts into it, and their ids."""
    services = Services.open(Settings(data_dir=folder, local_model=False))
    ids = make(services.store)
    services.close()
    nowhere = "http://127.0.0.1:9/v1"
    with forked_app(folder, TEMPERA_BASE_URL=nowhere, TEMPERA_API_KEY="sk-test", TEMPERA_LOCAL_MODEL="false") as app:
        yield app, ids
