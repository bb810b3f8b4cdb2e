"""Chats are trees: nothing that was said is lost by trying again or editing, and nobody finds another's."""

import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from sqlalchemy import Connection, event, func, select, text, update

from lib.calls import records
from lib.chat import repository as chats
from lib.chat.repository import Turn
from lib.core.errors import ChatNotFound
from lib.core.request import Message
from lib.core.titles import title_of
from lib.services import Services
from lib.settings import Settings
from lib.store import backup, image_store, message_nodes, schema
from lib.store import texts as kept_texts
from lib.store.database import Store
from tests.store_fixtures import a_call, an_outcome, start


def do(store: Store, work: Callable[..., Any], *arguments: Any) -> Any:
    return store.write(lambda db: work(db, *arguments)).result(20)


def branch(store: Store, chat_id: str, owner: str = "ann") -> list[Turn]:
    return store.read(lambda db: chats.open_branch(db, owner, chat_id))


def texts(store: Store, chat_id: str) -> list[str]:
    return [turn.text for turn in branch(store, chat_id)]


def new(store: Store, title: str = "A chat", owner: str = "ann") -> str:
    made: str = do(store, chats.new_chat, owner, title)
    return made


def say(store: Store, chat_id: str, parent: str | None, words: str, role: str = "user") -> str:
    made: str = do(store, chats.add_message, "ann", chat_id, parent, role, words)
    return made


def answers(store: Store, chat_id: str, parent: str, *words: str) -> list[str]:
    call = start(store, a_call())
    made: list[str] = do(store, chats.add_answers, "ann", chat_id, parent, call.id, len(words))
    do(store, records.finish_call, call.id, an_outcome(*words))
    return made


def kept(store: Store, query: str) -> list[Any]:
    return list(store.read(lambda db: db.execute(text(query)).scalars()))


def listed(store: Store, search: str = "", owner: str = "ann") -> list[str]:
    return [chat.title for chat in store.read(lambda db: chats.chats_of(db, owner, search))]


def test_a_chat_is_named_after_its_first_words(subtests: pytest.Subtests) -> None:
    for words, title in [
        ("Hello  \n there", "Hello there"),
        ("word " * 30, "word " * 15 + "word…"),
        ("字" * 100, "字" * 79 + "…"),
        ("x" * 80, "x" * 80),
        ("  ", ""),
    ]:
        with subtests.test(words=words):
            assert title_of(words) == title and len(title) <= 80


def test_an_answer_takes_its_text_from_its_call(store: Store) -> None:
    chat = new(store)
    question = say(store, chat, None, "Why?")
    [answer] = answers(store, chat, question, "Because.")
    first, second = branch(store, chat)
    assert (first.id, first.role, first.text, first.call) == (question, "user", "Why?", None)
    assert (second.id, second.role, second.text, second.reasoning) == (answer, "assistant", "Because.", "hm")
    assert second.call is not None and second.call.state == "ok" and second.call.seconds == 1.5
    assert kept(store, "SELECT text_id IS NULL FROM messages ORDER BY seq") == [False, True]


def test_a_question_is_stored_once_with_what_was_sent_and_goes_with_its_chat(store: Store) -> None:
    chat, other = new(store), new(store)
    for one in (chat, other):
        question = say(store, one, None, "Why?")
        answers(store, one, question, "Because.")  # whose call sent another text
    do(store, message_nodes.keep, "ann", [Message(role="user", content="Why?")])
    say(store, chat, None, "Never sent.")
    query = "SELECT text FROM texts WHERE text LIKE '%Why%' OR text LIKE '%sent.%' ORDER BY text"
    assert kept(store, query) == ["Never sent.", "Why?"]
    do(store, chats.erase, "ann", chat)
    assert kept(store, query) == ["Why?"]
    assert [turn.text for turn in branch(store, other)] == ["Why?", "Because."]


def test_an_answer_that_has_not_come_yet_is_empty(store: Store) -> None:
    chat = new(store)
    question = say(store, chat, None, "Why?")
    call = start(store, a_call())
    do(store, chats.add_answers, "ann", chat, question, call.id, 2)
    turn = branch(store, chat)[-1]
    assert turn.text == "" and turn.call is not None and turn.call.state == "started"


def test_alternatives_of_one_call_are_siblings_and_one_version(store: Store) -> None:
    chat = new(store)
    question = say(store, chat, None, "Why?")
    a, b, c = answers(store, chat, question, "A", "B", "C")
    turn = branch(store, chat)[-1]
    assert (turn.id, turn.text, turn.choice) == (a, "A", 0)
    assert turn.alternatives == (a, b, c) and turn.versions == (a,)
    do(store, chats.choose, "ann", chat, b)
    turn = branch(store, chat)[-1]
    assert (turn.text, turn.choice, turn.versions) == ("B", 1, (b,))


def test_trying_again_makes_a_version_and_leads_back_to_the_choice_that_was_gone_on_with(store: Store) -> None:
    chat = new(store)
    question = say(store, chat, None, "Why?")
    _a, b = answers(store, chat, question, "A", "B")
    do(store, chats.choose, "ann", chat, b)
    say(store, chat, b, "And then?")
    [again] = answers(store, chat, question, "D")
    turn = branch(store, chat)[-1]
    assert turn.versions == (b, again) and turn.alternatives == (again,)
    do(store, chats.choose, "ann", chat, turn.versions[0])
    assert texts(store, chat) == ["Why?", "B", "And then?"]


def test_an_edited_question_is_a_sibling_and_the_old_branch_stays(store: Store) -> None:
    chat = new(store)
    old = say(store, chat, None, "Why?")
    answers(store, chat, old, "Old")
    edited = say(store, chat, None, "How?")
    assert texts(store, chat) == ["How?"]
    assert branch(store, chat)[0].versions == (old, edited)
    do(store, chats.choose, "ann", chat, old)
    assert texts(store, chat) == ["Why?", "Old"]


def test_choosing_opens_the_newest_branch_below_and_of_new_alternatives_the_first(store: Store) -> None:
    chat = new(store)
    question = say(store, chat, None, "Q")
    answers(store, chat, question, "old")
    a, b = answers(store, chat, question, "a", "b")
    say(store, chat, None, "elsewhere")
    do(store, chats.choose, "ann", chat, question)
    assert texts(store, chat) == ["Q", "a"]
    deeper = say(store, chat, b, "go on")
    answers(store, chat, deeper, "c", "d")
    do(store, chats.choose, "ann", chat, a)
    do(store, chats.choose, "ann", chat, question)
    assert texts(store, chat) == ["Q", "b", "go on", "c"]


def test_the_list_is_last_used_first_and_searched_in_titles_questions_and_answers(store: Store) -> None:
    cats, dogs = new(store, "Cats"), new(store, "Dogs 100%")
    question = say(store, cats, None, 'They say "miau_x"')
    answers(store, cats, question, "first", 'Füttern\nSie 喵 "gut"')
    assert listed(store) == ["Cats", "Dogs 100%"]
    assert listed(store, "dOGs") == listed(store, "0%") == ["Dogs 100%"]
    for words in ("miau_x", "füttern"[1:], "Füttern\nSie", "喵", '"gut"'):
        assert listed(store, words) == ["Cats"], words
    assert listed(store, "text") == listed(store, "stop") == listed(store, "miauYx") == listed(store, "'") == []
    say(store, dogs, None, "wuff")
    assert listed(store) == ["Dogs 100%", "Cats"]


def test_rename_delete_and_undelete(store: Store) -> None:
    chat = new(store, "Old")
    say(store, chat, None, "kept")
    do(store, chats.rename, "ann", chat, " New\nname ")
    assert listed(store) == ["New name"]
    do(store, chats.rename, "ann", chat, "  ")
    do(store, chats.delete, "ann", chat)
    assert listed(store) == [] and branch(store, chat) == []
    with pytest.raises(ChatNotFound):
        say(store, chat, None, "into the void")
    do(store, chats.undelete, "ann", chat)
    assert listed(store) == ["New name"] and texts(store, chat) == ["kept"]


def test_a_deleted_turn_without_versions_leaves_what_was_said_after_it(store: Store) -> None:
    chat = new(store)
    first = say(store, chat, None, "one")
    (second,) = answers(store, chat, first, "two")
    third = say(store, chat, second, "three")
    mark = do(store, chats.delete_turn, "ann", chat, second)
    assert texts(store, chat) == ["one", "three"] and listed(store, "two") == []
    assert branch(store, chat)[1].parent == second and branch(store, chat)[1].versions == (third,)
    do(store, chats.undelete_turn, "ann", chat, second, mark)
    assert texts(store, chat) == ["one", "two", "three"]


def test_a_deleted_version_goes_with_what_was_said_after_it_and_comes_back_with_it(store: Store) -> None:
    chat = new(store)
    question = say(store, chat, None, "Q")
    (old,) = answers(store, chat, question, "old")
    new_one, _ = answers(store, chat, question, "new", "its alternative")
    say(store, chat, new_one, "on")
    mark = do(store, chats.delete_turn, "ann", chat, new_one)
    assert texts(store, chat) == ["Q", "old"] and branch(store, chat)[1].versions == (old,)
    do(store, chats.choose, "ann", chat, question)
    assert texts(store, chat) == ["Q", "old"]
    do(store, chats.undelete_turn, "ann", chat, new_one, mark)
    assert texts(store, chat) == ["Q", "new", "on"] and len(branch(store, chat)[1].versions) == 2


def test_the_only_turn_of_a_chat_can_be_deleted(store: Store) -> None:
    chat = new(store)
    only = say(store, chat, None, "only")
    do(store, chats.delete_turn, "ann", chat, only)
    assert texts(store, chat) == []
    say(store, chat, None, "again")
    assert texts(store, chat) == ["again"]


def test_an_answer_that_goes_on_with_a_text_holds_both(store: Store) -> None:
    chat = new(store)
    question = say(store, chat, None, "Q")
    call = start(store, a_call())
    do(store, chats.add_answers, "ann", chat, question, call.id, 1, "Once upon")
    assert texts(store, chat) == ["Q", "Once upon"]
    do(store, records.finish_call, call.id, an_outcome(" a time"))
    assert texts(store, chat) == ["Q", "Once upon a time"] and branch(store, chat)[1].begun == "Once upon"


def test_answers_of_several_models_stand_side_by_side(store: Store) -> None:
    chat = new(store)
    question = say(store, chat, None, "Q")
    for words in ("a", "b"):
        call = start(store, a_call())
        do(store, chats.add_answers, "ann", chat, question, call.id, 2, "", "one send")
        do(store, records.finish_call, call.id, an_outcome(words, f"{words}2"))
    answers(store, chat, question, "later")
    beside = store.read(lambda db: chats.side_by_side(db, "ann", chat, "one send"))
    assert [turn.text for turn in beside] == ["a", "b"] and len(beside[0].versions) == 3
    assert store.read(lambda db: chats.side_by_side(db, "bob", chat, "one send")) == []


def test_an_image_is_kept_once_and_comes_back_with_its_turn(store: Store) -> None:
    chat, url = new(store), "data:image/png;base64,iVBORw0KGgo="
    first = do(store, chats.add_message, "ann", chat, None, "user", "look", [url])
    do(store, chats.add_message, "ann", chat, first, "user", "again", [url])
    ids = [turn.images for turn in branch(store, chat)]
    assert ids[0] == ids[1] and store.read(lambda db: image_store.load(db, "ann", ids[0])) == (url,)
    assert store.read(lambda db: image_store.load(db, "bob", ids[0])) == ()
    assert store.read(lambda db: db.execute(select(func.count()).select_from(schema.images)).scalar()) == 1


def test_a_forgotten_chat_leaves_nothing(store: Store) -> None:
    chat, other = new(store, "CANARY"), new(store, "kept")
    answers(store, chat, say(store, chat, None, "CANARY one"), "CANARY two")
    say(store, other, None, "kept")
    do(store, chats.erase, "bob", chat)
    assert len(branch(store, chat)) == 2
    do(store, chats.erase, "ann", chat)
    rows = [store.read(lambda db, t=t: db.execute(text(f"SELECT * FROM {t}")).all()) for t in schema.metadata.tables]
    assert "CANARY" not in str(rows) and texts(store, other) == ["kept"]


@pytest.mark.row("T13")
def test_another_owners_chat_is_not_found_by_any_function(store: Store) -> None:
    chat = new(store)
    message = say(store, chat, None, "secret")
    theirs = do(store, chats.new_chat, "bob", "Bob's")
    call = start(store, a_call(owner="ann"))
    do(store, records.finish_call, call.id, an_outcome("secret answer"))
    assert branch(store, chat, "bob") == [] and listed(store, owner="bob") == ["Bob's"]
    assert listed(store, "secret", owner="bob") == []
    for work, *rest in (
        (chats.add_message, None, "user", "mine now"),
        (chats.add_message, message, "user", "mine now"),
        (chats.add_answers, message, call.id, 1),
        (chats.choose, message),
        (chats.rename, "mine now"),
        (chats.delete_turn, message),
        (chats.undelete_turn, message, 1),
        (chats.delete,),
        (chats.undelete,),
    ):
        with pytest.raises(ChatNotFound):
            do(store, work, "bob", chat, *rest)
    with pytest.raises(ChatNotFound):
        do(store, chats.add_message, "bob", theirs, message, "user", "under hers")
    with pytest.raises(ChatNotFound):
        do(store, chats.choose, "bob", theirs, message)
    do(store, chats.add_answers, "bob", theirs, None, call.id, 1)
    [turn] = branch(store, theirs, "bob")
    assert turn.text == "" and turn.call is None
    assert texts(store, chat) == ["secret"]


def long_chat(store: Store, turns: int) -> str:
    """A chat of `turns` questions, each with an answer of two alternatives of which the first was gone on with."""
    chat, sample = new(store), a_call()
    start(store, sample)
    do(store, records.finish_call, sample.id, an_outcome("word " * 100, "other"))

    def fill(db: Connection) -> None:
        answered = dict(db.execute(select(schema.calls).where(schema.calls.c.id == sample.id)).mappings().one())
        seq = answered.pop("seq")
        place = {"owner": "ann", "chat_id": chat, "created_at": 0}
        [why] = kept_texts.keep(db, "ann", ["Why?"])
        messages: list[dict[str, Any]] = []
        for turn in range(turns):
            above = f"answer {turn - 1}-0" if turn else None
            question = {"id": f"question {turn}", "parent_id": above, "role": "user", "text_id": why, "choice": 0}
            messages.append({**place, **question, "call_id": None})
            for choice in range(2):
                facts = {"id": f"answer {turn}-{choice}", "role": "assistant", "text_id": None, "choice": choice}
                messages.append({**place, **facts, "parent_id": f"question {turn}", "call_id": f"call {turn}"})
        db.execute(schema.calls.insert(), [{**answered, "id": f"call {turn}"} for turn in range(turns)])
        db.execute(schema.messages.insert(), messages)
        for table in (schema.call_details, schema.answers):
            rows = [dict(row) for row in db.execute(select(table).where(table.c.call_seq == seq)).mappings()]
            for row in rows:
                more = [{**row, "call_seq": seq + 1 + turn} for turn in range(turns)]
                if "text_id" in row:
                    said = f"{'word ' * 100} {row['choice']} "
                    ids = kept_texts.keep(db, "ann", [f"{said}{turn}" for turn in range(turns)])
                    more = [{**one, "text_id": id} for one, id in zip(more, ids, strict=True)]
                db.execute(table.insert(), more)

    store.write(fill).result(60)
    do(store, chats.choose, "ann", chat, f"answer {turns - 1}-0")
    return chat


def test_two_thousand_messages_are_read_in_three_statements(store: Store) -> None:
    chat = long_chat(store, 1000)
    statements: list[str] = []
    event.listen(store._readers, "before_cursor_execute", lambda c, cur, statement, *rest: statements.append(statement))

    turns = branch(store, chat)

    assert len(turns) == 2000 and turns[-1].id == "answer 999-0" and turns[-1].text.startswith("word")
    assert len([statement for statement in statements if "SELECT" in statement]) == 3


class Tree(RuleBasedStateMachine):
    """Random questions, answers and choices: the open branch is always a path of the tree that was made."""

    def __init__(self) -> None:
        super().__init__()
        self.store = Store.in_memory()
        self.chat = new(self.store)
        self.parent: dict[str, str | None] = {}
        self.head: str | None = None

    def teardown(self) -> None:
        self.store.close()

    @rule(pick=st.integers(0, 99), root=st.booleans())
    def ask(self, pick: int, root: bool) -> None:
        parent = None if root or not self.parent else self._some(pick)
        self.head = say(self.store, self.chat, parent, "q")
        self.parent[self.head] = parent

    @precondition(lambda self: self.parent)
    @rule(pick=st.integers(0, 99), n=st.integers(1, 3))
    def answer(self, pick: int, n: int) -> None:
        parent = self._some(pick)
        ids = do(self.store, chats.add_answers, "ann", self.chat, parent, secrets.token_hex(16), n)
        self.parent |= dict.fromkeys(ids, parent)
        self.head = ids[0]

    @precondition(lambda self: self.parent)
    @rule(pick=st.integers(0, 99))
    def choose(self, pick: int) -> None:
        message = self._some(pick)
        do(self.store, chats.choose, "ann", self.chat, message)
        self.head = branch(self.store, self.chat)[-1].id
        assert message in self._path(self.head)
        assert self.head not in self.parent.values() or self.head == message

    @invariant()
    def the_open_branch_leads_from_a_root_to_the_head(self) -> None:
        turns = branch(self.store, self.chat)
        assert [turn.id for turn in turns] == self._path(self.head)
        for turn in turns:
            family = [one for one, parent in self.parent.items() if parent == self.parent[turn.id]]
            assert turn.id in turn.versions and turn.id in turn.alternatives
            assert turn.alternatives[turn.choice] == turn.id
            assert set(turn.versions) | set(turn.alternatives) <= set(family)

    def _some(self, pick: int) -> str:
        return list(self.parent)[pick % len(self.parent)]

    def _path(self, message: str | None) -> list[str]:
        path: list[str] = []
        while message is not None:
            path.insert(0, message)
            message = self.parent[message]
        return path


TestTree = Tree.TestCase
TestTree.settings = hypothesis_settings(max_examples=8, stateful_step_count=20, deadline=None, database=None)


def deep_chat(store: Store, turns: int) -> str:
    """A chat of so many turns, each after the one before."""
    chat_id = new(store)
    place = {"owner": "ann", "chat_id": chat_id, "role": "user", "choice": 0, "created_at": 1}
    rows = [{**place, "id": f"{n}", "parent_id": f"{n - 1}" if n else None} for n in range(turns)]
    do(store, lambda db: db.execute(schema.messages.insert(), rows))
    return chat_id


def turns_left(store: Store) -> int:
    return store.read(lambda db: db.execute(select(func.count(schema.messages.c.id))).scalar_one())


def test_a_chat_of_more_turns_than_sqlite_goes_deep_is_removed_whole(store: Store, tmp_path: Path) -> None:
    chat_id = deep_chat(store, 2_300)
    backup.save(store, tmp_path / "b.db")
    backup.restore(store, tmp_path / "b.db", tmp_path)
    assert turns_left(store) == 2_300
    do(store, chats.erase, "ann", chat_id)
    assert listed(store) == [] and turns_left(store) == 0


def test_a_deleted_chat_goes_a_few_turns_at_a_time(store: Store) -> None:
    chat_id, other = deep_chat(store, 120), new(store, "Another")
    do(store, chats.delete, "ann", chat_id)
    assert [do(store, chats.purge, "ann", chat_id, 50) for _ in range(3)] == [False, False, True]
    left = store.read(lambda db: db.execute(select(schema.chats.c.id, schema.messages.c.id).outerjoin(schema.messages)))
    assert left.all() == [(other, None)]


def test_what_was_deleted_long_ago_goes_at_the_start_piece_by_piece(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pieces: list[bool] = []
    purge = chats.purge
    monkeypatch.setattr(chats, "purge", lambda *arguments: pieces.append(purge(*arguments)) or pieces[-1])
    store = Store.open(f"sqlite:///{tmp_path / 'tempera.db'}")
    chat_id = deep_chat(store, 230)
    do(store, chats.delete, "ann", chat_id)
    do(store, lambda db: db.execute(update(schema.chats).values(deleted_at=1)))
    store.close()
    services = Services.open(Settings(data_dir=tmp_path, local_model=False))
    for _ in range(5):  # a write of somebody else's has its turn after each piece
        services.store.write(lambda db: None).result(20)
    assert turns_left(services.store) == 0
    services.close()
    assert pieces == [False] * 4 + [True]
