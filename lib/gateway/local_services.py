"""Looks for Ollama, LM Studio and llama.cpp's server on this computer, in the background.

Nothing is sent but `GET /v1/models`, and only to where they listen unless somebody has changed that.
"""

import asyncio
import time
from collections.abc import Collection
from dataclasses import dataclass

from lib.background import Jobs
from lib.core.errors import TemperaError
from lib.gateway.client import Client
from lib.gateway.endpoints import SERVICES, Endpoint

RUNNERS = ("ollama", "lmstudio", "llamacpp")
AT_COMMON_PORTS = {"llamacpp": "llama.cpp"}
"""Whose port many other programs use: what the server has to call itself."""
SECONDS = 0.2
AGAIN_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class LocalService:
    """A service that runs on this computer, and its models."""

    endpoint: Endpoint
    models: tuple[str, ...]


class LocalServices:
    """What was found when it was last looked for; nobody ever waits for that."""

    def __init__(self, jobs: Jobs, client: Client, wanted: bool) -> None:
        self._jobs, self._client, self._wanted = jobs, client, wanted
        self._found: tuple[LocalService, ...] = ()
        self._looked: float | None = None

    def look(self) -> None:
        """Begin to look, unless that was done a moment ago or is not wanted."""
        now = time.monotonic()
        if self._wanted and (self._looked is None or now - self._looked > AGAIN_SECONDS):
            self._looked = now
            asyncio.run_coroutine_threadsafe(self._look(), self._jobs.loop)

    def besides(self, connected: Collection[Endpoint]) -> list[LocalService]:
        """What is known to run here and is not connected; looks again for the next time."""
        self.look()
        names = {endpoint.name for endpoint in connected}
        return [one for one in self._found if one.endpoint.name not in names]

    async def _look(self) -> None:
        found = await asyncio.gather(*(self._ask(name) for name in RUNNERS))
        self._found = tuple(one for one in found if one is not None)

    async def _ask(self, name: str) -> LocalService | None:
        endpoint = Endpoint(name, SERVICES[name][1])
        try:
            async with asyncio.timeout(SECONDS):
                models, server = await self._client.models_and_server(endpoint)
        except (TemperaError, TimeoutError):
            return None
        if AT_COMMON_PORTS.get(name, server) != server:
            return None
        return LocalService(endpoint, tuple(models))
