"""A chat as a web page: what is hostile in it stays text, what was said is there, in the reader's language and zone."""

from html.parser import HTMLParser
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.chat import attachments, html_export
from lib.chat import repository as chats
from lib.chat.attachments import Attachment
from lib.chat.export import Document
from lib.chat.imported import ImportedChat, MadeBy
from lib.chat.reader import Reader
from lib.core import images
from lib.core.parameters import Params
from lib.core.request import Message
from lib.store import image_store
from lib.store.database import Store
from tests.pages import PIXEL

READER = Reader(
    "zh-Hans",
    "zh_Hans",
    ZoneInfo("Asia/Shanghai"),
    {"user": "你", "assistant": "模型", "system": "系统提示词"},
    figures=lambda call: "",
)
HOSTILE = (
    "<script>alert(1)</script>",
    "<img src=http://e.example onerror=x>",
    "</style></div></main>",
    "![p](http://e/p)",
)


class Elements(HTMLParser):
    """The elements of a page with their attributes, and its text."""

    def __init__(self, page: bytes) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(page.decode())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.fixture(name="memory", scope="module")
def a_store() -> Store:
    store = Store.in_memory()
    yield store
    store.close()


def page(store: Store, chat: ImportedChat) -> bytes:
    chat_id = store.write(lambda db: chats.add_chat(db, "ann", chat)).result(20)

    def document(db: object) -> Document:
        turns = chats.all_turns(db, "ann", chat_id)
        ids = {id for turn in turns for id in turn.images}
        branch = [turn.id for turn in chats.open_branch(db, "ann", chat_id)]
        form = chats.form_of(db, "ann", chat_id)
        return Document(chats.find(db, "ann", chat_id), turns, branch, image_store.load_each(db, "ann", ids), form)

    return html_export.to_html_page(store.read(document), READER)


def talk(*words: str) -> ImportedChat:
    title, system, question, file, answer = words
    chat = ImportedChat(title=title, system=system, model="apiyi/gpt-4o", params=Params(temperature=0.3))
    chat.created_at = 1_760_000_000_000_000
    asked = attachments.joined(question, [Attachment("a.txt", file)])
    chat.add(Message(role="user", content=asked, images=(images.data_url(PIXEL),)), None)
    chat.add(Message(role="assistant", content=answer), 0, made_by=MadeBy("apiyi", "gpt-4o"))
    return chat


@pytest.mark.row("C46")
def test_the_page_says_who_said_what_when_and_with_which_settings(memory: Store) -> None:
    made = Elements(page(memory, talk("Thermos", "Be brief.", "What is it?", "the file", "It **is** hot.\n\n- one")))

    assert ("html", {"lang": "zh-Hans"}) in made.found
    for words in (
        "Thermos",
        "2025年10月9日 16:53:20",
        "16:53:20 · gpt-4o · temperature 0.3",
        "系统提示词",
        "Be brief.",
    ):
        assert words in made.text
    for words in ("你", "What is it?", "a.txt · 8", "the file", "gpt-4o"):
        assert words in made.text
    tags = [tag for tag, _attributes in made.found]
    assert {"strong", "li", "details", "img"} <= set(tags)
    assert all(attributes["src"].startswith("data:") for tag, attributes in made.found if tag == "img")


@pytest.mark.row("C46", "T9")
@given(st.lists(st.sampled_from(HOSTILE) | st.text(max_size=8), min_size=5, max_size=5))
def test_nothing_in_a_chat_becomes_anything_but_text(memory: Store, words: list[str]) -> None:
    made = Elements(page(memory, talk(*(f"x {word}" for word in words))))

    tags = [tag for tag, _attributes in made.found]
    assert "script" not in tags and tags.count("style") == 1 and tags.count("img") == 1
    assert not any(name.startswith("on") for _tag, attributes in made.found for name in attributes)
    policy = [attributes["content"] for tag, attributes in made.found if attributes.get("http-equiv")]
    assert policy == [html_export.POLICY]
    assert ("meta", {"name": "referrer", "content": "no-referrer"}) in made.found
