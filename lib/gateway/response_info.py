"""What is known of an answer beside its text: what its headers say, and which request it is of."""

import time
from dataclasses import dataclass, replace
from typing import Any

import httpx

from lib.gateway import unpacking
from lib.gateway.addresses import key_of
from lib.gateway.endpoints import Endpoint
from lib.gateway.key_masking import KNOWN
from lib.gateway.retry import asked_wait
from lib.gateway.usage_report import cost_from

REQUEST_ID_HEADERS = ("x-request-id", "request-id", "x-oneapi-request-id", "cf-ray")
COST_HEADER = "x-litellm-response-cost"
"""US dollars; LiteLLM's proxy sends it with each answer that is no stream."""


@dataclass(frozen=True, slots=True)
class ResponseInfo:
    """What is known of an answer that may be an error. `body` is its text or its JSON value; `secret` the key that
    no error may show; `retry_after` in seconds."""

    status: int = 200
    body: Any = ""
    request_id: str = ""
    retry_after: float | None = None
    may_retry: bool | None = None
    base_url: str = ""
    model: str = ""
    secret: str = ""
    cost: float | None = None
    """US dollars, where a header of the answer names them."""
    packing: str = ""
    """How the body is packed, where it can't be unpacked."""

    def with_body(self, body: Any) -> "ResponseInfo":
        """The same answer with this body."""
        return replace(self, body=body)


def response_info(response: httpx.Response, endpoint: Endpoint, model: str) -> ResponseInfo:
    """What the status line and the headers tell, in case the answer is an error."""
    headers, secret = dict(response.headers.items()), key_of(endpoint.api_key)
    request_id = next((headers[name] for name in REQUEST_ID_HEADERS if headers.get(name)), "")
    return ResponseInfo(
        status=response.status_code,
        request_id=KNOWN.forms_with(secret).masked(request_id),
        retry_after=asked_wait(headers, time.time()),
        may_retry={"true": True, "false": False}.get(headers.get("x-should-retry", "").strip().lower()),
        base_url=endpoint.base_url,
        model=model,
        secret=secret,
        cost=cost_from(headers.get(COST_HEADER, "")),
        packing=unpacking.left_packed(response),
    )
