"""A chat service for tests and hand trials: real sockets, no surprises; the model's id chooses how it behaves.

    python -m tests.fake_api --port 0        prints its base URL and runs until Ctrl+C

Answers are a pure function of model, temperature, last user message and choice, one word a token. Models:

    echo  long-<words>  slow-<ms>            a plain answer; so many words; a pause before each word
    held  held-<any>                         a plain answer, its last word not before `FakeApi.go_on`
    reason  think                            with reasoning, beside the content or inside it
    json  sse  no-usage  n-ignored           no stream, always a stream, no token counts, always one choice
    silent  cut  empty  html                 never answers, hangs up in the middle, says nothing, sends a web page
    error-<status>  error-<status>-once      refuses, always or only the first time (Retry-After: 0.1)
    at-most-<count>                          answers so many requests a second, and refuses the others
    refuses-<param>  wants-max_completion_tokens   400 while that parameter, or max_tokens, is sent
    n-short                                  one choice less than asked for

All requests are recorded, with times in epoch seconds: `FakeApi.requests`, or GET /__log. Keys are never kept whole.
"""

import argparse
import asyncio
import json
import re
import threading
import time
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from typing import Any, Self

MODELS = (
    "echo", "slow-50", "long-300", "reason", "think", "json", "sse", "no-usage", "n-ignored", "silent", "cut", "empty",
    "html", "refuses-temperature", "error-401", "error-402", "error-403", "error-404", "error-429", "error-429-once",
    "error-500", "error-500-once",
)  # fmt: skip
WORDS = (
    "amber", "birch", "cloud", "delta", "ember", "frost", "grain", "harbor", "iris", "juniper", "kelp", "linen",
    "maple", "north", "ocean", "pearl",
)  # fmt: skip
PAGE = "<!doctype html><html><head><title>Gateway console</title></head><body>Sign in</body></html>"
ERRORS: Mapping[int, tuple[str, str]] = {
    401: ("invalid_api_key", "Incorrect API key provided: {key}."),
    402: ("insufficient_quota", "Insufficient Balance"),
    403: ("insufficient_user_quota", "user [1] quota [10] preConsumedQuota [99] is not enough (request id: fake-403)"),
    404: ("model_not_found", "The model `{model}` does not exist."),
    429: ("rate_limit_exceeded", "Rate limit reached."),
}

Step = bytes | float
"""What a scripted answer does next: send bytes, or wait so many seconds (infinite: until the client leaves)."""
UNTIL_TOLD: Step = -2.0
"""Wait for `FakeApi.go_on`."""
HANG_UP: Step = -1.0


@dataclass
class Recorded:
    """One request as it arrived. `closed_by_client` is set when the client left before the answer ended."""

    method: str
    path: str
    headers: dict[str, str]
    authorization: str
    body: Any
    raw: str
    """The body to the letter; its bytes read as UTF-8."""
    arrived: float
    connection: int
    finished: float | None = None
    closed_by_client: float | None = None
    status: int | None = None

    @property
    def model(self) -> str:
        return str(self.body.get("model", "")) if isinstance(self.body, dict) else ""


@dataclass(frozen=True)
class Scripted:
    """An answer of raw bytes."""

    steps: Sequence[Step]
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


class FakeApi:
    """The service; `with FakeApi() as api:` runs it in a thread of its own."""

    def __init__(self, port: int = 0, *, keys_optional: bool = False, models: Sequence[str] = MODELS) -> None:
        self.keys_optional = keys_optional
        self.models = models
        self.requests: list[Recorded] = []
        self.most_at_once = 0
        self._running: set[int] = set()
        self.open_connections = 0
        self._scripted: dict[str, Scripted] = {}
        self._listing: Scripted | None = None
        self._refused: Counter[str] = Counter()
        self._taken: defaultdict[str, deque[float]] = defaultdict(deque)
        self.refused_as_too_often = 0
        self._changed = threading.Condition()
        self._connections = 0
        self._port = port
        self._loop = asyncio.new_event_loop()
        self._told = asyncio.Event()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self._server = asyncio.run_coroutine_threadsafe(self._start(), self._loop).result()
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self._stop(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    @property
    def base_url(self) -> str:
        """What a person would type as the address of the service."""
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/v1"

    def script(self, model: str, *steps: Step, status: int = 200, headers: Mapping[str, str] | None = None) -> None:
        """From now on answer `model` with these bytes."""
        self._scripted[model] = Scripted(steps, status, headers or {})

    def script_models(self, body: str | float, status: int = 200) -> None:
        """From now on answer GET /models with this, or wait so many seconds."""
        self._listing = Scripted([body.encode() if isinstance(body, str) else body], status)

    def go_on(self) -> None:
        """Let all answers that have begun, and wait to be told, come to their end."""
        self._loop.call_soon_threadsafe(self._go_on)

    def _go_on(self) -> None:
        self._told.set()
        self._told = asyncio.Event()

    def wait(self, condition: Callable[["FakeApi"], object], seconds: float = 60.0) -> None:
        """Block until `condition` holds; it is looked at whenever something happens here."""
        with self._changed:
            assert self._changed.wait_for(lambda: condition(self), seconds), "waited in vain"

    async def _start(self) -> asyncio.Server:
        return await asyncio.start_server(self._serve, "127.0.0.1", self._port)

    async def _stop(self) -> None:
        self._server.close()
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection: requests one after the other, until either side closes."""
        number, early = self._count_connection(1), b""
        try:
            while request := await _request(reader, writer, early, number):
                told = self._told  # before anybody hears of the request, and tells it to go on
                self._note(request)
                answer = asyncio.create_task(self._answer(request, writer, told))
                early = await self._until_left(answer, reader, request)
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.close()
            self._count_connection(-1)

    def _count_connection(self, change: int) -> int:
        with self._changed:
            self.open_connections += change
            self._connections += max(change, 0)
            self._changed.notify_all()
            return self._connections

    async def _until_left(self, answer: "asyncio.Task[None]", reader: asyncio.StreamReader, request: Recorded) -> bytes:
        """Let the answer run, but only while the client listens."""
        watch = asyncio.create_task(reader.read(1))
        try:
            await asyncio.wait({answer, watch}, return_when=asyncio.FIRST_COMPLETED)
            # A client that closes before it has read all that had come resets the connection.
            left = watch.done() and not answer.done() and (watch.exception() is not None or not watch.result())
            if left:
                answer.cancel()
                self._note(request, closed_by_client=time.time())
                raise ConnectionResetError
            await answer
            return watch.result() if watch.done() else b""
        finally:
            watch.cancel()
            answer.cancel()
            await asyncio.gather(watch, answer, return_exceptions=True)

    async def _answer(self, request: Recorded, writer: asyncio.StreamWriter, told: asyncio.Event) -> None:
        scripted = self._scripted_answer(request)
        lasting = "content-length" in scripted.headers
        head = {"x-request-id": f"fake-{len(self.requests)}", **scripted.headers}
        if not lasting:
            head["transfer-encoding"] = "chunked"
        lines = "".join(f"{name}: {value}\r\n" for name, value in head.items())
        writer.write(f"HTTP/1.1 {scripted.status} Fake\r\n{lines}\r\n".encode("latin-1"))
        for step in scripted.steps:
            if isinstance(step, bytes):
                writer.write(step if lasting or not step else b"%x\r\n%s\r\n" % (len(step), step))
                await writer.drain()
            elif step == UNTIL_TOLD:
                await told.wait()
            elif step == HANG_UP:
                raise ConnectionAbortedError
            else:
                await asyncio.sleep(step if step < 1e6 else 1e6)
        writer.write(b"" if lasting else b"0\r\n\r\n")
        await writer.drain()
        self._note(request, status=scripted.status, finished=time.time())

    def _note(self, request: Recorded, **facts: Any) -> None:
        with self._changed:
            if not facts:
                self.requests.append(request)
            for name, value in facts.items():
                setattr(request, name, value)
            answered = request.finished is not None or request.closed_by_client is not None
            (self._running.discard if answered else self._running.add)(id(request))
            self.most_at_once = max(self.most_at_once, len(self._running))
            self._changed.notify_all()

    def _scripted_answer(self, request: Recorded) -> Scripted:
        path = request.path.partition("?")[0]
        if path == "/__log":
            return _json([asdict(one) for one in self.requests])
        if path.startswith("/moved/"):
            return Scripted([], 307, {"location": "/v1/" + path.removeprefix("/moved/"), "content-length": "0"})
        if not path.startswith("/v1/"):
            return Scripted([PAGE.encode()], 200, {"content-type": "text/html"})
        key = request.authorization
        if (not key and not self.keys_optional) or key.startswith("bad"):
            return _error(401, request, key)
        if path == "/v1/models":
            return self._listing or _json(
                {"object": "list", "data": [{"id": name, "object": "model"} for name in self.models]}
            )
        if path != "/v1/chat/completions" or not isinstance(request.body, dict):
            return _json({"error": {"message": f"Invalid URL ({request.method} {path})", "code": None}}, 404)
        if not request.body.get("messages"):
            return _json({"error": {"message": "'messages' is empty", "type": "invalid_request_error"}}, 400)
        return (
            self._scripted.get(request.model)
            or self._refusal(request)
            or self._too_often(request)
            or completion(request.body)
        )

    def _refusal(self, request: Recorded) -> Scripted | None:
        found = re.fullmatch(r"error-(\d+)(-once)?", request.model)
        if found:
            name = json.dumps(request.body, sort_keys=True)
            self._refused[name] += 1
            again = found[2] and self._refused[name] % 2 == 0
            return None if again else _error(int(found[1]), request, request.authorization)
        return _unsupported(request.model, request.body)

    def _too_often(self, request: Recorded) -> Scripted | None:
        found = re.fullmatch(r"at-most-(\d+)", request.model)
        if not found:
            return None
        taken, now = self._taken[request.model], time.monotonic()
        while taken and taken[0] <= now - 1:
            taken.popleft()
        if len(taken) >= int(found[1]):
            self.refused_as_too_often += 1
            return _error(429, request, request.authorization, retry_after=taken[0] + 1 - now)
        taken.append(now)
        return None


async def _request(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, early: bytes, connection: int
) -> Recorded | None:
    """The next request on a connection; None when the client has closed it, or does not speak HTTP."""
    early = early or await reader.read(1)
    if not early.isalpha():
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n" if early else b"")
        return None
    try:
        head = early + await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return None
    first, *lines = head.decode("latin-1").rstrip().split("\r\n")
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    key = headers.pop("authorization", "").removeprefix("Bearer").strip()
    method, path, _ = first.split(" ")
    raw = body.decode("utf-8", "backslashreplace")
    return Recorded(method, path, headers, _kept(key), _read(body), raw, time.time(), connection)


def _kept(key: str) -> str:
    """What is kept of a key: whether it is a bad one, and its last four characters."""
    return "" if not key else ("bad " if key.startswith("sk-bad") else "") + "…" + key[-4:]


def _read(body: bytes) -> Any:
    try:
        return json.loads(body) if body else None
    except ValueError:
        return None


def _json(value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Scripted:
    body = json.dumps(value, ensure_ascii=False).encode()
    head = {"content-type": "application/json", "content-length": str(len(body)), **(headers or {})}
    return Scripted([body], status, head)


def _error(status: int, request: Recorded, key: str, retry_after: float | None = None) -> Scripted:
    code, message = ERRORS.get(status, ("server_error", "The server had an error."))
    message = message.format(key=f"sk-fake-key-of-forty-characters-{key[-4:]}", model=request.model)
    headers = {"retry-after": "0.1"} if status in (429, 500) and request.model.endswith("-once") else {}
    if retry_after is not None:
        headers = {"retry-after": f"{retry_after:.3f}"}
    return _json({"error": {"message": message, "type": "fake_error", "param": None, "code": code}}, status, headers)


def _unsupported(model: str, body: Mapping[str, Any]) -> Scripted | None:
    """The refusal of a parameter by `refuses-<param>+<param>`, the first first, or by `wants-max_completion_tokens`."""
    if model == "wants-max_completion_tokens":
        hint, refused = " Use 'max_completion_tokens' instead.", ["max_tokens"]
    else:
        found = re.fullmatch(r"refuses-([\w+]+)", model)
        hint, refused = "", found[1].split("+") if found else []
    param = next((name for name in refused if name in body), None)
    if param == "stream_options":
        complaint = {"type": "extra_forbidden", "loc": ["body", param], "msg": "Extra inputs are not permitted"}
        return _json({"detail": [complaint]}, 422)
    if param is None:
        return None
    message = f"Unsupported parameter: '{param}' is not supported with this model.{hint}"
    error = {"message": message, "type": "invalid_request_error", "param": param, "code": "unsupported_parameter"}
    return _json({"error": error}, 400)


def answer_text(model: str, temperature: float | None, prompt: str, choice: int = 0) -> str:
    """What the fake service says."""
    if model == "empty":
        return ""
    found = re.fullmatch(r"long-(\d+)", model)
    if found:
        seed = sha256(f"{model} {temperature} {prompt} {choice}".encode()).digest()
        return " ".join(WORDS[(seed[at % 32] + at) % len(WORDS)] for at in range(int(found[1])))
    return f"You said: {prompt}" + (f" (choice {choice + 1})" if choice else "")


def completion(body: Mapping[str, Any]) -> Scripted:
    """The answer to a request body."""
    model = str(body.get("model", ""))
    if model == "html":
        return Scripted([PAGE.encode()], 200, {"content-type": "text/html"})
    if model == "silent":
        return Scripted([float("inf")], 200, {"content-type": "text/event-stream"})
    choices = [_choice(body, index) for index in range(_count(model, int(body.get("n") or 1)))]
    if model == "sse" or (body.get("stream") and model != "json"):
        return Scripted(list(_stream(body, choices)), 200, {"content-type": "text/event-stream"})
    if model == "cut":
        return Scripted([b'{"choices": [{"index": 0, "mess', HANG_UP], 200, {"content-length": "1000"})
    pause = [_pause(model) * sum(len(choice["words"]) for choice in choices)]
    answer = _json(_head(body, "chat.completion") | {"choices": list(map(_whole, choices))} | _usage(body, choices))
    return Scripted([*pause, *answer.steps], 200, answer.headers)


def _count(model: str, n: int) -> int:
    """How many choices come when `n` are asked for."""
    return {"n-ignored": 1, "n-short": max(1, n - 1)}.get(model, n)


def _choice(body: Mapping[str, Any], index: int) -> dict[str, Any]:
    """One choice as words and finish reason; stop sequences and max_tokens are honoured."""
    text = answer_text(str(body["model"]), body.get("temperature"), _prompt(body), index)
    stops = [body["stop"]] if isinstance(body.get("stop"), str) else body.get("stop") or []
    for stop in stops:
        text = text.partition(stop)[0]
    words = re.findall(r"\s*\S+\s*$|\s*\S+", text)
    most = body.get("max_tokens") or body.get("max_completion_tokens") or len(words)
    reasoning = "Thinking it over." if body["model"] in ("reason", "think") else ""
    finish = "length" if most < len(words) else "stop"
    return {"index": index, "words": words[:most], "reasoning": reasoning, "finish": finish, "model": body["model"]}


def _prompt(body: Mapping[str, Any]) -> str:
    said = [message for message in body.get("messages") or [] if message.get("role") == "user"]
    return str(said[-1].get("content", "")) if said else ""


def _pause(model: str) -> float:
    found = re.fullmatch(r"slow-(\d+)", model)
    return int(found[1]) / 1000 if found else 0.0


def _head(body: Mapping[str, Any], kind: str) -> dict[str, Any]:
    return {"id": "chatcmpl-fake", "object": kind, "created": 1702855400, "model": body["model"]}


def _usage(body: Mapping[str, Any], choices: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    if body["model"] == "no-usage":
        return {}
    prompt = sum(len(str(message.get("content", "")).split()) for message in body.get("messages") or [])
    answered = sum(len(choice["words"]) + len(choice["reasoning"].split()) for choice in choices)
    usage: dict[str, Any] = {"prompt_tokens": prompt, "completion_tokens": answered, "total_tokens": prompt + answered}
    thought = sum(len(choice["reasoning"].split()) for choice in choices)
    return {"usage": usage | ({"completion_tokens_details": {"reasoning_tokens": thought}} if thought else {})}


def billed(body: Mapping[str, Any]) -> tuple[int, int]:
    """Prompt and completion tokens that a whole answer to a request body takes, reported or not."""
    choices = [_choice(body, index) for index in range(_count(str(body["model"]), int(body.get("n") or 1)))]
    usage = _usage({**body, "model": ""}, choices)["usage"]
    return usage["prompt_tokens"], usage["completion_tokens"]


def _whole(choice: Mapping[str, Any]) -> dict[str, Any]:
    message = {"role": "assistant"} | dict(content="".join(choice["words"]))
    if choice["model"] == "think":
        message["content"] = f"<think>\n{choice['reasoning']}\n</think>\n{message['content']}"
    elif choice["reasoning"]:
        message["reasoning_content"] = choice["reasoning"]
    return {"index": choice["index"], "message": message, "finish_reason": choice["finish"]}


def _stream(body: Mapping[str, Any], choices: Sequence[Mapping[str, Any]]) -> "list[Step]":
    """The steps of a streamed answer: the choices take turns, word by word."""
    pieces = [list(_pieces(choice)) for choice in choices]
    steps: list[Step] = []
    for turn in range(max(map(len, pieces))):
        for choice, deltas in zip(choices, pieces, strict=True):
            if turn < len(deltas):
                delta, finish = deltas[turn]
                chosen = {"index": choice["index"], "delta": delta, "finish_reason": finish}
                steps += [_pause(body["model"]), _event(_head(body, "chat.completion.chunk") | {"choices": [chosen]})]
    if body["model"] == "cut":
        return [*steps[: len(steps) // 2], HANG_UP]
    if body["model"].startswith("held"):
        steps.insert(-4, UNTIL_TOLD)  # the last word and the end, a pause before each
    if (body.get("stream_options") or {}).get("include_usage") and body["model"] != "no-usage":
        steps.append(_event(_head(body, "chat.completion.chunk") | {"choices": []} | _usage(body, choices)))
    return [*steps, b"data: [DONE]\n\n"]


def _pieces(choice: Mapping[str, Any]) -> "list[tuple[dict[str, Any], str | None]]":
    words: list[dict[str, Any]] = [{"content": word} for word in choice["words"]]
    thoughts: list[dict[str, Any]] = []
    if choice["model"] == "think":
        thoughts = [{"content": "<think>\n"}, {"content": choice["reasoning"]}, {"content": "\n</think>\n"}]
    elif choice["reasoning"]:
        thoughts = [{"reasoning_content": word} for word in re.findall(r"\s*\S+", choice["reasoning"])]
    deltas = [{"role": "assistant", "content": None}, *thoughts, *words]
    return [*((delta, None) for delta in deltas), ({}, choice["finish"])]


def _event(value: Any) -> bytes:
    return f"data: {json.dumps(value, ensure_ascii=False)}\n\n".encode()


def main() -> None:
    """Run until interrupted."""
    options = argparse.ArgumentParser(description="A fake chat service.")
    options.add_argument("--port", type=int, default=0)
    options.add_argument("--keys-optional", action="store_true")
    chosen = options.parse_args()
    with FakeApi(chosen.port, keys_optional=chosen.keys_optional) as api:
        print(api.base_url, flush=True)
        with suppress(KeyboardInterrupt):
            threading.Event().wait()


if __name__ == "__main__":
    main()
