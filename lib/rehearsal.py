"""A turn that nobody asked for and nothing keeps: what is slow only the first time is done before anybody waits."""

from contextlib import suppress

from sqlalchemy import Connection

from lib import branches, calls, chats, favourites, learned, preferences
from lib.house import House
from lib.models import Call, ChatRequest, Message, Outcome, Reply

NOBODY = "nobody"


class _Over(Exception):
    """Takes back all that the rehearsal wrote."""


def rehearse(house: House) -> None:
    """Let the statements of a turn be compiled, which takes SQLAlchemy longer than the turn itself."""
    with suppress(_Over):
        house.store.write(lambda db: _write(db, house.process)).result()
    house.store.read(_read)


def _write(db: Connection, process: str) -> None:
    request = ChatRequest("none", (Message(role="user", content="rehearsal"),))
    call = Call("rehearsal", NOBODY, NOBODY, "chat", "none", request)
    chat = chats.new_chat(db, NOBODY, "rehearsal")
    question = chats.add_message(db, NOBODY, chat, None, "user", "rehearsal")
    calls.start_call(db, call, process)
    chats.add_answers(db, NOBODY, chat, question, call.id, 1)
    preferences.put(db, NOBODY, "rehearsal", {})
    branches.open_branch(db, NOBODY, chat)
    calls.checkpoint(db, call.id, Reply())
    calls.finish_call(db, call.id, Outcome(state="ok", reply=Reply(), seconds=0.0), {})
    raise _Over


def _read(db: Connection) -> None:
    branches.open_branch(db, NOBODY, "none")
    chats.chats_of(db, NOBODY)
    favourites.of(db, NOBODY)
    learned.known(db, NOBODY, "none", "none")
