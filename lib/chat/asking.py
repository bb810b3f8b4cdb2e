"""Asks models for the answers of a chat: makes the calls, records them with their places in the tree, starts them."""

import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from lib.calls import records, unsupported_params, worst_case
from lib.calls.dispatcher import Dispatcher
from lib.chat import repository as chats
from lib.chat.form import Form
from lib.core.errors import InvalidInput, NothingConnected, StoreError
from lib.core.i18n import N_
from lib.core.request import Call, ChatRequest, Message
from lib.gateway import endpoints
from lib.gateway.endpoint_registry import EndpointRegistry
from lib.gateway.endpoints import Endpoint
from lib.store.database import Store

SENT_WITHIN_SECONDS = 0.02


@dataclass(frozen=True, slots=True)
class CallGroup:
    """Calls that are made together for one place in the tree, each with where it goes. The answers go on after `begun`;
    `left_out` of the oldest turns are not sent."""

    calls: tuple[tuple[Call, Endpoint], ...]
    begun: str = ""
    left_out: int = 0


@dataclass(frozen=True, slots=True)
class Asker:
    """Asks for one visitor; the texts of a `temporary` chat are kept in memory only."""

    dispatcher: Dispatcher
    registry: EndpointRegistry
    owner: str
    session: str
    temporary: bool

    @property
    def store(self) -> Store:
        """Where the chat is kept: in memory, if it is temporary."""
        return self.dispatcher.memory.open() if self.temporary else self.dispatcher.store

    def endpoints(self) -> list[Endpoint]:
        """The services that can be asked, the default one first."""
        return list(self.registry.endpoints(self.owner))

    def calls(self, messages: Sequence[Message], form: Form) -> CallGroup:
        """The calls that send `messages` to all models of `form`. Raises InvalidInput and NothingConnected."""
        if len(form.models) > 1:
            form = replace(form, params=form.params.model_copy(update={"n": None}))
        return CallGroup(tuple(self._chosen(messages, model, form) for model in form.models))

    def _chosen(self, messages: Sequence[Message], chosen: str, form: Form) -> tuple[Call, Endpoint]:
        connected = self.endpoints()
        if not connected:
            raise NothingConnected
        endpoint, found = endpoints.find(chosen.strip(), connected)
        model = endpoints.checked_model_id(found)
        return self.call(endpoint, ChatRequest(model, (*form.preface, *messages), form.params)), endpoint

    def call(self, endpoint: Endpoint, asked: ChatRequest) -> Call:
        """The call that asks `asked`, as far as its model is known to take it."""
        asked = self.dispatcher.allowed(endpoint, asked.checked())
        if not endpoint.takes_images and any(message.images for message in asked.messages):
            raise InvalidInput(N_("The practice model reads text only: for images choose another model."))
        base_url = endpoint.base_url
        request = self.dispatcher.store.read(lambda db: unsupported_params.adapted(db, self.owner, base_url, asked))
        id = secrets.token_hex(16)
        return Call(id, self.owner, self.session, "chat", endpoint.name, request, temporary=self.temporary)

    def record_and_start(self, group: CallGroup, write: Callable[[Connection], str]) -> str:
        """Let `write` record calls, in the writing thread, and start them; the id of their chat, as `write` tells it.
        Raises BudgetReached where they may take more than is left, and then nothing has changed."""
        budgets = self.dispatcher.budgets
        worst = {call.id: worst_case.of_request(endpoint, call.request) for call, endpoint in group.calls}
        budgets.reserve(self.owner, self.session, worst)
        try:
            chat_id = self.store.write(write).result()
        except BaseException:
            budgets.give_back(self.owner, worst)
            raise
        self._start(group, chat_id)
        return chat_id

    def record_calls(
        self, db: Connection, chat_id: str, question: str | None, group: CallGroup, together: str | None = None
    ) -> str:
        """Record calls and the places of their answers, beside those that share `together`; the chat's id."""
        several = len(group.calls) > 1
        together = together or (secrets.token_hex(16) if several else None)
        firsts = []
        for call, _ in group.calls:
            # `temporary` leaves the texts out; into this store, in memory for a temporary chat, they do go.
            records.start_call(db, replace(call, temporary=False, chat_id=chat_id), self.dispatcher.process)
            n, begun, left_out = call.request.choices, group.begun, group.left_out
            firsts += chats.add_answers(db, self.owner, chat_id, question, call.id, n, begun, together, left_out)[:1]
        if several:
            # Each answer that is added is opened; the first model's is the one to go on with.
            chats.choose(db, self.owner, chat_id, firsts[0])
        return chat_id

    def _start(self, group: CallGroup, chat_id: str) -> None:
        started = not self.temporary or self._record_for_usage(group)
        answers = [self.dispatcher.start(call, endpoint, chat_id, started) for call, endpoint in group.calls]
        # Drawing the page would take the interpreter from the requests, and these are what one waits for.
        until = time.monotonic() + SENT_WITHIN_SECONDS
        for answer in answers:
            answer.request_left.wait(max(0.0, until - time.monotonic()))

    def _record_for_usage(self, group: CallGroup) -> bool:
        """Record the calls of a temporary chat where usage is counted, without their texts; False when that can't be
        done now, which is no reason not to ask."""

        def write(db: Connection) -> None:
            for call, _ in group.calls:
                records.start_call(db, call, self.dispatcher.process)

        try:
            self.dispatcher.store.write(write).result()
        except StoreError:
            return False
        return True
