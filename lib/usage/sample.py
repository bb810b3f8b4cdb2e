"""Made-up calls that show what the usage page tells, in a store of their own, which is in memory and nowhere else."""

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from lib.calls import records
from lib.core import prices
from lib.core.clock import DAY, MINUTE
from lib.core.errors import RateLimited
from lib.core.parameters import Params
from lib.core.reply import Delta, Reply, State, Usage, UsageSource
from lib.core.request import Call, ChatRequest, Message, Page
from lib.store.database import Store

OWNER = SESSION = "sample"
SEED = 16
DAYS = 30
QUESTIONS = (
    "Write 60 words for a steel thermos.",
    "Name three bakeries on a quiet street.",
    "Shorten this mail to four sentences.",
    "What speaks for a heat pump in an old house?",
)
ANSWER = "Made up for the sample: no model was asked. "


@dataclass(frozen=True, slots=True)
class _Model:
    """A model as the sample has it: where it is asked, how often, how long it takes to the first word and for a
    token."""

    endpoint: str
    id: str
    share: int
    first_word: float
    per_token: float


MODELS = (
    _Model("sample-east", "gpt-4o-mini", 9, 0.4, 0.008),
    _Model("sample-east", "gpt-4o", 5, 0.6, 0.014),
    _Model("sample-west", "claude-sonnet-4-5", 4, 1.1, 0.016),
    _Model("sample-west", "gemini-2.5-flash", 4, 0.5, 0.006),
    _Model("sample-east", "deepseek-chat", 3, 1.6, 0.022),
    _Model("sample-house", "house-model-7b", 2, 0.3, 0.02),  # has no list price
)
ENDED_SO: dict[str, State] = {"error": "error", "cancelled": "cancelled", "partial": "partial"}
ENDS = ("ok",) * 44 + ("error", "error", "length", "content_filter", "cancelled", "partial")


def store_of(now: int) -> Store:
    """A store with the sample's calls, the last of them at `now` (microseconds since 1970, UTC); the same calls at each
    time. Whoever asks for it closes it."""
    store = Store.in_memory()
    store.write(lambda db: _keep(db, sorted(_calls(now), key=lambda one: one[0]))).result()
    return store


def _calls(now: int) -> Iterator[tuple[int, Call, Reply]]:
    """When each call began, the call, and how it ended."""
    dice, number = random.Random(SEED), 0
    for days in reversed(range(DAYS)):
        for _ in range(dice.randint(3, 18)):
            at = now - days * DAY - dice.randint(0, DAY // 2 if days else 3 * 60 * MINUTE)
            number += 1
            yield at, *_call(dice, number, SESSION if days == 0 else f"sample-{days}")
    for minutes in (2, 1, 0):  # so that there is something of today from midnight on
        number += 1
        yield now - minutes * MINUTE // 4, *_call(dice, number, SESSION)


def _call(dice: random.Random, number: int, session: str) -> tuple[Call, Reply]:
    model = dice.choices(MODELS, [one.share for one in MODELS])[0]
    page: Page = dice.choices(("chat", "sweep", "judge"), (6, 5, 1))[0]
    asked = ChatRequest(model.id, (Message(role="user", content=dice.choice(QUESTIONS)),), Params(temperature=0.7))
    call = Call(f"sample-{number:04}", OWNER, session, page, model.endpoint, asked)
    return call, _reply(dice, model, dice.choice(ENDS))


def _reply(dice: random.Random, model: _Model, end: str) -> Reply:
    tokens = dice.randint(40, 900)
    source: UsageSource = "estimated" if dice.random() < 0.08 else "reported"
    usage = Usage(dice.randint(60, 2_400), tokens, dice.choice([None, None, tokens // 3]), source=source)
    state: State = ENDED_SO.get(end, "ok")
    reply = Reply(state=state, usage=Usage() if state == "error" else usage, billed="no" if state == "error" else "yes")
    reply.first_token_seconds = None if state == "error" else model.first_word * dice.uniform(0.7, 2.2)
    reply.seconds = (reply.first_token_seconds or 0.4) + tokens * model.per_token * dice.uniform(0.8, 1.3)
    reply.attempts = 2 if dice.random() < 0.04 else 1
    reply.cost, reply.price = prices.cost(model.id, reply.usage), prices.list_price(model.id)
    reply.cost_source = "" if reply.cost is None else "list"
    if state == "error":
        error = RateLimited(service=model.endpoint)
        return replace(reply, error_kind=error.kind, error_text=ANSWER, error_record=error.record())
    reason = end if end in ("length", "content_filter") else "stop"
    reply.add(Delta(text=ANSWER * (1 + tokens // 60), finish_reason=reason))
    return reply


def _keep(db: Connection, made: list[tuple[int, Call, Reply]]) -> None:
    for at, call, reply in made:
        records.start_call(db, call, OWNER, at)
        records.finish_call(db, call.id, reply)
