"""Everything that is opened once per process: the store, the loop, the client, the endpoints, the practice model.

Only the pages and the start-up code use this; a domain is handed what it needs.
"""

import logging
import os
import tempfile
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from lib import erasing, recovery
from lib.access import password
from lib.access.cookie_secret import cookie_secret
from lib.access.invited import Invited
from lib.access.seats import Seats
from lib.access.sign_ins import NOBODY, SignIns
from lib.background import Jobs
from lib.calls import call_log, records
from lib.calls.budgets import Budgets
from lib.calls.dispatcher import Dispatcher
from lib.calls.outcome_writer import OutcomeWriter
from lib.chat import repository as chats
from lib.chat.conversation import Conversation
from lib.chat.temporary import TemporaryChats
from lib.core import tokens
from lib.core.errors import InvalidInput, SettingsError, StoreError, StoreNotOpened
from lib.core.i18n import N_
from lib.core.limits import NO_LIMITS
from lib.erasing import Span
from lib.gateway.client import Client, Clocks
from lib.gateway.endpoint_registry import EndpointRegistry, OwnServices
from lib.gateway.endpoints import Endpoint, name_of
from lib.gateway.key_masking import KNOWN, SHORTEST, mask_log
from lib.gateway.local_services import LocalServices
from lib.gateway.model_lists import ModelLists
from lib.practice.endpoint import LocalModel, available
from lib.settings import Settings
from lib.store import backup, schema
from lib.store.database import Store
from lib.store.fallback_file import FallbackFile
from lib.sweep.scheduler import SweepScheduler
from lib.sweep.shares import Shares
from lib.visitor import LOCAL_OWNER, own_budgets, own_prices
from lib.visitor.keychain import Keychain, remembered, stored_keys

if TYPE_CHECKING:
    from lib.workers import Workers

log = logging.getLogger(__name__)
CLOSE_SECONDS = 5.0
"""For so long the end waits for the job queue."""
KEYCHAIN_SECONDS = 3.0
"""For so long the start waits for keys that were to be remembered; later they come by themselves."""


@dataclass(slots=True)
class Services:
    """What the pages work with. `sign_ins` is there where many share it; `store_trouble` is set when nothing can be
    saved to disk."""

    settings: Settings
    store: Store
    registry: EndpointRegistry
    models: ModelLists
    local: LocalModel | None
    dispatcher: Dispatcher
    sweeps: SweepScheduler
    temporary: TemporaryChats
    local_services: LocalServices
    keychain: Keychain
    sign_ins: SignIns | None
    store_trouble: StoreError | None = None
    known: set[str] = field(default_factory=set)
    """The owners whose own prices and budgets were read."""
    seats: Seats = field(default_factory=lambda: Seats(0))
    """Who is inside, where many share it."""
    workers: "Workers | None" = None
    """This process among those that run sweeps, where there can be several."""

    @classmethod
    def open(cls, settings: Settings, worker: bool = False) -> "Services":
        """Open the store, close what a dead process left behind, and get ready to answer; as a `worker`, to run sweeps
        for others.

        Raises SettingsError where the settings ask for what can't be had.
        """
        shared = _is_shared(settings)
        secret = cookie_secret(settings.cookie_secret.get_secret_value(), settings.data_dir) if shared else ""
        # Before anything that could log: a complaint of the database or of a library may hold a key.
        _set_up_logs(shared)
        store, trouble = _open_store(settings, shared)
        _place_vocabulary(settings)
        local = LocalModel() if settings.local_model and available() else None
        registry = _registry(settings, local, shared)
        dispatcher = _dispatcher(settings, store, shared)
        sweeps = SweepScheduler(dispatcher, registry)
        recovery.after_restart(dispatcher, sweeps)
        recovery.tidy_hourly(dispatcher)
        jobs, client, keychain = dispatcher.jobs, dispatcher.client, Keychain(not shared)
        _connect_remembered(keychain, registry, store)
        opened = cls(
            settings=settings,
            store=store,
            registry=registry,
            models=ModelLists(jobs, client, dispatcher.limits),
            local=local,
            dispatcher=dispatcher,
            sweeps=sweeps,
            temporary=TemporaryChats(jobs, partial(_forget, dispatcher, registry)),
            local_services=LocalServices(jobs, client, settings.find_services and not shared),
            keychain=keychain,
            sign_ins=_sign_ins(settings, secret, store) if shared else None,
            store_trouble=trouble,
            seats=Seats(settings.most_sessions),
        )
        if not shared:
            opened.know(LOCAL_OWNER)
        if store.on_server:
            opened.workers = _workers(opened, dedicated=worker)
        return opened

    @property
    def budgets(self) -> Budgets:
        """What visitors want to use at most, and what is spent of it."""
        return self.dispatcher.budgets

    @property
    def shared(self) -> bool:
        """Whether many share this Tempera: they sign in."""
        return self.sign_ins is not None

    @property
    def may_share_links(self) -> bool:
        """Whether links may be made, and show anything, under which anybody reads a chat or a sweep."""
        return not self.shared or self.settings.shared_links

    def know(self, owner: str) -> None:
        """Let the prices and budgets count that an owner has set, from the first page on that is drawn for them."""
        if owner in self.known:
            return
        with suppress(StoreError):  # then list prices, and no budgets, are better than no page
            self.registry.set_prices(owner, self.store.read(lambda db: own_prices.of_services(db, owner)))
            self.budgets.set(owner, self.store.read(lambda db: own_budgets.load(db, owner)))
            self.known.add(owner)

    def conversation(
        self, owner: str, session: str, chat_id: str | None = None, temporary: bool = False
    ) -> Conversation:
        """A visitor's conversation; `chat_id` None is a chat that begins with the next message."""
        return Conversation(self.dispatcher, self.registry, owner, session, chat_id, temporary)

    def temporary_chats(self, owner: str) -> set[str]:
        """The ids of the owner's temporary chats."""
        if not self.dispatcher.memory.opened:
            return set()
        return {chat.id for chat in self.dispatcher.memory.open().read(lambda db: chats.chats_of(db, owner))}

    def restore(self, source: Path) -> Path:
        """Replace everything by a backup; where what was there before is kept. Raises NotRestored and StoreError."""
        kept = backup.restore(self.store, source, self.settings.data_dir)
        # Calls that were under way when the backup was made end in no process now.
        self.store.write(lambda db: records.interrupt_orphans(db, self.dispatcher.process)).result()
        self.known.clear()
        self.know(LOCAL_OWNER)
        self.budgets.forget_sums(LOCAL_OWNER)
        return kept

    def erase_history(self, owner: str, span: Span) -> None:
        """Remove for good what an owner has kept of a stretch of time. Raises StoreError."""
        erasing.erase(self.dispatcher, self.sweeps, owner, span)
        self.budgets.forget_sums(owner)

    def close(self) -> None:
        """Stop what runs, record it, and let go of everything."""
        self.dispatcher.drain(self.settings.drain_seconds if self.shared else 0)
        if self.workers is not None:
            self.workers.close(CLOSE_SECONDS)
        # The jobs first, as they still write; the held records while the store is open; the store last.
        self.dispatcher.jobs.close(last=self.dispatcher.client.aclose())
        if self.local is not None:
            self.local.close()
        self.dispatcher.memory.close()
        self.dispatcher.outcomes.close()
        self.store.close()


def _is_shared(settings: Settings) -> bool:
    """Whether many share this Tempera; raises SettingsError where that can't be, or can't be meant."""
    hash = settings.password_hash.get_secret_value()
    if settings.mode == "local" and hash:
        # Without a sign-in, whoever reaches it would be the one person that there is.
        raise SettingsError(
            N_("TEMPERA_PASSWORD_HASH is set, and TEMPERA_MODE is not shared: nobody would be asked for the password."),
            N_("Set TEMPERA_MODE=shared, or take the password out."),
        )
    if settings.mode == "shared" and not hash and settings.auth is None:
        raise SettingsError(
            N_("TEMPERA_MODE=shared needs a sign-in, and none is set."),
            N_("Make a password with `make password` and set TEMPERA_PASSWORD_HASH to what it prints."),
        )
    if settings.mode == "shared" and settings.auth is not None and not Invited(settings.invited.split(",")):
        raise SettingsError(
            N_("Accounts are to be signed in with, and nobody is invited."),
            N_("Set TEMPERA_INVITED to mail addresses and domains, as in ada@example.com, @example.org."),
        )
    if hash and not password.is_hash(hash):
        raise SettingsError(
            N_("TEMPERA_PASSWORD_HASH is no hash of a password."),
            N_("Set it to what `make password` prints, in single quotes: a shell reads “$” otherwise."),
        )
    return settings.mode == "shared"


def _workers(opened: Services, dedicated: bool) -> "Workers | None":
    """This process among those that run sweeps; None where the database lets it have no job queue."""
    from lib.workers import Workers, can_be_used  # only here: most have no such database, and no need to load it

    if not can_be_used():
        return None
    dispatcher, sweeps, settings = opened.dispatcher, opened.sweeps, opened.settings
    shares = Shares(dispatcher, opened.registry, sweeps.progress, sweeps.prepare, opened.know)
    workers = Workers(
        settings.store_url,
        opened.store,
        dispatcher.jobs,
        shares,
        recovery.watch(dispatcher),
        settings.worker_slots,
        dedicated,
        dispatcher.limits.at_once,
    )
    try:
        workers.start()
    except StoreError as refused:
        log.warning("sweeps run in this process alone, as there can be no job queue: %s", refused)
        return None
    sweeps.call_workers = workers.call
    return workers


def _sign_ins(settings: Settings, secret: str, store: Store) -> SignIns:
    invited = Invited(settings.invited.split(",")) if settings.auth is not None else NOBODY
    operators = Invited(settings.operators.split(","))
    hash = settings.password_hash.get_secret_value()
    return SignIns(hash, secret, settings.sign_in_hours * 3600, store, invited, operators)


def _set_up_logs(shared: bool) -> None:
    """No key that is known stands in a log, or in a text of the database; where many share it each call is logged."""
    mask_log()
    schema.hide_in_texts(lambda text: KNOWN.forms.masked_whole(text), SHORTEST)
    if shared:
        call_log.to_stderr()


def _registry(settings: Settings, local: LocalModel | None, shared: bool) -> EndpointRegistry:
    own: OwnServices = ("public" if settings.own_services else "none") if shared else "any"
    return EndpointRegistry(settings.offered(), [local] if local else [], settings.first_token_seconds, own)


def _place_vocabulary(settings: Settings) -> None:
    """tiktoken asks the network for its vocabulary unless it stands in its folder: that is beside the data, or a
    temporary one where that can't be written."""
    can_write = os.access(settings.data_dir, os.W_OK)
    own = settings.data_dir / "tiktoken" if can_write else Path(tempfile.gettempdir(), "tempera-tiktoken")
    folder = os.environ.setdefault("TIKTOKEN_CACHE_DIR", str(own))
    with suppress(OSError):  # on a full disk an earlier start has placed it, or it is done without
        tokens.place_vocabulary(Path(folder))


def _dispatcher(settings: Settings, store: Store, shared: bool) -> Dispatcher:
    """What makes calls, with what earlier processes could not save taken over."""
    clocks = Clocks(settings.connect_seconds, silence=settings.silence_seconds, grace=settings.grace_seconds)
    jobs, client = Jobs(), Client(clocks)
    # A store in memory has no use for what the file's store has still to get.
    outcomes = OutcomeWriter(store, FallbackFile.open(settings.data_dir) if store.durable else None)
    # Before the calls of dead processes are closed as interrupted: some ended well, and could only not be saved.
    outcomes.take_over()
    outcomes.retry_on(jobs.loop)
    limits = settings.limits.where_many_share() if shared else NO_LIMITS
    caps = list(settings.caps.caps()) if shared else ()
    return Dispatcher(jobs, client, store, outcomes, limits, caps, own_budgets.load)


def _forget(dispatcher: Dispatcher, registry: EndpointRegistry, owner: str, chat_id: str) -> None:
    """Remove a temporary chat that was left."""
    Conversation(dispatcher, registry, owner, "", chat_id, temporary=True).erase()


def _open_store(settings: Settings, shared: bool) -> tuple[Store, StoreError | None]:
    """The store of the settings; where it can't be opened, one in memory and the reason. Raises SettingsError where
    many share it: in memory, caps would begin anew, and who has signed out would be let in again."""
    try:
        return Store.open(settings.store_url, settings.data_dir, settings.lock_seconds), None
    except StoreError as trouble:
        if shared:
            hint = N_("A Tempera that many share does not start without its database.")
            raise SettingsError(trouble.message, hint, trouble.original, **trouble.facts) from trouble
        return Store.in_memory(), StoreNotOpened(trouble)


def _connect_remembered(keychain: Keychain, registry: EndpointRegistry, store: Store) -> None:
    """Connect the services whose keys are in the keychain; one that asks to be unlocked first holds nothing up."""
    try:
        addresses = store.read(lambda db: remembered(db, LOCAL_OWNER))
    except StoreError:
        return

    def connect() -> None:
        for address, key in reversed(list(stored_keys(keychain, addresses))):
            with suppress(InvalidInput):  # the operator has set this service to another address meanwhile
                registry.connect(LOCAL_OWNER, Endpoint(name_of(address), address, key))

    if addresses:
        thread = threading.Thread(target=connect, daemon=True)
        thread.start()
        thread.join(KEYCHAIN_SECONDS)
