"""A temporary chat is gone when it is left, and nothing of it stays anywhere in the process."""

import gc
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import create_engine

from lib.background import Jobs
from lib.calls.runner import Answer
from lib.chat.form import Form
from lib.chat.temporary import LEFT_SECONDS, TemporaryChats
from lib.core.parameters import Params
from lib.services import Services
from lib.settings import Settings
from lib.store import engines
from tests.fake_api import FakeApi
from tests.pages import host

IMAGE = "data:image/png;base64," + "iVBORw0KGgo" * 1000


@pytest.fixture
def services(api: FakeApi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Services]:
    # As the app makes them. Those of the tests share what they have compiled, the first values included.
    monkeypatch.setattr(engines, "create_engine", create_engine)
    settings = {"base_url": api.base_url, "api_key": SecretStr("sk-test-key-0001"), "local_model": False}
    opened = Services.open(Settings(data_dir=tmp_path, **settings))
    yield opened
    opened.close()


def form(api: FakeApi, model: str = "echo") -> Form:
    return Form(model=f"{host(api)}/{model}", system="", params=Params(stream=True), others=())


def ended(services: Services) -> list[Answer]:
    answers = [job for job in services.dispatcher.jobs.all() if isinstance(job, Answer)]
    assert all(answer.wait_until_finished(20) for answer in answers)
    return answers


def strings_with(words: str) -> list[str]:
    """The strings that any object of the program still holds, as far as the collector knows them."""
    gc.collect()
    found = []
    for one in gc.get_objects():
        values = one.values() if isinstance(one, dict) else one if isinstance(one, list | tuple) else ()
        found += [value for value in list(values) if isinstance(value, str) and words in value]
    return found


def test_a_chat_that_is_left_leaves_nothing_in_the_process(services: Services, api: FakeApi) -> None:
    secret = "CAN" + "ARY"
    talk = services.conversation("ann", "s1", temporary=True)
    chat_id = talk.send_text(f"{secret} question", form(api), [IMAGE])
    ended(services)
    open_talk = services.conversation("ann", "s1", chat_id, temporary=True)
    assert f"{secret} question" in open_talk.branch()[-1].text
    open_talk.erase()
    assert ended(services) == [] and not services.dispatcher.memory.opened
    assert services.temporary_chats("ann") == set()
    api.requests.clear()
    assert [one for one in strings_with(secret) if "question" in one] == []


def test_leaving_a_chat_ends_its_answers_and_spares_those_of_others(services: Services, api: FakeApi) -> None:
    silent = services.conversation("ann", "s1", temporary=True).send_text("one", form(api, "silent"))
    other = services.conversation("ann", "s1", temporary=True).send_text("two", form(api))
    [running] = [job for job in services.dispatcher.jobs.all() if isinstance(job, Answer) and job.made_for == silent]
    services.conversation("ann", "s1", silent, temporary=True).erase()
    assert running.wait_until_finished(10)
    ended(services)
    assert services.temporary_chats("ann") == {other}
    assert [turn.text for turn in services.conversation("ann", "s1", other, True).branch()] == ["two", "You said: two"]


def test_a_chat_is_forgotten_a_minute_after_its_last_tab_was_closed_and_a_reload_keeps_it(jobs: Jobs) -> None:
    gone: list[tuple[str, str]] = []
    watch = TemporaryChats(jobs, lambda owner, chat: gone.append((owner, chat)))
    there = {"tab 1": True, "tab 2": False}
    for tab in there:
        watch.seen("ann", "chat", tab, lambda tab=tab: there[tab])  # type: ignore[misc]
    began = time.monotonic()
    watch.look(began + 1000)
    there["tab 1"] = False
    watch.look(began + 1000 + LEFT_SECONDS - 1)
    there["tab 2"] = True  # the reload
    watch.look(began + 1000 + LEFT_SECONDS)
    there["tab 2"] = False
    watch.look(began + 1000 + 2 * LEFT_SECONDS - 1)
    assert gone == []
    watch.look(began + 1000 + 2 * LEFT_SECONDS)
    watch.look(began + 1000 + 3 * LEFT_SECONDS)
    assert gone == [("ann", "chat")]


def test_an_answer_that_has_ended_holds_neither_the_conversation_nor_its_images(
    services: Services, api: FakeApi
) -> None:
    chat_id = services.conversation("ann", "s1").send_text("look", form(api), [IMAGE])
    [answer] = ended(services)
    assert answer.call.request.messages == answer.request.messages == ()
    assert answer.recorded and services.conversation("ann", "s1", chat_id).branch()[-1].text
