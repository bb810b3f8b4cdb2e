"""One visitor's conversation, as the chat page sees it: its turns, and what can be done with them."""

import asyncio
import secrets
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import takewhile
from typing import Any, TypeVar

from sqlalchemy import Connection

from lib.calls import records
from lib.calls.dispatcher import Dispatcher
from lib.calls.records import CallRecord
from lib.calls.runner import as_it_ended
from lib.chat import repository as chats
from lib.chat.asking import Asker, CallGroup
from lib.chat.attachments import heading
from lib.chat.export import Document
from lib.chat.form import Form, usable_params
from lib.chat.imported import ImportedChat
from lib.chat.repository import Turn
from lib.core import images as image_data
from lib.core.errors import (
    ChatNotFound,
    ConnectionFailed,
    InvalidInput,
    NotConnected,
    StoreError,
    TemperaError,
)
from lib.core.i18n import N_
from lib.core.parameters import Params
from lib.core.request import Call, ChatRequest, Message, Role
from lib.core.segmentation import is_chinese
from lib.gateway import endpoints
from lib.gateway.endpoint_registry import EndpointRegistry
from lib.gateway.endpoints import Endpoint
from lib.store import image_store, kept_parts
from lib.store.database import Store

NOT_SENT = {ConnectionFailed.kind, *(error.kind for error in ConnectionFailed.__subclasses__())}
"""The kinds of errors after which a call may be made elsewhere without being paid twice."""
_NOT_COMPARED = ("stream", "user", "n")
"""Fields that change how an answer is sent, or how many are, not what is in it."""
T = TypeVar("T")
KEEP_SECONDS = 5.0
GO_ON = {
    "en": "Continue your last answer exactly where it stopped. Repeat nothing and add no introduction.",
    "zh": "请从你上一条回答中断的地方接着写。不要重复已写的内容，也不要加开场白。",
}
"""What a model is asked to go on with, in the language in which it has begun: else it may go on in another one."""


@dataclass(frozen=True, slots=True)
class Conversation:
    """One visitor's conversation; `chat_id` None is a chat that begins with the next message. The texts of a
    `temporary` one are kept in memory only."""

    dispatcher: Dispatcher
    registry: EndpointRegistry
    owner: str
    session: str
    chat_id: str | None = None
    temporary: bool = False

    @property
    def store(self) -> Store:
        """Where the texts of this conversation are."""
        return self._asker.store

    @property
    def _asker(self) -> Asker:
        return Asker(self.dispatcher, self.registry, self.owner, self.session, self.temporary)

    def branch(self) -> list[Turn]:
        """The turns of the open branch, from the first to the last."""
        if self.chat_id is None:
            return []
        chat_id = self.chat_id
        return self._with_held(self.store.read(lambda db: chats.open_branch(db, self.owner, chat_id)))

    def side_by_side(self, turn: Turn) -> list[Turn]:
        """The answers that were asked for together with `turn`, itself included; only itself for most turns."""
        if self.chat_id is None or turn.together is None:
            return [turn]
        chat_id, together = self.chat_id, turn.together
        found = self._with_held(self.store.read(lambda db: chats.side_by_side(db, self.owner, chat_id, together)))
        return [turn if turn.id in one.alternatives else one for one in found]

    def _with_held(self, turns: list[Turn]) -> list[Turn]:
        """The turns with the whole answers that the store has not taken yet."""
        if self.temporary or not len(self.dispatcher.outcomes):
            return turns
        return [self._as_held(turn) for turn in turns]

    def _as_held(self, turn: Turn) -> Turn:
        held = self.dispatcher.outcomes.of_call(turn.call.id) if turn.call else None
        if turn.call is None or held is None:
            return turn
        return turn.with_call(as_it_ended(turn.call, held.reply))

    def send_text(self, text: str, form: Form, images: Sequence[str] = (), turns: Sequence[Turn] | None = None) -> str:
        """Send `text` and images (data URLs) after `turns`, the open branch; the id of the chat. Raises InvalidInput
        when it can't be sent, and then nothing has changed."""
        turns = self.branch() if turns is None else turns
        message = Message(role="user", content=text, images=tuple(images))
        return self._record_and_ask(turns, _last_id(turns), message, form)

    def send_edited(self, turn: Turn, text: str, form: Form) -> None:
        """Send `text`, with the images of the question `turn`, as another version of it. Raises InvalidInput."""
        message = Message(role="user", content=text, images=self.images(turn.images))
        self._record_and_ask(_before(self.branch(), turn), turn.parent, message, form)

    def _record_and_ask(self, turns: Sequence[Turn], parent: str | None, message: Message, form: Form) -> str:
        """Record a question under `parent` with the answers to come, and begin."""
        group, named = self._calls(turns, [message], form), self._named(form)

        # One write: no question stands in the chat whose calls could not be recorded, and no call without its place.
        def write(db: Connection) -> str:
            chat_id = self.chat_id or chats.new_chat(db, self.owner, heading(message.content))
            chats.keep_form(db, self.owner, chat_id, named)
            question = chats.add_message(db, self.owner, chat_id, parent, "user", message.content, message.images)
            self._asker.record_calls(db, chat_id, question, group)
            return chat_id

        return self._asker.record_and_start(group, write)

    def write(self, role: Role, text: str, instead_of: Turn | None = None) -> str:
        """Add a turn that nobody is asked for, at the end or as another version of `instead_of`; the id of its chat.
        Raises InvalidInput for an empty one."""
        if not text.strip():
            raise InvalidInput(N_("The message is empty."))
        parent = instead_of.parent if instead_of else _last_id(self.branch())

        def write(db: Connection) -> str:
            chat_id = self.chat_id or chats.new_chat(db, self.owner, text)
            chats.add_message(db, self.owner, chat_id, parent, role, text)
            return chat_id

        return self.store.write(write).result()

    def in_memory(self) -> "Conversation":
        """The open branch as a temporary chat, for a store that takes nothing at present; `keep` brings it back."""
        branch, copy = self._open_branch(), replace(self, chat_id=None, temporary=True)
        return replace(copy, chat_id=copy.import_chat(branch)) if branch.turns else copy

    def keep(self) -> str:
        """Save the open branch of a temporary chat as a chat like any other, and forget the temporary one; the id of
        the new chat. Raises StoreError."""
        chat_id = replace(self, chat_id=None, temporary=False).import_chat(self._open_branch())
        # Only when the new one is on the disk: until then the temporary chat is all there is.
        self.erase()
        return chat_id

    def _open_branch(self) -> ImportedChat:
        """The open branch with the chat's settings, as a chat of its own."""
        chat, form = ImportedChat(), self.form() or Form()
        chat.model, chat.system, chat.others, chat.params = form.model, form.system, form.others, form.params
        for turn in self.branch():
            message = Message(role=turn.role, content=turn.text, images=self.images(turn.images))
            chat.add(message, chat.current, made_by=turn.made_by)
        return chat

    async def keep_when_possible(self) -> None:
        """`keep`, again and again until the store takes it."""
        while True:
            with suppress(StoreError):
                # In a thread, as it waits for the writing thread, and the loop must go on.
                await asyncio.to_thread(self.keep)
                return
            await asyncio.sleep(KEEP_SECONDS)

    def import_chat(self, chat: ImportedChat) -> str:
        """Keep a chat that was held elsewhere; its id."""
        return self.store.write(lambda db: chats.add_chat(db, self.owner, chat)).result()

    def document(self) -> Document:
        """The whole chat, with all its branches, to be saved as a file. Raises ChatNotFound."""
        if self.chat_id is None:
            raise ChatNotFound
        chat_id = self.chat_id
        chat = self.store.read(lambda db: chats.find(db, self.owner, chat_id))
        found = self._with_held(self.store.read(lambda db: chats.all_turns(db, self.owner, chat_id)))
        kept = self.store.read(lambda db: [kept_parts.load(db, self.owner, turn.parts) for turn in found])
        turns = [replace(turn, parts=parts) for turn, parts in zip(found, kept, strict=True)]
        branch = [turn.id for turn in self.branch()]
        ids = list(dict.fromkeys(id for turn in turns for id in turn.images))
        pictures = self.store.read(lambda db: image_store.load_each(db, self.owner, ids))
        return Document(chat, turns, branch, pictures, self.form() or Form())

    def form(self) -> Form | None:
        """What this chat is set to; a chat from before that was kept, what its last answer was asked with; None where
        nothing was set yet."""
        if self.chat_id is None:
            return None
        chat_id = self.chat_id
        return self.store.read(lambda db: chats.form_of(db, self.owner, chat_id)) or self._as_asked_last()

    def _as_asked_last(self) -> Form | None:
        """What the last answer of the open branch was asked with."""
        call = next((turn.call for turn in reversed(self.branch()) if turn.call), None)
        if call is None:
            return None
        sent = self.store.read(lambda db: records.messages_of(db, self.owner, call.id))
        system = next((message.content for message in sent if message.role == "system"), "")
        return Form(f"{call.endpoint}/{call.model}", system, usable_params(call.params_asked))

    def keep_form(self, form: Form) -> None:
        """Let the chat be set so from now on; does not wait until that is written."""
        if self.chat_id is not None:
            chat_id, named = self.chat_id, self._named(form)
            self.store.write(lambda db: chats.keep_form(db, self.owner, chat_id, named))

    def _named(self, form: Form) -> Form:
        """The form with the services named, so that it means the same whatever is connected when it is read."""
        connected = self.endpoints()
        if not connected:
            return form
        model = endpoints.named(form.model.strip(), connected) if form.model.strip() else ""
        return replace(form, model=model, others=tuple(endpoints.named(one, connected) for one in form.others))

    def regenerate(self, form: Form, instead_of: Turn | None) -> None:
        """Ask a question once more, the last one or that of the answer `instead_of`; what comes is a sibling of the old
        answer."""
        turns = _before(self.branch(), instead_of)
        while turns and turns[-1].role == "assistant":
            turns.pop()
        if turns:
            self._answer(turns[-1].id, self._calls(turns, [], form))

    def ask_beside(self, turn: Turn, form: Form) -> None:
        """Ask the question of the answer `turn` once more; what comes is a sibling that stands beside it, and beside
        those that stand there already."""
        if self.chat_id is None:
            return
        chat_id, together = self.chat_id, turn.together or secrets.token_hex(16)
        turns = _before(self.branch(), turn)
        while turns and turns[-1].role == "assistant":
            turns.pop()
        group = self._calls(turns, [], replace(form, others=()))

        def write(db: Connection) -> str:
            chats.put_together(db, self.owner, chat_id, turn.alternatives, together)
            return self._asker.record_calls(db, chat_id, turn.parent, group, together)

        self._asker.record_and_start(group, write)

    def continue_answer(self, turn: Turn, form: Form) -> None:
        """Let an answer that was cut off be continued, or one begun by hand; the whole is a sibling of `turn`."""
        turns = [*_before(self.branch(), turn), turn]
        nudge = [Message(role="user", content=_go_on(turn.text))] if turn.call else []
        form = replace(form, others=(), params=form.params.model_copy(update={"n": None}))
        self._answer(turn.parent, replace(self._calls(turns, nudge, form), begun=turn.text))

    def planned(self, turns: Sequence[Turn], last: Message, form: Form) -> list[tuple[ChatRequest, Endpoint]]:
        """What `send_text` would ask after `turns`, and where. Raises InvalidInput."""
        return [(call.request, endpoint) for call, endpoint in self._calls(turns, [last], form).calls]

    def would_ask_as(self, turn: Turn, form: Form) -> bool:
        """Whether the answer `turn` was asked for as its first model would be asked now with `form`, an operator's
        limits included. How an answer is sent does not count, nor how many come: what is in it stays the same. True
        too where the two can't be compared, as the answer's service is not connected."""
        connected = self.endpoints()
        if turn.call is None or turn.call.endpoint not in {one.name for one in connected} or not form.model.strip():
            return True
        endpoint, model = endpoints.find(form.model.strip(), connected)
        if (turn.call.endpoint, turn.call.model) != (endpoint.name, model):
            return False
        try:
            params = self.dispatcher.allowed(endpoint, ChatRequest(model, (), form.params)).params
        except TemperaError:  # asking says why
            params = form.params
        return _compared(params.to_send()) == _compared(turn.call.params_asked)

    def endpoints(self) -> list[Endpoint]:
        """The services that can be asked, the default one first."""
        return self._asker.endpoints()

    def choose(self, message_id: str) -> None:
        """Open the branch through a message. Raises ChatNotFound."""
        self._change(lambda db, chat_id: chats.choose(db, self.owner, chat_id, message_id))

    def delete(self, turn: Turn) -> int:
        """Take a turn out; the mark that brings it back. Raises ChatNotFound."""
        return self._change(lambda db, chat_id: chats.delete_turn(db, self.owner, chat_id, turn.id))

    def undelete(self, message_id: str, mark: int) -> None:
        """Bring a deleted turn back. Raises ChatNotFound."""
        self._change(lambda db, chat_id: chats.undelete_turn(db, self.owner, chat_id, message_id, mark))

    def erase(self) -> None:
        """Remove the whole chat for good, and what was still to be saved of it."""
        if self.chat_id is not None:
            # Its answers are stopped first: one that ends later would be written into a chat that is gone.
            self.dispatcher.forget(self.owner, self.chat_id)
        if self.chat_id is not None and not self.temporary:
            # Before the rows go: a record that comes to be held in between would be written after them.
            self.dispatcher.outcomes.forget(self.owner, self.chat_id)
        self._change(lambda db, chat_id: chats.erase(db, self.owner, chat_id))
        if self.temporary:
            self.dispatcher.memory.drop_if_empty()

    def _change(self, work: Callable[[Connection, str], T]) -> T:
        if self.chat_id is None:
            raise ChatNotFound
        chat_id = self.chat_id
        return self.store.write(lambda db: work(db, chat_id)).result()

    def fetch_missing(self, turn: Turn) -> None:
        """Ask for the versions that did not come; they are siblings of `turn`. Raises NotConnected."""
        if turn.call is not None and missing(turn.call):
            self._repeat(turn, turn.call, missing(turn.call), self._endpoint(turn.call.endpoint))

    def other_address(self, call: CallRecord | Call) -> Endpoint | None:
        """Where else the service of a call can be asked; None for most services."""
        return self.registry.second_address(self.owner, call.endpoint)

    def use_other_address(self, turn: Turn) -> None:
        """Ask once more, at the service's other address with the same key; the answer is a sibling of `turn`."""
        other = self.other_address(turn.call) if turn.call else None
        if turn.call is not None and other is not None:
            self._repeat(turn, turn.call, _versions_asked(turn.call), other)

    def to_send(self, turns: Sequence[Turn]) -> list[Message]:
        """The conversation as it goes to a model, images included; answers without a word in them are left out."""
        used = [turn for turn in turns if turn.text.strip() or turn.images]
        # One read for all turns; the same image may be in several.
        ids = list(dict.fromkeys(id for turn in used for id in turn.images))
        urls = dict(zip(ids, self.images(ids), strict=False))
        return [
            Message(
                role=turn.role,
                content=image_data.without_data(turn.text) if turn.role == "assistant" else turn.text,
                images=tuple(urls[id] for id in turn.images if id in urls),
            )
            for turn in used
        ]

    def images(self, ids: Sequence[str]) -> tuple[str, ...]:
        """The data URLs of images."""
        return self.store.read(lambda db: image_store.load(db, self.owner, ids)) if ids else ()

    def _repeat(self, turn: Turn, old: CallRecord, n: int, endpoint: Endpoint) -> None:
        """Make the call `old` of `turn` anew for `n` versions."""
        # What was sent then, and not the branch of today, which may have been edited.
        messages = self.store.read(lambda db: records.messages_of(db, self.owner, old.id))
        params = Params.recorded({**old.params_asked, "n": n if n > 1 else None})
        call = self._asker.call(endpoint, ChatRequest(old.model, tuple(messages), params))
        self._answer(turn.parent, CallGroup(((call, endpoint),), turn.begun, turn.left_out))

    def _answer(self, question: str | None, group: CallGroup) -> None:
        """Record the answers to come under `question`, and begin."""
        if self.chat_id is None:
            return
        chat_id = self.chat_id
        self._asker.record_and_start(group, lambda db: self._asker.record_calls(db, chat_id, question, group))

    def _endpoint(self, name: str) -> Endpoint:
        for endpoint in self.endpoints():
            if endpoint.name == name:
                return endpoint
        raise NotConnected(service=name)

    def _calls(self, turns: Sequence[Turn], further: Sequence[Message], form: Form) -> CallGroup:
        """The calls that ask all models of `form` to go on after `turns` and `further`."""
        left_out = min(form.leave_out, len(turns))
        messages = [*self.to_send(turns[left_out:]), *further]
        return replace(self._asker.calls(messages, form), left_out=left_out)


def _compared(params: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in params.items() if name not in _NOT_COMPARED}


def not_sent(call: CallRecord) -> bool:
    """Whether a failed call never reached its service."""
    return call.error_kind in NOT_SENT


def missing(call: CallRecord) -> int:
    """How many of the versions asked for a whole answer lacks."""
    return max(0, _versions_asked(call) - len(call.choices)) if call.state == "ok" else 0


def _versions_asked(call: CallRecord) -> int:
    return int(call.params_asked.get("n") or 1)


def _go_on(begun: str) -> str:
    return GO_ON["zh" if is_chinese(begun) else "en"]


def _before(turns: Sequence[Turn], turn: Turn | None) -> list[Turn]:
    """The turns before `turn`; all of them where it is None."""
    return list(takewhile(lambda one: turn is None or one.id != turn.id, turns))


def _last_id(turns: Sequence[Turn]) -> str | None:
    return turns[-1].id if turns else None
