"""A fake model server whose answers and timing are known beforehand.

    python -m bench.upstream --port 0        prints its base URL and runs until its stdin ends or Ctrl+C

Latency and length are a pure function of model, temperature and last user message (`timing`), so the ideal time of any
plan can be computed. Any model name is served; three have a meaning:

    fast                         no latency, one token
    steady-TOKENS-PER_SECOND     the first token after 0.2 s, then so many at that pace
    prose-TOKENS-PER_SECOND      the same, in paragraphs

With `--rate` each model takes so many requests a second (a bucket of that size, at least one); with `--once` a part of
the requests is refused the first time. What is refused gets 429, and `--told` says what it hears about when to come
again: `seconds` (whole ones), `exactly` or `nothing`. With `--whole` every answer is one piece of JSON, as some
gateways answer even where a stream was asked for. With `--vary` equal requests take different times, as with a real
model; which of them takes which is a matter of their order.

GET /__log gives all requests since the last GET /__reset, with times in epoch seconds: see `Request`.
"""

import argparse
import asyncio
import json
import math
import re
import sys
import time
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from hashlib import sha256
from typing import Any

WORDS = ("amber", "birch", "cloud", "delta", "ember", "frost", "grain", "harbor")
PARAGRAPH = 60
"""Tokens of a paragraph, where an answer has paragraphs."""
DONE = b"e\r\ndata: [DONE]\n\n\r\n0\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Timing:
    """When the first token comes, and the pause before each further one, in seconds."""

    first: float
    pause: float
    tokens: int

    @property
    def total(self) -> float:
        return self.first + self.pause * (self.tokens - 1)


@dataclass(slots=True)
class Request:
    """One request: when it came, when the first token was sent and when the answer ended; None: not yet, or never."""

    model: str
    temperature: float | None
    prompt: str
    arrived: float
    planned: float
    first: float | None = None
    finished: float | None = None
    refused: bool = False


@dataclass(slots=True)
class Manner:
    """How answers come: in one piece though a stream was asked for, and in times that differ between equal requests."""

    whole: bool = False
    vary: bool = False
    seen: Counter[tuple[str, float | None, str]] = field(default_factory=Counter)

    def timing(self, model: str, temperature: float | None, prompt: str) -> Timing:
        """What the next answer takes."""
        if not self.vary:
            return timing(model, temperature, prompt)
        self.seen[model, temperature, prompt] += 1
        return timing(model, temperature, numbered(prompt, self.seen[model, temperature, prompt]))


@dataclass(slots=True)
class Limits:
    """What is refused. `rate` is in requests a second and model, `once` a part of all requests, from 0 to 1."""

    rate: float = 0.0
    once: float = 0.0
    told: str = "seconds"
    buckets: dict[str, tuple[float, float]] = field(default_factory=dict)
    """Of each model: how many requests it takes, and at what time that was."""
    seen: Counter[str] = field(default_factory=Counter)
    unlucky: set[str] = field(default_factory=set)

    def wait(self, model: str, body: bytes, now: float) -> float | None:
        """Seconds until it would be taken; None: it is."""
        if self.once and self._unlucky(body):
            return 1.0
        if not self.rate:
            return None
        size = max(1.0, self.rate)
        left, at = self.buckets.get(model, (size, now))
        left = min(size, left + (now - at) * self.rate)
        self.buckets[model] = (left - 1 if left >= 1 else left, now)
        return None if left >= 1 else (1 - left) / self.rate

    def _unlucky(self, body: bytes) -> bool:
        # Equal requests can't be told apart: the next of them may be the same call again, and is taken.
        text = body.decode()
        self.seen[text] += 1
        share, _ = _fractions(f"{text} {self.seen[text]}")
        unlucky = share < self.once and text not in self.unlucky
        (self.unlucky.add if unlucky else self.unlucky.discard)(text)
        return unlucky

    def reset(self) -> None:
        """Begin anew."""
        self.buckets.clear()
        self.seen.clear()
        self.unlucky.clear()


@lru_cache(maxsize=10_000)
def timing(model: str, temperature: float | None, prompt: str) -> Timing:
    """What an answer will take; models differ in speed, and answers of one model in length."""
    steady = re.fullmatch(r"(?:steady|prose)-(\d+)-(\d+)", model)
    if steady:
        return Timing(0.2, 1 / int(steady[2]), int(steady[1]))
    if model == "fast":
        return Timing(0.0, 0.0, 1)
    slow, wide = _fractions(model)
    long, late = _fractions(f"{model} {temperature} {prompt}")
    return Timing(0.1 + 0.3 * wide + 0.2 * late, 0.004 + 0.016 * slow, 40 + int(70 * long))


def numbered(prompt: str, number: int) -> str:
    """What the times of the so manieth equal request are taken from, from 1, where they vary."""
    return f"{prompt} {number}"


def _fractions(text: str) -> tuple[float, float]:
    """Two numbers from 0 to 1 that look random and are not."""
    digest = sha256(text.encode()).digest()
    return int.from_bytes(digest[:4]) / 2**32, int.from_bytes(digest[4:8]) / 2**32


def token(model: str, number: int) -> str:
    """The token of that number, from 0, with the space or the empty line before it."""
    gap = "\n\n" if model.startswith("prose-") and number % PARAGRAPH == 0 else " "
    return f"{gap if number else ''}{WORDS[number % len(WORDS)]}"


def text(model: str, tokens: int) -> str:
    """A whole answer."""
    return "".join(token(model, number) for number in range(tokens))


def ideal(seconds: list[float], concurrency: int) -> float:
    """The least time in which calls of these lengths can end, so many at once."""
    return max(sum(seconds) / concurrency, max(seconds))


class Connection(asyncio.Protocol):
    """One client's connection: requests one after the other."""

    def __init__(self, log: list[Request], limits: Limits, manner: Manner) -> None:
        self._log, self._limits, self._manner, self._data = log, limits, manner, b""
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._out = transport

    def connection_lost(self, exc: Exception | None) -> None:
        if self._timer:
            self._timer.cancel()

    def data_received(self, data: bytes) -> None:
        self._data += data
        head, end, rest = self._data.partition(b"\r\n\r\n")
        length = re.search(rb"(?i)content-length: *(\d+)", head)
        size = int(length[1]) if length else 0
        if end and len(rest) >= size:
            self._data = rest[size:]
            self._answer(head.split(b" ", 2)[1].decode(), rest[:size])

    def _answer(self, path: str, body: bytes) -> None:
        if path == "/v1/chat/completions":
            self._complete(json.loads(body), body)
        elif path == "/__log":
            self._send(json.dumps([asdict(request) for request in self._log]))
        elif path == "/__reset":
            self._log.clear()
            self._limits.reset()
            self._manner.seen.clear()
            self._send("{}")
        else:
            self._send(json.dumps({"object": "list", "data": [{"id": "fast", "object": "model"}]}))

    def _complete(self, body: Mapping[str, Any], raw: bytes) -> None:
        said = [message["content"] for message in body["messages"] if message["role"] == "user"][-1]
        # Of a message with images only the text counts.
        prompt = said if isinstance(said, str) else " ".join(part.get("text", "") for part in said)
        plan = self._manner.timing(body["model"], body.get("temperature"), prompt)
        request = Request(body["model"], body.get("temperature"), prompt, time.time(), plan.total)
        self._log.append(request)
        now = self._loop.time()
        wait = self._limits.wait(request.model, raw, now)
        if wait is not None:
            request.refused = True
            self._refuse(wait)
            return
        if body.get("stream") and not self._manner.whole:
            self._out.write(_HEAD % b"text/event-stream\r\nTransfer-Encoding: chunked")
            self._timer = self._loop.call_at(now + plan.first, self._token, request, plan, now, 0)
        else:
            self._timer = self._loop.call_at(now + plan.total, self._whole, request, plan)

    def _token(self, request: Request, plan: Timing, began: float, number: int) -> None:
        self._out.write(_event(request.model, number, None))
        request.first = request.first or time.time()
        if number + 1 < plan.tokens:
            due = began + plan.first + plan.pause * (number + 1)
            self._timer = self._loop.call_at(due, self._token, request, plan, began, number + 1)
        else:
            self._out.write(_event(request.model, -1, plan.tokens) + DONE)
            request.finished = time.time()

    def _whole(self, request: Request, plan: Timing) -> None:
        message = {"role": "assistant", "content": text(request.model, plan.tokens)}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        self._send(json.dumps(_envelope(request.model) | {"choices": [choice], "usage": _usage(plan.tokens)}))
        request.first = request.finished = time.time()

    def _refuse(self, wait: float) -> None:
        said = {"seconds": str(math.ceil(wait)), "exactly": f"{wait:.3f}"}.get(self._limits.told)
        told = f"Retry-After: {said}\r\n" if said else ""
        body = b'{"error":{"message":"Rate limit reached.","code":"rate_limit_exceeded"}}'
        head = f"HTTP/1.1 429 Too Many Requests\r\nContent-Type: application/json\r\n{told}"
        self._out.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)

    def _send(self, text: str) -> None:
        body = text.encode()
        self._out.write(_HEAD % (b"application/json\r\nContent-Length: %d" % len(body)) + body)


_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: %s\r\n\r\n"


def _envelope(model: str) -> dict[str, Any]:
    return {"id": "chatcmpl-bench", "object": "chat.completion", "created": 1702855400, "model": model}


def _usage(tokens: int) -> dict[str, int]:
    return {"prompt_tokens": 10, "completion_tokens": tokens, "total_tokens": 10 + tokens}


@lru_cache(maxsize=100_000)
def _event(model: str, number: int, ended: int | None) -> bytes:
    """One server-sent event as an HTTP chunk: token `number`, or with `ended` tokens the end and the usage."""
    delta = {} if ended else {"content": token(model, number)}
    choice = {"index": 0, "delta": delta, "finish_reason": "stop" if ended else None}
    value = _envelope(model) | {"choices": [choice]} | ({"usage": _usage(ended)} if ended else {})
    data = b"data: %s\n\n" % json.dumps(value).encode()
    return b"%x\r\n%s\r\n" % (len(data), data)


async def serve(port: int, limits: Limits, manner: Manner) -> None:
    """Print the base URL, then answer until stdin ends."""
    log: list[Request] = []
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(log, limits, manner), "127.0.0.1", port, backlog=1024)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1", flush=True)
    await asyncio.to_thread(sys.stdin.read)


def main() -> None:
    """Run until stdin ends."""
    options = argparse.ArgumentParser(description="A service whose times are known beforehand.")
    options.add_argument("--port", type=int, default=0)
    options.add_argument("--rate", type=float, default=0.0)
    options.add_argument("--once", type=float, default=0.0)
    options.add_argument("--told", choices=("seconds", "exactly", "nothing"), default="seconds")
    options.add_argument("--whole", action="store_true")
    options.add_argument("--vary", action="store_true")
    chosen = options.parse_args()
    with suppress(KeyboardInterrupt):
        limits, manner = Limits(chosen.rate, chosen.once, chosen.told), Manner(chosen.whole, chosen.vary)
        asyncio.run(serve(chosen.port, limits, manner))


if __name__ == "__main__":
    main()
