"""The set-up form of a sweep, from the main script on: what can be put in, what it says, and what is then sent."""

import io
import json

import pytest
import xlsxwriter
from streamlit.testing.v1 import AppTest

from lib.core.parameters import SETTABLE
from lib.sweep import repository as sweeps
from lib.sweep.axis import SYSTEM, VARIED, Axis, values_in
from lib.sweep.plan import Plan
from lib.ui.shared import resources
from lib.ui.shared.controls import CONTROLS
from tests.fake_api import FakeApi
from tests.pages import bodies, host, new_tab, owner, run_sweep, shown, standing, sweep_ended, sweep_id, switch_page


@pytest.fixture
def app(service: FakeApi) -> AppTest:
    """The sweep page with one service, the fake one, and a prompt."""
    return prompt(new_tab("sweep"), "Say {{x}}.")


def test_each_field_of_the_api_has_a_control_and_each_that_varies_an_example() -> None:
    """What else a new parameter has to be told to."""
    assert SETTABLE - CONTROLS.keys() == set()
    for name, varied in VARIED.items():
        if name != SYSTEM:
            values = values_in(name, varied.example)
            assert Plan("x", ("a/m",), (0.0,), axis=Axis(name, values)).checked().size == len(values) > 1


def prompt(app: AppTest, text: str) -> AppTest:
    return app.text_area(key="sweep_prompt").set_value(text).run()


def upload(app: AppTest, name: str, file: bytes) -> AppTest:
    """Choose a file as the list of inputs."""
    uploader = next(one for one in app.get("file_uploader") if str(one.key).startswith("sweep_inputs_file"))
    uploader.upload(name, file, "text/csv").run()
    assert not app.exception
    return app


def workbook(*column: str) -> bytes:
    """An Excel file with one column."""
    file = io.BytesIO()
    with xlsxwriter.Workbook(file, {"in_memory": True}) as book:
        book.add_worksheet().write_column(0, 0, column)
    return file.getvalue()


def type_rows(app: AppTest, *rows: dict[str, str]) -> AppTest:
    """Type rows into the table, below those that are there."""
    key = str(app.data_editor[0].key)
    app.session_state[key] = {"edited_rows": {}, "added_rows": list(rows), "deleted_rows": []}
    app.run()
    assert not app.exception
    return app


def asked(api: FakeApi) -> list[str]:
    """The last message of each request."""
    return [body["messages"][-1]["content"] for body in bodies(api)]


def one_temperature(app: AppTest) -> AppTest:
    app.number_input(key="sweep_repeats").set_value(1).run()
    return app.pills(key="sweep_temperatures").set_value([0.0]).run()


@pytest.mark.row("S5")
def test_a_variable_brings_a_table_and_each_row_is_asked(app: AppTest, api: FakeApi) -> None:
    unwritten = shown(prompt(app, ""))
    assert "The prompt is empty." not in unwritten and "Run sends the prompt to each model" in unwritten
    pressed = app.button(key="sweep_run").click().run()
    [said] = [one.value for one in pressed.caption if "The prompt is empty. Write a prompt first." in one.value]
    assert said.startswith(":red[") and not pressed.info, "in the place of that line: the form does not move"
    assert ":red[" not in shown(prompt(app, "Say {{x}}.")) and ":red[" not in shown(prompt(app, "")), (
        "until it is mended"
    )
    assert "{{x}} has no value yet" in shown(prompt(app, "Say {{x}}.")), "before Run"
    assert app.button(key="sweep_run").label == "Run"
    app.button(key="sweep_run").click().run()
    assert bodies(api) == []

    assert _new_cells(app) == [""], "not the word None"
    type_rows(one_temperature(app), {"x": "red"}, {"x": "{{x}} <b> $1"}, {"x": "  "})
    assert app.button(key="sweep_run").label == "Run 2 answers"
    run_sweep(app)
    assert sorted(asked(api)) == ["Say red.", "Say {{x}} <b> $1."]
    assert not prompt(new_tab("sweep"), "Say nothing.").data_editor


def _new_cells(app: AppTest) -> list[str | None]:
    """What each cell of a row that is added to the table begins with."""
    columns = json.loads(app.data_editor[0].proto.columns)
    return [column.get("default") for name, column in columns.items() if name != "_index"]


@pytest.mark.row("S5")
def test_rows_survive_another_variable_another_page_and_a_reload(app: AppTest) -> None:
    type_rows(app, {"x": "red"}, {"x": "blue"})
    prompt(app, "Say {{x}} to {{you}}.")
    assert "2 rows have no value for “you”." in shown(app)
    assert list(app.data_editor[0].value["x"])[:2] == ["red", "blue"]
    prompt(app, "Say it to {{you}}.")
    assert "{{you}} has no value yet" in shown(app)
    prompt(app, "Say {{x}}.")
    assert list(app.data_editor[0].value["x"])[:2] == ["red", "blue"]
    type_rows(app, {"x": "green"})
    table = app.data_editor[0].key
    app.multiselect(key="sweep_models").set_value([]).run()
    assert app.data_editor[0].key == table, "one that is drawn anew forgets what is being typed in it"
    switch_page(app, "usage")
    switch_page(app, "sweep")
    for tab in (app, new_tab("sweep")):
        assert [value for value in tab.data_editor[0].value["x"] if value] == ["red", "blue", "green"]


@pytest.mark.row("S5")
def test_a_file_becomes_the_table_or_says_in_a_sentence_why_not(
    subtests: pytest.Subtests, app: AppTest, api: FakeApi
) -> None:
    one_temperature(app)
    for file, said, rows in [
        (b"X;other\nred;1\nblue;2\n", "2 rows from the file.", ["red", "blue"]),
        ("x\n保温杯\n雨伞和帽子\n".encode("gb18030"), "it was read as gb18030", ["保温杯", "雨伞和帽子"]),
        (workbook("x", "保温杯", "雨伞和帽子"), "2 rows from the file.", ["保温杯", "雨伞和帽子"]),
        (b"a,b\n1,2\n", "The file has no column “x”. It has: a, b.", ["保温杯", "雨伞和帽子"]),
        (b"x\n" + b"1\n" * 1_000_000, "This file has more than 2,000 rows", ["保温杯", "雨伞和帽子"]),
        (b"\x89PNG\r\n\x1a\n\0\0", "This file is no table", ["保温杯", "雨伞和帽子"]),
    ]:
        with subtests.test(said):
            assert said in shown(upload(app, "list.csv", file))
            assert [value for value in app.data_editor[0].value["x"] if value] == rows
    run_sweep(app)
    assert sorted(asked(api)) == ["Say 保温杯.", "Say 雨伞和帽子."]


@pytest.mark.row("S5")
def test_braces_can_be_sent_as_they_stand(app: AppTest, api: FakeApi) -> None:
    app.toggle(key="sweep_inputs_off").set_value(True).run()
    run_sweep(one_temperature(app))
    assert asked(api) == ["Say {{x}}."]


@pytest.mark.row("S1")
def test_temperatures_are_ticked_typed_or_a_range_and_always_ascending(app: AppTest, api: FakeApi) -> None:
    prompt(app, "Hi")
    app.pills(key="sweep_temperatures").set_value([1.3, 0.0])
    app.text_input(key="sweep_temperatures_typed").set_value("0.25, 1 to 1.2 step 0.1").run()
    assert app.pills(key="sweep_temperatures").value == [0, 0.25, 1, 1.1, 1.2, 1.3]
    assert app.text_input(key="sweep_temperatures_typed").value == ""
    app.number_input(key="sweep_repeats").set_value(1)
    run_sweep(app)
    assert sorted(body["temperature"] for body in bodies(api)) == [0, 0.25, 1, 1.1, 1.2, 1.3]


def test_a_typed_temperature_that_is_none_is_said_and_nothing_is_sent(app: AppTest, api: FakeApi) -> None:
    prompt(app, "Hi")
    for typed, sentence in [("warm", "“warm” can't be read"), ("2.5", "“temperature” has to be a number from 0 to 2.")]:
        app.text_input(key="sweep_temperatures_typed").set_value(typed)
        app.button(key="sweep_run").click().run()
        assert sentence in shown(app)
        assert app.text_input(key="sweep_temperatures_typed").value == typed, "to be mended"
    assert bodies(api) == []


@pytest.mark.row("S4")
def test_one_thing_further_is_varied(subtests: pytest.Subtests, app: AppTest, api: FakeApi) -> None:
    one_temperature(prompt(app, "Hi"))
    app.text_area(key="sweep_system").set_value("Be brief.").run()
    for field, key, value, sent in [
        ("max_tokens", "sweep_vary_values", "9, 5", {5, 9}),
        ("top_p", "sweep_vary_values", "0.5 to 0.6", {0.5, 0.6}),
        ("reasoning_effort", "sweep_vary_values", "low, high", {"low", "high"}),
        ("system", "sweep_system_2", "Be long.", {"Be brief.", "Be long."}),
    ]:
        with subtests.test(field):
            before = len(bodies(api))
            app.selectbox(key="sweep_vary").set_value(field).run()
            kind = app.text_area if field == "system" else app.text_input
            kind(key=key).set_value(value).run()
            assert app.button(key="sweep_run").label == "Run 2 answers"
            assert field != "max_tokens" or "cut off after 5 to 9 tokens (max_tokens)" in shown(app)
            run_sweep(app)
            new = bodies(api)[before:]
            assert {body["messages"][0]["content"] if field == "system" else body[field] for body in new} == sent
    app.selectbox(key="sweep_vary").set_value("max_tokens").run()
    for typed, sentence in [("1.5", "“max_tokens” takes whole numbers only."), ("many", "“many” can't be read")]:
        app.text_input(key="sweep_vary_values").set_value(typed).run()
        assert sentence in shown(app) and app.button(key="sweep_run").label == "Run"


@pytest.mark.row("S2")
def test_what_cuts_the_answers_off_stands_above_run(app: AppTest) -> None:
    prompt(app, "Hi")
    assert "cut off after 200 tokens (max_tokens)" in shown(app)
    app.toggle(key="sweep_max_tokens_on").set_value(False).run()
    assert "no limit to their length" in shown(app)


def test_too_much_and_too_little_are_a_sentence_before_run(app: AppTest, api: FakeApi) -> None:
    prompt(app, "Hi")
    app.multiselect(key="sweep_models").set_value([f"{host(api)}/m{number}" for number in range(34)])
    app.number_input(key="sweep_repeats").set_value(50).run()
    assert "That makes 5,100 answers; at most 2,000 can be run at once." in shown(app)
    app.multiselect(key="sweep_models").set_value([]).run()
    assert "Choose at least one model." in shown(app)
    app.button(key="sweep_run").click().run()
    assert bodies(api) == []


@pytest.mark.row("S3")
def test_a_large_plan_is_asked_about_and_where_that_begins_can_be_set(app: AppTest, api: FakeApi) -> None:
    one_temperature(prompt(app, "Hi"))
    app.number_input(key="sweep_ask_answers").set_value(2)
    app.number_input(key="sweep_repeats").set_value(3)
    app.button(key="sweep_run").click().run()
    assert "That makes 3 answers" in shown(app) and bodies(api) == []
    app.button(key="sweep_not_yet").click().run()
    app.button(key="sweep_run").click().run()
    app.number_input(key="sweep_repeats").set_value(4).run()
    assert "That makes" not in shown(app), "what was asked about is not what would be run now"
    app.button(key="sweep_run").click().run()
    assert "That makes 4 answers" in shown(app)
    app.button(key="sweep_run_anyway").click().run()
    sweep_ended(app)
    assert len(bodies(api)) == 4

    tab = one_temperature(prompt(new_tab("sweep"), "Hi"))
    assert tab.number_input(key="sweep_ask_answers").value == 2, "it is kept"
    tab.multiselect(key="sweep_models").set_value([f"{host(api)}/gpt-4o"])
    tab.number_input(key="sweep_ask_dollars").set_value(0.001)
    tab.button(key="sweep_run").click().run()
    assert "That makes 1 answer, at most $0.002" in shown(tab) and len(bodies(api)) == 4


@pytest.mark.row("S10")
def test_a_finished_sweep_grows_and_only_what_is_new_is_sent(app: AppTest, api: FakeApi) -> None:
    app.multiselect(key="sweep_models").set_value([f"{host(api)}/echo"]).run()
    type_rows(one_temperature(app), {"x": "red"})
    run_sweep(app)
    first = sweep_id(app)
    before = {cell.id for cell in resources.services().sweeps.progress.of(owner(app), first).cells}
    assert not [one for one in app.button if one.key == "sweep_grow"]

    app.multiselect(key="sweep_models").set_value([f"{host(api)}/echo", f"{host(api)}/json"])
    app.pills(key="sweep_temperatures").set_value([0.0, 0.3])
    app.number_input(key="sweep_repeats").set_value(2).run()
    assert app.button(key="sweep_grow").label == "Add 7 answers" and "7 new, 1 kept" in shown(app)
    app.number_input(key="sweep_ask_answers").set_value(6)
    app.button(key="sweep_grow").click().run()
    assert "That makes 7 answers" in shown(app) and len(bodies(api)) == 1, "Run would have asked too"
    app.button(key="sweep_grow_not_yet").click().run()
    app.button(key="sweep_grow").click().run()
    app.button(key="sweep_grow_anyway").click().run()
    sweep_ended(app)
    assert sweep_id(app) == first and len(bodies(api)) == 8 and standing(app).startswith("8 answers")
    cells = resources.services().sweeps.progress.of(owner(app), first).cells
    assert before < {cell.id for cell in cells}
    asked = {(body["model"], body["temperature"]) for body in bodies(api)}
    assert asked == {(model, value) for model in ("echo", "json") for value in (0, 0.3)}
    assert not [one for one in app.button if one.key == "sweep_grow"]
    app.multiselect(key="sweep_models").set_value([f"{host(api)}/json", f"{host(api)}/sse"]).run()
    assert not [one for one in app.button if one.key == "sweep_grow"], "without a model it is another sweep"


@pytest.mark.row("S14")
def test_the_same_plan_again_offers_the_stored_answers_or_fresh_ones(app: AppTest, api: FakeApi) -> None:
    run_sweep(one_temperature(prompt(app, "Hi")))
    first = sweep_id(app)
    app.button(key="sweep_new").click().run()
    prompt(app, "Hi").number_input(key="sweep_concurrency").set_value(8).run()
    app.button(key="sweep_run").click().run()
    assert "The same was asked before" in shown(app) and len(bodies(api)) == 1
    app.button(key="sweep_run_stored").click().run()
    assert sweep_id(app) == first and standing(app).startswith("1 answer") and len(bodies(api)) == 1

    app.button(key="sweep_run").click().run()
    app.button(key="sweep_run_anyway").click().run()
    sweep_ended(app)
    assert sweep_id(app) != first and len(bodies(api)) == 2
    prompt(app, "Hi!")
    app.button(key="sweep_run").click().run()
    assert "The same was asked before" not in shown(sweep_ended(app)) and len(bodies(api)) == 3


def test_a_limit_of_money_and_of_time_is_part_of_what_runs(app: AppTest, api: FakeApi) -> None:
    prompt(app, "Hi")
    app.number_input(key="sweep_cap").set_value(0.5)
    app.number_input(key="sweep_patience").set_value(5).run()
    run_sweep(one_temperature(app))
    store, who, id = resources.services().store, owner(app), sweep_id(app)
    plan = store.read(lambda db: sweeps.plan_of(db, who, id))
    assert plan is not None and (plan.cap, plan.patience) == (0.5, 5)


@pytest.mark.row("S7")
def test_no_more_requests_a_minute_leave_than_were_set(app: AppTest, api: FakeApi) -> None:
    one_temperature(prompt(app, "Hi"))
    app.number_input(key="sweep_concurrency").set_value(8)
    app.number_input(key="sweep_per_minute").set_value(300)
    app.number_input(key="sweep_repeats").set_value(6).run()
    assert " · at most 300 requests a minute" in shown(app)
    run_sweep(app)
    came = [request.arrived for request in api.requests if request.path.endswith("/chat/completions")]
    assert standing(app).startswith("6 answers") and max(came) - min(came) > 0.9, "each a fifth of a second apart"
    again = new_tab("sweep", sweep=sweep_id(app))
    assert again.number_input(key="sweep_per_minute").value == 300


@pytest.mark.row("S2")
def test_what_is_set_in_the_closed_panel_stands_above_run(app: AppTest) -> None:
    one_temperature(prompt(app, "Hi"))
    app.selectbox(key="sweep_vary").set_value("top_p").run()
    app.text_input(key="sweep_vary_values").set_value("0.2, 0.9")
    app.number_input(key="sweep_cap").set_value(0.5).run()
    assert " · cut off after 200 tokens (max_tokens) · top_p 0.2, 0.9 · stops at $0.50" in shown(app)
    app.selectbox(key="sweep_vary").set_value("system").run()
    app.text_area(key="sweep_system_2").set_value("Be long.").run()
    assert " · 2 system prompts · " in shown(app)


@pytest.mark.row("S2")
def test_the_line_above_run_says_plainly_what_is_free_and_what_has_no_known_price(app: AppTest, api: FakeApi) -> None:
    for models, words in [
        (("maker/model:free", "unheard-of"), " · 6 free, 6 with no price known · "),
        (("unheard-of",), " · no price known · "),
        (("maker/model:free",), " · free · "),
        (("gpt-4o", "unheard-of"), ") · 6 with no price known · "),
    ]:
        app.multiselect(key="sweep_models").set_value([f"{host(api)}/{name}" for name in models]).run()
        [line] = [text for text in shown(prompt(app, "Hi")).splitlines() if "cut off after" in text]
        assert words in line and "$0.00 " not in line, models


@pytest.mark.row("S2", "S3")
def test_the_line_above_run_learns_from_the_visitors_own_answers(app: AppTest, api: FakeApi) -> None:
    models = [f"{host(api)}/gpt-4o"]
    app.multiselect(key="sweep_models").set_value(models).run()
    one_temperature(prompt(app, "Hi"))
    assert "about $0.001 at list prices (at most $0.002)" in shown(app), "half of max_tokens, at most all of it"
    assert " s · cut off" not in shown(app), "how long it takes is not known yet"
    run_sweep(app)
    [line] = [text for text in shown(prompt(app, "Ha")).splitlines() if "cut off after" in text]
    assert "(at most $0.002) · about 1 s · cut off" in line and "about $0.001 " not in line, line
    app.multiselect(key="sweep_models").set_value([*models, f"{host(api)}/unheard-of"]).run()
    assert " · about 1 s (a guess for 1 model) · " in shown(app), "as fast as the one that is known"
