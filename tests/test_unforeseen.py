"""What nobody has foreseen, in the running app: what the page says, what is left of it, and what stands in the log."""

import re
from collections.abc import Iterator

import pytest
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from tests.app_server import AppServer, forked_app
from tests.fake_api import FakeApi
from tests.pages import KEY
from tests.tabs import Tab, open_tab, said


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AppServer]:
    folder = tmp_path_factory.mktemp("failing") / "data"
    with FakeApi() as api:
        settings = {"TEMPERA_BASE_URL": api.base_url, "TEMPERA_API_KEY": KEY, "TEMPERA_LOCAL_MODEL": "false"}
        with forked_app(folder, 0, "tests/failing_app.py", **settings) as app:
            yield app


def failure_of_the_next_run(tab: Tab) -> str:
    """What its box says."""
    said: list[str] = []

    def ended(message: ForwardMsg) -> bool:
        said.append(message.delta.new_element.alert.body)
        return message.WhichOneof("type") == "script_finished"

    tab.until(ended)
    [failure] = filter(None, said)
    return failure


@pytest.mark.row("C20", "T20")
def test_after_a_press_that_failed_the_page_is_there_and_its_answer_is_drawn_on(app: AppServer) -> None:
    """Not in a page that holds nothing but the failure: no run would be there to see to what grows."""
    with open_tab(app, "model=silent") as tab:
        tab.run(text="Hello")
        tab.ask(pressed="chat_new")
        failure = failure_of_the_next_run(tab)
        assert "(number " in failure and "ada" not in failure
        assert {"chat_input", "chat_stop"} <= tab.drawn.keys()
        tab.until(lambda message: re.search(r"Reading your text… \d+ s", said(message)))
        tab.run(pressed="chat_stop")
        assert "chat_regenerate" in tab.drawn


@pytest.mark.row("T20", "T22")
def test_a_page_that_failed_stands_in_the_log_once_and_without_the_key(app: AppServer) -> None:
    """Streamlit prints it beside the log, where nothing is masked, and in colours that take seconds."""
    with open_tab(app) as tab:
        before = len(app.log.read_text())
        tab.ask(page="usage")
        failure = failure_of_the_next_run(tab)
        logged = app.log.read_text()[before:]
    number = re.search(r"\(number ([0-9a-f]{8})\)", failure)
    assert number and f"bug {number[1]}" in logged
    assert "\x1b" not in logged, "in colours"
    assert logged.count("RuntimeError: /home/ada") == 1 and KEY not in logged and f"…{KEY[-4:]} with it" in logged
