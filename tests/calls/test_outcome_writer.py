"""A whole, paid answer is never lost because its final write failed, and never saved against a delete."""

import asyncio
import json
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, text

from lib.background import Job, Jobs
from lib.calls import outcome_writer, records, usage_rollups
from lib.calls.outcome_writer import Outcome, OutcomeWriter
from lib.core.parameters import Params
from lib.core.request import Call
from lib.store import engines, process_lock
from lib.store.database import Store
from lib.store.fallback_file import FallbackFile
from tests.store_fixtures import ROOT, a_call, an_outcome, calls_of, refuses, start

PLACE = "chat-1"


class Held:
    """A fault: the store's tables can't be written while it is on."""

    def __init__(self, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
        self.store = store
        self.on = False
        refuses(monkeypatch, store, lambda: sqlite3.OperationalError("disk I/O error") if self.on else None)


def final(call: Call, *texts: str, started: bool = True, **facts: Any) -> Outcome:
    return Outcome(call, an_outcome(*texts, **facts), {"n": 1}, process_lock.ID, PLACE, started, 5)


def write(jobs: Jobs, outcomes: OutcomeWriter, record: Outcome) -> bool:
    return jobs.call(outcomes.write(record), 20)


def until(held: OutcomeWriter, jobs: Jobs) -> None:
    """Wait until nothing is held any more."""

    async def wait() -> None:
        assert held._retrying is not None
        await held._retrying

    jobs.call(wait(), 30)
    assert len(held) == 0


def found(store: Store, call_id: str, owner: str = "ann") -> records.CallRecord:
    record = store.read(lambda db: records.call_of(db, owner, call_id))
    assert record is not None
    return record


def test_a_record_comes_back_from_json_as_it_was() -> None:
    call = a_call(text="hi", params=Params(temperature=0.5, n=2), cell_id="cell")
    record = final(call, "one", "two\ud83d", started=False, error_kind="x", error_record={"what": "y"})
    written = json.loads(json.dumps(record.to_json()))
    assert Outcome.from_json(written) == record
    assert (written["place"], written["sent"]) == (PLACE, {"n": 1}), "what is on disk keeps its name"


def test_a_refused_record_is_held_and_tried_again_until_it_is_in(
    store: Store, jobs: Jobs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    outcomes, fault, call = (
        OutcomeWriter(store, FallbackFile.open(tmp_path)),
        Held(store, monkeypatch),
        start(store, a_call()),
    )
    fault.on = True
    assert write(jobs, outcomes, final(call, "whole")) is False
    assert found(store, call.id).state == "started" and outcomes.held_of("ann") == 1 and outcomes.held_of("bob") == 0
    held = outcomes.of_call(call.id)
    assert held is not None and held.as_record().choices[0].text == "whole"
    fault.on = False
    until(outcomes, jobs)
    assert (found(store, call.id).state, found(store, call.id).choices[0].text) == ("ok", "whole")
    outcomes.close()
    assert b"whole" not in (tmp_path / "unsaved-1.spill").read_bytes()


def test_one_that_is_refused_for_ever_does_not_keep_the_others_out(
    store: Store, jobs: Jobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    outcomes, fault = OutcomeWriter(store), Held(store, monkeypatch)
    bad, good = start(store, a_call()), start(store, a_call())
    fault.on = True
    for call in (bad, good):
        write(jobs, outcomes, final(call, "whole"))
    record = outcomes._held[bad.id]
    outcomes._held[bad.id] = Outcome(record.call, record.reply, {"n": object()}, "p", PLACE)
    fault.on = False

    async def wait() -> None:
        while len(outcomes) > 1:
            await outcome_writer.asyncio.sleep(0.01)  # type: ignore[attr-defined]

    jobs.call(wait(), 20)
    assert found(store, good.id).state == "ok" and outcomes.of_call(bad.id) is not None
    outcomes.forget("ann", PLACE)


def test_a_call_whose_beginning_was_refused_is_saved_whole_later(store: Store, jobs: Jobs) -> None:
    outcomes, call = OutcomeWriter(store), a_call(text="a question")
    assert write(jobs, outcomes, final(call, "an answer", started=False))
    record = found(store, call.id)
    assert (record.state, record.choices[0].text, record.started_at) == ("ok", "an answer", 5)
    assert store.read(lambda db: records.messages_of(db, "ann", call.id)) == list(call.request.messages)
    assert write(jobs, outcomes, final(call, "twice", started=False)) is False
    assert len(store.read(lambda db: calls_of(db, "ann"))) == 1


def test_a_call_that_somebody_else_closed_as_interrupted_gets_its_whole_answer(store: Store, jobs: Jobs) -> None:
    call = a_call()
    store.write(lambda db: records.start_call(db, call, "0123" * 8)).result(20)
    assert store.write(lambda db: records.interrupt_orphans(db, process_lock.ID)).result(20) == 1
    assert write(jobs, OutcomeWriter(store), final(call, "whole"))
    assert (found(store, call.id).state, found(store, call.id).choices[0].text) == ("ok", "whole")


def test_whoever_is_cancelled_meanwhile_hears_all_the_same_how_it_was_written(jobs: Jobs, store: Store) -> None:
    outcomes, call, go_on = OutcomeWriter(store), start(store, a_call()), threading.Event()
    store.write(lambda db: go_on.wait(20))  # what is written next has to wait

    async def work() -> bool:
        writing = asyncio.ensure_future(outcomes.write(final(call, "whole")))
        for _ in range(3):
            await asyncio.sleep(0)
            writing.cancel()
        await asyncio.sleep(0)
        go_on.set()
        return await writing

    assert jobs.call(work(), 20)
    assert len(outcomes) == 0


def test_what_cannot_be_written_outlives_the_process(url: str, tmp_path: Path, jobs: Jobs) -> None:
    """With a lock that another program holds, the record is in the fallback file before the store gives up."""
    store = Store.open(url)
    outcomes, call = OutcomeWriter(store, FallbackFile.open(tmp_path)), start(store, a_call())
    job, record = Job("write"), final(call, "whole")
    with held_lock(store, url):

        async def writing() -> None:
            await outcomes.write(record)

        jobs.start(job, writing())
        while not outcomes._fallback._spans:
            assert not job.wait_until_finished(0.01)
        spilled = (tmp_path / "unsaved-1.spill").read_bytes()
    assert job.wait_until_finished(20)
    store.close()
    # As after a power cut at that moment: the file as it was then, the row as it was then.
    outcomes._fallback.close()
    (tmp_path / "unsaved-1.spill").write_bytes(spilled)
    again = Store.open(url)
    again.write(reopen).result(20)
    second = OutcomeWriter(again, FallbackFile.open(tmp_path))
    second.take_over()
    assert (found(again, call.id).state, found(again, call.id).choices[0].text) == ("ok", "whole")
    assert len(second) == 0
    second.close(), again.close()


def reopen(db: Connection) -> None:
    """Take all calls back to where they were begun."""
    db.execute(text("DELETE FROM answers"))
    db.execute(text("UPDATE calls SET state = 'started'"))
    usage_rollups.rebuild_all(db)


class held_lock:
    """While it lasts, another program has the tables locked."""

    def __init__(self, store: Store, url: str) -> None:
        self._engine = store._writer.dialect.name
        self._url = url

    def __enter__(self) -> None:
        if self._engine == "sqlite":
            self._lite = sqlite3.connect(self._url.removeprefix("sqlite:///"), isolation_level=None)
            self._lite.execute("BEGIN IMMEDIATE")
        else:
            self._writer, _ = engines.postgresql_engines(engines.database_url(self._url))
            self._conn = self._writer.connect()
            self._conn.execute(text("LOCK TABLE calls IN ACCESS EXCLUSIVE MODE"))

    def __exit__(self, *_: object) -> None:
        if self._engine == "sqlite":
            self._lite.close()
        else:
            self._conn.close()
            self._writer.dispose()


def test_a_deleted_chat_or_sweep_is_forgotten_and_stays_so(
    store: Store, jobs: Jobs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    outcomes, fault = OutcomeWriter(store, FallbackFile.open(tmp_path)), Held(store, monkeypatch)
    first, late, other = (start(store, a_call()) for _ in range(3))
    fault.on = True
    write(jobs, outcomes, final(first, "CANARY one"))
    outcomes.forget("bob", PLACE)
    assert outcomes.of_call(first.id) is not None
    outcomes.forget("ann", PLACE)
    write(jobs, outcomes, final(late, "CANARY two"))
    assert len(outcomes) == 0
    outcomes.remember("ann", PLACE)
    write(jobs, outcomes, final(other, "kept"))
    assert len(outcomes) == 1
    data = (tmp_path / "unsaved-1.spill").read_bytes()
    assert b"CANARY" not in data and b"kept" in data
    outcomes.forget("ann", PLACE)
    fault.on = False
    outcomes.close()


def test_the_texts_of_a_temporary_chat_never_come_into_the_fallback_file(
    store: Store, jobs: Jobs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    outcomes, fault = OutcomeWriter(store, FallbackFile.open(tmp_path)), Held(store, monkeypatch)
    call = start(store, a_call(text="CANARY one", temporary=True))
    fault.on = True
    write(jobs, outcomes, final(call, "CANARY two", error_text="CANARY three"))
    data = (tmp_path / "unsaved-1.spill").read_bytes()
    assert call.id.encode() in data and b"CANARY" not in data
    assert "CANARY" not in str(outcomes.of_call(call.id))
    fault.on = False
    until(outcomes, jobs)
    assert found(store, call.id).state == "ok"
    outcomes.close()


def test_what_is_held_has_a_bound(store: Store, jobs: Jobs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outcome_writer, "MOST_BYTES", 5_000)
    outcomes, fault = OutcomeWriter(store), Held(store, monkeypatch)
    calls = [start(store, a_call()) for _ in range(5)]
    fault.on = True
    for call in calls:
        write(jobs, outcomes, final(call, "x" * 2_000))
    assert len(outcomes) == 1 and outcomes.lost == 4
    outcomes.forget("ann", PLACE)
    fault.on = False


KILLED = """
import sys, sqlite3
from pathlib import Path
from lib.calls import outcome_writer, records
from lib.calls.outcome_writer import Outcome, OutcomeWriter
from lib.background import Jobs
from lib.store import process_lock
from lib.store.database import Store
from lib.store.fallback_file import FallbackFile
from tests.store_fixtures import a_call, an_outcome, start
store = Store.open(sys.argv[1])
outcomes, call = OutcomeWriter(store, FallbackFile.open(Path(sys.argv[2]))), start(store, a_call())
other = sqlite3.connect(sys.argv[1].removeprefix("sqlite:///"), isolation_level=None)
other.execute("BEGIN IMMEDIATE")
Jobs().call(outcomes.write(Outcome(call, an_outcome("whole"), {}, process_lock.ID)), 60)
print(call.id, flush=True)
sys.stdin.read()
"""


def test_kill_9_with_a_locked_database_loses_no_answer(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 't.db'}"
    command = [sys.executable, "-c", KILLED, url, str(tmp_path)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True) as process:
        assert process.stdout
        call_id = process.stdout.readline().strip()
        process.kill()
    store = Store.open(url)
    outcomes = OutcomeWriter(store, FallbackFile.open(tmp_path))
    outcomes.take_over()
    store.write(lambda db: records.interrupt_orphans(db, process_lock.ID)).result(20)
    assert (found(store, call_id).state, found(store, call_id).choices[0].text) == ("ok", "whole")
    outcomes.close(), store.close()
