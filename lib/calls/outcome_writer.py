"""Writes how each call ended into the store; what the store refuses is held and tried again until it is in.

What is held stands in memory and, where there is room, in the fallback file, so that it outlives the process. The texts
of temporary chats are left out of both. What is deleted meanwhile is forgotten here too.
"""

import asyncio
import dataclasses
import json
import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection

from lib.calls import records
from lib.calls.records import CallRecord
from lib.core.errors import (
    StoreBusy,
    StoreDamaged,
    StoreFull,
    StoreGone,
    StoreLocked,
    StoreReadOnly,
    TemperaError,
    unforeseen,
)
from lib.core.parameters import Params
from lib.core.reply import Choice, Reply, Usage
from lib.core.request import Call, ChatRequest, Message
from lib.store.database import Store
from lib.store.fallback_file import FallbackFile

PATIENCE_SECONDS = 1.0
"""An outcome that is not in the store by then is put into the fallback file, and waited for on."""
FIRST_WAIT_SECONDS, LONGEST_WAIT_SECONDS = 0.25, 15.0
MOST_BYTES = 64 * 2**20
MOST_FORGOTTEN = 1000
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a call ended, ready to be written by whoever comes to it. `made_for` is the id of its chat or sweep;
    `started` tells whether its beginning is in the store, `began` when that was (microseconds since 1970)."""

    call: Call
    reply: Reply
    params_sent: Mapping[str, Any]
    process: str
    made_for: str = ""
    started: bool = True
    began: int = 0

    def write(self, db: Connection) -> bool:
        """Write it; False where there is no such call any more, or it had ended."""
        if not self.started and records.call_of(db, self.call.owner, self.call.id) is None:
            records.start_call(db, self.call, self.process, self.began)
        return records.finish_call(db, self.call.id, self.reply, self.params_sent, late=True)

    def as_record(self, attempt: int = 1) -> CallRecord:
        """What its call's record is going to be."""
        call = self.call
        return CallRecord(
            id=call.id,
            owner=call.owner,
            session=call.session,
            page=call.page,
            endpoint=call.endpoint,
            cell_id=call.cell_id,
            attempt=attempt,
            model=call.request.model,
            params_asked=call.request.params.to_send(),
            params_sent=self.params_sent,
            started_at=self.began,
            **records.as_ended(self.reply),
        )

    def to_json(self) -> dict[str, Any]:
        """Itself as JSON values; `from_json` reads them."""
        request = self.call.request
        call = {name: getattr(self.call, name) for name in _CALL}
        asked = {"model": request.model, "params": request.params.to_send(), "unsupported": sorted(request.unsupported)}
        # The store has the conversation since the call began; what stands in the fallback file should be small.
        messages = [] if self.started else [one.model_dump(mode="json") for one in request.messages]
        facts = {name: getattr(self.reply, name) for name in _REPLY}
        choices = [[one.text, one.reasoning, one.finish_reason, list(one.parts)] for one in self.reply.choices]
        reply = {**facts, "choices": choices, "usage": dataclasses.asdict(self.reply.usage)}
        return {
            "call": call,
            "request": {**asked, "messages": messages},
            "reply": reply,
            "sent": dict(self.params_sent),
            "process": self.process,
            "place": self.made_for,
            "started": self.started,
            "began": self.began,
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "Outcome":
        """An outcome out of the fallback file; raises KeyError, TypeError or ValueError for what is none."""
        asked, came = value["request"], value["reply"]
        messages = tuple(Message(**one) for one in asked["messages"])
        params = Params.recorded(asked["params"])
        request = ChatRequest(asked["model"], messages, params, frozenset(asked["unsupported"]))
        choices = [
            Choice([text], [thoughts] if thoughts else [], reason, tuple(parts))
            for text, thoughts, reason, parts in came["choices"]
        ]
        facts = {**came, "choices": choices, "usage": Usage(**came["usage"])}
        # JSON has no tuples.
        facts |= {"attempt_times": tuple(came["attempt_times"]), "price": came["price"] and tuple(came["price"])}
        rest = (value[name] for name in ("sent", "process", "place", "started", "began"))
        return cls(Call(**value["call"], request=request), Reply(**facts), *rest)

    def without_needless(self) -> "Outcome":
        """Itself without the conversation that is stored already, and of a temporary chat without any text."""
        call, reply = self.call, self.reply
        if self.started or call.temporary:
            call = replace(call, request=replace(call.request, messages=()))
        if call.temporary:
            choices = [Choice([], [], one.finish_reason) for one in reply.choices]
            reply = replace(reply, choices=choices, error_text="")
        return replace(self, call=call, reply=reply)


_CALL = tuple(field.name for field in dataclasses.fields(Call) if field.name != "request")
_REPLY = tuple(field.name for field in dataclasses.fields(Reply) if field.name not in ("choices", "usage"))


class OutcomeWriter:
    """Writes outcomes of calls, and holds those that the store has refused so far. One per process."""

    def __init__(self, store: Store, fallback: FallbackFile | None = None) -> None:
        self._store, self._fallback = store, fallback or FallbackFile()
        # The loop keeps and drops, script threads read and forget, the flush at the end runs in a third one.
        self._lock = threading.Lock()
        self._held: OrderedDict[str, Outcome] = OrderedDict()
        self._sizes: dict[str, int] = {}
        self._forgotten: OrderedDict[tuple[str, str], None] = OrderedDict()
        self._retrying: asyncio.Task[None] | None = None
        self.lost = 0
        """Records for which there was no room anywhere."""
        self.changes = 0
        """Grows whenever what is held changes."""

    def __len__(self) -> int:
        return len(self._held)

    @property
    def full(self) -> bool:
        """Whether there is no room for further outcomes."""
        return sum(self._sizes.values()) >= MOST_BYTES

    def of_call(self, call_id: str) -> Outcome | None:
        """What is held of a call."""
        return self._held.get(call_id)

    def of_sweep(self, owner: str, sweep_id: str) -> dict[str, Outcome]:
        """What is held of a sweep, by cell id."""
        with self._lock:
            held = [one for one in self._held.values() if (one.call.owner, one.made_for) == (owner, sweep_id)]
        return {one.call.cell_id or one.call.id: one for one in held}

    def all_of(self, owner: str) -> list[Outcome]:
        """What is held of an owner."""
        with self._lock:
            return [one for one in self._held.values() if one.call.owner == owner]

    def held_of(self, owner: str) -> int:
        """How many outcomes of an owner are held."""
        return len(self.all_of(owner))

    async def write(self, outcome: Outcome) -> bool:
        """Write an outcome; False when it could not be written yet and is held, or when there is nothing to write to.
        Cancelling whoever waits does not keep it from getting there."""
        writing = self._store.submit(outcome.write, patient=True)
        until = time.monotonic() + PATIENCE_SECONDS
        while not writing.done() and (left := until - time.monotonic()) > 0:
            with suppress(asyncio.CancelledError):
                # Not `wait_for`: at the end of its time that would give up the future, and with it how it ended.
                await asyncio.wait({writing}, timeout=left)
        if writing.done() and writing.exception() is None:
            return writing.result()
        # A task of its own, which nobody cancels, only where it takes longer.
        seeing_to = asyncio.ensure_future(self._see_to(outcome, writing))
        while not seeing_to.done():
            with suppress(asyncio.CancelledError):
                await asyncio.wait({seeing_to})
        return not seeing_to.cancelled() and seeing_to.result()

    async def _see_to(self, outcome: Outcome, writing: "asyncio.Future[bool]") -> bool:
        """Keep an outcome that the store has not taken yet, or has refused, until it is there."""
        late = not writing.done()
        if late:
            # Into the file while the writing thread may still wait for a lock: a kill in these seconds loses nothing.
            await self.hold(outcome)
        try:
            written = await writing
        except Exception as problem:
            if not isinstance(problem, TemperaError):
                unforeseen(problem, f"the outcome of call {outcome.call.id}")
            await self.hold(outcome)
            self._retry_soon()
            return False
        if late:
            # In a thread, as overwriting the entry waits for the disk.
            await asyncio.to_thread(self._drop, outcome.call.id)
        return written

    async def hold(self, outcome: Outcome) -> None:
        """Keep an outcome until it is written; the disk is not waited for on the loop."""
        if self._keep(outcome):
            await asyncio.to_thread(self._put, outcome.call.id)

    def forget(self, owner: str, chat_or_sweep: str) -> None:
        """Drop what is held of a chat or sweep that is deleted, and what would come to be held of it."""
        with self._lock:
            self._forgotten[owner, chat_or_sweep] = None
            while len(self._forgotten) > MOST_FORGOTTEN:
                self._forgotten.popitem(last=False)
            mine = owner, chat_or_sweep
            ids = [id for id, one in self._held.items() if (one.call.owner, one.made_for) == mine]
        for id in ids:
            self._drop(id)

    def remember(self, owner: str, chat_or_sweep: str) -> None:
        """The deletion was taken back, or it failed: hold its outcomes again."""
        with self._lock:
            self._forgotten.pop((owner, chat_or_sweep), None)

    def take_over(self) -> None:
        """Take in what earlier processes left in the fallback file, and write what can be written at once.
        For the start, before calls of dead processes are closed."""
        for id, value in self._fallback.taken().items():
            try:
                self._keep(Outcome.from_json(value))
            except (KeyError, TypeError, ValueError, TemperaError) as problem:
                unforeseen(problem, "an entry of the fallback file")
                self._fallback.drop(id)
        self.flush()

    def flush(self) -> None:
        """Write all that is held as far as the store takes it; for every thread but the loop's and the writer's."""
        # All are queued before one is waited for: they share a transaction, and one sync of the disk.
        writing = [(id, self._store.write(one.write)) for id, one in list(self._held.items())]
        for id, future in writing:
            try:
                future.result()
            except Exception as problem:
                log.warning("call %s is still not saved: %s", id, type(problem).__name__)
            else:
                self._drop(id)

    def retry_on(self, loop: asyncio.AbstractEventLoop) -> None:
        """Go on trying on `loop`, where anything is held."""
        if self._held:
            # The start runs in a script's thread; a task can be made by the loop's own only.
            loop.call_soon_threadsafe(self._retry_soon)

    def close(self) -> None:
        """Try a last time; what is not in then stays in the fallback file for the next start."""
        if self._held:
            self.flush()
        if self._held:
            log.error("%d answers are not saved; the next start tries again", len(self._held))
        self._fallback.close()

    def _retry_soon(self) -> None:
        if self._retrying is None or self._retrying.done():
            self._retrying = asyncio.get_running_loop().create_task(self._retry())

    async def _retry(self) -> None:
        wait = FIRST_WAIT_SECONDS
        while self._held:
            await asyncio.sleep(wait)
            wait = min(2 * wait, LONGEST_WAIT_SECONDS)
            for id, outcome in list(self._held.items()):
                try:
                    await self._store.submit(outcome.write)
                except (StoreFull, StoreLocked, StoreBusy, StoreReadOnly, StoreGone, StoreDamaged):
                    break  # the others would be refused too
                except Exception as problem:
                    log.warning("call %s is still not saved: %s", id, type(problem).__name__)
                    with self._lock:
                        if id in self._held:
                            # One that is refused for ever must not keep the others out.
                            self._held.move_to_end(id)
                else:
                    await asyncio.to_thread(self._drop, id)
                    wait = FIRST_WAIT_SECONDS

    def _keep(self, outcome: Outcome) -> bool:
        """Whether the outcome is newly held."""
        # Before anything is kept: of a temporary chat no word may come into the fallback file.
        outcome = outcome.without_needless()
        size = len(json.dumps(outcome.to_json()))
        with self._lock:
            if (outcome.call.owner, outcome.made_for) in self._forgotten or outcome.call.id in self._held:
                return False
            if sum(self._sizes.values()) + size > MOST_BYTES:
                self.lost += 1
                log.error("call %s can't be saved, and there is no room to hold it", outcome.call.id)
                return False
            self._held[outcome.call.id], self._sizes[outcome.call.id] = outcome, size
            self.changes += 1
        return True

    def _put(self, id: str) -> None:
        outcome = self._held.get(id)
        if outcome is not None and not self._fallback.put(id, outcome.to_json()):
            log.warning("call %s is held in memory only", id)
        if id not in self._held:
            self._fallback.drop(id)  # forgotten, or written, in between

    def _drop(self, id: str) -> None:
        with self._lock:
            if self._held.pop(id, None) is None:
                return
            self._sizes.pop(id, None)
            self.changes += 1
        self._fallback.drop(id)
