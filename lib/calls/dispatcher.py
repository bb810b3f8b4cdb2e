"""Starts calls on the background loop, and finds running and recent ones again."""

from lib.background import Jobs
from lib.calls.runner import Answer, run
from lib.core.contract import Call
from lib.gateway.client import Client, Sleep, ignore_bytes
from lib.gateway.endpoints import Endpoint
from lib.gateway.raw_answers import RawAnswers
from lib.store import process_lock
from lib.store.database import Store
from lib.store.memory_store import MemoryStore


class Dispatcher:
    """What it takes to make a call: the loop, the client, and where its record and its texts are kept.

    `store` has every call; `memory` has the texts of temporary chats, which `store` never sees. `process` is the name
    under which calls of this process are recorded.
    """

    def __init__(self, jobs: Jobs, client: Client, store: Store) -> None:
        self.jobs, self.client, self.store = jobs, client, store
        self.memory = MemoryStore()
        self.raw_answers = RawAnswers()
        self.process = process_lock.ID

    def start(self, call: Call, endpoint: Endpoint) -> Answer:
        """Begin a call that is recorded as started; for every thread but the loop's own."""
        answer = self._answer(call, endpoint)
        texts = self.memory.open() if call.temporary else None
        self.jobs.start(answer, run(answer, endpoint, self.client, self.store, texts=texts))
        return answer

    async def begin(self, call: Call, endpoint: Endpoint, sleep: Sleep) -> Answer:
        """The same from the loop; between two attempts the call waits in `sleep`."""
        answer = self._answer(call, endpoint)
        await self.jobs.begin(answer, run(answer, endpoint, self.client, self.store, sleep))
        return answer

    def find(self, call_id: str | None) -> Answer | None:
        """The running or lately finished answer of a call."""
        job = self.jobs.get(call_id) if call_id else None
        return job if isinstance(job, Answer) else None

    def _answer(self, call: Call, endpoint: Endpoint) -> Answer:
        # The bytes of a sweep's many answers would push those of the chat out of the few that are kept.
        kept = call.page == "chat" and not call.temporary
        secret = endpoint.api_key.get_secret_value()
        return Answer(call, self.raw_answers.begin(call.owner, call.id, secret).add if kept else ignore_bytes)
