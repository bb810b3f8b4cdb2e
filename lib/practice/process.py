"""Starts, restarts and stops the practice model's process."""

import asyncio
import json
import os
import secrets
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from lib.core.errors import ApiError, LocalModelFailed
from lib.gateway.json_call import NO_ANSWER, json_call

START_SECONDS = 60.0
HEALTH_SECONDS = 10.0
IDLE_SECONDS = 30.0
END_SECONDS = 2.0
MOST_DEATHS = 1

# The operator's settings and keys are none of the child's business; these are what Python needs to start.
PASSED_ON = ("PATH", "PYTHONHOME", "PYTHONPATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "SYSTEMROOT", "TEMP", "TMP")


class Child:
    """One run of lib.practice.server. The pipe to its stdin is its life: it ends when that closes, however we end."""

    def __init__(self) -> None:
        self.api_key = SecretStr(secrets.token_urlsafe(32))
        self.address = ""
        self.last_answer_at = 0.0
        self.process = subprocess.Popen(
            [sys.executable, "-m", "lib.practice.server"],
            cwd=Path(__file__).parents[2],
            env={name: os.environ[name] for name in PASSED_ON if name in os.environ},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # llama.cpp writes there without end, and a full pipe would stop it
            close_fds=True,
        )

    @property
    def alive(self) -> bool:
        return self.process.poll() is None

    async def serve(self, path: str, sha256: str) -> None:
        """Have the model loaded; raises LocalModelFailed with the child's own words when it can't be."""
        settings = {"api_key": self.api_key.get_secret_value(), "model_path": path, "sha256": sha256}
        try:
            # In a thread, as reading a pipe blocks; asyncio's own pipes would tie the process to one event loop.
            said = await asyncio.wait_for(asyncio.to_thread(self._ask, settings), START_SECONDS)
            self.address = said["address"]
        except (OSError, ValueError, KeyError) as problem:
            raise LocalModelFailed(str(problem) or type(problem).__name__) from None
        self.last_answer_at = time.monotonic()

    def _ask(self, settings: dict[str, str]) -> dict[str, str]:
        assert self.process.stdin and self.process.stdout
        self.process.stdin.write(json.dumps(settings).encode() + b"\n")
        self.process.stdin.flush()
        said: dict[str, str] = json.loads(self.process.stdout.readline() or b'{"error": "It ended while it started."}')
        if "error" in said:
            raise ValueError(said["error"])
        return said

    async def call(self, path: str, body: Any = None, *, seconds: float) -> Any:
        """The JSON answer to a GET, or with a body to a POST; raises what `json_call` does."""
        answer = await json_call(self.address + path, self.api_key, body, seconds=seconds)
        self.last_answer_at = time.monotonic()
        return answer

    async def is_healthy(self) -> bool:
        """Whether it runs and, after a while without an answer, still answers."""
        # After a computer's sleep the process lives and its sockets don't; asking each time would cost every call.
        if not self.alive or time.monotonic() - self.last_answer_at < IDLE_SECONDS:
            return self.alive
        try:
            await self.call("/health", seconds=HEALTH_SECONDS)
        except (ApiError, *NO_ANSWER):
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


class Supervisor:
    """Keeps one child running: started when first needed, once more after it died, no third time in a row."""

    def __init__(self, path: str, sha256: str) -> None:
        self._path, self._sha256 = path, sha256
        self._lock = asyncio.Lock()
        self._deaths = 0
        self._closed = False
        self.child: Child | None = None

    async def running(self) -> Child:
        """A healthy child; raises LocalModelFailed."""
        async with self._lock:
            if self.child and not await self.child.is_healthy():
                await self._reap(self.child)
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
            # `close` may have come from another thread while the model was loading.
            if not child.address or self._closed:
                child.process.kill()

    async def _reap(self, child: Child) -> None:
        child.process.kill()
        await asyncio.to_thread(child.end)
        self.child = None
        self._deaths += 1

    def answered(self, child: Child) -> None:
        """Note a good answer: deaths before it no longer count."""
        if child.alive:
            self._deaths = 0
            child.last_answer_at = time.monotonic()

    def close(self) -> None:
        """End the child for good."""
        self._closed = True
        if self.child:
            self.child.end()
