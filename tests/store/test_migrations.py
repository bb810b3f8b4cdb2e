"""Stores that earlier versions have written are opened with all that was in them."""

import gzip
import json
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, MetaData, Table, create_engine, make_url, select, text

from lib.calls import records, unsupported_params
from lib.calls.outcome_writer import OutcomeWriter
from lib.chat import repository as chats
from lib.chat.form import Form
from lib.core.errors import recorded
from lib.core.parameters import Params
from lib.core.request import Message
from lib.store import backup, engines, message_nodes, migrations, process_lock, schema
from lib.store.database import Store
from lib.sweep import repository as sweeps
from lib.sweep.progress import ProgressReader
from lib.visitor import favourites, preferences
from lib.visitor.presets import PRESETS
from lib.visitor.prompt_templates import TEMPLATES
from tests import new_file
from tests.kept_sums import differences
from tests.postgresql import new_database, server_url
from tests.store_fixtures import a_call

CASES = Path(__file__).parents[1] / "cases"
OWNER = "local"


@pytest.fixture(autouse=True)
def step_by_step(monkeypatch: pytest.MonkeyPatch) -> None:
    """As the app does it."""
    monkeypatch.setattr(migrations, "upgrade", new_file.take_all_steps)


@pytest.fixture(name="expected")
def what_the_old_version_read() -> Any:
    """What version 0004's own code read from the store that it had written."""
    return json.loads(gzip.decompress((CASES / "store-0004.json.gz").read_bytes()))


@pytest.fixture(name="brought", scope="module", params=["sqlite", "postgresql"])
def an_old_store_brought_to_today(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """The URL of that store, which today's version has opened; on PostgreSQL its rows are copied into tables of that
    version first."""
    file = tmp_path_factory.mktemp("old") / "tempera.db"
    file.write_bytes(gzip.decompress((CASES / "store-0004.db.gz").read_bytes()))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(migrations, "upgrade", new_file.take_all_steps)
        if request.param == "sqlite":
            Store.open(f"sqlite:///{file}").close()
            yield f"sqlite:///{file}"
            return
        with new_database(server_url(request.config)) as url:
            source = create_engine(f"sqlite:///{file}")
            _at(url, "0004", lambda db: _copy(source, db)).dispose()
            source.dispose()
            Store.open(url).close()
            yield url


@pytest.fixture(name="old")
def a_copy_of_the_old_store(brought: str, tmp_path: Path, pytestconfig: pytest.Config) -> Iterator[Store]:
    """A copy of it, open."""
    database = str(make_url(brought).database)
    with ExitStack() as ends:
        if brought.startswith("sqlite"):
            url = f"sqlite:///{shutil.copy(database, tmp_path)}"
        else:
            url = ends.enter_context(new_database(server_url(pytestconfig), like=database))
        store = Store.open(url)
        ends.callback(store.close)
        yield store


def _at(url: str, revision: str, fill: Any) -> Any:
    """An engine of a database as version `revision` left it, with what `fill` puts in."""
    made = engines.database_url(url)
    if made.drivername == "sqlite":
        Path(str(made.database)).parent.mkdir(exist_ok=True)
    engine = create_engine(made)
    with engine.begin() as conn:
        migrations.upgrade(conn, to=revision)
        fill(conn)
    return engine


def _copy(source: Any, db: Connection) -> None:
    theirs = MetaData()
    theirs.reflect(source)
    with source.connect() as conn:
        for table in theirs.sorted_tables:
            if table.name == "alembic_version":
                continue
            mine = Table(table.name, MetaData(), autoload_with=db)
            for column in mine.columns:
                if hasattr(column.type, "none_as_null"):
                    column.type.none_as_null = True
            rows = [dict(row) for row in conn.execute(select(table)).mappings()]
            if table.name == "messages":
                rows.sort(key=lambda row: row["seq"])
            if rows:
                db.execute(mine.insert(), rows)


def test_every_chat_branch_is_as_it_was(old: Store, expected: Any) -> None:
    listed = old.read(lambda db: chats.chats_of(db, OWNER))
    wanted = {chat["id"]: chat for chat in expected["chats"]}
    assert {chat.id: (chat.title, chat.updated_at) for chat in listed} == {
        id: (chat["title"], chat["updated_at"]) for id, chat in wanted.items()
    }
    assert len(listed) > 30
    for chat in listed:
        turns = old.read(lambda db, id=chat.id: chats.open_branch(db, OWNER, id))
        assert [_facts(turn) for turn in turns] == wanted[chat.id]["branch"], chat.title


@pytest.mark.row("C18")
def test_a_chat_from_before_gets_the_settings_of_its_last_call(old: Store, expected: Any) -> None:
    with_system = beside = 0
    for chat in expected["chats"]:
        form = old.read(lambda db, id=chat["id"]: chats.form_of(db, OWNER, id))
        turns = old.read(lambda db, id=chat["id"]: chats.all_turns(db, OWNER, id))
        made = [turn.call for turn in turns if turn.call]
        if not made:
            assert form is None
            continue
        last = max(made, key=lambda call: old.read(lambda db, id=call.id: _number(db, id)))
        sent = old.read(lambda db, id=last.id: records.messages_of(db, OWNER, id))
        system = sent[0].content if sent and sent[0].role == "system" else ""
        if any(turn.role == "system" for turn in turns):
            system = ""
        assert form is not None and form.system == system
        assert form.params == Params.recorded(last.params_asked)
        together = next(turn.together for turn in turns if turn.call == last)
        models = [
            f"{turn.call.endpoint}/{turn.call.model}" for turn in turns if turn.call and turn.together == together
        ]
        assert list(form.models) == (list(dict.fromkeys(models)) if together else [f"{last.endpoint}/{last.model}"])
        with_system += bool(system)
        beside += len(form.models) > 1
    assert with_system and beside


def _number(db: Connection, call: str) -> int:
    return int(db.execute(select(schema.calls.c.seq).where(schema.calls.c.id == call)).scalar_one())


def _facts(turn: chats.Turn) -> list[Any]:
    lists = [list(turn.images), list(turn.versions), list(turn.alternatives)]
    call = turn.call.id if turn.call else None
    return [turn.id, turn.role, turn.text, turn.begun, turn.reasoning, *lists, turn.left_out, turn.together, call]


def test_every_call_says_what_it_said_and_sends_what_it_sent(old: Store, expected: Any) -> None:
    for id, was in expected["calls"].items():
        call = old.read(lambda db, id=id: records.call_of(db, OWNER, id))
        assert call is not None
        sentence = recorded(call.error_record, call.error_text).sentence() if call.error_kind else ""
        assert (sentence, call.error_text) == (was["sentence"], was["original"])
        assert (call.state, [choice.text for choice in call.choices]) == (was["state"], was["texts"])
        assert (call.params_asked, call.params_sent, call.cost) == (was["asked"], was["sent"], was["cost"])
        usage = call.usage
        counts = [usage.prompt_tokens, usage.completion_tokens, usage.reasoning_tokens, usage.cached_tokens]
        assert [*counts, usage.source] == was["usage"]
        sent = old.read(lambda db, id=id: records.messages_of(db, OWNER, id))
        assert [message.model_dump(mode="json") for message in sent] == was["messages"]


def test_every_sweep_goes_on_where_it_was(old: Store, expected: Any) -> None:
    listed = {sweep.id: sweep for sweep in old.read(lambda db: sweeps.sweeps_of(db, OWNER))}
    assert listed.keys() == expected["sweeps"].keys() and len(listed) == 2
    for id, was in expected["sweeps"].items():
        sweep = listed[id]
        assert (sweep.title, sweep.total, sweep.done, sweep.failed) == tuple(
            was[name] for name in ("title", "total", "done", "failed")
        )
        progress = ProgressReader(old, OutcomeWriter(old)).of(OWNER, id)
        assert ([cell.id for cell in progress.left], progress.may_be_billed_twice) == (was["left"], was["twice"])
        found = old.read(lambda db, id=id: sweeps.results(db, OWNER, id))
        assert {cell: call.id for cell, call in found.items()} == was["results"]
        plan = old.read(lambda db, id=id: sweeps.plan_of(db, OWNER, id))
        assert plan is not None and [cell.id for cell in plan.cells(id)] == was["cells"]


def test_what_was_kept_under_several_ids_belongs_to_one_person(old: Store) -> None:
    kept = old.read(lambda db: favourites.of(db, OWNER))
    assert kept.starred == ("local/practice", "apiyi/claude-3", "apiyi/gpt-4o", "apiyi/o3")
    assert kept.recent == ("apiyi/gpt-4o", "apiyi/claude-3")
    presets = old.read(lambda db: PRESETS.own(db, OWNER))
    assert {name: values["temperature"] for name, values in presets.items()} == {
        "Mine": 0.1,
        "Only A": 0.3,
        "Mine (2)": 0.9,
    }
    assert old.read(lambda db: TEMPLATES.own(db, OWNER)) == {"Mail": {"text": "Write to {{name}}"}}
    assert old.read(lambda db: preferences.get(db, OWNER, "language")) == "en"
    refused = old.read(lambda db: [row.param for row in db.execute(select(schema.refused_params))])
    assert sorted(refused) == ["logit_bias", "temperature", "top_p"]
    owners = {
        owner
        for table in schema.metadata.sorted_tables
        if "owner" in table.c
        for owner in old.read(lambda db, table=table: db.execute(select(table.c.owner).distinct()).scalars().all())
    }
    assert owners == {OWNER}


def test_texts_are_there_once_and_the_next_turn_adds_only_itself(old: Store, expected: Any) -> None:
    call = next(id for id, was in expected["calls"].items() if len(was["messages"]) > 20)
    sent = old.read(lambda db: records.messages_of(db, OWNER, call))

    def count(db: Connection) -> int:
        return len(db.execute(select(schema.message_nodes.c.hash)).all())

    before = old.read(count)
    old.write(lambda db: message_nodes.keep(db, OWNER, sent)).result(20)
    assert old.read(count) == before
    further = [*sent, Message(role="user", content="one more")]
    old.write(lambda db: message_nodes.keep(db, OWNER, further)).result(20)
    assert old.read(count) == before + 1


def test_the_sums_are_those_of_the_rows(old: Store) -> None:
    assert old.read(differences) == []
    assert old.write(lambda db: records.interrupt_orphans(db, process_lock.ID)).result(20) == 1
    assert old.read(differences) == []
    found = old.read(lambda db: db.execute(text("SELECT sum(calls) FROM usage_days")).scalar())
    assert found == old.read(lambda db: db.execute(text("SELECT count(*) FROM calls")).scalar())


FIRST_CALL = {
    **dict(id="c1", owner="one", session="s", page="chat", attempt=1, endpoint="apiyi", model="gpt-4o"),
    **dict(model_answered="gpt-4o", params_asked={"n": 1}, params_sent={"n": 1}, state="ok", usage_source="reported"),
    **dict(messages=[{"role": "user", "content": "Hi 你好"}], prompt_tokens=3, completion_tokens=5, started_at=10**15),
    **dict(choices=[{"text": "Hello", "reasoning": "", "finish_reason": "stop"}], finish_reason="stop", cost=0.5),
    **dict(error_kind="", error_text="", error_record={}, request_id="r", billed="yes", attempts=1, process="p"),
}


# What begins at the first version takes the steps of the others too.
@pytest.mark.parametrize(
    "revision",
    ["0001", pytest.param("0002", marks=pytest.mark.soak), pytest.param("0003", marks=pytest.mark.soak), "0004"],
)
def test_a_store_of_each_version_is_copied_and_brought_to_todays(url: str, revision: str, tmp_path: Path) -> None:
    def fill(db: Connection) -> None:
        tables = MetaData()
        tables.reflect(db)
        for table in tables.tables.values():
            for column in table.columns:
                if hasattr(column.type, "none_as_null"):
                    column.type.none_as_null = True
        put = lambda name, *rows: db.execute(tables.tables[name].insert(), list(rows))  # noqa: E731
        put("calls", FIRST_CALL, {**FIRST_CALL, "id": "c2", "owner": "two", "messages": None, "choices": []})
        put("chats", {"id": "chat", "owner": "one", "title": "Old", "created_at": 1, "updated_at": 2, "head": "m2"})
        place = {"owner": "one", "chat_id": "chat", "choice": 0, "created_at": 1}
        put("messages", {**place, "id": "m1", "role": "user", "content": "Hi 你好"})
        put("messages", {**place, "id": "m2", "role": "assistant", "parent_id": "m1", "call_id": "c1"})
        put("settings", {"owner": "one", "name": "language", "value": "en"})
        if revision >= "0002":
            plan = sweeps.Plan("p", ("apiyi/gpt-4o",), (1.0,)).to_json()
            row = {"id": "sw", "owner": "two", "session": "s", "title": "Swept", "plan": plan, "created_at": 1}
            put("sweeps", row)
            cell = {"id": "cell", "owner": "two", "sweep_id": "sw", "row": 0, "column": 0, "repeat": 0}
            put("cells", {**cell, "model": "apiyi/gpt-4o", "temperature": 1.0})
            put("calls", {**FIRST_CALL, "id": "c3", "owner": "two", "page": "sweep", "cell_id": "cell"})
        if revision >= "0003":
            put("learned", {"owner": "one", "base_url": "u", "model": "m", "param": "top_p", "learned_at": 2**60})
        if revision >= "0004":
            put("images", *({"owner": owner, "id": "i", "url": "data:,x"} for owner in ("one", "two")))

    _at(url, revision, fill).dispose()
    store = Store.open(url, tmp_path / "copies")
    [copy] = [*tmp_path.rglob(f"*.before-{migrations.NEWEST}-*")]
    assert "a copy from before" in store.upgraded.sentence() and copy.stat().st_mode & 0o777 == 0o600
    with sqlite3.connect(copy) as conn:
        assert conn.execute("SELECT version_num FROM alembic_version").fetchone() == (revision,)
        assert conn.execute("SELECT count(*) FROM calls WHERE messages IS NULL").fetchone() == (1,)
    conn.close()
    turns = store.read(lambda db: chats.open_branch(db, OWNER, "chat"))
    assert [turn.text for turn in turns] == ["Hi 你好", "Hello"]
    assert turns[1].call is not None and turns[1].call.cost == 0.5
    assert store.read(lambda db: records.messages_of(db, OWNER, "c1")) == [Message(role="user", content="Hi 你好")]
    temporary = select(schema.calls.c.temporary).where(schema.calls.c.id == "c2")
    assert store.read(lambda db: db.execute(temporary).scalar()) is True
    if revision >= "0002":
        assert set(store.read(lambda db: sweeps.results(db, OWNER, "sw"))) == {"cell"}
    if revision >= "0003":
        assert store.read(lambda db: unsupported_params.known(db, OWNER, "u", "m")) == {"top_p"}
    store.write(lambda db: records.start_call(db, a_call(OWNER), "p")).result(20)  # numbers go on after the old ones
    assert store.read(differences) == []
    other = Store.in_memory()
    backup.restore(other, copy, tmp_path)
    assert [turn.text for turn in other.read(lambda db: chats.open_branch(db, OWNER, "chat"))] == ["Hi 你好", "Hello"]
    other.close()
    store.close()


@pytest.mark.row("C18")
def test_a_standing_prompt_becomes_a_setting_and_a_system_message_of_the_chat_stays_one(
    url: str, tmp_path: Path
) -> None:
    sent = [{"role": "system", "content": "Rhyme."}, {"role": "user", "content": "Hi"}]

    def fill(db: Connection) -> None:
        tables = MetaData()
        tables.reflect(db)
        put = lambda name, row: db.execute(tables.tables[name].insert(), [row])  # noqa: E731
        for chat in ("prompted", "written"):
            put("calls", {**FIRST_CALL, "id": chat, "messages": sent, "params_asked": {"temperature": 0.5}})
            row = {"id": chat, "owner": "one", "title": chat, "created_at": 1, "updated_at": 2, "head": f"{chat}-2"}
            put("chats", row)
            place = {"owner": "one", "chat_id": chat, "choice": 0, "created_at": 1}
            if chat == "written":
                put("messages", {**place, "id": "written-0", "role": "system", "content": "Rhyme."})
            parent = "written-0" if chat == "written" else None
            put("messages", {**place, "id": f"{chat}-1", "role": "user", "content": "Hi", "parent_id": parent})
            answer = {"id": f"{chat}-2", "role": "assistant", "parent_id": f"{chat}-1", "call_id": chat}
            put("messages", {**place, **answer})

    _at(url, "0004", fill).dispose()
    store = Store.open(url, tmp_path / "copies")
    forms = [store.read(lambda db, id=id: chats.form_of(db, OWNER, id)) for id in ("prompted", "written")]
    store.close()
    assert forms == [Form("apiyi/gpt-4o", system, Params(temperature=0.5)) for system in ("Rhyme.", "")]
