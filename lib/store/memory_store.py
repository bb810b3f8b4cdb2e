"""A store in this process's memory, for texts that must never reach the disk."""

import threading

from sqlalchemy import select

from lib.store.database import Store
from lib.store.schema import chats

# any owner: the database is everybody's.
ANY_CHAT = select(chats.c.id).limit(1)


class MemoryStore:
    """A database in memory, opened when it is first needed and gone when the process ends."""

    def __init__(self) -> None:
        # Two script threads may ask for it at the same moment, and there must be only one.
        self._lock = threading.Lock()
        self._store: Store | None = None

    @property
    def opened(self) -> bool:
        """Whether anything can be in it."""
        return self._store is not None

    def open(self) -> Store:
        """The store itself; the first call opens it."""
        with self._lock:
            self._store = self._store or Store.in_memory()
            return self._store

    def drop_if_empty(self) -> None:
        """Let go of the database when no chat is in it any more: then nothing of any is left, images included."""
        with self._lock:
            if self._store is not None and not self._store.read(lambda db: db.execute(ANY_CHAT).first()):
                # Still under the lock: a chat that begins now would else get a store that is being closed.
                self._store.close()
                self._store = None

    def close(self) -> None:
        """Drop all that is in it."""
        with self._lock:
            if self._store is not None:
                self._store.close()
