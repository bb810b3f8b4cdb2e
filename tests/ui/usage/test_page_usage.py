"""The usage page, from the main script on, with calls in the house's own store."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from lib.core.reply import Usage
from lib.ui.shared import resources
from lib.visitor import LOCAL_OWNER
from lib.web import SESSION_COOKIE
from tests.pages import switch_page, tab_of
from tests.store_fixtures import record

OWNER, SESSION, EARLIER = LOCAL_OWNER, "b" * 32, "c" * 32
REPORTED = Usage(30, 50, source="reported")
IMAGE = "![x](http://evil.example/x.png)"


@pytest.fixture
def app(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[AppTest]:
    """The app before its first run, for a visitor we know."""
    monkeypatch.setenv("TEMPERA_LOCAL_MODEL", "false")
    app = tab_of(OWNER)
    app.session_state[SESSION_COOKIE] = SESSION
    yield app
    resources.close()


def usage_page(app: AppTest) -> AppTest:
    return switch_page(app.run(), "usage")


def call(session: str = SESSION, owner: str = OWNER, usage: Usage = REPORTED, **facts: Any) -> None:
    record(resources.services().store, owner, usage, session=session, **facts)


def tiles(app: AppTest) -> dict[str, str]:
    return {tile.label: tile.value for tile in app.metric}


def chart(app: AppTest) -> dict:
    return json.loads(app.get("echarts_chart")[0].proto.spec)


def captions(app: AppTest) -> str:
    return "\n".join(caption.value for caption in app.caption)


@pytest.mark.row("U24")
def test_without_calls_there_is_one_way_on_and_it_leads_to_the_chat(app: AppTest) -> None:
    usage_page(app)
    assert not app.metric and app.segmented_control(key="usage_scope").value == "session"

    app.button(key="usage_to_chat").click().run()

    assert not app.exception
    assert app.chat_input(key="chat_input")


@pytest.mark.row("U1")
def test_the_page_says_what_was_used(app: AppTest) -> None:
    app.run()
    call()
    call(usage=Usage(1000, 2000, source="estimated"), cost=0.4)

    usage_page(app)

    assert "3,080 tokens in 2 calls, about $0.41" in app.subheader[0].value
    assert list(tiles(app).values()) == ["1,030", "2,050", "$0.41", "2", "0"]
    assert "1 counted by the service, 1 estimated by us" in captions(app)


@pytest.mark.row("U2")
def test_input_and_output_are_series_of_their_own_in_each_view(app: AppTest) -> None:
    app.run()
    call()
    call(usage=Usage(4, 6, source="reported"))
    usage_page(app)

    for view, expected in (("call", [[30, 4], [50, 6]]), ("time", [[34], [56]]), ("model", [[34], [56]])):
        app.segmented_control(key="usage_view").set_value(view).run()
        data = [[value for value in series["data"] if value] for series in chart(app)["series"]]
        if view == "time":
            data = [[sum(values)] for values in data]  # a minute may pass between the two calls
        assert data == expected
    decals = [series["itemStyle"]["decal"] for series in chart(app)["series"]]
    assert decals[0] != decals[1]

    app.toggle(key="usage_as_table").set_value(True).run()
    assert not app.get("echarts_chart")
    assert list(app.dataframe[0].value["prompt"]) == [34]


def test_a_new_session_is_empty_and_offers_the_history(app: AppTest) -> None:
    app.run()
    call(EARLIER)
    usage_page(app)
    assert not app.metric

    app.button(key="usage_show_all").click().run()

    assert app.segmented_control(key="usage_scope").value == "all"
    assert tiles(app)["Calls"] == "1"


def test_the_scope_tells_this_session_from_all(app: AppTest) -> None:
    app.run()
    call()
    call(EARLIER)
    usage_page(app)
    assert tiles(app)["Calls"] == "1"

    app.segmented_control(key="usage_scope").set_value("all").run()

    assert tiles(app)["Calls"] == "2"


@pytest.mark.row("T13")
def test_other_visitors_calls_are_not_counted(app: AppTest) -> None:
    app.run()
    call(owner="e" * 32)

    usage_page(app).segmented_control(key="usage_scope").set_value("all").run()

    assert not app.metric and not app.dataframe


@pytest.mark.row("U8")
def test_failed_calls_are_problems_and_their_unknown_tokens_are_not_0(app: AppTest) -> None:
    app.run()
    call(usage=Usage(), state="error", error_kind="timed_out", billed="unknown", cost=None)

    usage_page(app)

    assert tiles(app)["Input tokens (prompt)"] == "not known"
    assert tiles(app)["Cost"] == "no price"
    assert tiles(app)["Problems"] == "1"
    assert "1 not known; 1 have no list price" in captions(app)
    log = app.dataframe[-1].value
    assert list(log["error"]) == ["timed_out"] and log["prompt"].isna().all()


@pytest.mark.row("U18")
def test_a_stopped_call_counts_and_is_marked(app: AppTest) -> None:
    app.run()
    call(usage=Usage(30, 2, source="estimated"), state="cancelled", billed="unknown", finish_reason=None)

    usage_page(app)

    assert tiles(app)["Output tokens (completion)"] == "2"
    assert "1 ended early" in captions(app)
    assert list(app.dataframe[-1].value["ending"]) == ["stopped by you"]


@pytest.mark.row("T9")
def test_a_models_name_is_never_an_image(app: AppTest) -> None:
    app.run()
    call(model=IMAGE, endpoint=IMAGE, cost=None)
    call(usage=Usage(1, 1, source="reported"))

    usage_page(app)

    assert any("evil" in element.value for element in app.markdown)

    for element in [*app.markdown, *app.subheader, *app.caption]:
        assert "![" not in element.value and "](" not in element.value


def test_the_table_says_how_many_it_leaves_out(app: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lib.usage.totals.MOST_ROWS", 2)
    app.run()
    for _ in range(3):
        call()

    usage_page(app)

    assert len(app.dataframe[-1].value) == 2 and tiles(app)["Calls"] == "3"
    assert "The newest 2 of 3 calls" in captions(app)
