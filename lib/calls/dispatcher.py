"""Starts calls on the background loop, and finds running and recent ones again."""

import time
from collections.abc import Sequence
from dataclasses import replace

from lib.background import Jobs
from lib.calls import call_log
from lib.calls.budgets import Budgets, LoadBudgets
from lib.calls.caps import Caps
from lib.calls.outcome_writer import OutcomeWriter
from lib.calls.owner_line import OwnerLine
from lib.calls.runner import Answer, run
from lib.core.errors import BeingStopped
from lib.core.limits import NO_LIMITS, Cap, Limits
from lib.core.request import Call, ChatRequest
from lib.gateway.client import Client, ignore_bytes
from lib.gateway.endpoints import Endpoint
from lib.gateway.raw_answers import RawAnswers
from lib.gateway.retry import Retries
from lib.store import process_lock
from lib.store.database import Store
from lib.store.memory_store import MemoryStore


class Dispatcher:
    """What it takes to make a call: the loop, the client, and where its record and its texts are kept.

    `store` has every call; `memory` has the texts of temporary chats, which `store` never sees. `outcomes` holds
    how calls ended that `store` has refused so far. `limits` and `caps` are the operator's. `process` is the name under
    which calls of this process are recorded.
    """

    def __init__(
        self,
        jobs: Jobs,
        client: Client,
        store: Store,
        outcomes: OutcomeWriter | None = None,
        limits: Limits = NO_LIMITS,
        caps: Sequence[Cap] = (),
        load_budgets: LoadBudgets | None = None,
    ) -> None:
        self.jobs, self.client, self.store = jobs, client, store
        self.outcomes = OutcomeWriter(store) if outcomes is None else outcomes
        self.budgets = Budgets(store, self.outcomes, Caps(store, caps), load_budgets)
        self.limits = limits
        self.stopping = False
        """Whether nothing new is to begin."""
        self._lines: dict[str, OwnerLine] = {}
        self.memory = MemoryStore()
        self.raw_answers = RawAnswers()
        self.process = process_lock.ID

    def start(self, call: Call, endpoint: Endpoint, made_for: str = "", started: bool = True) -> Answer:
        """Start a call of the chat `made_for`, from outside the loop. `started` tells whether the store has
        its beginning; where it has not, that is written with its end."""
        answer = self._answer(call, endpoint, made_for, started)
        # The store counts the call of a temporary chat, without its words; those are in memory only.
        texts = self.memory.open() if call.temporary else None
        self.jobs.start(answer, self._run_and_settle(answer, endpoint, texts=texts))
        return answer

    async def start_on_loop(
        self, call: Call, endpoint: Endpoint, retries: Retries, made_for: str = "", started: bool = True
    ) -> Answer:
        """Like `start`, for coroutines on the loop; `retries` decides whether the call is tried again, and waits."""
        answer = self._answer(call, endpoint, made_for, started)
        await self.jobs.start_on_loop(answer, self._run_and_settle(answer, endpoint, retries))
        return answer

    def allowed(self, endpoint: Endpoint, request: ChatRequest) -> ChatRequest:
        """The request as the operator allows it to be sent there; raises NotAllowed, and BeingStopped. Asked before a
        call is recorded, and once more when it begins: no way leads around it."""
        if self.stopping:
            raise BeingStopped
        return self.limits.applied(request, endpoint.name if endpoint.of_operator else "")

    def _line(self, owner: str) -> OwnerLine | None:
        """Where the calls of an owner wait for each other; None where any number may run."""
        if self.limits.at_once is None:
            return None
        return self._lines.setdefault(owner, OwnerLine(self.limits.at_once))

    async def _run_and_settle(
        self, answer: Answer, endpoint: Endpoint, retries: Retries | None = None, texts: Store | None = None
    ) -> None:
        """Run a call, and settle with the budgets what it took when that is recorded."""
        call = answer.call
        try:
            await run(answer, endpoint, self.client, self.store, self.outcomes, retries, texts)
        finally:
            self.budgets.settle(call.id, call.owner, call.session, answer.started_at, answer.reply)
            call_log.write(call, answer.reply)

    def drain(self, seconds: float) -> None:
        """Begin no further calls, and wait at most so long for those that run: they are paid for."""
        self.stopping = seconds > 0
        until = time.monotonic() + seconds
        for job in self.jobs.running():
            job.wait_until_finished(max(0.0, until - time.monotonic()))

    def find(self, call_id: str | None) -> Answer | None:
        """The running or lately finished answer of a call."""
        job = self.jobs.get(call_id) if call_id else None
        return job if isinstance(job, Answer) else None

    def forget(self, owner: str, chat_id: str) -> None:
        """End the answers of a chat that is removed, and drop what is known of them here."""
        for job in self.jobs.all():
            if isinstance(job, Answer) and (job.call.owner, job.made_for) == (owner, chat_id):
                job.cancel()
                self.jobs.forget(job.id)

    def _answer(self, call: Call, endpoint: Endpoint, made_for: str, started: bool) -> Answer:
        allowed = self.allowed(endpoint, call.request)
        call = call if allowed is call.request else replace(call, request=allowed)
        self.budgets.began(call.id)
        secret = endpoint.api_key.get_secret_value()
        on_bytes = (
            ignore_bytes if call.temporary else self.raw_answers.begin(call.owner, call.id, secret, call.page).add
        )
        return Answer(call, on_bytes, made_for, started, self._line(call.owner))
