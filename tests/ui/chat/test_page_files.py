"""Chats from files, on the page: one comes in at once, of many the person chooses."""

import json
import tomllib
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from lib.chat import import_source
from lib.chat import repository as chats
from lib.ui.shared import resources
from tests.fake_api import FakeApi
from tests.pages import ROOT, ask, bodies, buttons, click, new_tab, owner, shown


@pytest.fixture
def app(service: FakeApi) -> AppTest:
    """The chat page with one service, the fake one."""
    return new_tab()


def bring(app: AppTest, value: Any, name: str = "chat.json") -> AppTest:
    file = value if isinstance(value, bytes) else json.dumps(value).encode()
    app.sidebar.get("file_uploader")[0].upload(name, file, "application/json").run()
    assert not app.exception
    return app


def talk(title: str, **more: Any) -> dict[str, Any]:
    messages = [{"role": "user", "content": f"{title}?"}, {"role": "assistant", "content": f"{title}!"}]
    return {"title": title, "messages": messages, "updated_at": 1_710_000_000, **more}


def listed(app: AppTest) -> list[str]:
    """The titles in the sidebar, newest first."""
    store = resources.services().store
    return [chat.title for chat in store.read(lambda db: chats.chats_of(db, owner(app)))]


@pytest.mark.row("C21", "C41")
def test_of_a_file_with_many_chats_those_that_are_chosen_come_in(app: AppTest, api: FakeApi) -> None:
    bring(app, {"chats": [talk("Tea"), {"title": "Nothing", "messages": []}, talk("Coffee"), talk("Milk")]})
    offered = [box for box in app.checkbox if str(box.key).startswith("chat_import_chosen")]

    assert "3 chats are in this file." in shown(app)
    assert "1 chat is left out: it has no message." in shown(app)
    assert [box.label for box in offered] == [
        f"{title} · Mar 9, 2024 · 2 messages" for title in ("Tea", "Coffee", "Milk")
    ]
    assert "chat_import_some" not in buttons(app), "none is chosen"

    offered[1].check().run()
    click(app, "chat_import_some")
    assert listed(app) == ["Coffee"]
    assert "1 chat was brought in" in shown(app) and "Coffee!" in shown(app), "the only one is opened"

    ask(app, "go on")
    assert [message["content"] for message in bodies(api)[-1]["messages"]] == ["Coffee?", "Coffee!", "go on"]


@pytest.mark.row("C41")
@pytest.mark.usefixtures("settings_open")
def test_all_chats_of_a_file_come_in_with_their_times(app: AppTest) -> None:
    """Also while a temporary chat is open: what comes in is kept."""
    click(app, "chat_new_temporary")
    assert not any(listed(app))
    many = [talk(f"Talk {n}", updated_at=1_710_000_000 + n, system=f"Be {n}.") for n in range(12)]
    bring(app, {"chats": many})
    assert app.multiselect(key="chat_import_chosen").options[0] == "Talk 0 · Mar 9, 2024 · 2 messages"
    click(app, "chat_import_all")

    assert listed(app) == [f"Talk {n}" for n in reversed(range(12))]
    assert "12 chats were brought in: they are in the list." in shown(app)
    first = next(button for button in app.sidebar.button if button.label.startswith("Talk 3 "))
    first.click().run()
    assert [part in shown(app) for part in ("Talk 3?", "Talk 3!")] == [True] * 2
    assert app.text_area(key="chat_system").value == "Be 3."


@pytest.mark.row("C41")
def test_what_could_not_be_taken_is_said_and_the_rest_is_there(app: AppTest) -> None:
    parts = [{"type": "text", "text": "Look at this"}, {"type": "image_url", "image_url": {"url": "https://x.y/z.png"}}]
    bring(app, {"model": "m", "messages": [{"role": "user", "content": parts}, {"role": "tool", "content": "sunny"}]})

    assert "Look at this" in shown(app) and "sunny" in shown(app)
    assert [toast.value for toast in app.toast] == ["1 image is left out: it is not in the file, or can't be sent."]


@pytest.mark.row("C41")
def test_the_server_takes_the_largest_file_that_can_be_brought_in() -> None:
    configured = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text(encoding="utf-8"))

    assert configured["server"]["maxUploadSize"] * 1_000_000 >= import_source.MAX_BYTES


@pytest.mark.row("T23")
def test_a_broken_file_is_one_sentence_and_changes_nothing(app: AppTest, subtests: pytest.Subtests) -> None:
    ask(app, "stay")
    for file in (b"{}", b"\xff\xfe\x00\x01", b"PK\x03\x04", b'[{"role": "user", "content": "x'):
        with subtests.test(file=file):
            bring(app, file)
            assert len(app.info) == 1 and app.info[0].value.endswith(".")
            assert "You said: stay" in shown(app)
    assert len(listed(app)) == 1
