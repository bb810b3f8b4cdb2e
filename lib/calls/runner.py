"""Runs one call: sends it, collects the answer, saves partial text on the way, and writes the final record exactly
once."""

import asyncio
import threading
import time
from collections.abc import AsyncGenerator
from concurrent.futures import Future
from contextlib import aclosing, suppress
from dataclasses import replace
from typing import Any

from lib.background import Job
from lib.calls import records, unsupported_params
from lib.calls.final_records import FinalRecord, FinalRecords
from lib.calls.records import CallRecord
from lib.core import prices, tokens
from lib.core.clock import now
from lib.core.contract import Call, Delta, Outcome, Reply, State, Usage
from lib.core.errors import BadParameter, Billed, NotSavedYet, StoreError, TemperaError, unforeseen
from lib.gateway.client import Client, OnBytes, Sleep, ignore_bytes
from lib.gateway.endpoints import Endpoint
from lib.store.database import Store

CHECKPOINT_SECONDS = 1.0
CHECKPOINT_CHARACTERS = 2_000
MOST_LEFT_OUT = 2


class Answer(Job):
    """A call that runs, as the page sees it. `place` is the id of its chat or sweep; `started` tells whether its
    beginning is in the store."""

    def __init__(self, call: Call, on_bytes: OnBytes = ignore_bytes, place: str = "", started: bool = True) -> None:
        super().__init__(call.id)
        self.call, self.place, self.started = call, place, started
        self.started_at = now()
        self.on_bytes = on_bytes
        """Hears the bytes of the answer as they come."""
        self.request = call.request
        """What is sent: the call's request without what the model refuses."""
        self.reply = Reply()
        self.sent = threading.Event()
        """Set when a whole request has left."""
        self.outcome: Outcome | None = None
        self.recorded = False
        """Whether its final record is on the disk."""
        self.attempts = 1
        self._earlier_attempts = 0
        self.waiting: float | None = None
        """Seconds until the next attempt, while a refused one waits."""
        self.began = time.monotonic()
        self.first_token_seconds: float | None = None

    @property
    def size(self) -> int:
        return 1_000 + sum(len(choice.text) + len(choice.reasoning) for choice in self.reply.choices)

    def release(self) -> None:
        """The conversation goes: it can be megabytes, and the store has it."""
        self.call = replace(self.call, request=replace(self.call.request, messages=()))
        self.request = replace(self.request, messages=())
        self.on_bytes = ignore_bytes

    @property
    def seconds(self) -> float:
        """Seconds since the call began, or that it took."""
        return self.outcome.seconds if self.outcome else time.monotonic() - self.began

    def retrying(self, attempt: int, wait: float, error: TemperaError) -> None:
        """Note that another attempt follows after `wait` seconds."""
        self.attempts, self.waiting = self._earlier_attempts + attempt + 1, wait
        self.touch()

    def leave_out(self, names: frozenset[str]) -> None:
        """Note that another attempt follows without the fields `names`."""
        self.request = replace(self.request, unsupported=self.request.unsupported | names)
        self._earlier_attempts, self.attempts, self.waiting = self.attempts, self.attempts + 1, None
        self.touch()


async def run(
    answer: Answer,
    endpoint: Endpoint,
    client: Client,
    store: Store,
    finals: FinalRecords,
    sleep: Sleep = asyncio.sleep,
    texts: Store | None = None,
) -> None:
    """Ask `endpoint` for the answer to a call; ends when its final record is written, or held to be written later.
    Between two attempts `sleep` waits. The words of a temporary call go into `texts`."""
    answer.began = time.monotonic()
    state: State = "ok"
    error: BaseException | None = None
    try:
        await _take_in(answer, endpoint, client, store, sleep)
    except asyncio.CancelledError as stopped:
        state, error = "cancelled", stopped
    except TemperaError as problem:
        state, error = ("error" if answer.reply.empty else "partial"), problem
    except Exception as bug:
        state, error = ("error" if answer.reply.empty else "partial"), unforeseen(bug, f"call {answer.call.id}")
    try:
        answer.outcome = _outcome(answer, state, error)
    except Exception as bug:  # what came is worth more than its figures
        answer.outcome = _bare_outcome(answer, unforeseen(bug, f"the figures of call {answer.call.id}"))
    if texts is not None:
        await _record_texts(answer, answer.outcome, texts)
    # Even when the job is being cancelled a second time.
    answer.recorded = await asyncio.shield(asyncio.ensure_future(finals.write(_final(answer, answer.outcome))))


async def _take_in(answer: Answer, endpoint: Endpoint, client: Client, store: Store, sleep: Sleep) -> None:
    """Let the answer grow by what comes, and save it on the way."""
    saver = _Saver(answer, store)
    async with aclosing(_deltas(answer, endpoint, client, store, sleep)) as deltas:
        async for delta in deltas:
            answer.reply.add(delta)
            if answer.first_token_seconds is None and not answer.reply.empty:
                answer.first_token_seconds = answer.seconds
            saver.save_if_due(len(delta.text) + len(delta.reasoning))
            answer.touch()


def _final(answer: Answer, outcome: Outcome) -> FinalRecord:
    sent, began = answer.request.sent, answer.started_at
    return FinalRecord(answer.call, outcome, sent, records.this_process(), answer.place, answer.started, began)


async def _deltas(
    answer: Answer, endpoint: Endpoint, client: Client, store: Store, sleep: Sleep
) -> AsyncGenerator[Delta, None]:
    """The answer as it comes. Fields that the model does not take are left out, remembered, and the call made again;
    that is done twice at most, and never after a word was shown."""
    for left in reversed(range(MOST_LEFT_OUT + 1)):
        try:
            asked = client.ask(
                endpoint,
                answer.request,
                on_retry=answer.retrying,
                sleep=sleep,
                on_bytes=answer.on_bytes,
                on_sent=answer.sent.set,
            )
            async with aclosing(asked) as deltas:
                async for delta in deltas:
                    yield delta
            return
        except BadParameter as error:
            names = unsupported_params.named_in(error, answer.request) if answer.reply.empty else frozenset()
            await _remember(answer.call, endpoint, names, store)
            if not left or not names:
                raise
            answer.leave_out(names)


async def _remember(call: Call, endpoint: Endpoint, names: frozenset[str], store: Store) -> None:
    """Keep what a model does not take; that it can't be saved is no reason to fail."""
    with suppress(StoreError):
        if names:
            model = call.request.model
            await store.submit(lambda db: unsupported_params.remember(db, call.owner, endpoint.base_url, model, names))


def _outcome(answer: Answer, state: State, error: BaseException | None) -> Outcome:
    usage = _counted(answer.call, answer.reply, sent=state in ("ok", "partial") or not answer.reply.empty)
    answer.reply.usage = usage
    billed: Billed = "yes" if state == "ok" else getattr(error, "billed", "unknown")
    return Outcome(
        state=state,
        reply=answer.reply,
        seconds=answer.seconds,
        first_token_seconds=answer.first_token_seconds,
        error_kind=error.kind if isinstance(error, TemperaError) else "",
        error_text=error.original if isinstance(error, TemperaError) else "",
        error_record=error.record() if isinstance(error, TemperaError) else {},
        billed=billed,
        attempts=answer.attempts,
        cost=prices.cost(answer.call.request.model, usage),
    )


def _counted(call: Call, reply: Reply, sent: bool) -> Usage:
    """The usage as the service reported it, else our own count of what was sent and what came."""
    if reply.usage.source == "reported":
        return reply.usage
    if not sent:
        return Usage()
    thoughts = sum(tokens.count(choice.reasoning) for choice in reply.choices)
    return Usage(
        prompt_tokens=tokens.count_prompt(call.request.messages),
        completion_tokens=thoughts + sum(tokens.count(choice.text) for choice in reply.choices),
        reasoning_tokens=thoughts or None,
        source="estimated",
    )


def _bare_outcome(answer: Answer, error: TemperaError) -> Outcome:
    """An outcome without figures."""
    state: State = "error" if answer.reply.empty else "partial"
    return Outcome(
        state=state,
        reply=answer.reply,
        seconds=answer.seconds,
        first_token_seconds=answer.first_token_seconds,
        error_kind=error.kind,
        error_record=error.record(),
        billed="unknown",
        attempts=answer.attempts,
    )


async def _record_texts(answer: Answer, outcome: Outcome, texts: Store) -> None:
    """Write the final record of a temporary call where its words are."""
    sent = answer.request.sent
    with suppress(StoreError):  # the chat was left, and its store with it
        await asyncio.shield(texts.submit(lambda db: records.finish_call(db, answer.call.id, outcome, sent)))


def unsaved_record(started: CallRecord, answer: Answer) -> CallRecord:
    """What the record of a call would be that ended and could not be written: whole, and said not to be saved."""
    return as_it_ended(started, answer.outcome or _bare_outcome(answer, answer.trouble or StoreError()), answer.trouble)


def as_it_ended(started: CallRecord, outcome: Outcome, trouble: TemperaError | None = None) -> CallRecord:
    """The record of a call whose `outcome` is not stored yet; `trouble` says why, where that is known."""
    said = trouble or NotSavedYet()
    return replace(
        started,
        model_answered=outcome.reply.model,
        state=outcome.state,
        seconds=outcome.seconds,
        first_token_seconds=outcome.first_token_seconds,
        choices=tuple(outcome.reply.choices),
        usage=outcome.reply.usage,
        cost=outcome.cost,
        billed=outcome.billed,
        error_kind=outcome.error_kind or said.kind,
        error_text=outcome.error_text,
        error_record=outcome.error_record or said.record(),
    )


class _Saver:
    """Saves the text so far now and then; the stream never waits for it."""

    def __init__(self, answer: Answer, store: Store) -> None:
        self._answer, self._store = answer, store
        self._at, self._unsaved = time.monotonic(), 0
        self._writing: Future[Any] | None = None

    def save_if_due(self, characters: int) -> None:
        self._unsaved += characters
        now = time.monotonic()
        due = now - self._at >= CHECKPOINT_SECONDS or self._unsaved >= CHECKPOINT_CHARACTERS
        if due and self._unsaved and (self._writing is None or self._writing.done()):
            self._at, self._unsaved = now, 0
            call_id, reply = self._answer.call.id, self._answer.reply
            self._writing = self._store.write(lambda db: records.checkpoint(db, call_id, reply))
