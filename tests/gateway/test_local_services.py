"""What runs on this computer is found, without anybody waiting for it, and offered on both pages."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from lib.gateway import endpoints, local_services
from lib.gateway.local_services import RUNNERS, LocalServices
from lib.ui.shared import resources
from tests.accounts import hash_of
from tests.app_server import free_port
from tests.fake_api import FakeApi
from tests.pages import ask, buttons, click, new_tab, run_sweep, shown
from tests.routes import PAGE, Routes, listing

LISTED = {"GET /v1/models": listing("qwen3:8b", "llama3.2", "nomic-embed-text")}


@pytest.fixture
def nobody(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """A computer on which nothing of the kind runs, whatever does."""
    for name in RUNNERS:
        runs_at(monkeypatch, name, f"http://127.0.0.1:{free_port()}")
    monkeypatch.setenv("TEMPERA_FIND_SERVICES", "true")
    monkeypatch.setenv("TEMPERA_LOCAL_MODEL", "false")
    yield monkeypatch
    resources.close()


def runs_at(monkeypatch: pytest.MonkeyPatch, name: str, url: str) -> None:
    monkeypatch.setitem(endpoints.SERVICES, name, (endpoints.SERVICES[name][0], f"{url}/v1"))


def found(services: LocalServices) -> list[str]:
    """What is found by a search that is waited for, and is the only one: `besides` would begin another."""
    services._looked = time.monotonic()
    services._jobs.call(services._look(), 30)
    return [one.endpoint.title for one in services.besides([])]


@pytest.mark.row("X2")
def test_each_is_found_where_it_listens_and_nothing_is_sent_but_one_question(nobody: pytest.MonkeyPatch) -> None:
    nobody.setattr(local_services, "SECONDS", 30.0)
    search = resources.services().local_services
    with Routes(LISTED) as ollama, Routes(LISTED) as studio, Routes(LISTED, server="llama.cpp") as llama:
        for name, routes in (("ollama", ollama), ("lmstudio", studio), ("llamacpp", llama)):
            runs_at(nobody, name, routes.url)

        assert found(search) == ["Ollama", "LM Studio", "llama.cpp"]
        for routes in (ollama, studio, llama):
            assert routes.asked == ["GET /v1/models"] and routes.keys == {""}


@pytest.mark.row("X2")
def test_what_only_listens_at_the_same_port_is_not_taken_for_one(
    nobody: pytest.MonkeyPatch, subtests: pytest.Subtests
) -> None:
    nobody.setattr(local_services, "SECONDS", 30.0)
    search = resources.services().local_services
    for name, runner, routes in [
        ("a web server", "llamacpp", Routes({}, rest=PAGE)),
        ("a gateway, which may cost money", "llamacpp", Routes(LISTED)),
        ("one that wants a key", "ollama", Routes({}, rest=(401, {"error": "key"}))),
        ("one without models", "ollama", Routes({"GET /v1/models": listing()})),
        ("one that sends elsewhere", "lmstudio", Routes({}, rest=(302, "http://127.0.0.1:1/v1/models"))),
    ]:
        with subtests.test(name), routes:
            runs_at(nobody, runner, routes.url)
            assert found(search) == []
            assert routes.asked == ["GET /v1/models"]


@pytest.mark.row("X2")
def test_it_is_offered_in_the_empty_chat_in_sweep_and_in_the_dialog_and_used_by_one_press(
    nobody: pytest.MonkeyPatch,
) -> None:
    nobody.setattr(local_services, "SECONDS", 30.0)
    with FakeApi(keys_optional=True, models=("echo", "nomic-embed-text")) as api:
        runs_at(nobody, "ollama", api.base_url.removesuffix("/v1"))
        found(resources.services().local_services)
        app, sweep = new_tab(), new_tab("sweep")
        assert app.button(key="chat_found_ollama").label == "Ollama with 2 models: use it"
        assert "sweep_found_ollama" in buttons(sweep)
        assert "connection_found_ollama" in buttons(click(sweep, "connection_open"))

        click(app, "chat_found_ollama")
        assert "Ollama is connected: 2 models." in shown(app)
        assert "You said: Hello" in shown(ask(app))
        assert "chat_found_ollama" not in buttons(new_tab()) | buttons(sweep.run())
        click(sweep, "connection_forget_ollama")
        assert "sweep_found_ollama" in buttons(sweep.run())


@pytest.mark.row("S1", "X2")
def test_a_sweep_runs_on_what_was_found_after_one_press(nobody: pytest.MonkeyPatch) -> None:
    nobody.setattr(local_services, "SECONDS", 30.0)
    with FakeApi(keys_optional=True, models=("echo", "nomic-embed-text")) as api:
        runs_at(nobody, "ollama", api.base_url.removesuffix("/v1"))
        found(resources.services().local_services)
        sweep = new_tab("sweep", prompt="Praise tea.", temperatures="0")

        click(sweep, "sweep_found_ollama")
        assert "Ollama is connected: 2 models." in shown(sweep) and not sweep.info, "said without moving the form down"
        assert sweep.run().multiselect(key="sweep_models").value == ["ollama/echo"]
        assert "You said: Praise tea." in shown(run_sweep(sweep))


@pytest.mark.row("X2")
def test_nobody_waits_for_a_service_that_does_not_answer(nobody: pytest.MonkeyPatch) -> None:
    """Neither does the first page, nor does the search go on for ever."""
    with FakeApi(keys_optional=True) as api:
        api.script_models(float("inf"))
        runs_at(nobody, "ollama", api.base_url.removesuffix("/v1"))
        app = new_tab()

        assert not app.exception and "chat_found_ollama" not in buttons(app)
        api.wait(lambda fake: fake.requests and fake.requests[-1].closed_by_client, 10)
        assert [one.path for one in api.requests] == ["/v1/models"]


@pytest.mark.row("X2")
def test_it_can_be_switched_off_and_is_never_done_for_many(nobody: pytest.MonkeyPatch) -> None:
    with Routes(LISTED) as routes:
        runs_at(nobody, "ollama", routes.url)
        resources.close()
        with nobody.context() as patch:
            patch.setenv("TEMPERA_FIND_SERVICES", "false")
            assert not new_tab().exception
        assert routes.asked == []
        resources.close()
        with nobody.context() as patch:
            patch.setenv("TEMPERA_MODE", "shared")
            patch.setenv("TEMPERA_PASSWORD_HASH", hash_of("four unrelated words"))
            shared = resources.services()
            assert shared.shared and shared.local_services.besides([]) == [] and not shared.keychain.usable
            assert shared.local_services._looked is None
        resources.close()
        search = LocalServices(resources.services().dispatcher.jobs, resources.services().dispatcher.client, False)
        search.look()
        assert search.besides([]) == [] and search._looked is None


def test_it_is_looked_for_again_after_a_while(nobody: pytest.MonkeyPatch) -> None:
    search = resources.services().local_services
    search.look()
    first = search._looked
    search.look()
    assert search._looked == first
    nobody.setattr(local_services, "AGAIN_SECONDS", -1.0)
    before = time.monotonic()
    search.look()
    assert search._looked is not None and search._looked >= before


def test_a_runner_is_known_by_every_name_of_this_computer() -> None:
    for host in ("localhost", "127.0.0.1", "[::1]"):
        assert endpoints.name_of(f"http://{host}:11434/v1/") == "ollama"
    for address in ("http://127.0.0.1:11434", "https://127.0.0.1:11434/v1", "http://192.168.1.5:11434/v1"):
        assert endpoints.name_of(address) != "ollama"
