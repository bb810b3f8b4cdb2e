"""A call is recorded before it is made, and ends exactly once."""

import io
import json
import logging
import threading
from dataclasses import replace

import pytest
from sqlalchemy import select, text
from streamlit.testing.v1 import AppTest

from lib.calls import call_log, records
from lib.core.clock import now
from lib.core.parameters import Params
from lib.core.reply import Delta, Reply, State, Usage
from lib.gateway.usage_report import usage_of
from lib.store import process_lock, schema
from lib.store.database import Store
from lib.ui.shared import resources
from lib.visitor import LOCAL_OWNER
from tests.pages import ask
from tests.store_fixtures import a_call, a_reply, an_outcome, calls_of, start


def one(store: Store, call_id: str, owner: str = "ann") -> records.CallRecord:
    record = store.read(lambda db: records.call_of(db, owner, call_id))
    assert record is not None
    return record


def finish(store: Store, call_id: str, *texts: str, state: State = "ok") -> bool:
    return store.write(lambda db: records.finish_call(db, call_id, an_outcome(*texts, state=state))).result(20)


def test_a_started_call_is_recorded_as_it_will_be_sent(store: Store) -> None:
    before = now()
    call = start(store, a_call(params=Params(temperature=0.5, stop=("a", "b"))))
    record = one(store, call.id)
    assert (record.state, record.billed, record.choices, record.cost) == ("started", "unknown", (), None)
    assert record.params_asked == record.params_sent == {"temperature": 0.5, "stop": ["a", "b"]}
    assert before <= record.started_at <= now()
    assert store.read(lambda db: records.messages_of(db, "ann", call.id)) == list(call.request.messages)


def test_a_finished_call_has_every_fact_of_its_outcome(store: Store) -> None:
    call = start(store, a_call())
    outcome = an_outcome("yes", "no", first_token_seconds=0.4, error_kind="x", error_text="y", attempts=2)
    sent = {"temperature": 0.1}
    assert store.write(lambda db: records.finish_call(db, call.id, outcome, params_sent=sent)).result(20)
    record = one(store, call.id)
    assert [(choice.text, choice.reasoning, choice.finish_reason) for choice in record.choices] == [
        ("yes", "hm", "stop"),
        ("no", "hm", "stop"),
    ]
    assert record.usage == outcome.usage
    assert (record.seconds, record.first_token_seconds, record.cost) == (1.5, 0.4, 0.01)
    assert (record.model, record.model_answered, record.request_id) == ("gpt-4o", "gpt-4o-2024", "req_1")
    assert (record.error_kind, record.error_text, record.attempts, record.finish_reason) == ("x", "y", 2, "stop")
    assert record.params_sent == sent and record.params_asked == {"temperature": 0.5}


def test_what_a_service_reports_and_each_attempt_are_kept_beside_the_call(store: Store) -> None:
    call = start(store, replace(a_call(sweep_id="sw"), chat_id="ch"))
    report = {"prompt_tokens": 3, "completion_tokens": 5, "cost": 0.25}
    times = ({"queued": 0.0, "sent": 0.1, "end": 0.2, "error": "rate_limited"}, {"queued": 1.2, "first_word": 1.4})
    usage = usage_of(report)
    assert usage is not None
    outcome = an_outcome("hi", attempt_times=times, price=(2.5, 10.0), cost_source="reported")
    outcome.usage = usage
    outcome.choices[0].parts = [{"type": "image", "id": "i"}]
    assert store.write(lambda db: records.finish_call(db, call.id, outcome)).result(20)
    query = select(schema.calls, schema.call_details).join(schema.call_details).where(schema.calls.c.id == call.id)
    row = store.read(lambda db: db.execute(query.where(schema.calls.c.owner == "ann")).one())
    assert (row.usage_received, row.cost_reported, row.cost_source) == (report, 0.25, "reported")
    assert (row.prompt_price, row.completion_price, row.price_currency) == (2.5, 10.0, "USD")
    assert row.attempt_times == list(times) and (row.chat_id, row.sweep_id, row.temporary) == ("ch", "sw", False)
    assert one(store, call.id).choices[0].parts == ({"type": "image", "id": "i"},)


def test_each_attempt_is_recorded_with_its_times(app: AppTest) -> None:
    ask(app, "Hello", "error-429-once")
    ask(app, "Again", "echo")
    last, first = resources.services().store.read(lambda db: calls_of(db, LOCAL_OWNER))
    refused, answered = first.attempt_times
    assert (
        set(refused) == {"queued", "admitted", "connected", "sent", "end", "error"}
        and refused["error"] == "rate_limited"
    )
    whole = ["queued", "admitted", "connected", "sent", "first_word", "end"]
    for times in (answered, *last.attempt_times):  # over a new connection, and over one that was kept
        assert sorted(times, key=lambda name: whole.index(name) if name in whole else 9) == [*whole, "error"]
        assert [times[name] for name in whole] == sorted(times[name] for name in whole)
    assert refused["end"] <= answered["queued"]


def test_equal_requests_have_equal_hashes_and_share_their_texts(store: Store) -> None:
    first, second = start(store, a_call(text="same")), start(store, a_call(text="same", endpoint="other"))
    third, hidden = start(store, a_call(text="different")), start(store, a_call(text="same", temporary=True))
    query = select(schema.calls.c.id, schema.calls.c.request_hash).where(schema.calls.c.owner == "ann")
    hashes = dict(store.read(lambda db: [tuple(row) for row in db.execute(query)]))
    assert hashes[first.id] == hashes[second.id] != hashes[third.id] and hashes[hidden.id] is None
    assert len(store.read(lambda db: db.execute(select(schema.texts)).all())) == 2


def test_a_late_record_takes_the_place_of_an_interruption(store: Store) -> None:
    call = a_call()
    store.write(lambda db: records.start_call(db, call, "0123" * 8)).result(20)
    store.write(lambda db: records.interrupt_orphans(db, process_lock.ID)).result(20)
    assert not finish(store, call.id, "late")
    late = an_outcome("late")
    assert store.write(lambda db: records.finish_call(db, call.id, late, late=True)).result(20)
    assert (one(store, call.id).state, one(store, call.id).choices[0].text) == ("ok", "late")
    assert not store.write(lambda db: records.finish_call(db, call.id, late, late=True)).result(20)


def test_a_call_ends_exactly_once(store: Store) -> None:
    call = start(store, a_call())
    go = threading.Event()
    store.write(lambda db: go.wait(10))
    ends = [
        store.write(lambda db, state=state: records.finish_call(db, call.id, an_outcome(state, state=state)))
        for state in ("cancelled", "ok", "error")
    ]
    go.set()
    assert [end.result(20) for end in ends] == [True, False, False]
    assert one(store, call.id).state == "cancelled" and one(store, call.id).choices[0].text == "cancelled"
    assert not store.write(lambda db: records.finish_call(db, "nobody", an_outcome())).result(20)


def test_checkpoints_keep_the_text_so_far_until_the_end(store: Store) -> None:
    call = start(store, a_call())
    store.write(lambda db: records.checkpoint(db, call.id, a_reply("half"))).result(20)
    assert one(store, call.id).choices[0].text == "half" and one(store, call.id).state == "started"
    finish(store, call.id, "whole")
    store.write(lambda db: records.checkpoint(db, call.id, a_reply("late"))).result(20)
    assert one(store, call.id).choices[0].text == "whole"


def test_calls_of_a_dead_process_are_interrupted_with_their_text(store: Store) -> None:
    dead, own = a_call(), start(store, a_call())
    done = a_call()
    for call in (dead, done):
        store.write(lambda db, call=call: records.start_call(db, call, "0123" * 8)).result(20)
    store.write(lambda db: records.checkpoint(db, dead.id, a_reply("half"))).result(20)
    finish(store, done.id, "whole")
    sweep = [store.write(lambda db: records.interrupt_orphans(db, process_lock.ID)) for _ in range(2)]
    assert [each.result(20) for each in sweep] == [1, 0]
    record = one(store, dead.id)
    assert (record.state, record.billed, record.choices[0].text) == ("interrupted", "unknown", "half")
    assert one(store, own.id).state == "started" and one(store, done.id).state == "ok"
    assert not finish(store, dead.id, "too late")


def test_a_temporary_call_is_counted_but_its_texts_are_nowhere(store: Store, url: str) -> None:
    call = start(store, a_call(text="CANARY one", temporary=True))
    store.write(lambda db: records.checkpoint(db, call.id, a_reply("CANARY two"))).result(20)
    outcome = an_outcome("CANARY three", error_text="you said CANARY")
    store.write(lambda db, call=call, outcome=outcome: records.finish_call(db, call.id, outcome)).result(20)
    record = one(store, call.id)
    assert record.state == "ok" and record.usage.prompt_tokens == 3 and record.finish_reason == "stop"
    assert "CANARY" not in str(store.read(lambda db: db.execute(text("SELECT * FROM calls")).all()))
    assert store.read(lambda db: records.messages_of(db, "ann", call.id)) == []


def test_lists_are_newest_first_by_owner_and_session(store: Store) -> None:
    ids = [start(store, a_call(session=session)).id for session in ("s1", "s2", "s1")]
    start(store, a_call(owner="bob", session="s1"))
    assert [call.id for call in store.read(lambda db: calls_of(db, "ann"))] == ids[::-1]
    assert [call.id for call in store.read(lambda db: calls_of(db, "ann", "s1"))] == [ids[2], ids[0]]
    assert [call.id for call in store.read(lambda db: calls_of(db, "ann", limit=1))] == [ids[2]]


def test_each_call_of_a_cell_is_its_next_attempt(store: Store) -> None:
    ids = [start(store, a_call(cell_id="c1")).id for _ in range(3)]
    other = start(store, a_call(owner="bob", cell_id="c1"))
    assert [one(store, call_id).attempt for call_id in ids] == [1, 2, 3]
    assert one(store, other.id, "bob").attempt == 1


@pytest.mark.row("T13")
def test_another_owners_call_is_not_found(store: Store) -> None:
    call = start(store, a_call())
    assert store.read(lambda db: records.call_of(db, "bob", call.id)) is None
    assert store.read(lambda db: calls_of(db, "bob")) == []
    assert store.read(lambda db: calls_of(db, "bob", "s1")) == []
    assert store.read(lambda db: records.messages_of(db, "bob", call.id)) == []


@pytest.mark.row("T11")
def test_whatever_a_service_sends_can_be_recorded(subtests: pytest.Subtests, store: Store) -> None:
    for words in ["a\0b", "\ud800", "\x1b[31m", "'; DROP TABLE calls; --", "\N{GRINNING FACE}"]:
        with subtests.test(words=words[:40]):
            reply = Reply(model=words, request_id=words)
            reply.add(Delta(text=words, finish_reason=words))
            call = start(store, a_call(text=words, session=words))
            reply.usage = Usage(10**30, -(10**30), None, 0, "reported")
            outcome = an_outcome(reply=reply, error_text=words, error_record={"what": words})
            assert store.write(lambda db, call=call, outcome=outcome: records.finish_call(db, call.id, outcome)).result(
                20
            )
            record = one(store, call.id)
            assert (
                record.choices[0].text
                == record.model_answered
                == words.replace("\0", "\ufffd").replace("\ud800", "\ufffd")
            )
            assert (record.usage.prompt_tokens, record.usage.completion_tokens) == (2**63 - 1, -(2**63))


@pytest.mark.row("T11")
def test_a_line_of_the_log_is_one_plain_line_whatever_a_model_is_called() -> None:
    """What moves a terminal's cursor, ends a line or turns its order is written as JSON's escape."""
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    level = call_log.log.level
    call_log.log.addHandler(handler)
    call_log.log.setLevel(logging.INFO)
    call = a_call()
    call = replace(call, request=replace(call.request, model="m\x1b[2J\r\n\x9b2J\u2028\u202e"))
    try:
        call_log.write(call, Reply(state="ok"))
    finally:
        call_log.log.setLevel(level)
        call_log.log.removeHandler(handler)

    assert written.getvalue().isascii() and written.getvalue().rstrip("\n").isprintable()
    assert json.loads(written.getvalue())["model"] == call.request.model
