"""Runs one call: sends it, collects the answer, saves partial text on the way, and writes its outcome exactly
once."""

import asyncio
import threading
import time
from collections.abc import AsyncGenerator
from concurrent.futures import Future
from contextlib import aclosing, nullcontext, suppress
from dataclasses import replace
from typing import Any

from lib.background import Job
from lib.calls import records, unsupported_params
from lib.calls.outcome_writer import Outcome, OutcomeWriter
from lib.calls.owner_line import InLine, OwnerLine
from lib.calls.records import CallRecord
from lib.core import images, parts, tokens
from lib.core.clock import now
from lib.core.errors import BadParameter, Billed, NotSavedYet, StoreError, TemperaError, unforeseen
from lib.core.reply import Choice, Delta, Reply, State, Usage
from lib.core.request import Call
from lib.gateway import pricing
from lib.gateway.client import Client, OnBytes, ignore_bytes
from lib.gateway.endpoints import Endpoint
from lib.gateway.retry import Retries
from lib.gateway.transport import Step
from lib.store import process_lock
from lib.store.database import Store

# About as much of an answer is lost when the process is killed.
CHECKPOINT_SECONDS = 1.0
CHECKPOINT_CHARACTERS = 2_000
MOST_LEFT_OUT = 2


class Answer(Job):
    """A call that runs, as the page sees it. `made_for` is the id of its chat or sweep; `started` tells whether its
    beginning is in the store; `line` is where it waits, if its owner may have only so many at once."""

    def __init__(
        self,
        call: Call,
        on_bytes: OnBytes,
        made_for: str,
        started: bool,
        line: OwnerLine | None,
    ) -> None:
        super().__init__(call.id)
        self.call, self.made_for, self.started, self.line = call, made_for, started, line
        self.started_at = now()
        self.on_bytes = on_bytes
        """Hears the bytes of the answer as they come."""
        self.request = call.request
        """What is sent: the call's request without what the model refuses."""
        self.reply = Reply()
        # The page's thread waits for it, the loop's thread sets it.
        self.request_left = threading.Event()
        """Set when a whole request has left."""
        self.came = asyncio.Event()
        """Set on the loop when all has come that is to come; it is written then."""
        self.recorded = False
        """Whether its outcome is on the disk."""
        self.attempts = 1
        self.earlier_may_be_billed = False
        self._earlier_attempts = 0
        self._next_attempt: float | None = None
        self.began = time.monotonic()
        self.first_token_seconds: float | None = None
        self.attempt_times: list[dict[str, Any]] = [{"queued": 0.0}]

    @property
    def final_reply(self) -> Reply | None:
        """How the call ended; None while it runs."""
        return None if self.reply.state == "started" else self.reply

    @property
    def size(self) -> int:
        beside = sum(parts.size(choice.parts) for choice in self.reply.choices)
        return 1_000 + beside + sum(len(choice.text) + len(choice.reasoning) for choice in self.reply.choices)

    def release(self) -> None:
        """The conversation goes: it can be megabytes, and the store has it."""
        self.call = replace(self.call, request=replace(self.call.request, messages=()))
        self.request = replace(self.request, messages=())
        self.on_bytes = ignore_bytes
        self.came.set()

    @property
    def in_line(self) -> InLine | None:
        """How it stands while others of its owner's calls have all the slots."""
        return None if self.line is None else self.line.standing(self.id)

    @property
    def waiting(self) -> float | None:
        """Seconds until the next attempt, after one that was refused; 0 once it is under way."""
        return None if self._next_attempt is None else max(0.0, self._next_attempt - time.monotonic())

    @property
    def seconds(self) -> float:
        """Seconds since the call began, or that it took."""
        return self.final_reply.seconds if self.final_reply else time.monotonic() - self.began

    def came_to(self, step: Step) -> None:
        """Note how far the request has come."""
        self.attempt_times[-1][step] = self.seconds
        if step == "sent":
            self.request_left.set()

    def attempt_ended(self, error: BaseException | None, again: bool = False) -> None:
        """Note that an attempt has ended, and whether another one follows."""
        kind = getattr(error, "kind", "") or ("" if error is None else "stopped")
        self.attempt_times[-1] |= {"end": self.seconds, "error": kind}
        if again:
            self.attempt_times.append({"queued": self.seconds})

    @property
    def may_be_billed(self) -> bool:
        """Whether a whole request has left, and was not refused: until then there is nothing to pay for."""
        return self.earlier_may_be_billed or "sent" in self.attempt_times[-1]

    def retrying(self, attempt: int, wait: float, error: TemperaError) -> None:
        """Note that another attempt follows after `wait` seconds."""
        self.earlier_may_be_billed |= error.billed != "no"
        self.attempt_ended(error, again=True)
        self.attempts = self._earlier_attempts + attempt + 1
        self._next_attempt = time.monotonic() + wait
        self.touch()

    def leave_out(self, names: frozenset[str], error: TemperaError) -> None:
        """Note that another attempt follows without the fields `names`, which `error` refused."""
        self.attempt_ended(error, again=True)
        self.request = replace(self.request, unsupported=self.request.unsupported | names)
        self._earlier_attempts, self.attempts, self._next_attempt = self.attempts, self.attempts + 1, None
        self.touch()


async def run(
    answer: Answer,
    endpoint: Endpoint,
    client: Client,
    store: Store,
    outcomes: OutcomeWriter,
    retries: Retries | None = None,
    texts: Store | None = None,
) -> None:
    """Ask `endpoint` for the answer to a call; ends when its outcome is written, or held to be written later.
    `retries` decides whether it is tried again, and waits. The words of a temporary call go into `texts`. Where there
    is a line it waits in it, and holds its slot while it runs."""
    answer.began = time.monotonic()
    state: State = "ok"
    error: BaseException | None = None
    try:
        async with answer.line.slot(answer.id) if answer.line else nullcontext():
            await _take_in(answer, endpoint, client, store, retries or Retries())
    # Not raised again: the outcome is still to be written, and then the job ends anyway.
    except asyncio.CancelledError as stopped:
        state, error = "cancelled", stopped
    except TemperaError as problem:
        state, error = ("error" if answer.reply.empty else "partial"), problem
    except Exception as bug:
        state, error = ("error" if answer.reply.empty else "partial"), unforeseen(bug, f"call {answer.call.id}")
    answer.attempt_ended(error)
    try:
        _end(answer, endpoint, state, error)
    except Exception as bug:  # what came is worth more than its figures
        _end_without_figures(answer, unforeseen(bug, f"the figures of call {answer.call.id}"))
    if texts is not None:
        await _record_texts(answer, texts)
    # Before its record is on the disk: whoever waits for its slot need not wait for that too.
    answer.came.set()
    answer.recorded = await outcomes.write(_final(answer))


async def _take_in(answer: Answer, endpoint: Endpoint, client: Client, store: Store, retries: Retries) -> None:
    """Let the answer grow by what comes, and save it on the way."""
    saver = _Saver(answer, store)
    # `async for` does not close a generator that it leaves early, and this one holds a connection.
    async with aclosing(_deltas(answer, endpoint, client, store, retries)) as deltas:
        async for delta in deltas:
            answer.reply.add(delta)
            if answer.first_token_seconds is None and not answer.reply.empty:
                answer.first_token_seconds = answer.attempt_times[-1]["first_word"] = answer.seconds
            saver.save_if_due(len(delta.text) + len(delta.reasoning))
            answer.touch()


def _final(answer: Answer) -> Outcome:
    sent, began = answer.request.params_sent, answer.started_at
    return Outcome(answer.call, answer.reply, sent, process_lock.ID, answer.made_for, answer.started, began)


async def _deltas(
    answer: Answer, endpoint: Endpoint, client: Client, store: Store, retries: Retries
) -> AsyncGenerator[Delta, None]:
    """The answer as it comes. Fields that the model does not take are left out, remembered, and the call made again;
    that is done twice at most, and never after a word was shown."""

    def came_to(step: Step) -> None:
        answer.came_to(step)
        if step == "sent":
            retries.request_left()

    for left in reversed(range(MOST_LEFT_OUT + 1)):
        try:
            asked = client.ask(
                endpoint,
                answer.request,
                on_retry=answer.retrying,
                retries=retries,
                on_bytes=answer.on_bytes,
                on_step=came_to,
            )
            async with aclosing(asked) as deltas:
                async for delta in deltas:
                    yield delta
            return
        except BadParameter as error:
            # Once a word was shown, another request would be paid twice, and its words would follow the first one's.
            names = unsupported_params.named_in(error, answer.request) if answer.reply.empty else frozenset()
            await _remember(answer.call, endpoint, names, store)
            if not left or not names or not retries.without(names):
                raise
            answer.leave_out(names, error)


async def _remember(call: Call, endpoint: Endpoint, names: frozenset[str], store: Store) -> None:
    """Keep what a model does not take; that it can't be saved is no reason to fail."""
    with suppress(StoreError):
        if names:
            model = call.request.model
            await store.submit(lambda db: unsupported_params.remember(db, call.owner, endpoint.base_url, model, names))


def _end(answer: Answer, endpoint: Endpoint, state: State, error: BaseException | None) -> None:
    """Note in the reply how the call ended; its state comes last, as that says that all the rest is there."""
    reply, model = answer.reply, answer.call.request.model
    reply.seconds, reply.first_token_seconds = answer.seconds, answer.first_token_seconds
    reply.usage = _usage_of(answer.call, reply, reached=state in ("ok", "partial") or not reply.empty)
    if isinstance(error, TemperaError):
        reply.error_kind, reply.error_text, reply.error_record = error.kind, error.original, error.record()
    reply.billed = _billed(answer, state, error)
    reply.attempts, reply.attempt_times = answer.attempts, tuple(answer.attempt_times)
    reply.cost, reply.cost_source = pricing.priced(endpoint, model, reply.usage)
    reply.price = pricing.price_of(endpoint, model)
    reply.state = state


def _billed(answer: Answer, state: State, error: BaseException | None) -> Billed:
    if state == "ok":
        return "yes"
    if isinstance(error, TemperaError):
        return error.billed
    return "unknown" if answer.may_be_billed else "no"


def _usage_of(call: Call, reply: Reply, reached: bool) -> Usage:
    """The usage as the service reported it, else our own count of what was sent, if it `reached` the service, and of
    what came."""
    # What the service counted is what it bills, whatever we would count.
    if reply.usage.source in ("reported", "gateway"):
        return reply.usage
    if not reached:
        return reply.usage
    thoughts = sum(tokens.count(choice.reasoning) for choice in reply.choices)
    said = [tokens.count(choice.reasoning) + tokens.count(_written(choice)) for choice in reply.choices]
    prompt, completion = tokens.count_prompt(call.request.messages), sum(said)
    if reply.usage.of_one_choice:
        prompt = reply.usage.prompt_tokens or prompt
        completion = (reply.usage.completion_tokens or 0) + sum(said[1:])
    # How many tokens an image or a sound is only the service knows.
    countless = any(parts.of(choice.parts, kind) for choice in reply.choices for kind in ("image", "audio"))
    return replace(
        reply.usage,  # which may have the cost
        prompt_tokens=prompt,
        completion_tokens=None if countless else completion,
        reasoning_tokens=thoughts or None,
        source="estimated",
    )


def _written(choice: Choice) -> str:
    """What the model wrote word by word: the text, and its calls of tools; no images."""
    calls = [parts.text_of(one, name) for one in parts.of(choice.parts, "tool_call") for name in ("name", "arguments")]
    return "\n".join([images.without_data(choice.text), *calls])


def _end_without_figures(answer: Answer, error: TemperaError) -> None:
    """The same where the figures can't be had."""
    reply = answer.reply
    reply.seconds, reply.first_token_seconds = answer.seconds, answer.first_token_seconds
    reply.error_kind, reply.error_record = error.kind, error.record()
    reply.billed, reply.attempts = "unknown", answer.attempts
    reply.state = "error" if reply.empty else "partial"


async def _record_texts(answer: Answer, texts: Store) -> None:
    """Write the outcome of a temporary call where its words are."""
    reply, sent = answer.reply, answer.request.params_sent
    with suppress(StoreError):  # the chat was left, and its store with it
        await asyncio.shield(texts.submit(lambda db: records.finish_call(db, answer.call.id, reply, sent)))


def unsaved_record(started: CallRecord, answer: Answer) -> CallRecord:
    """What the record of a call would be that ended and could not be written: whole, and said not to be saved."""
    if answer.final_reply is None:
        _end_without_figures(answer, answer.trouble or StoreError())
    return as_it_ended(started, answer.reply, answer.trouble)


def as_it_ended(started: CallRecord, reply: Reply, trouble: TemperaError | None = None) -> CallRecord:
    """The record of a call whose end, as `reply` has it, is not stored yet; `trouble` says why, where that is known."""
    said = trouble or NotSavedYet()
    error = {"error_kind": reply.error_kind or said.kind, "error_record": reply.error_record or said.record()}
    return replace(started, **records.as_ended(reply) | error)


class _Saver:
    """Saves the text so far now and then; the stream never waits for it."""

    def __init__(self, answer: Answer, store: Store) -> None:
        self._answer, self._store = answer, store
        self._at: float | None = None
        self._unsaved = 0
        self._writing: Future[Any] | None = None

    def save_if_due(self, characters: int) -> None:
        self._unsaved += characters
        now = time.monotonic()
        # From the first words on, and not from the request: an answer that comes in one piece is about to end.
        self._at = now if self._at is None else self._at
        due = now - self._at >= CHECKPOINT_SECONDS or self._unsaved >= CHECKPOINT_CHARACTERS
        # One write at a time: while the database is locked they would pile up, each with the whole text so far.
        if due and self._unsaved and (self._writing is None or self._writing.done()):
            self._at, self._unsaved = now, 0
            call_id, reply = self._answer.call.id, self._answer.reply
            self._writing = self._store.write(lambda db: records.checkpoint(db, call_id, reply))
