"""Servers of somebody else's making at TEMPERA_BASE_URL: llama.cpp's own, and LiteLLM's proxy before a fake service.

LiteLLM needs packages that quarrel with ours, so it gets a virtual environment of its own, made once: .venv/foreign.
"""

import asyncio
import json
import os
import secrets
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, aclosing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from lib.calls import records
from lib.calls.runner import Answer
from lib.core import tokens
from lib.core.errors import BadKey, ModelNotFound
from lib.core.parameters import Params
from lib.core.reply import Reply
from lib.core.request import Call, ChatRequest, Message
from lib.gateway.client import Client
from lib.gateway.endpoints import Endpoint
from lib.practice.endpoint import available, model_path
from lib.store import schema
from lib.ui.shared import resources
from tests.app_server import PASSED_ON, free_port
from tests.fake_api import FakeApi
from tests.pages import ask as ask_page
from tests.pages import figures, new_tab, shown

pytestmark = pytest.mark.soak

FOREIGN = (Path(__file__).parents[2] / ".venv").resolve() / "foreign"
LITELLM = "litellm[proxy]==1.106.2"
START_SECONDS = 120.0
KEY = "sk-foreign-0001"
LLAMA_MODEL = "SmolLM2-135M-Instruct"
LLAMA = """
import os, sys, xllamacpp
path, key, model = sys.argv[1:]
params = xllamacpp.CommonParams()
params.model.path, params.model_alias, params.api_keys = path, {model}, [key]
params.hostnames, params.port, params.ui = ["127.0.0.1"], 0, False
params.n_ctx, params.n_parallel, params.kv_unified = 8192, 4, True
server = xllamacpp.Server(params)
print("at", server.listening_address, flush=True)
sys.stdin.read()
os._exit(0)
"""


@dataclass(frozen=True, slots=True)
class Server:
    """A running server, and one of its models."""

    base_url: str
    model: str
    refuses_unknown_models: bool
    counts_all_choices: bool
    """Whether the usage of an answer that is not streamed is that of all its choices, not of one."""

    def endpoint(self, key: str = KEY) -> Endpoint:
        return Endpoint("foreign", self.base_url, SecretStr(key))


@contextmanager
def llama() -> Iterator[Server]:
    """llama.cpp's server, without our admission; it has one model and answers with it whatever is asked for."""
    command = [sys.executable, "-c", LLAMA, model_path(), KEY, LLAMA_MODEL]
    quiet: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(command, text=True, **quiet) as process:
        try:
            assert process.stdout
            address = next(line.split()[1] for line in process.stdout if line.startswith("at "))
            yield Server(f"{address}/v1", LLAMA_MODEL, refuses_unknown_models=False, counts_all_choices=False)
        finally:
            process.kill()


@contextmanager
def litellm(folder: Path) -> Iterator[Server]:
    """LiteLLM's proxy, which passes on to a fake service."""
    with FakeApi() as api, (folder / "litellm.log").open("wb") as log:
        config, port = folder / "litellm.yaml", free_port()
        config.write_text(json.dumps(litellm_config(api)))
        command = [str(litellm_program()), "--config", str(config), "--host", "127.0.0.1", "--port", str(port)]
        process = subprocess.Popen(command, cwd=folder, env=litellm_environment(), stdout=log, stderr=log)
        try:
            wait_for(f"http://127.0.0.1:{port}/health/liveliness", process, Path(log.name))
            yield Server(f"http://127.0.0.1:{port}/v1", "echo", refuses_unknown_models=True, counts_all_choices=True)
        finally:
            process.terminate()
            process.wait(20)


def litellm_config(api: FakeApi) -> dict[str, Any]:
    """LiteLLM's settings; it reads YAML, which JSON is."""
    names = ("echo", "reason", "error-402", "cut")
    passed_on = {"api_base": api.base_url, "api_key": "sk-upstream-0002"}
    models = [{"model_name": name, "litellm_params": {"model": f"openai/{name}", **passed_on}} for name in names]
    return {"model_list": models, "general_settings": {"master_key": KEY}, "litellm_settings": {"num_retries": 0}}


def litellm_environment() -> dict[str, str]:
    """What LiteLLM gets to see: nothing of Tempera's, and no reason to ask the network."""
    kept = {name: os.environ[name] for name in PASSED_ON if name in os.environ and name != "VIRTUAL_ENV"}
    return kept | {"LITELLM_LOCAL_MODEL_COST_MAP": "True", "LITELLM_TELEMETRY": "False"}


def litellm_program() -> Path:
    """LiteLLM's command, installed first where it is not there yet."""
    program = FOREIGN / "bin" / "litellm"
    if not program.exists():
        subprocess.run([sys.executable, "-m", "venv", str(FOREIGN)], check=True)
        install = [str(FOREIGN / "bin" / "pip"), "install", "--quiet", "--disable-pip-version-check", LITELLM]
        subprocess.run(install, check=True)
    return program


def wait_for(url: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    end = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < end:
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except OSError:
            time.sleep(0.1)  # nothing tells when a port opens; this only paces the asking
    raise AssertionError(f"{url} does not answer:\n{log.read_text()[-4000:]}")


@pytest.fixture(scope="module", params=["llama.cpp", "litellm"])
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    if request.param == "llama.cpp" and not available():
        pytest.skip("llama.cpp is not installed")
    with ExitStack() as stack:
        folder = tmp_path_factory.mktemp("foreign")
        yield stack.enter_context(llama() if request.param == "llama.cpp" else litellm(folder))


@pytest.fixture
def connected(server: Server, data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """The server as the app's only service, by nothing but the two settings for it."""
    monkeypatch.setenv("TEMPERA_BASE_URL", server.base_url)
    monkeypatch.setenv("TEMPERA_API_KEY", KEY)
    monkeypatch.setenv("TEMPERA_LOCAL_MODEL", "false")
    yield server
    resources.close()


def question(model: str, text: str = "Tell me a long story about the sea.", **params: Any) -> ChatRequest:
    return ChatRequest(model, (Message(role="user", content=text),), Params(**params))


async def answer(client: Client, endpoint: Endpoint, asked: ChatRequest) -> Reply:
    reply = Reply()
    async for delta in client.ask(endpoint, asked):
        reply.add(delta)
    return reply


def with_client(use: Callable[[Client], Any]) -> Any:
    async def run() -> Any:
        client = Client()
        try:
            return await use(client)
        finally:
            await client.aclose()

    return asyncio.run(run())


def reply_of(server: Server, asked: ChatRequest, key: str = KEY) -> Reply:
    reply: Reply = with_client(lambda client: answer(client, server.endpoint(key), asked))
    return reply


def asked_through_the_house(request: ChatRequest) -> Answer:
    """The answer to `request` from the app's only service, recorded as the pages have it recorded."""
    services = resources.services()
    endpoint = services.registry.endpoints("ada")[0]
    call = Call(secrets.token_hex(16), "ada", "tab", "chat", endpoint.name, request)
    services.store.write(lambda db: records.start_call(db, call, services.dispatcher.process)).result()
    running = services.dispatcher.start(call, endpoint)
    assert running.wait_until_finished(60)
    return running


def last_record() -> records.CallRecord:
    """The newest call that the app has recorded."""
    newest = records.whole().order_by(schema.calls.c.seq.desc()).limit(1)
    return resources.services().store.read(lambda db: records.found(db, newest)[0])


@pytest.mark.parametrize("stream", [True, False], ids=["stream", "json"])
def test_an_answer_comes_whole_with_its_reason_and_its_tokens(server: Server, stream: bool) -> None:
    reply = reply_of(server, question(server.model, stream=stream, max_tokens=3, temperature=0.5))

    assert [choice.finish_reason for choice in reply.choices] == ["length"]
    assert reply.choices[0].text.strip()
    assert (reply.usage.source, reply.usage.completion_tokens) == ("reported", 3)
    assert reply.usage.prompt_tokens
    assert reply.model


@pytest.mark.parametrize("stream", [True, False], ids=["stream", "json"])
@pytest.mark.parametrize("n", [1, 2, 3, 4])
def test_the_recorded_tokens_are_those_of_all_choices_together(connected: Server, n: int, stream: bool) -> None:
    answered = asked_through_the_house(question(connected.model, n=n, stream=stream, max_tokens=3))
    record, texts = last_record(), [choice.text for choice in answered.reply.choices]
    all_counted = stream or n == 1 or connected.counts_all_choices

    assert record.state == "ok"
    assert len(texts) == n and all(text.strip() for text in texts)
    assert record.usage.source == ("reported" if all_counted else "estimated")
    assert record.usage.completion_tokens == (3 * n if all_counted else sum(map(tokens.count, texts)))


def test_one_answer_after_the_other_comes_over_kept_connections(server: Server) -> None:
    """llama.cpp hangs up after each stream although it promises to keep the connection."""
    kinds = [question(server.model, stream=stream, max_tokens=3) for stream in (True, False)] * 40

    async def all_of_them(client: Client) -> list[str]:
        return [(await answer(client, server.endpoint(), asked)).choices[0].text for asked in kinds]

    assert all(text.strip() for text in with_client(all_of_them))


def test_the_model_list_has_its_models(server: Server) -> None:
    assert server.model in with_client(lambda client: client.models(server.endpoint()))


def test_stop_ends_the_stream_in_the_middle_and_the_next_answer_comes(server: Server) -> None:
    asked = question(server.model, stream=True, max_tokens=200)

    async def stopped_and_asked_again(client: Client) -> tuple[Reply, Reply]:
        begun = Reply()
        async with aclosing(client.ask(server.endpoint(), asked)) as deltas:
            async for delta in deltas:
                begun.add(delta)
                if delta.text:
                    break
        return begun, await answer(client, server.endpoint(), asked)

    part, whole = with_client(stopped_and_asked_again)

    assert 0 < len(part.choices[0].text) < len(whole.choices[0].text)
    assert part.choices[0].finish_reason is None


@pytest.mark.parametrize("stream", [True, False], ids=["stream", "json"])
def test_a_wrong_key_is_called_a_wrong_key(server: Server, stream: bool) -> None:
    with pytest.raises(BadKey) as refused:
        reply_of(server, question(server.model, stream=stream, max_tokens=3), key="sk-wrong-0009")

    assert "sk-wrong-0009" not in refused.value.original


@pytest.mark.parametrize("stream", [True, False], ids=["stream", "json"])
def test_a_model_it_does_not_have_is_called_that_or_answered_by_the_one_it_has(server: Server, stream: bool) -> None:
    asked = question("no-such-model", stream=stream, max_tokens=3)
    if server.refuses_unknown_models:
        with pytest.raises(ModelNotFound):
            reply_of(server, asked)
    else:
        assert reply_of(server, asked).choices[0].text.strip()


@pytest.mark.row("X2")
def test_the_page_chats_through_it(connected: Server) -> None:
    app = ask_page(new_tab(max_tokens="20", temperature="0"), "Good morning")
    record = last_record()

    assert str(app.selectbox(key="chat_model").value).endswith(f"/{connected.model}")
    assert (record.state, record.error_kind) == ("ok", "")
    assert str(record.choices[0].text).strip().splitlines()[0] in shown(app)
    assert "counted by the service" in figures(app)
