"""Collects what the inspector shows of a call: the request as it was sent, and the raw answer."""

from dataclasses import dataclass
from typing import Any

from lib.calls import records
from lib.calls.records import CallRecord
from lib.chat.conversation import Conversation
from lib.core.request import ChatRequest
from lib.gateway.addresses import service_url
from lib.gateway.endpoints import APIYI_ADDRESSES, Endpoint
from lib.gateway.raw_answers import RawAnswer


@dataclass(frozen=True, slots=True)
class Inspection:
    """One request: its URL, its body, and what came, where that is still known. With `ours_alone` only this program can
    ask the model, and the URL is an example."""

    model: str
    url: str
    body: dict[str, Any]
    ours_alone: bool
    answer: RawAnswer | None = None


def planned(request: ChatRequest, endpoint: Endpoint) -> Inspection:
    """A request that is not made yet."""
    return Inspection(request.model, _url(endpoint.base_url), request.body(), not endpoint.base_url)


def made(conversation: Conversation, call: CallRecord) -> Inspection:
    """The request of a call, as it was sent. Of a service that is not connected any more the URL is an example."""
    base_url = next((one.base_url for one in conversation.endpoints() if one.name == call.endpoint), "")
    body = conversation.store.read(lambda db: records.body_of(db, call))
    answer = conversation.dispatcher.raw_answers.get(conversation.owner, call.id)
    return Inspection(call.model, _url(base_url), body, not base_url, answer)


def _url(base_url: str) -> str:
    return service_url(base_url or APIYI_ADDRESSES[0], "/chat/completions")
