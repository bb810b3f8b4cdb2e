"""Text files go along with a message: their text is sent, and they are shown folded."""

import pytest
from streamlit.testing.v1 import AppTest

from tests.fake_api import FakeApi
from tests.pages import PIXEL, ask, bodies, buttons, chat_titles, click, draft, shown

REPORT = "line of the report\n" * 300


def attach(app: AppTest, text: str, *files: tuple[str, bytes]) -> AppTest:
    """Send `text` with files."""
    field = app.chat_input(key="chat_input")
    for name, content in files:
        field = field.upload(name, content, "application/octet-stream")
    field.set_value(text).run()
    assert not app.exception
    return app


def folded(app: AppTest) -> list[str]:
    """The labels of what is closed in the conversation."""
    return [one.label for one in app.expander if "characters" in one.label]


@pytest.mark.row("C44")
def test_a_text_file_is_sent_shown_folded_and_stays_with_an_edited_question(app: AppTest, api: FakeApi) -> None:
    attach(app, "What does it say?", ("report.txt", REPORT.encode()), ("dot.png", PIXEL))
    whole = f'What does it say?\n\n<attachment name="report.txt">\n{REPORT}\n</attachment>'
    text, image = bodies(api)[-1]["messages"][-1]["content"]
    assert text == {"type": "text", "text": whole} and image["type"] == "image_url"
    assert folded(app) == ["report\\.txt · 5,700 characters"]
    assert "<attachment" not in "".join(one.value for one in app.markdown)
    assert chat_titles(app) == ["What does it say?"]

    click(app, "edit_0")
    assert app.text_area(key="edited_message").value == "What does it say?"
    assert "What goes along stays: report.txt" in shown(app)
    app.text_area(key="edited_message").set_value("In one word?")
    click(app, "edit_send")
    assert bodies(api)[-1]["messages"][-1]["content"][0]["text"] == whole.replace("What does it say?", "In one word?")


@pytest.mark.row("C44")
def test_what_can_not_go_along_is_refused_and_nothing_is_lost(app: AppTest, api: FakeApi) -> None:
    attach(app, "Look", ("report.txt", b"fine"), ("paper.pdf", b"%PDF-1.7\n\xe2\xe3\xcf\xd3\0"))
    assert "“paper.pdf” is neither a text nor an image that can be sent." in shown(app)
    assert draft(app) == "Look" and bodies(api) == []
    # What was refused takes none of the others along either.
    assert not [key for key in buttons(app) if key.startswith("chat_attachment_remove")]

    # What waits to be sent is shown, and can be taken away.
    attach(app, " " * 3 + "x" * 999_990, ("a.txt", b"first words"), ("b.txt", b"second"))
    assert "longer than 1,000,000 characters" in shown(app)
    click(app, "chat_attachment_remove_1")
    ask(app, "")
    assert bodies(api)[-1]["messages"][-1]["content"] == '<attachment name="a.txt">\nfirst words\n</attachment>'
    assert chat_titles(app) == ["a.txt"]
    assert not [key for key in buttons(app) if key.startswith("chat_attachment_remove")]


@pytest.mark.row("C44")
def test_a_long_typed_text_is_shown_folded(app: AppTest, api: FakeApi) -> None:
    ask(app, "word " * 1_000)
    assert folded(app) == ["All 5,000 characters"]
    assert bodies(api)[-1]["messages"][-1]["content"] == "word " * 1_000
