"""Finds out, by asking, whether a chat can be had at an address that a person typed.

`GET /models` tells most. Where it is missing, and to learn whether the key is good, an empty request for a chat does:
services refuse it without calling a model, in words that tell whether the chat is there.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from lib.core.errors import (
    ApiError,
    BadKey,
    Forbidden,
    ModelNotFound,
    NoBalance,
    NoModelList,
    TemperaError,
    TlsFailed,
    UpstreamFailed,
    WrongAddress,
)
from lib.gateway.client import Client
from lib.gateway.endpoints import Endpoint, name_of
from lib.gateway.pasted_text import likely_scheme

_VERSION = re.compile(r"/v\d+\w*(?=/|$)")
_LIKELY_PATHS = ("/v1", "/api/v1", "/openai/v1", "/compatible-mode/v1", "/v1beta/openai")
"""Where services have their API, of those that are not at the root: OpenRouter, Groq, DashScope, Gemini."""


@dataclass(frozen=True, slots=True)
class Found:
    """A service where chats can be had: its models, empty where it lists none. `warning` is what stands in the way of
    an answer all the same."""

    endpoint: Endpoint
    models: tuple[str, ...]
    warning: TemperaError | None = None


async def find_service(client: Client, typed: Endpoint) -> Found:
    """The service at the typed address, or at one that was probably meant, on the same host; raises what is wrong."""
    endpoints = [replace(typed, name=name_of(address), base_url=address) for address in _likely(typed.base_url)]
    wrong: list[ApiError] = []
    for endpoint in endpoints:
        try:
            return await _with_list(client, endpoint, tuple(await client.models(endpoint)))
        except ApiError as error:
            wrong.append(error)
            if upgraded := _by_https(endpoint.base_url, error):
                return await find_service(client, replace(endpoint, base_url=upgraded))
    for endpoint, said in zip(endpoints, list(wrong), strict=True):
        if isinstance(said, NoModelList | WrongAddress):
            refusal = await _refusal_of_chats(client, endpoint)
            if refusal is None:
                return Found(endpoint, ())
            wrong.append(refusal)
    raise _without_what_was_tried(_most_telling(wrong), {endpoint.base_url for endpoint in endpoints})


def better_address(typed: Endpoint, error: TemperaError) -> str:
    """What could be tried instead of the typed address, once the person agrees; empty where nothing is known."""
    if isinstance(error, WrongAddress) and error.suggestion != typed.base_url:
        return error.suggestion
    scheme, _, rest = typed.base_url.partition("://")
    if isinstance(error, TlsFailed) and scheme == "https" and likely_scheme(urlsplit(typed.base_url).netloc) == "http":
        return f"http://{rest}"
    return ""


async def _with_list(client: Client, endpoint: Endpoint, models: tuple[str, ...]) -> Found:
    """The service that lists `models`; some list them to anybody, and only the chat looks at the key."""
    refusal = await client.try_chat(endpoint)
    if isinstance(refusal, BadKey | WrongAddress):
        raise refusal
    return Found(endpoint, models, refusal if isinstance(refusal, NoBalance) else None)


async def _refusal_of_chats(client: Client, endpoint: Endpoint) -> ApiError | None:
    """What tells that no chats can be had there; None where they can. Raises what kept the question from being asked,
    a missing network say."""
    refusal = await client.try_chat(endpoint)
    if isinstance(refusal, ApiError):
        return None if _is_of_a_chat(refusal) else refusal
    if refusal is not None:
        raise refusal
    return None


def _is_of_a_chat(refusal: ApiError) -> bool:
    """Whether only a service that makes chats refuses an empty request like this."""
    if isinstance(refusal, UpstreamFailed):
        return refusal.status == 500  # what has not foreseen an empty request; 502 and 503 come from before it
    return isinstance(refusal, ModelNotFound) or not isinstance(refusal, BadKey | Forbidden | WrongAddress)


def _most_telling(wrong: list[ApiError]) -> ApiError:
    """Of what was said at several addresses: that of the key, else what was said first; a missing list is no news
    where there are no chats either."""
    by_key = next((error for error in wrong if isinstance(error, BadKey | Forbidden)), None)
    first = next((error for error in wrong if not isinstance(error, NoModelList)), wrong[0])
    return by_key or first


def _without_what_was_tried(error: ApiError, tried: set[str]) -> ApiError:
    """`error` without the advice to try an address where nothing was found just now."""
    if not isinstance(error, WrongAddress) or error.suggestion not in tried:
        return error
    return WrongAddress(error.original, status=error.status, request_id=error.request_id)


def _by_https(address: str, error: ApiError) -> str:
    """The same address by https, where the service only sends to that."""
    suggestion = error.suggestion if isinstance(error, WrongAddress) else ""
    return suggestion if suggestion.startswith("https://") and suggestion[8:] == address.removeprefix("http://") else ""


def _likely(address: str) -> Iterator[str]:
    """The address itself, then those it was probably meant to be."""
    yield address
    parts = urlsplit(address)
    root, path = f"{parts.scheme}://{parts.netloc}", parts.path
    version = _VERSION.search(path)
    if version and path[version.end() :]:
        yield root + path[: version.end()]  # a page of its documentation, perhaps
    elif not version:
        yield f"{root}{path}/v1"
    if path in ("", "/v1"):
        yield from (root + likely for likely in _LIKELY_PATHS[1:])
