"""Where a service has two addresses and the first one is silent, the other can be asked; which may cost twice."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from lib.gateway import endpoints
from lib.ui.shared import resources
from tests.fake_api import FakeApi
from tests.pages import KEY, ask, bodies, new_tab, shown

BILLED_TWICE = "What has been sent may be billed even if it is stopped: asking again can cost twice."


@pytest.fixture
def second() -> Iterator[FakeApi]:
    with FakeApi() as second:
        yield second


@pytest.fixture
def app(api: FakeApi, second: FakeApi, data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[AppTest]:
    """A tab that asks at once what to do. A dialog is open: then a script run ends though the answer goes on."""
    monkeypatch.setattr(endpoints, "APIYI_ADDRESSES", (api.base_url, second.base_url))
    monkeypatch.setenv("TEMPERA_BASE_URL", api.base_url)
    monkeypatch.setenv("TEMPERA_API_KEY", KEY)
    monkeypatch.setenv("TEMPERA_LOCAL_MODEL", "false")
    monkeypatch.setenv("TEMPERA_PATIENCE_SECONDS", "0.001")
    tab = new_tab(model="silent")
    tab.session_state["open_dialog"] = ("models_dialog", True)
    yield tab
    resources.close()


@pytest.mark.row("X3")
def test_the_second_address_is_asked_when_pressed_and_the_first_request_ended(
    app: AppTest, api: FakeApi, second: FakeApi
) -> None:
    ask(app, "Hello")
    assert "No first word yet from silent." in shown(app) and BILLED_TWICE in shown(app)
    assert (len(bodies(api)), len(bodies(second))) == (1, 0)

    app.button(key="chat_second_address").click().run()
    api.wait(lambda _: api.requests[-1].closed_by_client)
    second.wait(lambda _: bodies(second))
    assert bodies(second) == bodies(api)
    assert second.requests[-1].authorization == "…" + KEY[-4:]


def test_who_keeps_waiting_is_not_asked_again(app: AppTest, api: FakeApi, second: FakeApi) -> None:
    ask(app, "Hello")
    wait = next(button for button in app.button if str(button.key).startswith("wait_"))
    wait.click().run()
    app.run()

    assert "No first word yet" not in shown(app) and "Reading your text" in shown(app)
    assert (len(bodies(api)), len(bodies(second))) == (1, 0)
