"""Tells a refusal from an answer, one with status 200 too, and maps it to one typed error.

Gateways disagree on shapes and on statuses, so the text is read for what they agree on: words for money, for length
and for content rules decide before the status does.
"""

import re
import time
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from lib.core.errors import (
    ApiError,
    BadKey,
    BadParameter,
    Blocked,
    ContextTooLong,
    Forbidden,
    GatewayTimeout,
    ModelNotFound,
    NoBalance,
    NoChats,
    NoKey,
    NotThere,
    RateLimited,
    Redirected,
    UpstreamFailed,
    WrongAddress,
)
from lib.gateway.error_bodies import ErrorBody, parse_error_body
from lib.gateway.error_redaction import masked
from lib.gateway.model_ids import makes_chats
from lib.gateway.response_info import ResponseInfo
from lib.gateway.retry import asked_wait

MOST_ORIGINAL = 2_000

# Here and below the gateways' own words; tests/cases/refusals.jsonl has them with their sources.
_BALANCE = re.compile(
    r"insufficient[_ ](user_)?(quota|balance|credits?|funds)|quota[^.]{0,60}is not enough|quota_failed"
    r"|exceeded your current quota|credit balance|not enough (money|credits?|balance)|out of credits"
    r"|daily_limit_exceeded|余额不足|欠费|额度(已用尽|不足|不够)|无可用资源包",
    re.IGNORECASE,
)
_LENGTH = re.compile(
    r"exceed_context_size|context_length_exceeded|context size has been exceeded|maximum context length"
    r"|exceeds? the (available |model's )?context|context (window|length)[^.]{0,40}exceed|context_window_exceeded"
    r"|(prompt|input|request) is too long|request_too_large|token count[^.]{0,40}exceeds|string_above_max_length"
    r"|reduce the length of the (messages|prompt|input)",
    re.IGNORECASE,
)
_BLOCKED = re.compile(
    r"data_inspection_failed|content[_ ](filter|policy|management)|inappropriate content|sensitive_words|prompt_blocked"
    r"|moderation|flagged|sensitive content|敏感|违规",
    re.IGNORECASE,
)
_MODEL = re.compile(
    r"model_not_found|deployment_?not_?found"
    r"|model[^.]{0,80}(not found|does not exist|not exist|is not (available|supported)|unknown)"
    r"|(no such|unknown|invalid|unsupported) model|not a valid model|no available channel|模型不存在|无可用渠道",
    re.IGNORECASE,
)
_NO_CHATS = re.compile(
    r"not a chat model|(does not|doesn't|do not) support (the )?(chat|completions?|messages)"
    r"|(not|only) supported in (the )?/?v1/|chat (completions?|operations?) (is|are) not supported|不支持(对话|聊天)",
    re.IGNORECASE,
)
# What servers say of a path that they don't know; all else in a proper object is about what was asked for.
_UNKNOWN_PATH = re.compile(
    r"(invalid|unknown|unrecognized|unsupported) (request )?(url|path|route|endpoint)|requested url"
    r"|(path|route|url|file|page) not found|no (such )?(route|path|page|handler|endpoint)|cannot (get|post)"
    r"|(chat/)?completions|^\W*(404 )?not found\W*$|method not allowed",
    re.IGNORECASE,
)
# Not after a slash or inside a word: “/v1/models not found” is about an address.
_NAMES_MODEL = re.compile(r"(?<![/\w])models?\b|模型", re.IGNORECASE)
_KEY = re.compile(
    r"(invalid|incorrect|wrong|expired)[_ ](api[_ ])?(key|token)|api key (not|is not|is in)valid"
    r"|api key not valid|no_db_connection|无效的令牌|令牌(已过期|验证失败|状态不可用)|未提供令牌",
    re.IGNORECASE,
)
# GLM's 1113 and OpenAI's insufficient_quota come with 429, and are no rate limit.
_NO_MONEY_CODES = ("1113", "insufficient_quota", "insufficient_user_quota")
_REQUEST_PATH = re.compile(r"/((chat/)?completions|models)/?$")
_VERSION = re.compile(r"/v\d+(beta\d*)?(/|$)")


def is_error(value: Any) -> bool:
    """Whether a JSON value that came with status 200 is an error all the same."""
    if isinstance(value, list):
        return bool(value) and isinstance(value[0], dict) and is_error(value[0])
    return isinstance(value, dict) and (is_surely_error(value) or _may_complain(value))


def is_surely_error(value: Any) -> bool:
    """Whether a JSON value calls itself an error; others that are one only say something, and nothing of an answer."""
    if isinstance(value, list):
        return bool(value) and is_surely_error(value[0])
    if not isinstance(value, dict):
        return False
    # `success` is false in one-api's own pages, with status 200.
    of_its_kind = value.get("object") == "error" or value.get("type") == "error" or value.get("success") is False
    return of_its_kind or _names_error(value)


def _may_complain(value: Mapping[str, Any]) -> bool:
    if _answers_another_api(value):
        return False
    names = ("message", "msg", "err", "error_msg", "detail", "header", "response")
    return not ("choices" in value or "usage" in value or "data" in value) and any(value.get(name) for name in names)


def _answers_another_api(value: Mapping[str, Any]) -> bool:
    """Whether it is (part of) an answer all the same, in the form of Anthropic's Messages, OpenAI's Responses or
    Ollama's own chat: then what it says is no complaint."""
    kind, message = value.get("type"), value.get("message")
    of_messages = isinstance(message, dict) and "role" in message
    return of_messages or (isinstance(kind, str) and kind.startswith(("message_", "content_block_", "response.")))


def _names_error(value: Mapping[str, Any]) -> bool:
    """Whether the fields in which services name errors hold one: some send them along with an answer, with nothing in
    them. `base_resp` is MiniMax's."""
    error, base = value.get("error"), value.get("base_resp")
    named = any(error.values()) if isinstance(error, dict) else bool(error)
    return named or (isinstance(base, dict) and bool(base.get("status_code")))


def error_from(info: ResponseInfo) -> ApiError:
    """The error that `info` means; its texts are masked and bounded."""
    words = parse_error_body(info.body)
    # The body's own first: APIYI answers 500 and has the true status of the service behind it in the body.
    status = words.status or (words.implied if info.status == 200 else 0) or info.status
    kind = _kind(status, words)
    # A service that knows no better says so of such a model in any words.
    if kind in (ModelNotFound, NotThere, BadParameter) and info.model and not makes_chats(info.model):
        kind = NoChats
    facts: dict[str, Any] = {
        "status": status,
        "code": _short(words.code, info),
        "request_id": _short(info.request_id or words.request_id, info),
        "retry_after": info.retry_after or asked_wait(words.headers, time.time()) or words.wait,
        "may_retry": info.may_retry,
        "model": info.model,
    }
    if kind is BadKey and not info.secret:
        kind = NoKey
    if kind is WrongAddress:
        facts["suggestion"] = with_version(info.base_url)
    if kind is BadParameter:
        facts["param"] = _short(words.param, info)
    return kind(masked(words.text, info.secret, MOST_ORIGINAL), **facts)


def redirect_error(info: ResponseInfo, location: str) -> Redirected:
    """The error for a redirect, which is never followed: it would carry the prompt to another host."""
    target = masked(location, info.secret, 500)
    base = _REQUEST_PATH.sub("", target)
    known = base.startswith(("https://", "http://")) and base != info.base_url.rstrip("/")
    return Redirected(
        f"{info.status} → {target}",
        status=info.status,
        suggestion=base if known else with_version(info.base_url),
        request_id=_short(info.request_id, info),
        model=info.model,
    )


def with_version(base_url: str) -> str:
    """The base URL that `base_url` was meant to be: with the `/v1` it lacks, without the path of a request; empty where
    it looks right already."""
    base = base_url.rstrip("/")
    shorter = _REQUEST_PATH.sub("", base)
    if shorter != base:
        return with_version(shorter) or shorter
    return "" if not base or _VERSION.search(urlsplit(base).path) else base + "/v1"


def _short(text: str, info: ResponseInfo) -> str:
    return masked(text, info.secret, 200).replace("\n", " ")


def _kind(status: int, words: ErrorBody) -> Callable[..., ApiError]:
    by_words = _kind_by_words(status, words)
    if by_words:
        return by_words
    # A base URL without /v1 gives one-api's web console, with status 200.
    if words.html and (status < 400 or status in (404, 405)):
        return WrongAddress
    if status in (404, 405, 410):
        return _not_found(words)
    if 500 <= status < 600:
        return UpstreamFailed
    return _BY_STATUS.get(status, ApiError)


def _not_found(words: ErrorBody) -> Callable[..., ApiError]:
    """What is not there: the model, something else of a service that is, or the service."""
    if _NAMES_MODEL.search(words.all):
        return ModelNotFound
    return NotThere if words.proper and not _UNKNOWN_PATH.search(words.text) else WrongAddress


_BY_STATUS: Mapping[int, Callable[..., ApiError]] = {
    400: BadParameter,
    401: BadKey,
    402: NoBalance,
    403: Forbidden,
    413: ContextTooLong,
    422: BadParameter,
    429: RateLimited,
}


def _kind_by_words(status: int, words: ErrorBody) -> Callable[..., ApiError] | None:
    """The kind that the text names whatever the status; None where it names none."""
    # Before all words: the text is of the proxy that gave up. 524 is Cloudflare's.
    if status in (408, 504, 524):
        return GatewayTimeout
    if words.code in _NO_MONEY_CODES or _BALANCE.search(words.all):
        # Gemini says so of each minute's quota, too; money comes at no time that could be told.
        told = status == 429 and words.wait is not None and words.code not in _NO_MONEY_CODES
        return RateLimited if told else NoBalance
    # Too many requests, whatever else the text says; and a web page holds any words.
    if status == 429 or words.html:
        return None
    if _LENGTH.search(words.all):
        return ContextTooLong
    # Of a failure only the code counts: a stack trace may well hold “moderation”.
    if _BLOCKED.search(words.code if status >= 500 else words.all):
        return Blocked
    if status < 500 and _NO_CHATS.search(words.all):
        return NoChats
    # With 403 the model is there, and this key may not use it (one-api: 该令牌无权使用模型).
    if status != 403 and _MODEL.search(words.all):
        return ModelNotFound
    if status < 500 and _KEY.search(words.all):
        return BadKey
    return Forbidden if status == 200 and "无权" in words.all else None
