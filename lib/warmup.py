"""Runs one throwaway chat turn through the database at start, so that the first visitor does not wait for what is
slow only once."""

from contextlib import suppress

from sqlalchemy import Connection

from lib.calls import records, unsupported_params
from lib.chat import branch
from lib.chat import repository as chats
from lib.core.errors import StoreError
from lib.core.reply import Reply
from lib.core.request import Call, ChatRequest, Message
from lib.store import process_lock
from lib.store.database import Store
from lib.visitor import favourites, preferences

NOBODY = "nobody"


class _Over(Exception):
    """Takes back all that the warm-up wrote."""


def warm_up_statements(store: Store) -> None:
    """Let the statements of a turn be compiled, which takes SQLAlchemy longer than the turn itself."""
    with suppress(_Over, StoreError):  # the page says what is wrong with the store
        store.write(lambda db: _write(db, process_lock.ID)).result()
    with suppress(StoreError):
        store.read(_read)


def _write(db: Connection, process: str) -> None:
    request = ChatRequest("none", (Message(role="user", content="warm-up"),))
    call = Call("warm-up", NOBODY, NOBODY, "chat", "none", request)
    chat = chats.new_chat(db, NOBODY, "warm-up")
    question = chats.add_message(db, NOBODY, chat, None, "user", "warm-up")
    records.start_call(db, call, process)
    chats.add_answers(db, NOBODY, chat, question, call.id, 1)
    preferences.put(db, NOBODY, "warm-up", {})
    branch.open_branch(db, NOBODY, chat)
    records.checkpoint(db, call.id, Reply())
    records.finish_call(db, call.id, Reply(state="ok"), {})
    raise _Over


def _read(db: Connection) -> None:
    branch.open_branch(db, NOBODY, "none")
    chats.chats_of(db, NOBODY)
    favourites.of(db, NOBODY)
    unsupported_params.known(db, NOBODY, "none", "none")
