"""Decides whether and when a failed call is tried again.

A request that may have been billed (a timeout, a cut answer) is never sent a second time.

A rule of our own rather than tenacity or stamina: how long to wait stands in the service's own headers, whether to try
at all depends on whether words were shown, and the sleep is the caller's, as a sweep gives its slot to another call
meanwhile. To tenacity all three would be handed as functions; what it adds is the loop around them, in `Client.ask`.
"""

import asyncio
import math
import re
import time
from collections.abc import Iterator, Mapping, Set
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from random import Random

from lib.core.errors import ApiError, ConnectionRefused, NameNotFound, RateLimited, TemperaError, UpstreamFailed

# As openai-python: a quota of a minute may ask for 61 seconds. What is longer is said, and is for the person to decide.
LONGEST_WAIT = 120.0
# Half a second to eight, less up to a quarter, as openai-python waits.
FIRST_WAIT = 0.5
LONGEST_BACKOFF = 8.0
JITTER = 0.25
# Refused and not found: nothing was sent, so one more attempt can't be billed. Timeouts and cut answers are missing on
# purpose: APIYI says that it bills those (docs.apiyi.com/en/faq/timeout-configuration).
RETRIES: Mapping[type[TemperaError], int] = {RateLimited: 4, UpstreamFailed: 2, ConnectionRefused: 1, NameNotFound: 1}
"""How often each kind of error is tried again; all others never."""

ONCE_MORE = (408, 409)
"""Statuses for which the services themselves advise one more attempt: they gave up on what they hand on, or two
requests met."""

_RESET = re.compile(r"x-ratelimit-reset-(?P<x>.+)|anthropic-ratelimit-(?P<anthropic>.+)-reset")
"""OpenAI's and Groq's `…-reset-requests`, Cerebras' `…-reset-tokens-minute`, Anthropic's `…-tokens-reset`."""
_IN_MILLISECONDS = ("retry-after-ms", "x-ms-retry-after-ms")
"""OpenAI's, and Azure's beside it."""
_PLAIN_RESETS = ("x-ratelimit-reset", "ratelimit-reset")
_IN_WORDS = re.compile(
    r"\b(?:try(?:ing)? again|retry(?:ing)?|wait|available|resets?)\b[^.\d]{0,40}?"
    r"(?P<wait>(?:\d+(?:\.\d+)?(?:ms|[hms])\b)|\d+h\d+m\b|(?:\d+h)?(?:\d+m)?\d+(?:\.\d+)?m?s\b"
    r"|(?P<count>\d+(?:\.\d+)?) ?(?P<unit>milliseconds?|sec(?:ond)?s?|min(?:ute)?s?|hours?)\b)"
    r"|(?P<chinese>\d+(?:\.\d+)?) ?(?P<of>毫秒|秒|分钟|小时)(?:之?后|再)",
    re.IGNORECASE | re.ASCII,
)
_SECONDS = {"mil": 0.001, "sec": 1, "min": 60, "hou": 3600, "毫秒": 0.001, "秒": 1, "分钟": 60, "小时": 3600}
_UNITS = {"d": 86_400, "h": 3_600, "m": 60, "s": 1, "ms": 1e-3, "[uµμ]s": 1e-6, "ns": 1e-9}
_DURATION = re.compile("".join(rf"(?:(\d+\.?\d*|\.\d+){unit})?" for unit in _UNITS), re.ASCII | re.IGNORECASE)
_LEFT = re.compile(r"\b(?:r|remaining)\s*=\s*(\d{1,15})\b", re.ASCII)
_BACK_IN = re.compile(r"\b(?:t|reset)\s*=\s*(\d{1,15})\b", re.ASCII)
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?", re.IGNORECASE | re.ASCII)
_EPOCH_MILLISECONDS, _EPOCH_SECONDS = 1e11, 1e8
_MOST_WORDS = 4_000


def wait_before_retry(error: Exception, attempt: int, now: float, rng: Random, *, shown: bool = False) -> float | None:
    """Seconds to wait before trying again; None to give up.

    `attempt` counts the attempts made so far (1 after the first), `now` is epoch seconds, `shown` tells whether any
    of the answer was shown already.
    """
    most = next((times for kind, times in RETRIES.items() if isinstance(error, kind)), 0)
    if isinstance(error, ApiError) and error.status in ONCE_MORE:
        most = 1
    # As openai-python does, but never for what may have been billed.
    if isinstance(error, ApiError) and error.may_retry and error.billed == "no":
        most = max(most, 1)
    # Once words are shown they can't be taken back, and the second answer would be another one.
    if attempt > most or shown or not _worth_it(error):
        return None
    asked = error.retry_after if isinstance(error, ApiError) else None
    if asked is None:
        return backoff(attempt, rng)
    return asked if asked <= LONGEST_WAIT else None


class Retries:
    """Whoever decides for one call whether it is tried again, and waits until then. This one goes by the rule above; a
    sweep, whose calls take turns, has its own."""

    def __init__(self, rng: Random | None = None) -> None:
        self._rng = rng or Random()

    def wait(self, error: TemperaError, attempt: int, shown: bool) -> float | None:
        """Seconds until the next attempt, after so many; None to give up."""
        return wait_before_retry(error, attempt, time.time(), self._rng, shown=shown)

    async def sleep(self, seconds: float) -> None:
        """Wait for the next attempt; raises a TemperaError when there is none after all."""
        await asyncio.sleep(seconds)

    def without(self, names: Set[str]) -> bool:
        """Whether the call is to be made once more without the fields `names`, which were refused."""
        return True

    def request_left(self) -> None:
        """Hears that a whole request has left."""

    def used_up(self, seconds: float) -> None:
        """Hears from an answer's headers that the service takes nothing more for so many seconds."""


def told_to_wait(headers: Mapping[str, str], now: float) -> float | None:
    """The seconds for which a service that has answered takes nothing more: a quota of its headers is used up. None
    where it does not say so. `headers` have lower-case names; `now` is epoch seconds."""
    headers = _about_limits(headers)
    return max(_waits(headers, now)[0], default=None) if headers else None


def _worth_it(error: Exception) -> bool:
    if isinstance(error, UpstreamFailed):
        # Only what can't have been billed: not a failure that came with status 200, as (part of) an answer.
        return error.may_retry is not False and error.status is not None and error.status >= 500
    return not isinstance(error, ApiError) or error.may_retry is not False


def backoff(attempt: int, rng: Random) -> float:
    """Twice as long each time, from half a second to eight, less up to a quarter so that many don't come at once."""
    longest = min(FIRST_WAIT * 2.0 ** min(attempt - 1, 10), LONGEST_BACKOFF)
    return longest * (1 - JITTER * rng.random())


def asked_wait(headers: Mapping[str, str], now: float) -> float | None:
    """The seconds that a service asks to wait, from any of the headers in use; None where it does not say, or says
    nothing usable. `headers` have lower-case names; `now` is epoch seconds."""
    headers = _about_limits(headers)
    if not headers:
        return None
    exact = next((wait for name in _IN_MILLISECONDS if (wait := _milliseconds(headers.get(name, "")))), None)
    return exact or _positive(_retry_after(headers.get("retry-after", "").strip(), now)) or _reset(headers, now)


def wait_in_words(text: str) -> float | None:
    """The seconds that the words of a refusal ask to wait (“Please try again in 6m0s”, “请在 30 秒后重试”): gateways
    hand those on more often than headers. None where they name no time."""
    found = _IN_WORDS.search(text[:_MOST_WORDS])
    if found is None:
        return None
    count, unit = found["count"] or found["chinese"], (found["unit"] or "")[:3].lower() or found["of"]
    return _positive(float(count) * _SECONDS[unit] if unit else moment(found["wait"].lower(), 0))


def _about_limits(headers: Mapping[str, str]) -> dict[str, str]:
    """Those headers that may tell of a limit, by all names that are known here; mostly there is none."""
    return {name: value for name, value in headers.items() if "retry-after" in name or "ratelimit" in name}


def _retry_after(value: str, now: float) -> float | None:
    if not value:
        return None
    # A header that came twice, from the service and from a proxy before it.
    waits = [moment(one, now) for one in value.strip(", ").split(",")]
    known = [wait for wait in waits if wait is not None]
    return max(known) if len(known) == len(waits) else _date(value, now)


def _milliseconds(value: str) -> float | None:
    number = _number(value) if value else None
    return _positive(number / 1000) if number is not None else None


def _reset(headers: Mapping[str, str], now: float) -> float | None:
    """The wait that the reset headers name: for what is used up, else the shortest of them."""
    used_up, others = _waits(headers, now)
    plain = [wait for name in _PLAIN_RESETS if (wait := _positive(moment(headers.get(name, ""), now)))]
    # Every quota that is used up has to come back, so the longest wait counts; else the shortest is worth a try.
    return max(used_up) if used_up else min([*others, *plain], default=None)


def _waits(headers: Mapping[str, str], now: float) -> tuple[list[float], list[float]]:
    """The waits until quotas come back: of those that are used up, and of the others."""
    used_up: list[float] = []
    others: list[float] = []
    for name, value in headers.items():
        found = _RESET.fullmatch(name)
        wait = _positive(moment(value, now)) if found else None
        if found and wait is not None:
            own = f"anthropic-ratelimit-{found['anthropic']}-remaining"
            left = _number(headers.get(own if found["anthropic"] else f"x-ratelimit-remaining-{found['x']}", ""))
            (used_up if left is not None and left <= 0 else others).append(wait)
    for remaining, wait in _draft_limits(headers.get("ratelimit", "")):
        (others if remaining else used_up).append(wait)
    return used_up, others


def _draft_limits(value: str) -> Iterator[tuple[int, float]]:
    """What is left of each quota, and the wait until it comes back, by the drafts of the IETF's `RateLimit` header:
    `"minute";r=0;t=30, "day";r=50;t=600`, once `limit=10, remaining=0, reset=30`."""
    for quota in [value] if "reset" in value else value.split(","):
        left, back_in = _LEFT.search(quota), _BACK_IN.search(quota)
        if left and back_in and int(back_in[1]):
            yield int(left[1]), float(back_in[1])


def moment(value: str, now: float) -> float | None:
    """Seconds from `now` to what a reset header names: a Go duration, seconds, an epoch time, or a date."""
    value = value.strip()[:100]
    if not value:
        return None  # asked for a dozen headers of each answer, of which few have any
    number = _number(value)
    if number is not None:
        # OpenRouter counts in milliseconds: as seconds such a number lies thousands of years ahead.
        epoch = number / 1000 if number > _EPOCH_MILLISECONDS else number
        return epoch - now if number > _EPOCH_SECONDS else number
    # Go's durations, as OpenAI and Groq write them: 120ms, 6m0s, 4h30m15s, 500µs.
    if found := _DURATION.fullmatch(value):
        return sum(float(part or 0) * seconds for part, seconds in zip(found.groups(), _UNITS.values(), strict=True))
    # RFC 3339, as Anthropic writes it.
    return _date(value, now)


def _date(value: str, now: float) -> float | None:
    # HTTP's dates in all their forms first; each raises its own errors for what it can't read.
    for parse in (parsedate_to_datetime, datetime.fromisoformat):
        try:
            at = parse(value[:100])
            return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() - now
        except (ValueError, TypeError, OverflowError, IndexError):
            continue
    return None


def _number(value: str) -> float | None:
    # A header is as long as a service likes; Python's own numbers may hold `_`, and digits of any script.
    number = float(value) if _NUMBER.fullmatch(value := value[:100].strip()) else math.inf
    return number if math.isfinite(number) else None


def _positive(wait: float | None) -> float | None:
    return wait if wait is not None and wait > 0 else None
