"""A talk with a model: what is said becomes a place in the chat's tree, a recorded call, and a running answer."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise, takewhile

from sqlalchemy import Connection

from lib import calls, catalogue, chats, learned
from lib.calls import CallRecord
from lib.catalogue import Endpoint
from lib.chats import Turn
from lib.errors import ConnectionFailed, InvalidInput, NotConnected
from lib.house import House
from lib.models import Call, ChatRequest, Message, Params
from lib.words import N_

NOT_SENT = {ConnectionFailed.kind, *(error.kind for error in ConnectionFailed.__subclasses__())}
"""The kinds of errors after which a call may be made elsewhere without being paid twice."""


@dataclass(frozen=True, slots=True)
class Form:
    """What the page is set to: model (`endpoint/model id`), system prompt, parameters."""

    model: str
    system: str = ""
    params: Params = Params()


@dataclass(frozen=True, slots=True)
class Talk:
    """One visitor's conversation with the house; `chat_id` None is a chat that begins with the next message."""

    house: House
    owner: str
    session: str
    chat_id: str | None = None

    def branch(self) -> list[Turn]:
        """The turns of the open branch, from the first to the last."""
        if self.chat_id is None:
            return []
        chat_id = self.chat_id
        return self.house.store.read(lambda db: chats.open_branch(db, self.owner, chat_id))

    def say(self, text: str, form: Form, instead_of: str | None = None) -> str:
        """Send `text` at the end, or as another version of the turn `instead_of`; the id of its chat. Raises
        InvalidInput when it can't be sent, and then nothing has changed."""
        turns = list(takewhile(lambda turn: turn.id != instead_of, self.branch()))
        call, endpoint = self._call([*turns_to_send(turns), Message(role="user", content=text)], form)

        def record(db: Connection) -> str:
            chat_id = self.chat_id or chats.new_chat(db, self.owner, text, temporary=False)
            parent = turns[-1].id if turns else None
            question = chats.add_message(db, self.owner, chat_id, parent, "user", text)
            self._record_answers(db, chat_id, question, call)
            return chat_id

        chat_id = self.house.store.write(record).result()
        self.house.start(call, endpoint)
        return chat_id

    def bring_in(self, title: str, messages: Sequence[Message]) -> str:
        """Keep a conversation that was held elsewhere; the id of its chat."""

        def record(db: Connection) -> str:
            chat_id = chats.new_chat(db, self.owner, title or messages[0].content, temporary=False)
            parent = None
            for message in messages:
                parent = chats.add_message(db, self.owner, chat_id, parent, message.role, message.content)
            return chat_id

        return self.house.store.write(record).result()

    def again(self, form: Form) -> None:
        """Ask the last question once more; the new answer is a sibling of the old one."""
        turns = self.branch()
        while turns and turns[-1].role == "assistant":
            turns.pop()
        if not turns or self.chat_id is None:
            return
        call, endpoint = self._call(turns_to_send(turns), form)
        chat_id, question = self.chat_id, turns[-1].id
        self.house.store.write(lambda db: self._record_answers(db, chat_id, question, call)).result()
        self.house.start(call, endpoint)

    def fetch_rest(self, turn: Turn) -> None:
        """Ask for the versions that did not come; they are siblings of `turn`. Raises NotConnected."""
        if turn.call is not None and missing(turn.call):
            self._repeat(turn, turn.call, missing(turn.call), self._endpoint(turn.call.endpoint))

    def other_address(self, call: CallRecord) -> Endpoint | None:
        """Where else the service of a call that was never sent can be asked; None for all other calls."""
        known = [one for one in self.house.connections.endpoints(self.owner) if one.name == call.endpoint]
        return catalogue.second_address(known[0]) if known and call.error_kind in NOT_SENT else None

    def use_other_address(self, turn: Turn) -> None:
        """Ask once more, at the service's other address with the same key; the answer is a sibling of `turn`."""
        other = self.other_address(turn.call) if turn.call else None
        if turn.call is not None and other is not None:
            self._repeat(turn, turn.call, _asked(turn.call), other)

    def _repeat(self, turn: Turn, old: CallRecord, n: int, endpoint: Endpoint) -> None:
        """Make the call `old` of `turn` anew for `n` versions."""
        question = next((one.id for one, answer in pairwise(self.branch()) if answer.id == turn.id), None)
        if question is None or self.chat_id is None:
            return
        messages = self.house.store.read(lambda db: calls.messages_of(db, self.owner, old.id))
        params = Params.checked({**old.params_asked, "n": n if n > 1 else None})
        call = self._prepared(endpoint, ChatRequest(old.model, tuple(messages), params))
        chat_id = self.chat_id
        self.house.store.write(lambda db: self._record_answers(db, chat_id, question, call)).result()
        self.house.start(call, endpoint)

    def _endpoint(self, name: str) -> Endpoint:
        for endpoint in self.house.connections.endpoints(self.owner):
            if endpoint.name == name:
                return endpoint
        raise NotConnected(service=name)

    def _call(self, messages: Sequence[Message], form: Form) -> tuple[Call, Endpoint]:
        connected = self.house.connections.endpoints(self.owner)
        if not connected:
            raise InvalidInput(N_("No service is connected yet."))
        if not form.model.strip():
            raise InvalidInput(N_("No model is chosen."))
        endpoint, model = catalogue.find(form.model.strip(), connected)
        system = [Message(role="system", content=form.system)] if form.system.strip() else []
        return self._prepared(endpoint, ChatRequest(model, (*system, *messages), form.params)), endpoint

    def _prepared(self, endpoint: Endpoint, asked: ChatRequest) -> Call:
        """The call that asks `asked`, as far as its model is known to take it."""
        asked.checked()
        base_url = endpoint.base_url
        request = self.house.store.read(lambda db: learned.adapted(db, self.owner, base_url, asked))
        return Call(secrets.token_hex(16), self.owner, self.session, "chat", endpoint.name, request)

    def _record_answers(self, db: Connection, chat_id: str, question: str, call: Call) -> None:
        calls.start_call(db, call, self.house.process)
        chats.add_answers(db, self.owner, chat_id, question, call.id, call.request.choices)


def missing(call: CallRecord) -> int:
    """How many of the versions asked for a whole answer lacks."""
    return max(0, _asked(call) - len(call.choices)) if call.state == "ok" else 0


def _asked(call: CallRecord) -> int:
    return int(call.params_asked.get("n") or 1)


def turns_to_send(turns: Sequence[Turn]) -> list[Message]:
    """The conversation as it goes to the model: answers without a word in them are left out."""
    return [Message(role=turn.role, content=turn.text) for turn in turns if turn.text.strip()]
