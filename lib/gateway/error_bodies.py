"""Finds message, code, parameter and request id in an error body, wherever a gateway puts them."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from lib.core.parameters import API_FIELDS
from lib.gateway.retry import moment, wait_in_words
from lib.gateway.sse import Unreadable, json_value

_MOST_READ = 65_536
_DEEPEST = 4
# Where one-api looks in what the services behind it send, and FastAPI's `detail`.
_MESSAGES = (
    *("message", "Message", "msg", "err", "error_msg", "error_description", "status_msg", "faultstring"),
    *("detail", "error", "errors", "localized_message", "title"),
)
# The other names of API_FIELDS are words of a usual sentence: “stop”, “user”, “messages”.
_UNMISTAKABLE = ("temperature", "max_tokens", "max_completion_tokens", "top_p", "stream_options", "_penalty")
_NAMED = re.compile(
    r"(?:parameter|argument|field|name|input|value)s?(?: supplied)?(?: for)?\s*:?\s*[\"'`“‘]?([A-Za-z_]\w*)"
    r"|[\"'`“‘]([A-Za-z_]\w*)[\"'`”’]"
)
_DELAYS = ("retry_after", "retryAfter", "retry_after_seconds", "estimated_time")
"""The last one is Hugging Face's, while a model is loaded."""
_REQUEST_ID = re.compile(r"\(?request[ _-]?id:?\s*([\w-]{6,80})\)?", re.IGNORECASE)
_TITLE = re.compile(r"<(title|h1)[^>]*>(.*?)</", re.IGNORECASE | re.DOTALL)
_TAG = re.compile(r"<[^>]*>")

# Types and codes as OpenAI and Anthropic name them; in a stream there is no status left to tell.
_STATUS_OF = {
    "invalid_request_error": 400,
    "authentication_error": 401,
    "invalid_api_key": 401,
    "permission_error": 403,
    "rate_limit_error": 429,
    "rate_limit_exceeded": 429,
    "server_error": 500,
    "internal_server_error": 500,
    "api_error": 500,
    "timeout_error": 504,
    "overloaded_error": 529,
}


@dataclass(frozen=True, slots=True)
class ErrorBody:
    """What an error body says. `status` is the true one where the body knows better, `all` everything to search."""

    text: str = ""
    code: str = ""
    type: str = ""
    param: str = ""
    request_id: str = ""
    status: int = 0
    wait: float | None = None
    """Seconds that it asks to wait."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Headers of the service behind a gateway, in lower case, where that hands them on in the body."""
    html: bool = False
    proper: bool = False
    """Whether it is an error object as an API sends it, rather than a web server's page or a bare text."""

    @property
    def implied(self) -> int:
        """The HTTP status that the code or the type stands for; 0 where they stand for none."""
        return _STATUS_OF.get(self.code.lower()) or _STATUS_OF.get(self.type.lower()) or 0

    @property
    def all(self) -> str:
        return f"{self.code} {self.type} {self.text}"


def parse_error_body(body: Any) -> ErrorBody:
    """What `body` says: JSON of any shape (as text or value), a web page, plain text, or nothing."""
    if not isinstance(body, str):
        return _of_value(body)
    # Blank lines before it too: DeepSeek keeps connections alive with them.
    body = body[:_MOST_READ].strip()
    if body.startswith("<"):
        return _of_page(body)
    value = json_value(body)
    if value is Unreadable:
        return ErrorBody(text=body, request_id=_request_id(body), wait=wait_in_words(body))
    return _of_value(value)


def _of_page(page: str) -> ErrorBody:
    title = _TITLE.search(page)
    text = title[2] if title else _TAG.sub(" ", page)
    return ErrorBody(text=" ".join(text.split()), html=True)


def _of_value(value: Any) -> ErrorBody:
    objects = list(_nested(value))
    if not objects:
        return ErrorBody(text=value if isinstance(value, str) else _compact(value))
    code, kind = _first(objects, "code"), _first(objects, "type")
    text = next(filter(None, map(_message, objects)), "") or code or _compact(value)
    text += _behind(objects)
    param = _first(objects, "param")
    return ErrorBody(
        text=text,
        code=code,
        type=kind,
        param=_param(param, objects, text),
        request_id=_first(objects, "request_id", "requestId") or _request_id(text),
        status=_status(code, param),
        wait=_told_delay(objects) or wait_in_words(text),
        headers=_headers_behind(objects),
        proper=len(objects) > 1 or bool(code or kind),
    )


def _nested(value: Any, depth: int = 0) -> Iterable[Mapping[str, Any]]:
    """The objects that may hold the message, the innermost first."""
    # Gemini's OpenAI layer wraps its error in a list.
    if isinstance(value, list) and value and depth < _DEEPEST:
        yield from _nested(value[0], depth + 1)
    if not isinstance(value, Mapping) or depth >= _DEEPEST:
        return
    # Mistral's `message` may be an object with FastAPI's `detail` in it.
    for name in ("error", "response", "header", "message", "errors", "fault", "base_resp"):
        yield from _nested(value.get(name), depth + 1)
    yield value


def _message(holder: Mapping[str, Any]) -> str:
    for name in _MESSAGES:
        value = holder.get(name)
        if isinstance(value, str) and value.strip():
            return value
        if isinstance(value, list) and (name == "detail" or all(isinstance(one, str) for one in value)):
            words = "; ".join(filter(None, map(_complaint, value[:10])))
            if words:
                return words
    return ""


def _complaint(item: Any) -> str:
    """One line of FastAPI's `detail`: where, and what."""
    if not isinstance(item, Mapping):
        return str(item)[:200]
    where = item.get("loc")
    path = ".".join(map(str, where[:10])) if isinstance(where, list) else ""
    return f"{path}: {item.get('msg', '')}" if path else str(item.get("msg", ""))


def _behind(objects: Iterable[Mapping[str, Any]]) -> str:
    """What the service behind the gateway said, where the gateway passes it on."""
    for holder in objects:
        metadata = holder.get("metadata")
        # OpenRouter keeps the words of the service behind it there.
        raw = metadata.get("raw") if isinstance(metadata, Mapping) else None
        if isinstance(raw, str) and raw.strip():
            return f"\n{raw}"
    return ""


def _told_delay(objects: Iterable[Mapping[str, Any]]) -> float | None:
    """The wait in a field: Google's RetryInfo (`"retryDelay": "33s"`), or a number of seconds."""
    for holder in objects:
        seconds = next((holder[name] for name in _DELAYS if isinstance(holder.get(name), int | float)), None)
        if seconds is not None and not isinstance(seconds, bool) and 0 < seconds < 1e6:
            return float(seconds)
        details = holder.get("details")
        for detail in details if isinstance(details, list) else ():
            delay = detail.get("retryDelay") if isinstance(detail, Mapping) else None
            wait = moment(delay, 0) if isinstance(delay, str) else None
            if wait is not None and wait > 0:
                return wait
    return None


def _headers_behind(objects: Iterable[Mapping[str, Any]]) -> Mapping[str, str]:
    """OpenRouter's `metadata.headers`."""
    for holder in objects:
        metadata = holder.get("metadata")
        headers = metadata.get("headers") if isinstance(metadata, Mapping) else None
        if isinstance(headers, Mapping):
            return {name.lower(): str(value)[:200] for name, value in list(headers.items())[:50]}
    return {}


def _first(objects: Iterable[Mapping[str, Any]], *names: str) -> str:
    for holder in objects:
        for name in names:
            value = holder.get(name)
            # A number at OpenRouter, vLLM and llama.cpp, a text at OpenAI.
            if isinstance(value, str | int) and not isinstance(value, bool) and value != "":
                return str(value)[:200] if isinstance(value, str) or abs(value) < 10**18 else ""
    return ""


def _status(code: str, param: str) -> int:
    """The HTTP status that the body names: as its code, or behind APIYI's bad_response_status_code."""
    number = param if code == "bad_response_status_code" else code
    return int(number) if re.fullmatch(r"[45]\d\d", number, re.ASCII) else 0


def _param(param: str, objects: Iterable[Mapping[str, Any]], text: str) -> str:
    """The refused parameter, by its name in the API where it is one of those."""
    # A number there is APIYI's status, not a field.
    if param and not param.isdecimal():
        return _api_name(param) or param
    for holder in objects:
        detail = holder.get("detail")
        paths = [item.get("loc") for item in detail if isinstance(item, Mapping)] if isinstance(detail, list) else []
        for path in paths:
            if isinstance(path, list) and path:
                return str(path[1] if len(path) > 1 else path[0])[:100]
    return _param_in(text)


def _param_in(text: str) -> str:
    text = text[:4_000]
    for found in _NAMED.finditer(text):
        name = _api_name(found[1] or found[2])
        if name:
            return name
    words = map(_api_name, re.findall(r"[A-Za-z_]+", text))
    return next((word for word in words if word and word.endswith(_UNMISTAKABLE)), "")


def _api_name(word: str) -> str:
    """`word` as the API spells it: presencePenalty is presence_penalty; empty for any other word."""
    # xAI names parameters in camelCase.
    snake = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", word).lower()
    return snake if snake in API_FIELDS else ""


def _request_id(text: str) -> str:
    found = _REQUEST_ID.search(text)
    return found[1] if found else ""


def _compact(value: Any) -> str:
    return "" if value in (None, "", {}, []) else json.dumps(value, ensure_ascii=False)[:_MOST_READ]
