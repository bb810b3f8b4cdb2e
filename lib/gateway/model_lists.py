"""Fetches the model lists of endpoints in the background, and keeps them for a while."""

import asyncio
import time
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from functools import partial

from lib.background import Jobs
from lib.core.errors import NoModelList, TemperaError, unforeseen
from lib.core.limits import Limits
from lib.gateway.addresses import is_loopback
from lib.gateway.client import Client
from lib.gateway.endpoints import EXAMPLE_MODELS, Endpoint, model_value

KEPT_SECONDS = 600.0
TROUBLE_SECONDS = 15.0
"""After so long a list that could not be fetched is asked for again: the service may be back."""


@dataclass(frozen=True, slots=True)
class Listing:
    """Model ids of one endpoint. `complete` is False where they are only examples, or those of an earlier time;
    `trouble` says why."""

    models: tuple[str, ...]
    complete: bool = True
    trouble: TemperaError | None = None


@dataclass(slots=True)
class _Asked:
    future: "Future[Listing]"
    before: Listing | None
    """What was known when it was asked."""
    at: float = field(default_factory=time.monotonic)

    @property
    def old(self) -> bool:
        if not self.future.done():
            return False
        trouble = self.future.result().trouble
        # A service that says it has no list is not asked at every turn.
        lasting = trouble is None or isinstance(trouble, NoModelList)
        return time.monotonic() - self.at > (KEPT_SECONDS if lasting else TROUBLE_SECONDS)


class ModelLists:
    """What `GET /models` said, by owner and endpoint."""

    def __init__(self, jobs: Jobs, client: Client, limits: Limits) -> None:
        self._jobs, self._client, self._limits = jobs, client, limits
        self._asked: dict[tuple[str, str, str], _Asked] = {}

    def get(self, owner: str, endpoint: Endpoint, seconds: float) -> Listing | None:
        """The models of `endpoint` that may be asked; None when it has not answered within `seconds`, and never has
        before."""
        listing = self._get(owner, endpoint, seconds)
        if listing is None or not endpoint.of_operator:
            return listing
        return replace(listing, models=tuple(filter(partial(self._may_be_asked, endpoint), listing.models)))

    def _may_be_asked(self, endpoint: Endpoint, model: str) -> bool:
        return self._limits.lists(model_value(endpoint, model))

    def _get(self, owner: str, endpoint: Endpoint, seconds: float) -> Listing | None:
        if endpoint.models:
            return Listing(endpoint.models)
        asked = self._ask(owner, endpoint)
        if asked.before is not None and not asked.future.done():
            return asked.before  # nobody waits while a list is renewed
        try:
            return asked.future.result(seconds)
        except TimeoutError:
            return None

    def forget(self, owner: str, endpoint: Endpoint) -> None:
        """Ask again next time: the key may be another one."""
        self._asked.pop(_key(owner, endpoint), None)

    def known(self, owner: str, endpoint: Endpoint, models: tuple[str, ...]) -> None:
        """Keep a list that was fetched elsewhere just now."""
        future: Future[Listing] = Future()
        future.set_result(Listing(models))
        self._asked[_key(owner, endpoint)] = _Asked(future, None)

    def _ask(self, owner: str, endpoint: Endpoint) -> _Asked:
        key = _key(owner, endpoint)
        asked = self._asked.get(key)
        if asked is None or asked.old:
            before = asked.future.result() if asked else None
            work = _listing(self._client, endpoint, before)
            # Asked on the loop and kept as a future: script threads that come meanwhile wait for the same answer.
            asked = self._asked[key] = _Asked(asyncio.run_coroutine_threadsafe(work, self._jobs.loop), before)
        return asked


def _key(owner: str, endpoint: Endpoint) -> tuple[str, str, str]:
    return owner, endpoint.name, endpoint.base_url


async def _listing(client: Client, endpoint: Endpoint, before: Listing | None) -> Listing:
    try:
        return Listing(tuple(await client.models(endpoint)))
    # Kept like an answer, so that not every rerun asks.
    except TemperaError as error:
        trouble = error
    except Exception as bug:
        # A page must not end because of a list; what is known of a service is not worth that.
        trouble = unforeseen(bug, "a model list")
    if before is not None and before.models and not isinstance(trouble, NoModelList):
        return replace(before, complete=False, trouble=trouble)
    # None of the examples is on this computer, unless what runs here passes on to others and only has no list.
    none = is_loopback(endpoint.base_url) and not isinstance(trouble, NoModelList)
    return Listing(() if none else EXAMPLE_MODELS, complete=False, trouble=trouble)
