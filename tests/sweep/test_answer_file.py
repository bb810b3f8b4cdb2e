"""A sweep's JSON file opens again with its answers, once for each owner, and sets nothing else."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from lib.calls import imported
from lib.calls.records import IMPORTED
from lib.core.errors import InvalidInput
from lib.core.reply import Choice, Reply, Usage
from lib.services import Services
from lib.settings import Settings
from lib.store.schema import calls, clean
from lib.sweep import answer_file, decision, ratings
from lib.sweep import repository as sweeps
from lib.sweep.decision import ReportOptions
from lib.sweep.export.json_file import json_file
from lib.sweep.plan import Cell
from lib.sweep.ratings import Rating
from lib.sweep.rules import Rule
from lib.sweep.study import Study, read_study
from lib.usage import queries
from lib.usage.scope import Scope
from tests import kept_sums
from tests.examples import examples
from tests.made_sweeps import make_sweep, odd_answer

GIVER, TAKER = "giver", "taker"


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    opened = Services.open(Settings(data_dir=tmp_path_factory.mktemp("file") / "data", local_model=False))
    yield opened
    opened.close()


def study(services: Services, owner: str, sweep_id: str) -> Study:
    found = read_study(services.store, services.sweeps.progress, owner, sweep_id)
    assert found is not None
    return found


def open_file(services: Services, owner: str, file: bytes) -> str:
    read = answer_file.read(file)
    assert read is not None
    return answer_file.bring_in(services.store, owner, read)


def told(file: bytes) -> dict[str, Any]:
    """What a file says, but for the names that every owner's cells and calls have of their own, and what is not taken
    along."""
    value = json.loads(file)
    names = {cell["id"]: f"cell {number}" for number, cell in enumerate(value["cells"])}
    for cell in value["cells"]:
        cell["id"] = names[cell["id"]]
        if cell["answer"]:
            for name in ("id", "attempt", "params_sent", "error_text"):
                del cell["answer"][name]
            cell["answer"]["seconds"] = cell["answer"]["seconds"] or 0.0
    value["decision"]["pick"] = names.get(value["decision"]["pick"])
    del value["created_at"], value["cap"], value["patience"], value["concurrency"], value["per_minute"]
    return dict(value)


def made(services: Services, owner: str = GIVER) -> tuple[str, bytes]:
    """A sweep with all kinds of answers, stars, a judge's word, a pick and rules; and its file."""
    store = services.store
    sweep_id = make_sweep(store, ("one", "two"), (0.0, 1.0), 5, odd_answer, owner)
    calls = store.read(lambda db: sweeps.results(db, owner, sweep_id))
    cells = store.read(lambda db: sweeps.cells_of(db, owner, sweep_id))

    def say(db: Any) -> None:
        ratings.rate(db, owner, calls[cells[0].id].id, Rating(5, 1, "the one"))
        ratings.rate(db, owner, calls[cells[1].id].id, Rating(2), "fake/judge")
        decision.pick(db, owner, sweep_id, cells[7].id)
        decision.set_rules(db, owner, sweep_id, [Rule("words", "90"), Rule("pattern", "tea|warm")])
        decision.set_report(
            db, owner, sweep_id, ReportOptions("Which?", "Me", "Take **it**.", "zh_Hans", "full", False)
        )
        sweeps.rename(db, owner, sweep_id, "Thermos, second try")

    store.write(say).result()
    return sweep_id, json_file(study(services, owner, sweep_id))


def used(services: Services, owner: str) -> tuple[int, float]:
    """How many calls an owner has in Usage, and what they cost."""
    found = services.store.read(lambda db: queries.by_model(db, Scope(owner)))
    return sum(one.calls for one in found), round(sum(one.cost for one in found), 6)


@pytest.mark.row("S26")
def test_another_opens_the_file_and_has_every_answer_rating_and_decision_once(services: Services) -> None:
    _sweep, file = made(services)
    own = open_file(services, TAKER, file)
    assert told(json_file(study(services, TAKER, own))) == told(file)
    assert services.store.read(lambda db: sweeps.came_in(db, TAKER, own))
    assert used(services, TAKER) == used(services, GIVER)
    assert open_file(services, TAKER, file) == own
    assert used(services, TAKER) == used(services, GIVER), "opened twice, it counts once"
    assert services.store.read(kept_sums.differences) == []
    query = select(calls.c.process, calls.c.session).where(calls.c.owner == TAKER).distinct()
    kept = [tuple(row) for row in services.store.read(lambda db: db.execute(query).all())]
    assert kept == [(IMPORTED, IMPORTED)], "no budget counts what was imported"


@pytest.mark.row("S26")
def test_ones_own_file_opens_ones_own_sweep_the_deleted_one_too(services: Services) -> None:
    sweep_id, file = made(services, "self")
    before = used(services, "self")
    assert open_file(services, "self", file) == sweep_id
    services.store.write(lambda db: sweeps.delete(db, "self", sweep_id)).result()
    assert open_file(services, "self", file) == sweep_id
    assert [one.id for one in services.store.read(lambda db: sweeps.sweeps_of(db, "self"))] == [sweep_id]
    assert used(services, "self") == before


@pytest.mark.row("S26", "U11")
def test_with_the_file_of_usage_before_or_after_it_each_call_counts_once(
    subtests: pytest.Subtests, services: Services
) -> None:
    _sweep, file = made(services)
    figures = list(services.store.read(lambda db: sweeps.results(db, GIVER, _sweep)).values())
    for order in ("before", "after"):
        with subtests.test(order):
            owner = f"taker-{order}"
            steps = [
                lambda owner=owner: services.store.write(lambda db: imported.add(db, owner, figures)).result(),
                lambda owner=owner: open_file(services, owner, file),
            ]
            for step in steps if order == "before" else reversed(steps):
                step()
            assert used(services, owner)[0] == len(figures)
            assert services.store.read(kept_sums.differences) == []
            own = open_file(services, owner, file)
            assert told(json_file(study(services, owner, own)))["cells"] == told(file)["cells"]


@pytest.mark.row("S26", "T2", "T11")
def test_a_file_sets_no_address_no_key_no_path_and_no_limit(services: Services) -> None:
    _sweep, file = made(services)
    value = json.loads(file)
    foreign = {"base_url": "https://evil.example", "api_key": "sk-planted", "cap": 1e9, "path": "/etc/planted"}
    value |= foreign
    value["cells"] = [{**cell, **foreign, "answer": {**cell["answer"], **foreign}} for cell in value["cells"]]
    value["decision"] |= foreign
    found = study(services, "careful", open_file(services, "careful", json.dumps(value).encode()))
    assert found.plan.cap is None
    written = json_file(found)
    assert not any(word in written for word in (b"evil.example", b"planted"))


@pytest.mark.row("T11")
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=examples(60))
@given(data=st.data())
def test_a_file_that_was_changed_opens_or_is_refused_in_a_sentence(services: Services, data: st.DataObject) -> None:
    if not FILES:
        FILES.append(made(services)[1])
    value = json.loads(FILES[0])
    value["cells"] = value["cells"][:6]
    place: Any = data.draw(
        st.sampled_from([value, value["decision"], value["cells"][0], *(c["answer"] for c in value["cells"])])
    )
    odd = (
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.lists(st.none(), max_size=2)
    )
    place[data.draw(st.sampled_from(sorted(place)))] = data.draw(odd | st.dictionaries(st.text(max_size=3), odd))
    file = json.dumps(value).encode()
    try:
        own = open_file(services, f"taker-{hash(file)}", file)
    except InvalidInput:
        return
    assert json_file(study(services, f"taker-{hash(file)}", own))


FILES: list[bytes] = []
TEXTS = st.text(max_size=40)


@pytest.mark.row("S26")
@settings(max_examples=examples(20))
@given(said=st.lists(st.tuples(TEXTS, TEXTS, st.sampled_from(["stop", "length", None])), min_size=4, max_size=4))
def test_any_text_comes_back_to_the_letter(services: Services, said: list[tuple[str, str, str | None]]) -> None:
    def answer(cell: Cell) -> Reply:
        text, thought, end = said[cell.row * 2 + cell.column]
        reply = Reply([Choice([text], [thought], end)], Usage(1, 2, 0, 0, "reported"), state="ok", seconds=1.0)
        return reply

    owner = f"writer-{hash(tuple(said))}"
    sweep_id = make_sweep(services.store, ("one", "two"), (0.0, 1.0), 1, answer, owner)
    file = json_file(study(services, owner, sweep_id))
    found = study(services, f"{owner}-reader", open_file(services, f"{owner}-reader", file))
    texts = [[(one.text, one.reasoning, one.finish_reason) for one in found.results[c.id].choices] for c in found.cells]
    assert texts == [[(clean(text), clean(thought), end)] for text, thought, end in said]
