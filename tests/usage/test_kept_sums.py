"""The sums that are kept are those of the calls, whatever happens to them."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from sqlalchemy import func, select, update

from lib.calls import records, repricing, usage_rollups
from lib.chat import repository as chats
from lib.core.prices import Price
from lib.core.reply import Usage
from lib.core.request import Message
from lib.store import schema
from lib.store.database import Store
from lib.usage import queries
from lib.usage.scope import Scope
from lib.usage.totals import total
from tests.kept_sums import differences
from tests.store_fixtures import REPORTED, a_call, an_outcome, record

QUARTER = 900 * 1_000_000
MOMENTS = [day * 96 * QUARTER + offset for day in (0, 1, 20_000) for offset in (0, QUARTER - 1, QUARTER, 5 * QUARTER)]
COUNT = st.none() | st.integers(0, 10**9) | st.just(2**62)
ENDS = st.fixed_dictionaries(
    {
        "state": st.sampled_from(["ok", "partial", "error", "cancelled"]),
        "billed": st.sampled_from(["yes", "no", "unknown"]),
        "cost": st.none() | st.floats(0, 1e6, allow_nan=False),
    }
)
FINISH = st.sampled_from(["stop", "length", "content_filter", None])


class History(RuleBasedStateMachine):
    """Calls begin, end, are orphaned, get late records and other prices, and are deleted with their chats."""

    def __init__(self) -> None:
        super().__init__()
        self.store = Store.in_memory()
        self.running: list[str] = []
        self.ended: list[tuple[str, str]] = []
        self.orphans: list[str] = []
        self.chats: list[tuple[str, str]] = []

    def teardown(self) -> None:
        self.store.close()

    def do(self, work: Any) -> Any:
        return self.store.write(work).result(20)

    @rule(
        owner=st.sampled_from(["ann", "bob"]),
        session=st.sampled_from(["s1", "s2"]),
        model=st.sampled_from(["gpt-4o", "claude"]),
        at=st.sampled_from(MOMENTS),
        temporary=st.booleans(),
    )
    def begin(self, owner: str, session: str, model: str, at: int, temporary: bool) -> None:
        call = a_call(owner, session=session, temporary=temporary)
        call = replace(call, request=replace(call.request, model=model))

        def work(db: Any) -> str:
            chat = chats.new_chat(db, owner, "chat")
            records.start_call(db, call, "dead" * 8)
            # owner: the call is the one just made.
            db.execute(update(schema.calls).where(schema.calls.c.id == call.id).values(started_at=at))
            chats.add_answers(db, owner, chat, None, call.id, 1)
            return chat

        self.chats.append((owner, self.do(work)))
        self.running.append(call.id)

    @precondition(lambda self: self.running)
    @rule(end=ENDS, prompt=COUNT, completion=COUNT, finish=FINISH, source=st.sampled_from(["reported", "estimated"]))
    def finish(self, end: Any, prompt: Any, completion: Any, finish: Any, source: Any) -> None:
        reply = an_outcome("words", **end, usage=Usage(prompt, completion, None, prompt, source))
        reply.choices[0].finish_reason = finish
        self.do(lambda db: records.finish_call(db, self.running.pop(0), reply))

    @precondition(lambda self: self.running)
    @rule()
    def the_process_dies(self) -> None:
        self.do(lambda db: records.interrupt_orphans(db, "living" * 5))
        self.orphans, self.running = self.orphans + self.running, []

    @precondition(lambda self: self.orphans)
    @rule(end=ENDS, prompt=COUNT)
    def a_late_record_comes(self, end: Any, prompt: Any) -> None:
        reply = an_outcome("late", **end, usage=Usage(prompt, 5, source="reported"))
        id = self.orphans.pop()
        self.do(lambda db: records.finish_call(db, id, reply))
        self.do(lambda db: records.finish_call(db, id, reply, late=True))

    @rule(price=st.floats(0, 10, allow_nan=False) | st.none())
    def prices_are_computed_anew(self, price: float | None) -> None:
        def work(db: Any) -> None:
            seqs = list(db.execute(select(schema.calls.c.seq).where(schema.calls.c.owner == "ann")).scalars())
            usage_rollups.uncount(db, seqs)
            db.execute(update(schema.calls).where(schema.calls.c.owner == "ann").values(cost=price))

        self.do(work)

    @rule()
    def what_has_ended_is_counted(self) -> None:
        self.do(usage_rollups.count)

    @precondition(lambda self: self.chats)
    @rule(for_good=st.booleans(), pick=st.integers(0, 99))
    def delete_a_chat(self, for_good: bool, pick: int) -> None:
        owner, chat = self.chats.pop(pick % len(self.chats))
        self.do(lambda db: chats.erase(db, owner, chat) if for_good else chats.purge(db, owner, chat, 1000))

    @invariant()
    def the_sums_are_those_of_the_calls(self) -> None:
        assert self.store.read(differences) == []
        counted = select(func.count()).select_from(schema.calls).where(schema.calls.c.owner == "ann")
        shown = total(self.store.read(lambda db: queries.by_model(db, Scope("ann"))))
        slices = self.store.read(lambda db: queries.by_slice(db, Scope("ann"), 900))
        assert shown.calls == self.store.read(lambda db: db.execute(counted).scalar())
        assert shown.calls == sum(part.calls for part in slices)
        assert shown.calls == sum(
            getattr(shown, name) for name in ("reported", "estimated", "unknown", "unbilled", "running")
        )
        first = select(func.min(schema.calls.c.started_at)).where(schema.calls.c.owner == "ann")
        assert shown.first_at == self.store.read(lambda db: db.execute(first).scalar())

    @invariant()
    def what_nothing_uses_is_gone(self) -> None:
        tables = schema.texts, schema.message_nodes, schema.answers, schema.call_details
        if not self.store.read(lambda db: db.execute(select(schema.calls.c.id)).first()):
            assert [self.store.read(lambda db, t=table: len(db.execute(select(t)).all())) for table in tables] == [
                0
            ] * 4


TestHistory = History.TestCase
TestHistory.settings = hypothesis_settings(max_examples=6, stateful_step_count=15, deadline=None, database=None)


def test_a_sum_that_is_wrong_is_found(store: Store) -> None:
    """On both databases: one wrong number, one row too few and one too many."""
    call = a_call()
    store.write(lambda db: records.start_call(db, call, "p")).result(20)
    store.write(lambda db: records.finish_call(db, call.id, an_outcome("hi"))).result(20)
    store.write(usage_rollups.count).result(20)
    assert store.read(differences) == []
    wrong = update(schema.usage_days).values(prompt_tokens=schema.usage_days.c.prompt_tokens + 1)
    store.write(lambda db: db.execute(wrong)).result(20)
    [line] = store.read(differences)
    assert "prompt_tokens is kept as 4, the calls make 3" in line
    store.write(lambda db: db.execute(schema.usage_days.delete())).result(20)
    assert len(store.read(differences)) > 5
    store.write(usage_rollups.rebuild_all).result(20)
    assert store.read(differences) == []
    store.write(lambda db: db.execute(schema.calls.delete())).result(20)
    assert store.read(differences)


def test_a_counted_call_that_changes_is_counted_anew(store: Store) -> None:
    """One gets another price, one was closed as interrupted and its answer comes late, one loses its words."""

    def shown() -> tuple[int, int | None, float | None]:
        found = total(store.read(lambda db: queries.by_model(db, Scope("ann"))))
        return found.calls, found.tokens, found.cost

    forgotten, late, _priced = (record(store, model=model, cost=1.0) for model in ("a", "b", "c"))
    before, closed = shown(), update(schema.calls).where(schema.calls.c.id == late).values(state="interrupted")
    store.write(lambda db: db.execute(closed)).result(20)
    store.write(usage_rollups.count).result(20)

    store.write(lambda db: repricing.reprice(db, "ann", "apiyi", "c", Price(1e6, 1e6))).result(20)
    store.write(lambda db: records.forget_texts(db, "ann", [forgotten])).result(20)
    reply = an_outcome("late", cost=5.0, usage=REPORTED)
    assert store.write(lambda db: records.finish_call(db, late, reply, late=True)).result(20)

    each = (REPORTED.prompt_tokens or 0) + (REPORTED.completion_tokens or 0)
    after = (3, 3 * each, 1.0 + 5.0 + each)  # a dollar a token
    assert before == (3, 3 * each, 3.0) and shown() == after and store.read(differences) == []
    store.write(usage_rollups.count).result(20)
    assert shown() == after and store.read(differences) == []


@pytest.mark.parametrize("kept", [True, False])
def test_deleting_frees_only_what_nothing_else_uses(store: Store, kept: bool) -> None:
    """Two chats share a beginning; what belongs to another owner, to the other chat, or to a sweep stays."""
    start = (Message(role="system", content="shared"), Message(role="user", content="also shared"))

    def made(owner: str, *further: str, answer: str) -> tuple[str, str]:
        def work(db: Any) -> tuple[str, str]:
            chat = chats.new_chat(db, owner, "t")
            call = a_call(owner)
            said = tuple(Message(role="user", content=text) for text in further)
            call = replace(call, request=replace(call.request, messages=(*start, *said)))
            records.start_call(db, call, "p")
            chats.add_answers(db, owner, chat, None, call.id, 1)
            records.finish_call(db, call.id, an_outcome(answer))
            return chat, call.id

        return store.write(work).result(20)

    one, first = made("ann", "CANARY", answer="CANARY too")
    _, second = made("ann", "other", answer="also shared")
    _, theirs = made("bob", "CANARY", answer="his")
    store.write(lambda db: chats.purge(db, "ann", one, 1000) if kept else chats.erase(db, "ann", one)).result(20)

    assert len(store.read(lambda db: records.messages_of(db, "ann", second))) == 3
    assert store.read(lambda db: records.messages_of(db, "bob", theirs))[-1].content == "CANARY"
    mine = select(schema.texts.c.text).where(schema.texts.c.owner == "ann")
    assert sorted(store.read(lambda db: db.execute(mine).scalars().all())) == ["also shared", "other", "shared"]
    call = store.read(lambda db: records.call_of(db, "ann", first))
    assert (call is not None and call.choices == ()) if kept else call is None
    assert total(store.read(lambda db: queries.by_model(db, Scope("ann")))).calls == (2 if kept else 1)
    assert store.read(differences) == []


@pytest.mark.row("U4")
def test_a_call_whose_chat_is_deleted_counts_on_and_belongs_to_none(store: Store) -> None:
    call = a_call(chat_id="c1")
    store.write(lambda db: records.start_call(db, call, "p")).result(20)
    store.write(lambda db: records.finish_call(db, call.id, an_outcome("hi"))).result(20)
    assert [one.place for one in store.read(lambda db: queries.by_place(db, Scope("ann"), 9))[0]] == ["c1"]

    store.write(lambda db: records.forget_texts(db, "ann", [call.id])).result(20)

    rows, count = store.read(lambda db: queries.by_place(db, Scope("ann"), 9))
    assert [(one.place, one.calls) for one in rows] == [("", 1)] and count == 1
    assert store.read(differences) == []
