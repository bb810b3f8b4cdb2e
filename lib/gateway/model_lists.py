"""Fetches the model lists of endpoints in the background, and keeps them for a while."""

import asyncio
import time
from concurrent.futures import Future
from dataclasses import dataclass, field

from lib.background import Jobs
from lib.core.errors import TemperaError
from lib.gateway.client import Client
from lib.gateway.endpoints import EXAMPLE_MODELS, Endpoint

KEPT_SECONDS = 600.0


@dataclass(frozen=True, slots=True)
class Listing:
    """Model ids of one endpoint. `complete` is False where they are only examples, `trouble` says why."""

    models: tuple[str, ...]
    complete: bool = True
    trouble: TemperaError | None = None


@dataclass(slots=True)
class _Asked:
    future: "Future[Listing]"
    at: float = field(default_factory=time.monotonic)


class ModelLists:
    """What `GET /models` said, by owner and endpoint."""

    def __init__(self, jobs: Jobs, client: Client) -> None:
        self._jobs, self._client = jobs, client
        self._asked: dict[tuple[str, str, str], _Asked] = {}

    def get(self, owner: str, endpoint: Endpoint, seconds: float) -> Listing | None:
        """The models of `endpoint`; None when the service has not answered within `seconds`."""
        if endpoint.models:
            return Listing(endpoint.models)
        try:
            return self._ask(owner, endpoint).result(seconds)
        except TimeoutError:
            return None

    def forget(self, owner: str, endpoint: Endpoint) -> None:
        """Ask again next time: the key may be another one."""
        self._asked.pop((owner, endpoint.name, endpoint.base_url), None)

    def _ask(self, owner: str, endpoint: Endpoint) -> "Future[Listing]":
        key = (owner, endpoint.name, endpoint.base_url)
        asked = self._asked.get(key)
        if asked is None or time.monotonic() - asked.at > KEPT_SECONDS:
            work = _listing(self._client, endpoint)
            # Asked on the loop and kept as a future: script threads that come meanwhile wait for the same answer.
            asked = self._asked[key] = _Asked(asyncio.run_coroutine_threadsafe(work, self._jobs.loop))
        return asked.future


async def _listing(client: Client, endpoint: Endpoint) -> Listing:
    try:
        return Listing(tuple(await client.models(endpoint)))
    # Kept like an answer: a service without a list is not asked at every click.
    except TemperaError as trouble:
        return Listing(EXAMPLE_MODELS, complete=False, trouble=trouble)
