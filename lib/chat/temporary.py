"""Temporary chats end when they are left: at once by a click, or when no tab has had one open for a minute."""

import asyncio
import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from lib.background import Jobs
from lib.core.errors import TemperaError

LEFT_SECONDS = 60.0
LOOK_SECONDS = 5.0
IsOpen = Callable[[], bool]
"""Whether a tab is still there."""
log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Watched:
    tabs: dict[str, IsOpen] = field(default_factory=dict)
    last_open: float = field(default_factory=time.monotonic)


class TemporaryChats:
    """Which tabs have which temporary chats open. `forget` removes a chat, given its owner and id."""

    def __init__(self, jobs: Jobs, forget: Callable[[str, str], None]) -> None:
        self._jobs, self._forget = jobs, forget
        self._watched: dict[tuple[str, str], _Watched] = {}
        # Script threads say what is open while a worker thread looks who has left.
        self._lock = threading.Lock()
        self._watching = False

    def seen(self, owner: str, chat_id: str, tab: str, is_open: IsOpen) -> None:
        """Note that a tab has a temporary chat open; `is_open` tells later whether it is still there."""
        with self._lock:
            watched = self._watched.setdefault((owner, chat_id), _Watched())
            # Asked later by the watcher: a closed tab runs no script that could say so.
            watched.tabs[tab] = is_open
            # Together with the look in `_watch`, so that a chat is never added to a watch that is just ending.
            start, self._watching = not self._watching, True
        if start:
            asyncio.run_coroutine_threadsafe(self._watch(), self._jobs.loop)

    def left(self, owner: str, chat_id: str) -> None:
        """Note that a chat is forgotten."""
        with self._lock:
            self._watched.pop((owner, chat_id), None)

    def look(self, now: float) -> None:
        """Forget the chats that no tab has had open for LEFT_SECONDS; `now` is in seconds of time.monotonic."""
        with self._lock:
            for watched in self._watched.values():
                if any(is_open() for is_open in watched.tabs.values()):
                    watched.last_open = now
            gone = [key for key, watched in self._watched.items() if now - watched.last_open >= LEFT_SECONDS]
        for owner, chat_id in gone:
            # Outside the lock from here on: forgetting waits for the database.
            self.left(owner, chat_id)
            try:
                self._forget(owner, chat_id)
            except TemperaError as problem:
                log.warning("a temporary chat was gone already: %s", problem.kind)

    async def _watch(self) -> None:
        while True:
            with self._lock:
                self._watching = bool(self._watched)
                if not self._watching:
                    return
            await asyncio.sleep(LOOK_SECONDS)
            # In a thread, as forgetting a chat waits for the writing thread.
            await asyncio.to_thread(self.look, time.monotonic())
