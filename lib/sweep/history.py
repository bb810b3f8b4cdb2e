"""What a visitor's own calls tell of the next ones: how long a model takes, how much it writes, what that costs."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from itertools import product

from sqlalchemy import Connection, func, literal_column, select, text

from lib.calls import records, usage_rollups
from lib.store import image_store, message_nodes
from lib.store.schema import calls
from lib.store.statements import chunks
from lib.sweep.plan import Cell, Plan

LOOKED_AT = 5_000
"""So many of the newest calls are looked at: those of a year ago were of another service."""

WEIGHT_OF_MEAN = 0.5
"""The mean of a model counts as half a call beside the calls of one request: the same request takes another time each
time, and where what took long by chance goes first, what takes long by chance the next time comes last."""


@dataclass(frozen=True, slots=True)
class Usual:
    """The means of a model's good calls: seconds, completion tokens and US dollars. None: not known of any."""

    calls: int
    seconds: float | None
    completion_tokens: float | None
    cost: float | None


@dataclass(frozen=True, slots=True)
class History:
    """`models` by (endpoint, model); `requests` is (how many calls, how many seconds they took on average) of exactly
    this request, by (endpoint, hash).
    `tips` name the conversations of a plan, by its input and variant; `concurrency` is how many good calls of a model
    began within a second at most, none of them refused before, by (endpoint, model)."""

    models: Mapping[tuple[str, str], Usual]
    requests: Mapping[tuple[str, str], tuple[int, float]]
    tips: Mapping[tuple[int, int], str]
    concurrency: Mapping[tuple[str, str], int] = field(default_factory=dict)

    def seconds(self, plan: Plan, cell: Cell) -> float | None:
        """How long this very request will take, by how long it took before; None where it was never answered."""
        tip = self.tips.get((cell.input, cell.variant))
        if not self.requests or tip is None:
            return None
        endpoint, _, model = cell.model.partition("/")
        known = records.request_hash(model, tip, plan.params_of(cell.temperature, cell.variant).to_send())
        count, seconds = self.requests.get((endpoint, known or ""), (0, 0.0))
        if not count:
            return None
        usual = self.models.get((endpoint, model))
        mean = seconds if usual is None or usual.seconds is None else usual.seconds
        return (count * seconds + WEIGHT_OF_MEAN * mean) / (count + WEIGHT_OF_MEAN)


NOTHING = History({}, {}, {})


def read(conn: Connection, owner: str, plan: Plan) -> History:
    """What is known of the owner's models, and of the plan's requests."""
    tips = {}
    for input, variant in product(*map(range, plan.slices)):
        said = ((one.role, one.content, image_store.ids(one.images)) for one in plan.messages(input, variant))
        tips[input, variant] = message_nodes.chain(said)[-1].hash
    return History(
        of_models(conn, owner), _of_requests(conn, owner, set(tips.values())), tips, _concurrency(conn, owner)
    )


def newest(conn: Connection, owner: str) -> tuple[int, int]:
    """(newest number of a call, how many are in progress) of an owner: it changes with each call that begins or
    ends."""
    last = conn.execute(select(func.max(calls.c.seq)).where(calls.c.owner == owner)).scalar()
    open_calls = select(func.count()).where(calls.c.owner == owner, usage_rollups.running)
    return last or 0, conn.execute(open_calls).scalar() or 0


def of_models(conn: Connection, owner: str) -> dict[tuple[str, str], Usual]:
    """The means of each model's newest good calls, by (endpoint, model)."""
    columns = (calls.c.endpoint, calls.c.model, calls.c.state, calls.c.seconds, calls.c.completion_tokens, calls.c.cost)
    newest = select(*columns).where(calls.c.owner == owner).order_by(calls.c.seq.desc()).limit(LOOKED_AT).subquery()
    means = (func.avg(newest.c[name]) for name in ("seconds", "completion_tokens", "cost"))
    query = select(newest.c.endpoint, newest.c.model, func.count(), *means)
    rows = conn.execute(query.where(newest.c.state == "ok").group_by(newest.c.endpoint, newest.c.model))
    return {(row[0], row[1]): Usual(row[2], *(None if one is None else float(one) for one in row[3:])) for row in rows}


def _concurrency(conn: Connection, owner: str) -> dict[tuple[str, str], int]:
    columns = (calls.c.endpoint, calls.c.model, calls.c.state, calls.c.attempts, calls.c.started_at)
    newest = select(*columns).where(calls.c.owner == owner).order_by(calls.c.seq.desc()).limit(LOOKED_AT).subquery()
    # The length is written out: PostgreSQL takes two parameters for two different expressions to group by.
    second = (newest.c.started_at - newest.c.started_at % literal_column("1000000")).label("second")
    good = newest.c.state == "ok", newest.c.attempts == 1
    each = select(newest.c.endpoint, newest.c.model, second, func.count().label("begun")).where(*good)
    begun = each.group_by(newest.c.endpoint, newest.c.model, text("second")).subquery()
    rows = conn.execute(select(begun.c.endpoint, begun.c.model, func.max(begun.c.begun)).group_by(*begun.c[:2]))
    return {(endpoint, model): most for endpoint, model, most in rows}


def _of_requests(conn: Connection, owner: str, tips: Collection[str]) -> dict[tuple[str, str], tuple[int, float]]:
    found: dict[tuple[str, str], tuple[int, float]] = {}
    for some in chunks(tips):
        query = select(calls.c.endpoint, calls.c.request_hash, func.count(), func.avg(calls.c.seconds)).where(
            calls.c.owner == owner, calls.c.tip.in_(some), calls.c.state == "ok"
        )
        rows = conn.execute(query.group_by(calls.c.endpoint, calls.c.request_hash))
        found |= {(row[0], row[1]): (row[2], float(row[3])) for row in rows if row[1] and row[3] is not None}
    return found
