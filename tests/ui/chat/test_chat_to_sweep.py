"""A conversation of Chat that is opened in Sweep: what is taken along, asked, kept, and left out again."""

import pytest
from streamlit.testing.v1 import AppTest

from lib.chat import repository as chats
from lib.core import images
from lib.ui.shared import resources
from tests.fake_api import FakeApi
from tests.pages import PIXEL, ask, bodies, click, message_menu, owner, run_sweep, shown, switch_page, tab_of


def taken_along(app: AppTest) -> AppTest:
    """Sweep, opened from the second answer of a chat."""
    app.text_area(key="chat_system").set_value("Be brief.").run()
    ask(ask(app, "one"), "two")
    return message_menu(app, "1", "sweep")


def asked(api: FakeApi) -> list[tuple[str, str]]:
    return [(message["role"], message["content"]) for message in bodies(api)[-1]["messages"]]


def popovers(app: AppTest) -> list[str]:
    return [one.proto.popover.label for one in app.get("popover")]


@pytest.mark.row("S1")
@pytest.mark.usefixtures("settings_open")
def test_each_answer_of_the_sweep_goes_on_from_the_conversation(app: AppTest, api: FakeApi) -> None:
    taken_along(app)
    assert app.text_area(key="sweep_prompt").value == "two"
    assert "After a conversation of 2 messages" in popovers(app)

    run_sweep(app)

    before = [("system", "Be brief."), ("user", "one"), ("assistant", "You said: one")]
    assert asked(api) == [*before, ("user", "two")]


@pytest.mark.usefixtures("settings_open")
def test_the_conversation_can_be_read_and_left_out(app: AppTest, api: FakeApi) -> None:
    taken_along(app)
    app.session_state["sweep_history_shown"] = True
    app.run()
    assert "You said: one" in [text.value for text in app.text]

    click(app, "sweep_history_drop")
    run_sweep(app)

    assert asked(api) == [("system", "Be brief."), ("user", "two")]


@pytest.mark.row("C19")
@pytest.mark.usefixtures("settings_open")
def test_the_conversation_is_there_after_a_reload(app: AppTest) -> None:
    taken_along(app)

    again = switch_page(tab_of(owner(app)).run(), "sweep")

    assert "After a conversation of 2 messages" in popovers(again)


@pytest.mark.row("C26")
def test_a_temporary_chat_stays_where_it_is(app: AppTest) -> None:
    click(app, "chat_new_temporary")
    message_menu(ask(app, "a secret"), "0", "sweep")

    assert "A sweep is kept; a temporary chat is not." in shown(app)
    assert "You said: a secret" in shown(app)


def test_a_conversation_with_images_is_not_taken_apart(app: AppTest) -> None:
    ask(app, "one")
    services, chat_id = resources.services(), str(app.session_state["open_chat"])
    image = images.data_url(PIXEL)
    branch = services.store.read(lambda db: chats.open_branch(db, owner(app), chat_id))
    last = branch[-1].id
    services.store.write(
        lambda db: chats.add_message(db, owner(app), chat_id, last, "user", "Look.", (image,))
    ).result()

    message_menu(app.run(), "question_2", "sweep")

    assert "A sweep sends text only; this conversation has images." in shown(app)
