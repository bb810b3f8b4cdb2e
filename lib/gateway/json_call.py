"""One JSON request to the practice model's server; nothing is tried again."""

import asyncio
import json
from typing import Any

import httpx
from pydantic import SecretStr

from lib.core.errors import ApiError, BadAnswer, ConnectionFailed, Malformed, TimedOut
from lib.gateway.transport import translated

MOST_ERROR_CHARACTERS = 10_000
NO_ANSWER = (ConnectionFailed, TimedOut, BadAnswer)
"""What `json_call` raises where the server did not answer, or not in JSON."""


async def json_call(url: str, api_key: SecretStr, body: Any, *, seconds: float) -> Any:
    """The JSON answer to a GET, or with a `body` to a POST.

    Raises ApiError with the server's own words when it refuses, and one of NO_ANSWER when nothing readable came within
    `seconds`.
    """
    headers = {"authorization": f"Bearer {api_key.get_secret_value()}", "content-type": "application/json"}
    # Half a surrogate pair can't be written as UTF-8, only as JSON's own escape.
    content = None if body is None else json.dumps(body).encode()
    # Neither TLS nor a proxy lies between us and this computer, and setting TLS up takes 20 ms.
    client = httpx.AsyncClient(verify=False, trust_env=False, timeout=None)
    try:
        async with asyncio.timeout(seconds), client:
            with translated():
                answer = await client.request("GET" if body is None else "POST", url, headers=headers, content=content)
    except TimeoutError:
        raise TimedOut(seconds=seconds) from None
    if not answer.is_success:
        raise ApiError(answer.text[:MOST_ERROR_CHARACTERS], status=answer.status_code)
    try:
        return answer.json()
    except ValueError:
        raise Malformed(answer.text[:MOST_ERROR_CHARACTERS]) from None
