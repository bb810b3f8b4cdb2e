"""Everything that runs once in a process: the store, the loop, the client, the connections, the practice model."""

import logging
import os
import tempfile
import threading
from dataclasses import dataclass, field
from pathlib import Path

from lib.background import Jobs
from lib.calls import records
from lib.calls.runner import Answer, run
from lib.chat import repository as chats
from lib.core import tokens
from lib.core.contract import Call
from lib.core.errors import SettingsError, StoreError
from lib.core.i18n import N_
from lib.gateway.client import Client, Clocks, ignore_bytes
from lib.gateway.endpoints import Endpoint
from lib.gateway.model_lists import ModelLists
from lib.gateway.raw_answers import RawAnswers
from lib.gateway.registry import EndpointRegistry
from lib.practice.endpoint import LocalModel, available
from lib.settings import Settings
from lib.store.database import Store

log = logging.getLogger(__name__)


class MemoryStore:
    """A store in memory, opened when it is first needed."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._store: Store | None = None

    @property
    def opened(self) -> bool:
        """Whether anything can be in it."""
        return self._store is not None

    def open(self) -> Store:
        """The store."""
        with self._lock:
            self._store = self._store or Store.in_memory()
            return self._store

    def close(self) -> None:
        """Forget all that is in it."""
        with self._lock:
            if self._store is not None:
                self._store.close()


@dataclass(frozen=True, slots=True)
class Services:
    """The services behind the pages. `store_trouble` is set when nothing can be saved to disk."""

    settings: Settings
    store: Store
    jobs: Jobs
    client: Client
    registry: EndpointRegistry
    models: ModelLists
    local: LocalModel | None
    process: str
    store_trouble: StoreError | None = None
    raw_answers: RawAnswers = field(default_factory=RawAnswers)
    _fleeting: MemoryStore = field(default_factory=MemoryStore)

    @property
    def fleeting(self) -> Store:
        """Where the texts of temporary chats are, as long as this process lives."""
        return self._fleeting.open()

    def temporary_chats(self, owner: str) -> set[str]:
        """The ids of the owner's temporary chats."""
        if not self._fleeting.opened:
            return set()
        return {chat.id for chat in self.fleeting.read(lambda db: chats.chats_of(db, owner))}

    @classmethod
    def open(cls, settings: Settings) -> "House":
        """Open the store, close what a dead process left behind, and get ready to answer."""
        if settings.mode == "shared":
            raise SettingsError(
                N_("TEMPERA_MODE=shared needs a sign-in, and this version has none yet."),
                N_("Leave it out to use Tempera on this computer."),
            )
        store, trouble = _open_store(settings)
        os.environ.setdefault("TIKTOKEN_CACHE_DIR", str(_vocabulary_folder(settings)))
        tokens.place_vocabulary(_vocabulary_folder(settings))
        process = records.this_process()
        store.write(lambda db: records.interrupt_orphans(db, process)).result()
        local = LocalModel() if settings.local_model and available() else None
        registry = EndpointRegistry(settings.offered(), [local] if local else [], settings.first_byte_seconds)
        clocks = Clocks(settings.connect_seconds, silence=settings.silence_seconds, grace=settings.grace_seconds)
        jobs, client = Jobs(), Client(clocks)
        return cls(settings, store, jobs, client, registry, ModelLists(jobs, client), local, process, trouble)

    def start(self, call: Call, endpoint: Endpoint) -> Answer:
        """Begin a call that the store holds as started; the answer grows in the job returned."""
        kept = call.page == "chat" and not call.temporary
        secret = endpoint.api_key.get_secret_value()
        answer = Answer(call, self.raw_answers.begin(call.owner, call.id, secret).add if kept else ignore_bytes)
        texts = self.fleeting if call.temporary else None
        self.jobs.start(answer, run(answer, endpoint, self.client, self.store, texts=texts))
        return answer

    def answer(self, call_id: str | None) -> Answer | None:
        """The running or lately finished answer of a call."""
        job = self.jobs.get(call_id) if call_id else None
        return job if isinstance(job, Answer) else None

    def close(self) -> None:
        """Stop what runs, record it, and let go of everything."""
        self.jobs.close(last=self.client.aclose())
        if self.local is not None:
            self.local.close()
        self._fleeting.close()
        self.store.close()


def _open_store(settings: Settings) -> tuple[Store, StoreError | None]:
    """The store in the data folder; where that can't be written, one in memory and the reason."""
    try:
        return Store.open(settings.store_url), None
    except StoreError as trouble:
        return Store.in_memory(), trouble


def _vocabulary_folder(settings: Settings) -> Path:
    """Where tiktoken finds its vocabulary; beside the data, or in a temporary folder where that can't be written."""
    folder = settings.data_dir / "tiktoken"
    return folder if os.access(settings.data_dir, os.W_OK) else Path(tempfile.gettempdir()) / "tempera-tiktoken"
