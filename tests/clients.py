"""What the tests of the gateway's client share: to ask a service, and to wait for the answer or the error."""

import asyncio
from collections.abc import Callable, Coroutine
from random import Random
from typing import Any, TypeVar

import pytest

from lib.core import errors
from lib.core.parameters import Params
from lib.core.reply import Reply
from lib.core.request import ChatRequest, Message
from lib.gateway.client import Client, Clocks
from lib.gateway.endpoints import Endpoint

KEY = "sk-test-abcdefghijklmnopqrstuvwxyz"
CLOCKS = Clocks(silence=0.4, grace=0.2, models=0.5)
T = TypeVar("T")


def request(model: str, prompt: str = "hello big world", **params: Any) -> ChatRequest:
    """A request that could be sent."""
    return ChatRequest(model, (Message(role="user", content=prompt),), Params(**params))


def using(work: Callable[[Client], Coroutine[Any, Any, T]], clocks: Clocks = CLOCKS) -> T:
    """Run `work` with a client of its own."""

    async def run() -> T:
        client = Client(clocks, Random(1))
        try:
            return await work(client)
        finally:
            await client.aclose()

    return asyncio.run(run())


async def whole(client: Client, endpoint: Endpoint, asked: ChatRequest, **options: Any) -> Reply:
    """The answer, when all of it has come."""
    reply = Reply()
    async for delta in client.ask(endpoint, asked, **options):
        reply.add(delta)
    return reply


def answer(endpoint: Endpoint, asked: ChatRequest, **options: Any) -> Reply:
    """The answer to a request; `options` are those of `Client.ask`."""
    return using(lambda client: whole(client, endpoint, asked, **options))


def failure(endpoint: Endpoint, asked: ChatRequest, **options: Any) -> errors.TemperaError:
    """The error in which a request ends."""
    with pytest.raises(errors.TemperaError) as caught:
        answer(endpoint, asked, **options)
    return caught.value


def listed(endpoint: Endpoint) -> list[str]:
    """The models that a service lists."""
    return using(lambda client: client.models(endpoint))
