"""The usage page, from the main script on, with calls in the app's own store."""

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow
import pytest
from sqlalchemy import select
from streamlit.testing.v1 import AppTest

from lib.calls import records
from lib.chat.repository import new_chat
from lib.core import periods
from lib.core.errors import (
    Full,
    InvalidInput,
    NotRestored,
    NotSignedIn,
    RateLimited,
    SettingsError,
    StoreError,
    SweepStopped,
    TemperaError,
)
from lib.core.reply import Usage
from lib.gateway.endpoints import Endpoint
from lib.store import process_lock
from lib.store.schema import chats
from lib.ui.shared import resources
from lib.ui.shared.dates import day, viewer_zone
from lib.ui.usage import bill, groups
from lib.ui.usage.failures import REASONS
from lib.visitor import LOCAL_OWNER
from lib.web_server import SESSION_COOKIE
from tests.pages import ROOT, shown, switch_page, tab_of
from tests.store_fixtures import a_call, an_outcome, record

OWNER, SESSION, EARLIER = LOCAL_OWNER, "b" * 32, "c" * 32
REPORTED = Usage(30, 50, source="reported")
LARGE = Usage(270, 450, source="reported")
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
    return switch_page(app, "usage")


def call(session: str = SESSION, owner: str = OWNER, usage: Usage = REPORTED, **facts: Any) -> str:
    return record(resources.services().store, owner, usage, session=session, **facts)


def tiles(app: AppTest) -> dict[str, str]:
    return {tile.label: tile.value for tile in app.metric}


def chart(app: AppTest) -> dict:
    return json.loads(app.get("echarts_chart")[0].proto.spec)


def opened(app: AppTest, section: str) -> AppTest:
    """Open one of the sections below the first screen."""
    return app.segmented_control(key="usage_more").set_value(section).run()


def click_bar(app: AppTest, place: int) -> AppTest:
    """As the browser says that a bar was clicked: AppTest has nothing for charts."""
    chart = app.get("echarts_chart")[0].proto
    picked = [{"series_index": 0, "data_type": "main", "data_indices": [place]}]
    state = json.dumps({"selection": {"selected": picked, "areas": []}})
    widgets = app._tree.get_widget_states()
    widgets.widgets.add(id=chart.id, string_value=state)
    return app._run(widgets)


def press_row(app: AppTest, row: int, table: int = -1) -> AppTest:
    """As the browser says that the button in a table's row was pressed."""
    widgets = app._tree.get_widget_states()
    [button] = app.dataframe[table].proto.button_click_widgets.values()
    widgets.widgets.add(id=button).string_trigger_value.data = json.dumps({"row": row, "label": "Only this"})
    assert not app._run(widgets).exception
    return app


def written(app: AppTest) -> dict[str, list[Any]]:
    """The last table as its reader sees it."""
    shown = app.dataframe[-1].proto.arrow_data.styler.display_values
    return dict(pyarrow.ipc.open_stream(shown).read_all().to_pydict())


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
    call()
    call(usage=Usage(1000, 2000, source="estimated"), cost=0.4)

    usage_page(app)

    assert "3,080 tokens in 2 calls, about $0.41" in app.subheader[0].value
    assert list(tiles(app).values()) == ["1,030", "2,050", "$0.41", "2", "0"]
    assert "1 counted by the service, 1 estimated by us" in captions(app)


SHARES: list[tuple[list[dict[str, Any]], str]] = [
    ([{"cost": 0.03}, {"model": "o3", "cost": 0.01, "usage": LARGE}], "75% of the cost is gpt-4o."),
    ([{"cost": 0.03}, {"model": "o3", "cost": None, "usage": LARGE}], "100% of the cost that is known is gpt-4o."),
    ([{"cost": None}, {"model": "o3", "cost": None, "usage": LARGE}], "90% of the tokens are o3."),
    ([{"cost": 0.0}, {"model": "o3", "cost": 0.0, "usage": LARGE}], "90% of the tokens are o3."),
]


@pytest.mark.row("U1")
def test_a_share_says_what_it_is_of_and_is_of_the_money_where_there_is_any(
    app: AppTest, subtests: pytest.Subtests
) -> None:
    usage_page(app)
    for number, (made, said) in enumerate(SHARES):
        for facts in made:
            call(endpoint=f"share-{number}", **facts)
        app.session_state["usage_filter_endpoints"] = [f"share-{number}"]
        with subtests.test(said):
            words = next(one.value for one in app.run().markdown if " of the tokens " in one.value).replace("\\", "")
            assert words.startswith(said) and words.endswith(" are text the models wrote (output).")


@pytest.mark.row("U7")
def test_what_is_free_says_where_that_is_so(app: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    usage_page(app)
    here = Endpoint("here", "http://127.0.0.1:11434/v1")  # where Ollama is
    monkeypatch.setattr(resources.services().registry, "endpoints", lambda _owner: [here])
    call(endpoint="here", cost=0.0, cost_source="local")
    call(endpoint="router", model="maker/model:free", cost=0.0, cost_source="free")
    call()

    app.run()

    assert "Tokens of these calls: 3 counted by the service." in captions(app)
    assert "1 free, as the model runs on this computer, 1 free at the service." in captions(app)


@pytest.mark.row("U2")
def test_input_and_output_are_series_of_their_own_in_each_view(app: AppTest) -> None:
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


@pytest.mark.row("U11", "U24")
def test_the_page_opens_on_the_narrowest_scope_that_has_a_call_until_one_is_chosen(
    app: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual = records.now
    first, end = periods.yesterday(viewer_zone())
    for at, scope, said in (
        (1, "all", "In all you used 80 tokens in 1 call"),
        (first - 20 * (end - first), "month", "In the last 30 days you used 80 tokens in 1 call"),
        (first - 3 * (end - first), "week", "In the last 7 days you used 80 tokens in 1 call"),
        (first, "yesterday", "Yesterday you used 80 tokens in 1 call"),
        (end, "today", "Today you used 80 tokens in 1 call"),
    ):
        monkeypatch.setattr(records, "now", lambda at=at: at)
        call(EARLIER)
        usage_page(app)
        assert app.segmented_control(key="usage_scope").value == scope and "scope" not in app.query_params
        assert said in app.subheader[0].value
        switch_page(app, "chat")
    monkeypatch.setattr(records, "now", usual)

    usage_page(app).segmented_control(key="usage_scope").set_value("session").run()
    assert app.query_params["scope"] == "session" and "in this session yet" in app.subheader[0].value
    app.button(key="usage_show_all").click().run()
    assert tiles(app)["Calls"] == "5"

    tab = tab_of(OWNER)
    tab.session_state[SESSION_COOKIE] = SESSION
    tab.run()
    call()
    assert "In this session you used 80 tokens" in usage_page(tab).subheader[0].value
    tab = tab_of(OWNER)
    tab.query_params["scope"] = "week"
    assert "In the last 7 days you used 320 tokens" in usage_page(tab).subheader[0].value, "the address rules"


def test_the_scope_tells_this_session_from_all(app: AppTest) -> None:
    call()
    call(EARLIER)
    usage_page(app)
    assert tiles(app)["Calls"] == "1"

    app.segmented_control(key="usage_scope").set_value("all").run()

    assert tiles(app)["Calls"] == "2"


@pytest.mark.row("T13")
def test_other_visitors_calls_are_not_counted(app: AppTest) -> None:
    call(owner="e" * 32)

    usage_page(app).segmented_control(key="usage_scope").set_value("all").run()

    assert not app.metric and not app.dataframe


@pytest.mark.row("U8")
def test_failed_calls_are_problems_and_their_unknown_tokens_are_not_0(app: AppTest) -> None:
    call(usage=Usage(), state="error", error_kind="timed_out", billed="unknown", cost=None)

    usage_page(app)

    assert tiles(app)["Input tokens (prompt)"] == "not known"
    assert tiles(app)["Cost"] == "no price"
    assert tiles(app)["Problems"] == "1"
    assert "1 not known. Their cost: 1 with no price known." in captions(app)
    log = opened(app, "calls").dataframe[-1].value
    assert list(log["ending"]) == ["failed: no answer in time"] and log["prompt"].isna().all()


@pytest.mark.row("U18")
def test_a_stopped_call_counts_and_is_marked(app: AppTest) -> None:
    call(usage=Usage(30, 2, source="estimated"), state="cancelled", billed="unknown", finish_reason=None)

    usage_page(app)

    assert tiles(app)["Output tokens (completion)"] == "2"
    assert "1 ended early" in captions(app)
    assert tiles(app)["Problems"] == "0" and app.button(key="usage_open_stopped").label == "1 stopped by you"
    assert list(opened(app, "calls").dataframe[-1].value["ending"]) == ["stopped by you"]


@pytest.mark.row("T9")
def test_a_models_name_is_never_an_image(app: AppTest) -> None:
    call(model=IMAGE, endpoint=IMAGE, cost=0.9)
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

    assert len(opened(app, "calls").dataframe[-1].value) == 2 and tiles(app)["Calls"] == "3"
    assert "The newest 2 of 3 calls" in captions(app)


def many(app: AppTest) -> None:
    """A history of two models, two pages and several endings."""
    call(model="gpt-4o", first_token_seconds=0.5)
    call(model="o3", page="sweep", first_token_seconds=1.0)
    call(model="o3", state="error", usage=Usage(), cost=None, billed="no", error_kind="rate_limited")


@pytest.mark.row("U11")
def test_filters_narrow_every_number_and_stand_in_the_address_and_as_chips(app: AppTest) -> None:
    many(app)
    usage_page(app)

    app.multiselect(key="usage_filter_models").set_value(["o3"]).run()
    assert tiles(app)["Calls"] == "2" and app.query_params["model"] == "o3"
    app.multiselect(key="usage_filter_outcomes").set_value(["ok"]).run()
    assert tiles(app)["Calls"] == "1" and app.query_params["ended"] == "ok"
    assert len(opened(app, "calls").dataframe[-1].value) == 1

    assert app.button(key="usage_chip_0").label == "o3"
    app.button(key="usage_chip_0").click().run()
    assert tiles(app)["Calls"] == "2" and "model" not in app.query_params

    app.multiselect(key="usage_filter_pages").set_value(["sweep"]).run()
    next(one for one in app.multiselect if one.label == "Model").set_value(["gpt-4o"]).run()
    assert not app.metric and "No call is like that." in app.subheader[0].value
    app.button(key="usage_clear").click().run()
    assert tiles(app)["Calls"] == "3" and not app.query_params


def press_with_closed_popover(app: AppTest, key: str, kept: dict[str, list[str]]) -> None:
    """Press a button as a browser does whose popover is closed: whatever the script has set, it sends with the press
    what it holds for the fields in there, by their ids."""
    app.button(key=key).click()
    states = app._tree.get_widget_states()
    for widget in states.widgets:
        if widget.id in kept:
            widget.string_array_value.data[:] = kept[widget.id]
    app._run(states)
    assert not app.exception


@pytest.mark.row("U11")
def test_a_filter_that_was_taken_off_stays_off_though_its_field_is_out_of_sight(app: AppTest) -> None:
    many(app)
    usage_page(app)
    for off in ("usage_chip_0", "usage_clear"):
        # Both together let no call through, and then there is a button for all of them.
        for label, value in (("How it ended", "failed"), ("Page", "sweep"))[: 2 if off == "usage_clear" else 1]:
            next(one for one in app.multiselect if one.label == label).set_value([value]).run()
        kept = {one.proto.id: list(one.value) for one in app.multiselect if one.value}
        press_with_closed_popover(app, off, kept)
        for _press in range(2):
            press_with_closed_popover(app, "usage_open_all", kept)
            assert tiles(app)["Calls"] == "3" and "ended" not in app.query_params, off
            assert "usage_chip_0" not in [button.key for button in app.button], off


@pytest.mark.row("U11")
def test_an_address_brings_its_filters_and_what_it_can_t_mean_is_left_out(app: AppTest) -> None:
    many(app)
    call(EARLIER, model="o3")
    app.switch_page(str(ROOT / "pages" / "usage.py"))
    app.query_params.update({"scope": "all", "model": ["o3", "x" * 1000], "ended": ["ok", "../etc"], "page": "chat"})
    app.run()

    assert app.segmented_control(key="usage_scope").value == "all"
    assert tiles(app)["Calls"] == "1"
    assert app.multiselect(key="usage_filter_outcomes").value == ["ok"]
    assert len(app.multiselect(key="usage_filter_models").value[1]) == 300


@pytest.mark.row("U11")
def test_dates_are_the_viewers_days(app: AppTest) -> None:
    many(app)
    usage_page(app)

    for scope, calls in (("today", "3"), ("week", "3"), ("month", "3")):
        app.segmented_control(key="usage_scope").set_value(scope).run()
        assert tiles(app)["Calls"] == calls and app.query_params["scope"] == scope
    app.segmented_control(key="usage_scope").set_value("dates").run()
    assert tiles(app)["Calls"] == "3"
    app.date_input(key="usage_dates").set_value((date(2001, 1, 1), date(2001, 1, 2))).run()
    assert not app.metric and app.query_params["to"] == "2001-01-02"
    assert "No model was asked in that time." in app.subheader[0].value


@pytest.mark.row("U11")
def test_yesterday_is_the_whole_day_before_today_and_no_more(app: AppTest) -> None:
    first, end = periods.last_days(2, viewer_zone()), periods.last_days(1, viewer_zone())
    store = resources.services().store
    for at in (first - 1, first, end - 1, end):
        made = a_call(OWNER)
        store.write(lambda db, made=made, at=at: records.start_call(db, made, process_lock.ID, at)).result(20)
        store.write(lambda db, made=made: records.finish_call(db, made.id, an_outcome("Hi"))).result(20)
    app.query_params["scope"] = "yesterday"

    opened(usage_page(app), "calls")

    assert tiles(app)["Calls"] == "2" and app.query_params["scope"] == "yesterday"
    assert "Yesterday" in app.segmented_control(key="usage_scope").options
    starts = [at.timestamp() * 1e6 for at in app.dataframe[-1].value["time"]]
    assert starts == pytest.approx([end - 1, first])


@pytest.mark.row("U12")
def test_a_number_opens_the_calls_behind_it(app: AppTest) -> None:
    many(app)
    usage_page(app)

    app.button(key="usage_open_failed").click().run()
    assert list(app.dataframe[-1].value["ending"]) == ["failed: rate limited"]
    assert app.query_params["ended"] == "failed"


@pytest.mark.row("U12", "U13")
def test_a_call_is_shown_with_what_was_asked_and_goes_on_in_chat(app: AppTest) -> None:
    call()
    call(text="Not this one", model="o3")
    press_row(opened(usage_page(app), "calls"), 1)

    assert "Input tokens \\(prompt\\)" in set(app.table[0].value[0])
    app.segmented_control(key="usage_call_part").set_value("messages").run()
    assert "Hello" in shown(app) and "Hi" in shown(app)
    app.segmented_control(key="usage_call_part").set_value("request").run()
    assert '"temperature": 0.5' in app.code[0].value

    app.button(key="usage_continue").click().run()
    assert app.chat_input(key="chat_input") and "Hello" in shown(app) and "Hi" in shown(app)
    kept = select(chats.c.model).where(chats.c.owner == OWNER)
    assert resources.services().store.read(lambda db: db.execute(kept).scalars().all()) == ["apiyi/gpt-4o"]


@pytest.mark.row("U12")
def test_an_opened_call_says_why_it_failed(app: AppTest, subtests: pytest.Subtests) -> None:
    failed: dict[str, Any] = {"state": "error", "usage": Usage(), "cost": None, "session": SESSION}
    error = RateLimited("slow down", service="apiyi")
    sentence = "apiyi gets more requests from this key than it allows. Wait a little and try again."
    by_kind = "This call failed: rate limited. Nothing more is recorded of it."
    cases: dict[str, tuple[dict[str, Any], list[str]]] = {
        "recorded": ({**failed, "error_kind": error.kind, "error_record": error.record()}, [sentence]),
        "kind alone": ({**failed, "error_kind": "rate_limited"}, [by_kind]),
        "nothing": (failed, ["This call failed: the reason is not known. Nothing more is recorded of it."]),
        "a word of a file": (
            {**failed, "error_kind": "![x](y)"},
            ["This call failed: \\!\\[x\\]\\(y\\). Nothing more is recorded of it."],
        ),
        "none": ({"usage": REPORTED, "session": SESSION}, []),
    }
    made = {name: record(resources.services().store, OWNER, **facts) for name, (facts, _words) in cases.items()}
    usage_page(app)
    for name, (_facts, words) in cases.items():
        with subtests.test(name):
            app.session_state["open_dialog"] = ("usage_call", made[name])
            app.run()
            assert not app.exception and [box.value for box in app.error] == words


def test_every_kind_of_error_that_a_call_may_end_with_has_words() -> None:
    def kinds(of: type[TemperaError]) -> set[str]:
        return {of.kind, *(kind for one in of.__subclasses__() for kind in kinds(one))}

    never = (StoreError, SweepStopped, InvalidInput, SettingsError, NotSignedIn, NotRestored, Full)
    assert kinds(TemperaError) - set().union(*map(kinds, never)) == set(REASONS)


@pytest.mark.row("T13")
def test_the_call_of_somebody_else_is_not_there(app: AppTest) -> None:
    call()
    theirs = record(resources.services().store, "e" * 32, REPORTED)
    usage_page(app)
    app.session_state["open_dialog"] = ("usage_call", theirs)
    app.run()

    assert "not there any more" in app.toast[0].value
    assert "usage_call_part" not in [control.key for control in app.segmented_control]


@pytest.mark.row("U15", "U16")
def test_speed_and_problems_stand_by_model(app: AppTest) -> None:
    many(app)
    table = opened(usage_page(app), "speed").dataframe[-1].value

    assert list(table["model"]) == ["gpt-4o", "o3"] and "soonest stands first" in captions(app)
    # Percentiles are read from bins, whose middles are within 0.8 % of what is in them.
    assert list(table["first_word"]) == pytest.approx([0.5, 1.0], rel=0.013) and list(table["failed"]) == [0, 1]
    assert list(table["rate"]) == pytest.approx([50.0, 100.0], rel=0.013)
    assert not {"cut", "filtered", "stopped", "retried"} & set(table), "a problem that nobody had has no column"
    call(model="o3", finish_reason="length", attempts=2)
    table = app.run().dataframe[-1].value
    assert list(table["cut"]) == list(table["retried"]) == [0, 1]


@pytest.mark.row("U22", "U10")
def test_the_bill_tells_another_models_price_and_tokens_per_word(app: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    call(usage=Usage(1_000_000, 100_000, source="reported"), cost=3.5)
    opened(usage_page(app), "bill")
    app.selectbox(key="usage_what_if").set_value("gpt-4o-mini").run()

    assert "gpt-4o-mini the same tokens would cost about $0.21 at list prices; they cost $3.50." in shown(app)
    counted = app.dataframe[-1].value
    assert list(counted["completion_reported"]) == [100_000] and list(counted["completion_counted"]) == [1]
    assert list(counted["exact"]) == ["exact"]
    assert counted["per_word"].isna().all(), "of a few words nothing is told"

    call(usage=Usage(10, 300, source="reported"), text="tea 茶 " * 100, cost=None, model="wordy")
    call(usage=Usage(10, 300, source="reported"), text="tea " * 100, cost=0.6, model="plain")
    words = app.run().dataframe[-1].value.set_index("model")
    assert list(words["per_word"][["wordy", "plain"]]) == [1.5, 3.0], "a Chinese character is a word"
    assert words["thousand"]["plain"] == pytest.approx(6.0) and pd.isna(words["thousand"]["wordy"])

    # Of a long history only the newest calls are looked at.
    monkeypatch.setattr(bill, "AMONG", 2)
    assert app.run().dataframe[-1].value["calls"].sum() == 2
    for _time in range(2):
        call(usage=Usage())
    app.run()
    assert "counted and whose text is kept is among the newest 2." in captions(app)


def test_another_models_price_is_compared_over_the_same_calls(app: AppTest) -> None:
    call(usage=Usage(1_000_000, 100_000, source="reported"), cost=3.5)
    call(usage=Usage(1_000_000, 100_000, source="reported"), model="unheard-of", cost=None)
    call(usage=Usage(7_000_000, 700_000, source="reported"), cost=None)  # the same model, without a price
    call(usage=Usage(None, 9, source="reported"), cost=0.9)  # the service tells the cost and not the tokens
    other = {"usage": Usage(1_000_000, 0, source="reported"), "endpoint": "other"}
    call(**other, model="o3", cost=2.0)
    call(usage=Usage(), endpoint="other", model="o3", cost=None)
    call(**other, cost=1.0)  # of a model that elsewhere has calls without a price
    opened(usage_page(app), "bill")
    app.selectbox(key="usage_what_if").set_value("gpt-4o-mini").run()

    assert "gpt-4o-mini the same tokens would cost about $0.51 at list prices; they cost $6.50." in shown(app)
    assert "the same 3 of 7 calls" in captions(app)
    assert any(
        one.startswith("gpt-4o-mini · $0.15 in, $0.60 out") for one in app.selectbox(key="usage_what_if").options
    )


def test_of_a_failed_call_no_first_word_is_told(app: AppTest) -> None:
    times = {"queued": 0.0, "sent": 0.5, "end": 1.5, "error": "rate_limited"}
    app.session_state["open_dialog"] = (
        "usage_call",
        call(state="error", error_kind="rate_limited", attempt_times=(times,)),
    )
    usage_page(app).segmented_control(key="usage_call_part").set_value("attempts").run()

    bars = json.loads(app.get("echarts_chart")[-1].proto.spec)["series"][1:]
    assert [one["name"] for one in bars] == ["waited for its turn", "until it failed"]
    table = app.dataframe[-1].value
    assert "first_word" not in table and list(table["error"]) == ["rate limited"]


def test_what_is_free_only_in_part_is_never_called_free(app: AppTest) -> None:
    for number in range(7):
        call(cost=None if number < 5 else 0.0, cost_source="" if number < 5 else "free")
    usage_page(app)

    assert tiles(app)["Cost"] == "free in part" and "2 of 7 free, 5 with no price known" in captions(app)
    assert app.dataframe[-1].value["cost"].isna().all() and "no price is known" in captions(app)


def test_what_is_free_is_called_so_by_the_figure_and_in_the_table(app: AppTest) -> None:
    call(cost=0.0, cost_source="free")
    usage_page(app)

    assert tiles(app)["Cost"] == "free" and written(app)["cost"] == ["free"]


@pytest.mark.row("U19")
def test_calls_come_in_from_a_file_once_and_are_marked(app: AppTest) -> None:
    usage_page(app)
    row = {"time_utc": "2026-01-02 03:04:05", "model": "o3", "id": "a1", "prompt_tokens": 30, "completion_tokens": 5}
    file = json.dumps({"calls": [row, row | {"id": ""}]}).encode()

    for said in ("1 call came in. 1 row can't be read.", "0 calls came in. 1 was here already. 1 row can't be read."):
        uploader = next(one for one in app.get("file_uploader") if one.key == "usage_import")
        uploader.upload("calls.json", file, "application/json").run()
        assert not app.exception and [one.value for one in app.info] == [said]

    app.segmented_control(key="usage_scope").set_value("all").run()
    assert tiles(app)["Calls"] == "1" and tiles(app)["Input tokens (prompt)"] == "30"
    assert list(opened(app, "calls").dataframe[0].value["page"]) == ["Chat, from a file"]

    uploader = next(one for one in app.get("file_uploader") if one.key == "usage_import")
    uploader.upload("calls.csv", b"a,b\n1,2\n", "text/csv").run()
    assert "none that Usage has saved" in app.info[0].value


@pytest.mark.row("U19", "U6")
def test_what_was_paid_comes_in_with_the_calls_unless_it_was_set_here(app: AppTest) -> None:
    usage_page(app)
    row = {"time_utc": "2026-01-02 03:04:05", "model": "o3", "id": "a1", "endpoint": "apiyi", "cost_usd": 2.0}
    row |= {"paid": 14.0, "paid_currency": "CNY", "paid_per_dollar": 7.0}
    for other, factor in ({}, 7.0), ({"id": "a2", "paid_per_dollar": 9.0}, 9.0):
        file = json.dumps({"calls": [row | other | {"paid": 2.0 * factor}]}).encode()
        uploader = next(one for one in app.get("file_uploader") if one.key == "usage_import")
        uploader.upload("calls.json", file, "application/json").run()
        assert not app.exception and "1 call came in." in app.info[0].value
        app.segmented_control(key="usage_scope").set_value("all").run()

    assert tiles(app)["Cost"] == "$4.00" and "you pay CN¥28.00" in captions(app).replace("\\", "")


@pytest.mark.row("U12")
def test_a_bar_opens_the_calls_behind_it(app: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    for at, model in ((10, "o3"), (11, "gpt-4o"), (200, "gpt-4o")):
        monkeypatch.setattr(records, "now", lambda at=at: at * 60_000_000)
        call(model=model, attempt_times=({"queued": 0.0, "sent": 0.5, "first_word": 0.75, "end": 1.5},))
    usage_page(app).segmented_control(key="usage_scope").set_value("all").run()

    assert not click_bar(app, 0).exception  # by call: the oldest stands first
    assert app.segmented_control(key="usage_call_part").value == "figures"
    app.segmented_control(key="usage_call_part").set_value("attempts").run()
    waits = json.loads(app.get("echarts_chart")[-1].proto.spec)["series"]
    assert [one["data"] for one in waits[1:]] == [[0.5], [0.25], [0.75]]  # what took no time is not named
    app.session_state["open_dialog"] = None

    app.segmented_control(key="usage_view").set_value("time").run()
    assert [len(one["data"]) for one in chart(app)["series"]] == [39, 39]  # buckets of five minutes
    click_bar(app, 0)
    assert tiles(app)["Calls"] == "2" and app.query_params["at"] == "600-900"
    assert len(app.dataframe[0].value) == 2
    app.button(key="usage_chip_stretch").click().run()
    assert tiles(app)["Calls"] == "3" and "at" not in app.query_params

    opened(app, "chart").segmented_control(key="usage_view").set_value("model").run()
    click_bar(app, 1)
    assert tiles(app)["Calls"] == "1" and app.query_params["model"] == "o3"


def test_an_address_brings_the_stretch_of_a_bar(app: AppTest) -> None:
    call()
    app.query_params["at"] = "600-900"

    usage_page(app)

    assert app.button(key="usage_chip_stretch") and app.subheader[0].value == "No call is like that."
    app.button(key="usage_clear").click().run()
    assert tiles(app)["Calls"] == "1"


@pytest.mark.row("U18")
def test_calls_that_all_failed_before_anything_was_used_used_nothing(app: AppTest) -> None:
    call(usage=Usage(), state="error", error_kind="rate_limited", billed="no", cost=None)

    usage_page(app)

    assert app.subheader[0].value == "In this session you made 1 call; it failed before anything was used."
    assert tiles(app)["Input tokens (prompt)"] == "0" and tiles(app)["Problems"] == "1"
    assert "These calls took no tokens: they failed before." in captions(app)
    assert list(app.dataframe[-1].value["prompt"]) == [0]
    assert tiles(app)["Cost"] == "no cost" and written(app)["cost"] == ["no cost"], "what failed is not free"
    assert list(app.dataframe[-1].value["cost"]) == [0], "a browser draws what is written where there is a number only"
    opened(app, "calls")
    assert (written(app)["cost"], written(app)["prompt"]) == (["no cost"], ["0"]) and "not known" not in captions(app)


FREE = {"cost": 0.0, "cost_source": "free"}
NOTHING: dict[str, Any] = {"usage": Usage(), "state": "error", "billed": "no", "cost": None}
UNKNOWN: dict[str, Any] = {"usage": Usage(), "billed": "unknown", "cost": None}
SENTENCES: list[tuple[list[dict[str, Any]], str]] = [
    ([{}], "you used 80 tokens in 1 call, about $0.01 at list prices."),
    ([{"usage": Usage(1, 0, source="reported")}], "you used 1 token in 1 call, about $0.01 at list prices."),
    ([{}, {"cost": None}], "you used 160 tokens in 2 calls, at least $0.01 at list prices."),
    ([{}, UNKNOWN], "you used at least 80 tokens in 2 calls, at least $0.01 at list prices."),
    ([{"cost_source": "own"}], "you used 80 tokens in 1 call, about $0.01: at your prices where you set them."),
    (
        [{"cost_source": "reported"}, FREE, NOTHING],
        "you used 160 tokens in 3 calls, about $0.01 as the service reports it.",
    ),
    (
        [{"cost_source": "reported"}, {"cost_source": "list"}],
        "you used 160 tokens in 2 calls, about $0.02: as services report it, else at list prices.",
    ),
    ([FREE, FREE, NOTHING], "you used 160 tokens in 3 calls; all of it was free."),
    ([FREE, {"cost": None}, {"cost": None}], "you used 240 tokens in 3 calls: 1 free, 2 with no price known."),
    ([{"cost": None}], "you used 80 tokens in 1 call; none of it has a price."),
    ([UNKNOWN], "you made 1 call; how many tokens that took is not known."),
    ([NOTHING], "you made 1 call; it failed before anything was used."),
    ([NOTHING] * 2, "you made 2 calls; all failed before anything was used."),
]


def test_the_sentence_says_no_more_and_no_less_than_is_known(app: AppTest, subtests: pytest.Subtests) -> None:
    usage_page(app)
    for number, (made, said) in enumerate(SENTENCES):
        for facts in made:
            call(endpoint=f"service-{number}", **facts)
        app.session_state["usage_filter_endpoints"] = [f"service-{number}"]
        with subtests.test(said):
            assert app.run().subheader[0].value.replace("\\", "") == f"In this session {said}"
    store, made_now = resources.services().store, a_call(OWNER, session=SESSION, endpoint="running")
    store.write(lambda db: records.start_call(db, made_now, process_lock.ID)).result(20)
    app.session_state["usage_filter_endpoints"] = ["running"]
    assert "you made 1 call; what that takes is known when it has ended." in app.run().subheader[0].value


STATES: dict[str, list[dict[str, Any]]] = {
    "one call": [{}],
    "all failed": [{"usage": Usage(), "state": "error", "billed": "no", "cost": None}] * 3,
    "all unknown": [{"usage": Usage(), "billed": "unknown", "cost": None}] * 3,
    "a year of days": [{"day": day} for day in range(0, 365, 30)],
    "twelve models": [{"model": f"model-{number}"} for number in range(12)],
}


def test_every_section_is_drawn_whatever_the_history(
    app: AppTest, monkeypatch: pytest.MonkeyPatch, subtests: pytest.Subtests
) -> None:
    usage_page(app)
    for name, made in STATES.items():
        for one in made:
            facts, at = dict(one), 1_760_000_000_000_000 + one.get("day", 0) * 86_400_000_000
            facts.pop("day", None)
            monkeypatch.setattr(records, "now", lambda at=at: at)
            call(endpoint=name, **facts)
        show = {"usage_scope": "all", "usage_filter_endpoints": [name]}
        for key, value in show.items():
            app.session_state[key] = value
        app.run()
        for section in ("chart", "calls", "speed", "bill", "budget"):
            with subtests.test(name, section=section):
                opened(app, section)
                assert not app.exception and tiles(app)["Calls"] == str(len(made))
                tables = [json.loads(table.proto.columns) for table in app.dataframe]
                named = [columns["model"] for columns in tables if columns.get("model", {}).get("label")]
                assert all(column.get("pinned") for column in named), "a row without its model can't be read"
                assert named or section == "budget"


@pytest.mark.row("U3")
def test_a_models_name_has_its_room_where_it_is_not_a_phones(app: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    def widths(name: str) -> list[int]:
        call(endpoint="other", model=name)
        app.session_state["usage_scope"] = "all"
        app.run()
        return [json.loads(one.proto.columns)["model"]["width"] for one in app.dataframe]

    usage_page(app)
    assert widths("m" * 45) == [45 * 7.2 + 20]
    assert widths("m" * 500) == [360]
    agent = {"User-Agent": "Mozilla/5.0 (Linux; Android 10; K) Chrome/140.0.0.0 Mobile Safari/537.36"}
    monkeypatch.setattr("streamlit.runtime.context.ContextProxy.headers", agent)
    assert widths("m") == [134]


@pytest.mark.row("U5")
def test_what_came_from_the_cache_and_what_was_thought_are_parts_and_never_added(app: AppTest) -> None:
    call(usage=Usage(100, 50, 20, 80, source="reported"))
    call(usage=Usage(7, 3, source="reported"))
    usage_page(app)

    assert list(tiles(app).values())[:2] == ["107", "53"] and "160 tokens" in app.subheader[0].value
    assert "80 of it from the cache" in captions(app) and "20 of it for thinking" in captions(app)
    by_model = app.dataframe[-1].value
    assert (list(by_model["prompt"]), list(by_model["cached"]), list(by_model["reasoning"])) == ([107], [80], [20])
    log = opened(app, "calls").dataframe[-1].value
    assert list(log["cached"].fillna(-1)) == [-1, 80] and list(log["reasoning"].fillna(-1)) == [-1, 20]


@pytest.mark.row("U8")
def test_a_call_says_of_each_count_whose_word_it_is(app: AppTest, subtests: pytest.Subtests) -> None:
    service, gateway, ours = "counted by the service", "the gateway's estimate", "our estimate"
    one_version = {"prompt_tokens": 9, "completion_tokens": 4}
    cases: dict[str, tuple[Usage, list[str]]] = {
        "reported": (Usage(100, 50, 20, 80, "reported"), [f"{n} ({service})" for n in (100, 80, 50, 20, 150)]),
        "no parts": (
            Usage(1, 2, source="gateway"),
            [f"1 ({gateway})", "not known", f"2 ({gateway})", "not known", f"3 ({gateway})"],
        ),
        "estimated": (Usage(9, None, source="estimated"), [f"9 ({ours})", *["not known"] * 4]),
        "of one version": (
            Usage(9, 8, source="estimated", received=one_version),
            [f"9 ({service})", "not known", "the service counted one of", "not known", f"17 ({ours})"],
        ),
        "unknown": (Usage(), ["not known"] * 5),
    }
    made = {name: record(resources.services().store, OWNER, used, session=SESSION) for name, (used, _) in cases.items()}
    usage_page(app)
    assert "1 counted by the service, 1 estimated by a gateway, 1 estimated by us, 2 not known" in captions(app)
    for name, (_usage, words) in cases.items():
        with subtests.test(name):
            app.session_state["open_dialog"] = ("usage_call", made[name])
            app.run()
            said = app.table[0].value[1].tolist()[2:7]
            assert all(word in one.replace("\\", "") for word, one in zip(words, said, strict=True)), said
    app.session_state["open_dialog"] = None
    assert "the gateway's estimate" in list(opened(app, "calls").dataframe[-1].value["source"])


@pytest.mark.row("U4")
def test_totals_stand_by_page_and_by_chat_and_sweep_and_each_opens_its_calls(
    app: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = resources.services().store
    chat = store.write(lambda db: new_chat(db, OWNER, "Tea at *four*")).result(20)
    for page, place, tokens in (("chat", chat, 30), ("chat", chat, 20), ("judge", None, 5), ("chat", "gone" * 8, 1)):
        made = a_call(OWNER, session=SESSION, page=page, chat_id=place)
        store.write(lambda db, made=made: records.start_call(db, made, process_lock.ID)).result(20)
        reply = an_outcome("Hi", usage=Usage(tokens, 0, source="reported"))
        store.write(lambda db, made=made, reply=reply: records.finish_call(db, made.id, reply)).result(20)
    usage_page(app)

    app.segmented_control(key="usage_by").set_value("page").run()
    table = app.dataframe[-1].value
    assert dict(zip(table["group"], table["prompt"], strict=True)) == {"Chat": 51, "Judge": 5}
    press_row(app, list(table["group"]).index("Judge"))
    assert tiles(app)["Calls"] == "1" and app.query_params["page"] == "judge"
    app.button(key="usage_chip_0").click().run()

    app.segmented_control(key="usage_by").set_value("place").run()
    table = app.dataframe[-1].value
    assert dict(zip(table["group"], table["prompt"], strict=True)) == {
        "Tea at *four*": 50,
        "deleted or temporary": 1,
        "in no chat or sweep: deleted, or from a file": 5,
    }
    assert list(table["group"])[-1].startswith("in no chat") and list(table["tokens"]) == [50, 1, 5]
    assert set(table["day"]) == {day(periods.today(viewer_zone()))}
    assert table["calls"].sum() == int(tiles(app)["Calls"]) == 4
    monkeypatch.setattr(groups, "MOST", 1)
    assert list(app.run().dataframe[-1].value["group"]) == ["Tea at *four*"]
    assert "The 1 with the most tokens of 3 chats and sweeps." in captions(app)
    monkeypatch.undo()
    app.run()

    press_row(app, list(table["group"]).index("Tea at *four*"))
    assert tiles(app)["Calls"] == "2" and app.query_params["of"] == chat
    assert app.button(key="usage_chip_0").label == "Tea at \\*four\\*"
    app.button(key="usage_chip_0").click().run()
    assert tiles(app)["Calls"] == "4" and "of" not in app.query_params
