"""A talk with a model: what is said becomes a place in the chat's tree, a recorded call, and a running answer."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from lib import calls, catalogue, chats
from lib.chats import Turn
from lib.errors import InvalidInput
from lib.house import House
from lib.models import Call, ChatRequest, Message, Params
from lib.words import N_


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

    def say(self, text: str, form: Form) -> str:
        """Send `text`; the id of its chat. Raises InvalidInput when it can't be sent, and then nothing has changed."""
        turns = self.branch()
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

    def _call(self, messages: Sequence[Message], form: Form) -> tuple[Call, catalogue.Endpoint]:
        connected = self.house.connections.endpoints(self.owner)
        if not connected:
            raise InvalidInput(N_("No service is connected yet."))
        if not form.model.strip():
            raise InvalidInput(N_("No model is chosen."))
        endpoint, model = catalogue.find(form.model.strip(), connected)
        system = [Message(role="system", content=form.system)] if form.system.strip() else []
        request = ChatRequest(model, (*system, *messages), form.params).checked()
        return Call(secrets.token_hex(16), self.owner, self.session, "chat", endpoint.name, request), endpoint

    def _record_answers(self, db: Connection, chat_id: str, question: str, call: Call) -> None:
        calls.start_call(db, call, self.house.process)
        chats.add_answers(db, self.owner, chat_id, question, call.id, call.request.choices)


def turns_to_send(turns: Sequence[Turn]) -> list[Message]:
    """The conversation as it goes to the model: answers without a word in them are left out."""
    return [Message(role=turn.role, content=turn.text) for turn in turns if turn.text.strip()]
