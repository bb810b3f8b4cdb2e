"""What a sweep tells: its verdict, its charts, its report and the other forms, from the page on."""

import csv
import io
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from html import unescape
from itertools import pairwise
from typing import Any

import pytest
import streamlit as st
from sqlalchemy import select
from streamlit.testing.v1 import AppTest

from lib.chat import repository as chats
from lib.core.prices import Price
from lib.core.reply import Delta, Reply
from lib.store.database import Store
from lib.store.schema import calls
from lib.sweep import decision, judge, ratings
from lib.sweep import repository as sweeps
from lib.sweep.findings import text_of
from lib.sweep.plan import Cell, Plan
from lib.sweep.ratings import Rating
from lib.sweep.rules import Rule
from lib.sweep.study import read_study
from lib.ui.shared import resources
from lib.ui.sweep.view_state import Place
from lib.visitor import LOCAL_OWNER
from tests import seen
from tests.fake_api import FakeApi
from tests.made_sweeps import made_answer, make_sweep, odd_answer
from tests.pages import (
    SECONDS,
    answer_data,
    as_read,
    bodies,
    changed_settings,
    click,
    host,
    new_tab,
    owner,
    shown,
    standing,
    switch_page,
)
from tests.pages import cells as page_cells

MODELS = ("dear", "cheap")
TEMPERATURES = (0.0, 0.7)


@pytest.fixture
def store(service: FakeApi) -> Iterator[Store]:
    """The running app's store."""
    yield resources.services().store


def cells(store: Store, app: AppTest, sweep: str) -> list[Cell]:
    return store.read(lambda db: sweeps.cells_of(db, owner(app), sweep))


def rate(store: Store, sweep: str, row: int, column: int, stars: int) -> None:
    who = LOCAL_OWNER
    calls = store.read(lambda db: sweeps.results(db, who, sweep))
    for cell in store.read(lambda db: sweeps.cells_of(db, who, sweep)):
        if (cell.row, cell.column) == (row, column):
            rated = partial(ratings.rate, owner=who, call_id=calls[cell.id].id, rating=Rating(stars))
            store.write(rated).result()


def page_of(app: AppTest) -> str:
    """All that the browser is sent of the page but the set-up, in which the models were chosen."""
    setup = {str(model) for one in app.multiselect if one.key == "sweep_models" for model in one.value}
    fields = [str(one.options) for one in [*app.selectbox, *app.multiselect] if not setup & set(one.options)]
    return "\n".join([shown(app), json.dumps(answer_data(app)), *fields, *(one.value for one in app.code)])


def open_view(sweep: str, view: str = "") -> AppTest:
    app = new_tab("sweep", sweep=sweep, **({"sweep_view": view} if view else {}))
    assert not app.exception
    return app


@pytest.mark.row("S20")
def test_a_pick_is_made_on_the_page_said_in_a_sentence_and_kept(store: Store) -> None:
    sweep = make_sweep(store, MODELS, TEMPERATURES, 2)
    rate(store, sweep, 0, 1, 5)
    assert "1 of 2 models has no rated answer." in shown(open_view(sweep))
    rate(store, sweep, 1, 0, 4)
    app = open_view(sweep)
    assert "no rated answer." not in shown(app)
    assert "dear at 0.7 has the most stars: 5.0 stars, 2 of 2 answers rated" in shown(app)
    # The dearer one: made answers cost four times as much in the second row.
    cheap = next(cell for cell in cells(store, app, sweep) if (cell.row, cell.column) == (1, 0))
    app.selectbox(key="sweep_pick").set_value(cheap.id).run()

    for tab in (app, open_view(sweep)):
        words = shown(tab).replace("**", "")
        assert "Your pick: cheap at 0, 4.0 stars, 2 of 2 answers rated; 1,000 such answers cost about $0." in words
        assert words.count("your pick") == 2, "in the cells of that setting"
        assert re.search(r"dear at 0\.7 has 5\.0 stars at about \$0\.1\d", words)
    field = app.selectbox(key="sweep_pick")
    assert field.proto.HasField("default"), "without one, Escape empties the field, and takes the pick back"
    field.select("Take the pick back").run()
    assert "Nothing is picked yet" in shown(app)
    unrated = open_view(make_sweep(store, MODELS, TEMPERATURES, 1))
    assert (
        "Nothing is picked" not in shown(unrated) and unrated.selectbox(key="sweep_pick").options[0] == "Pick a setting"
    )
    assert not app.selectbox(key="sweep_pick").value and "Take the pick back" not in app.selectbox[0].options


@pytest.mark.row("S20")
def test_the_page_and_the_slides_say_how_the_pick_keeps_the_rules(store: Store) -> None:
    sweep = make_sweep(store, MODELS, TEMPERATURES, 2)
    first = next(iter(store.read(lambda db: sweeps.cells_of(db, LOCAL_OWNER, sweep))))
    store.write(lambda db: decision.pick(db, LOCAL_OWNER, sweep, first.id)).result()
    assert "rule" not in shown(open_view(sweep)).lower(), "where there are none"
    words = Rule("words", "3")
    store.write(lambda db: decision.set_rules(db, LOCAL_OWNER, sweep, [words])).result()
    app, kept = open_view(sweep), "none of its 2 answers keeps all rules (over 3 words: 2)"

    assert kept in shown(app)
    assert kept in open_view(sweep, "report").code[0].value, "in what is pasted into a mail"
    slide = shown(click(app, "sweep_present_now"))
    assert kept in slide and slide.count("rules: 0 of 2") == 2, "and before an audience, beside two others"
    assert "dear at 0 · over 3 words" in slide, "above the answer that stands for it"
    for _slide in range(4):
        app.button(key="sweep_slide_on").click().run()
    assert "over 3 words" in shown(app), "with the answer itself"


@pytest.mark.row("S11")
def test_where_stop_was_a_late_press_shares_nothing(store: Store) -> None:
    """Stop is the last of its line while a sweep runs; after it the field of the pick is, which only opens."""
    app = open_view(make_sweep(store, MODELS, TEMPERATURES, 1))
    line = [str(getattr(one, "key", "")) for one in app.main]
    assert line.index("sweep_hand_on") < line.index("sweep_pick")


@pytest.mark.row("S15", "S20", "S27")
def test_a_temperature_that_was_added_later_stands_among_the_others_on_every_view(
    store: Store, subtests: pytest.Subtests
) -> None:
    sweep = make_sweep(store, MODELS, (0.11, 0.77, 1.22, 0.33), 2)
    rate(store, sweep, 0, 3, 5)
    store.write(lambda db: decision.set_rules(db, LOCAL_OWNER, sweep, [Rule("words", "3")])).result()
    judged = store.read(lambda db: sweeps.results(db, LOCAL_OWNER, sweep)).values()
    for call in judged:
        said = partial(ratings.rate, owner=LOCAL_OWNER, call_id=call.id, rating=Rating(4), rater="fake/judge")
        store.write(said).result()
    for view in ("grid", "charts", "judge", "report", "slides"):
        app = open_view(sweep, "" if view == "slides" else view)
        told = [str(list(one.options)) for one in [*app.selectbox, *app.multiselect] if one.key != "sweep_models"]
        told += [one.value.to_string() for one in app.dataframe]
        told += [*(one.label for one in app.expander), *(one.value for one in app.code)]
        if view == "slides":
            click(app, "sweep_present_now")
            for _slide in range(3):
                app.button(key="sweep_slide_on").click().run()
                told.append(shown(app))
        lists = [re.findall(r"0\.11|0\.33|0\.77|1\.22", words.replace("\\", "")) for words in told]
        with subtests.test(view=view):
            assert ["0.11", "0.33", "0.77", "1.22"] in lists, "the set-up's heading, or a slide"
            falls = [pair for found in lists for pair in pairwise(found) if pair[0] > pair[1] and pair[1] != "0.11"]
            assert not falls, "each list goes up, and only the next one begins anew"


@pytest.mark.row("S22", "S21")
def test_each_measure_is_a_chart_of_panels_with_the_same_numbers_as_a_table(
    store: Store, subtests: pytest.Subtests
) -> None:
    sweep = make_sweep(store, [f"m{at}" for at in range(12)], TEMPERATURES, 2, made_answer)
    app = open_view(sweep, "charts")
    [pills] = [one for one in app.get("button_group") if one.key == "sweep_measure"]
    assert pills.options[0] == "How different the answers are", "first"
    for name in ("difference", "length", "tokens", "seconds", "first_word", "cost"):
        with subtests.test(measure=name):
            app.session_state["sweep_measure"] = name
            [drawn] = [one.value for one in app.run().markdown if "data:image/svg+xml" in one.value]
            said = dict(re.findall(r'alt="(m\d+): 0: ([^,]*), 0\.7:', drawn))
            table = app.dataframe[0].value
            at_0 = table[table["Temperature"] == "0"]
            assert said == dict(zip(at_0["Model"], at_0["Mean"].str.rstrip(), strict=True)) and len(said) == 12
            # Filled up behind, where they end on one line: their points stand under each other.
            assert len({len(mean) - mean.find(".") for mean in table["Mean"] if "." in mean}) <= 1
            columns = (table[column] for column in ("Lowest", "Mean", "Highest"))
            spreads = [[float(re.sub("[^0-9.]", "", value)) for value in row] for row in zip(*columns, strict=True)]
            assert all(row == sorted(row) for row in spreads)
            assert name in ("difference", "first_word") or any(low < mean < high for low, mean, high in spreads)
    app.session_state["sweep_measure"] = "difference"
    assert "sweep_chart_save" in {button.key for button in app.run().get("download_button")}
    assert "This chart as a table" in {box.label for box in app.expander}
    assert set(app.run().dataframe[0].value.query("Temperature == '0'")["Mean"]) == {"0%"}
    assert len(pills.options) == app.dataframe[1].value.columns.size - 4, "and beside them model, temperature, counts"
    single = open_view(make_sweep(store, MODELS, TEMPERATURES, 1), "charts")
    assert single.session_state["sweep_measure"] == "length", "one answer differs from none of its setting"


@pytest.mark.row("S26", "S27")
def test_the_reports_wishes_are_kept_with_the_sweep_and_all_forms_are_offered(store: Store) -> None:
    sweep = make_sweep(store, MODELS, TEMPERATURES, 2)
    app = open_view(sweep, "report")
    first = cells(store, app, sweep)[0].id
    app.text_input(key=f"sweep_report_title_{first}").set_value("Which model?")
    app.text_area(key=f"sweep_report_recommendation_{first}").set_value("Take dear.")
    app.toggle(key=f"sweep_report_cost_{first}").set_value(False).run()
    assert not app.exception

    kept = store.read(lambda db: decision.of_sweep(db, owner(app), sweep)).report
    assert kept and (kept.title, kept.recommendation, kept.cost, kept.depth) == (
        "Which model?",
        "Take dear.",
        False,
        "director",
    )
    click(click(app, "sweep_present"), "sweep_slide_end")
    again = open_view(sweep, "report")
    for tab in (app, again):
        assert tab.text_input(key=f"sweep_report_title_{first}").value == "Which model?"
        assert tab.text_area(key=f"sweep_report_recommendation_{first}").value == "Take dear."
        assert tab.toggle(key=f"sweep_report_cost_{first}").value is False
    [pasted] = [block.value for block in again.code]
    assert pasted.startswith("Which model? (") and "Recommendation: Take dear." in pasted and "$" not in pasted
    offered = {button.proto.label for button in again.get("download_button")}
    assert offered >= {"Save the report", "Excel", "CSV", "JSON", "Markdown"}


@pytest.mark.row("S26", "S27")
def test_each_button_that_saves_hands_over_all_answers(
    store: Store, monkeypatch: pytest.MonkeyPatch, subtests: pytest.Subtests
) -> None:
    """What a press would save: AppTest knows the buttons, not what they hold."""
    saved: dict[str, Callable[[], Any]] = {}

    def drawn(label: str, data: Callable[[], Any], key: str, on_click: Any, **_facts: Any) -> None:
        saved[key] = data
        st.button(label, key=key, on_click=on_click if callable(on_click) else None)

    monkeypatch.setattr(st, "download_button", drawn)
    sweep = make_sweep(store, MODELS, TEMPERATURES, 2)
    rate(store, sweep, 1, 1, 5)
    app = open_view(sweep, "report")
    texts = [text_of(call) for call in store.read(lambda db: sweeps.results(db, owner(app), sweep)).values()]
    for name in ("sweep_csv", "sweep_table"):
        with subtests.test(name):
            rows = list(csv.DictReader(io.StringIO(saved[name]().decode("utf-8-sig"))))
            assert sorted(row["text"] for row in rows) == sorted(texts)
            assert [row["stars"] for row in rows].count("5") == 2
    with subtests.test("sweep_json"):
        assert all(json.dumps(text, ensure_ascii=False)[1:-1] in saved["sweep_json"]().decode() for text in texts)
    with subtests.test("sweep_report"):
        assert "At a glance" in saved["sweep_report"]().decode() and saved["sweep_excel"]().startswith(b"PK")
    for name in ("sweep_report", "sweep_table", "sweep_excel", "sweep_json"):
        with subtests.test("what was saved is said", name=name):
            [said] = app.button(key=name).click().run().toast
            assert said.value.startswith("Saved, where your browser keeps")


@pytest.mark.row("S27")
def test_wishes_of_two_tabs_for_one_report_are_all_kept(store: Store) -> None:
    sweep = make_sweep(store, MODELS, TEMPERATURES, 2)
    one, other = open_view(sweep, "report"), open_view(sweep, "report")
    first = cells(store, one, sweep)[0].id
    one.text_input(key=f"sweep_report_title_{first}").set_value("Ours").run()
    other.toggle(key=f"sweep_report_prompt_{first}").set_value(False).run()
    one.selectbox(key=f"sweep_report_depth_{first}").set_value("full").run()
    other.text_input(key=f"sweep_report_author_{first}").set_value("Ann").run()

    kept = store.read(lambda db: decision.of_sweep(db, owner(one), sweep)).report
    assert kept and (kept.title, kept.author, kept.depth, kept.prompt) == ("Ours", "Ann", "full", False)


@pytest.mark.row("T13")
def test_another_owners_sweep_is_neither_picked_nor_reported(store: Store) -> None:
    theirs = make_sweep(store, MODELS, TEMPERATURES, 1, owner="somebody else")
    app = open_view(theirs, "report")

    assert "Save the report" not in {button.proto.label for button in app.get("download_button")}
    assert "Write 60 words" not in shown(app)
    store.write(lambda db: decision.pick(db, owner(app), theirs, "x")).result()
    assert store.read(lambda db: decision.of_sweep(db, "somebody else", theirs)).pick is None


@pytest.mark.row("S20")
def test_rules_are_added_and_their_pass_rates_stand_in_a_grid(store: Store, subtests: pytest.Subtests) -> None:
    sweep = make_sweep(store, MODELS, TEMPERATURES, 2)
    app = open_view(sweep, "judge")
    add = [("contains", "vacuum"), ("words", 3), ("pattern", "("), ("pattern", r"(a|aa)+$")]
    for kind, value in add:
        app.selectbox(key="sweep_rule_kind").set_value(kind).run()
        if kind == "words":
            app.number_input(key="sweep_rule_number").set_value(value)
        else:
            app.text_input(key="sweep_rule_value").set_value(value)
        app.button(key="sweep_rule_add").click().run()
        assert not app.exception
    app.selectbox(key="sweep_rule_kind").set_value("json")
    app.button(key="sweep_rule_add").click().run()
    kept = store.read(lambda db: decision.of_sweep(db, owner(app), sweep)).rules
    assert [rule.kind for rule in kept] == ["contains", "words", "pattern", "json"]

    rates = app.dataframe[0].value
    assert list(rates["Temperature · model"]) == ["0 · dear", "0.7 · dear", "0 · cheap", "0.7 · cheap"]
    assert list(rates.columns[1:]) == [
        "All rules",
        "1 · contains “vacuum”",
        "2 · has at most 3 words",
        "3 · matches the regular expression “(a|aa)+$”",
        "4 · is valid JSON",
    ]
    assert set(rates["2 · has at most 3 words"]) == {0.0}
    app.button(key="sweep_rule_drop_0").click().run()
    assert len(store.read(lambda db: decision.of_sweep(db, owner(app), sweep)).rules) == 3


@pytest.mark.row("S19", "S20")
def test_from_a_rules_figure_the_answers_are_read_that_break_it(store: Store) -> None:
    """Of two products with two repeats: what breaks the rules is cheap's second answer about a lamp, and dear's about a
    barrel."""

    def answer(cell: Cell) -> Reply:
        breaks = (cell.row, cell.column, cell.input) in ((1, 0, 0), (0, 1, 1)) and cell.repeat
        reply = Reply(state="ok", seconds=1.0)
        reply.add(Delta(text="We know the best." if breaks else "A lamp or a barrel.", finish_reason="stop"))
        return reply

    sweep = make_sweep(store, MODELS, TEMPERATURES, 2, answer, things=("a lamp", "a barrel"))
    rules = [Rule("lacks", "best"), Rule("contains", "{{thing}}"), Rule("pattern", "^A"), Rule("words", "60")]
    store.write(lambda db: decision.set_rules(db, LOCAL_OWNER, sweep, rules)).result()
    marks = {place: cell["marks"] for place, cell in page_cells(open_view(sweep)).items()}
    assert [place for place, said in marks.items() if "breaks 3 rules" in said] == ["1_0_1"], "one mark for many"
    app = open_view(sweep, "judge")
    assert app.button(key="sweep_rule_read_1").label == "2 of 16 answers break it"
    assert "no answer breaks it" in shown(app)
    assert list(app.dataframe[0].value["All rules"]) == [100.0, 75.0, 75.0, 100.0]

    click(app, "sweep_rule_read_1")
    found = answer_data(app)
    assert (found["view"], found["among"]) == ("read", ["1_0_1"])
    words = ["contains “best”", "lacks “a lamp”", "no match for “^A”"]
    assert found["read"]["1_0_1"]["marks"] == words, "where it is read each of them"
    assert found["read"]["1_0_1"]["meaning"][1] == "breaks the rule: mentions its “thing”"
    assert "Shown only: no mention of its “thing”" in shown(app)
    assert app.button(key="sweep_rules_next").label == "1 more with another input"
    click(app, "sweep_rules_next")
    assert (
        answer_data(app)["among"] == ["0_1_1"] and answer_data(app)["read"]["0_1_1"]["marks"][1] == "lacks “a barrel”"
    )
    asked = {name: "".join(value) for name, value in app.query_params.items()}
    assert asked["sweep_show_rules"] == "contains:{{thing}}"
    assert list(page_cells(new_tab("sweep", **asked))) == ["1_0_1"], "another tab finds them by the address"
    click(app, "sweep_rules_all")
    assert answer_data(app)["among"] is None and "sweep_rules_shown" not in str(app.main)
    store.write(lambda db: decision.set_rules(db, LOCAL_OWNER, sweep, [])).result()
    left = open_view(sweep, "grid")
    assert "rule" not in shown(left), "without rules there is no word of them"
    assert not any("sweep_show_rules" in str(one.key) for one in left.multiselect)


@pytest.mark.row("S20")
def test_a_card_counts_a_chinese_answer_as_a_rule_for_its_length_does(store: Store) -> None:
    """In characters: as words of a dictionary it would be shorter than the rule allows, beside words that it is not."""
    said = "保温杯锁住每一度温暖，陪您从清晨到深夜，时刻都有热茶。"

    def answer(cell: Cell) -> Reply:
        reply = Reply(state="ok", seconds=1.0)
        reply.add(Delta(text=said if cell.row else "Keeps tea hot all day.", finish_reason="stop"))
        return reply

    sweep = make_sweep(store, MODELS, TEMPERATURES[:1], 1, answer)
    most = Rule("characters", str(len(said) - 1))
    store.write(lambda db: decision.set_rules(db, LOCAL_OWNER, sweep, [most])).result()
    english, chinese = (page_cells(open_view(sweep, "grid"))[place] for place in ("0_0_0", "1_0_0"))
    assert english["figures"].startswith("5 words · ") and not english["marks"]
    assert chinese["figures"].startswith(f"{len(said)} characters · ")
    assert chinese["marks"] == [f"over {len(said) - 1} characters"]


@pytest.mark.row("S20")
def test_where_the_prompt_has_variables_a_rule_may_have_them_and_the_page_says_so(store: Store) -> None:
    sweep = make_sweep(store, MODELS, TEMPERATURES, 1)
    plan = store.read(lambda db: sweeps.plan_of(db, LOCAL_OWNER, sweep))
    assert plan is not None
    asked = replace(plan, prompt="Sell {{thing}}.", inputs=({"thing": "thermos"},))
    store.write(lambda db: sweeps.change_plan(db, LOCAL_OWNER, sweep, asked)).result()
    app = open_view(sweep, "judge")
    assert "{{thing}} in it stands for what each input has there, to the letter: “thermos”" in shown(app)
    app.text_input(key="sweep_rule_value").set_value("{{thing}}")
    app.button(key="sweep_rule_add").click().run()

    assert "“thermos”" in [as_read(one) for one in app.caption], "beside the rule, too"
    assert list(app.dataframe[0].value.columns[1:]) == ["1 · mentions its “thing”"]
    assert max(app.dataframe[0].value["1 · mentions its “thing”"]) > 0, "in the answers stands a thermos"
    app.selectbox(key="sweep_rule_kind").set_value("words").run()
    assert "in it stands for" not in shown(app)


@pytest.mark.row("S20")
def test_a_rule_that_is_none_is_said_below_its_field_until_that_changes(
    store: Store, subtests: pytest.Subtests
) -> None:
    app = open_view(make_sweep(store, MODELS, TEMPERATURES, 1), "judge")
    for kind, wrong, right, words in (
        ("contains", " ", "lamp", "Say what the rule is to look for."),
        ("least_words", None, 3, "Say what the rule is to look for."),
        ("pattern", "(", "[(]", "“(” is no regular expression"),
    ):
        with subtests.test(kind=kind):
            app.selectbox(key="sweep_rule_kind").set_value(kind).run()
            field = "sweep_rule_number" if kind == "least_words" else "sweep_rule_value"
            said = shown(fill(app, field, wrong).button(key="sweep_rule_add").click().run())
            assert words in said and not app.info, "here: the top of the page is out of sight"
            assert words in shown(app.run()), "while it stands there"
            assert words not in shown(fill(app, field, right).run())
            fill(app, field, wrong).run()
    for view in ("charts", "judge"):
        app.session_state["sweep_view"] = view
        app.run()
    written = app.selectbox(key="sweep_rule_kind").value, app.text_input(key="sweep_rule_value").value
    assert written == ("pattern", "("), "what is half written is not lost on a look at something else"


def fill(app: AppTest, field: str, value: Any) -> AppTest:
    """Write into one of the fields of a rule, not yet run."""
    kind = app.number_input if field == "sweep_rule_number" else app.text_input
    kind(key=field).set_value(value)
    return app


@pytest.mark.row("S20")
def test_while_names_are_hidden_no_model_is_named_and_its_answers_stand_elsewhere(store: Store) -> None:
    models = [f"maker-{letter}" for letter in "abcdefgh"]
    sweep = make_sweep(store, models, TEMPERATURES, 1)
    app = open_view(sweep)
    assert "maker-a" in page_of(app)
    app.toggle(key="sweep_hide_names").set_value(True).run()
    words = page_of(app)
    assert "maker-" not in words and all(f"Model {letter}" in words for letter in "ABCDEFGH")
    order = [model["row"] for model in answer_data(app)["models"]]
    assert sorted(order) == list(range(8)) != order
    assert [model["row"] for model in answer_data(app.run())["models"]] == order, "the same at each look"

    app.session_state["sweep_view"] = "report"
    assert "The models' names are hidden." in shown(app.run()) and "maker-" not in page_of(app)
    app.button(key="sweep_show_names").click().run()
    assert "maker-a" in page_of(app)


@pytest.mark.row("S20")
def test_while_names_are_hidden_no_price_gives_them_away_and_each_input_has_another_order(store: Store) -> None:
    def priced(cell: Cell) -> Reply:
        reply = made_answer(cell)
        reply.cost = 0.001 * (1 + 2 * cell.row + cell.column)
        return reply

    sweep = make_sweep(store, [f"maker-{letter}" for letter in "abcdefgh"], TEMPERATURES, 1, priced)
    app = open_view(sweep)

    def told() -> str:
        return json.dumps([(cell["figures"], cell["badges"]) for cell in page_cells(app).values()])

    assert "$" in told() and "cheapest" in told()
    app.toggle(key="sweep_hide_names").set_value(True).run()
    assert "$" not in told() and "cheapest" not in told() and "words" in told()
    plan = replace(
        Plan("Sell {{x}}.", tuple(f"fake/m{at}" for at in range(8)), (0.0,)), inputs=({"x": "tea"}, {"x": "milk"})
    )
    store.write(lambda db: sweeps.add_plan(db, LOCAL_OWNER, "s", "two", plan)).result()
    store.write(lambda db: sweeps.add_cells(db, LOCAL_OWNER, "two", list(plan.cells("two")))).result()
    app = open_view("two")
    app.toggle(key="sweep_hide_names").set_value(True).run()
    orders = []
    for input in (0, 1, 0):
        app.selectbox(key="sweep_input_two").select_index(input).run()
        orders.append([model["row"] for model in answer_data(app)["models"]])
    assert orders[0] == orders[2] != orders[1]


@pytest.mark.row("S20")
def test_stars_send_the_one_answer_that_has_them_and_not_all_others_again(store: Store) -> None:
    sweep = make_sweep(store, MODELS, TEMPERATURES, 4)
    app = open_view(sweep)
    before = bytes(app.get("bidi_component")[1].proto.bytes)
    assert answer_data(app)["changed"] == {}
    rate(store, sweep, 0, 1, 5)
    app.run()

    assert bytes(app.get("bidi_component")[1].proto.bytes) == before
    every = page_cells(app)
    equal = {place for place, cell in every.items() if "The same text has 5 stars (answer 2 at 0.7)" in cell["notes"]}
    assert equal == {f"0_0_{repeat}" for repeat in range(4)}, "the same words look not unrated without a word"
    assert set(answer_data(app)["changed"]) == {f"0_1_{repeat}" for repeat in range(4)} | equal
    assert every["0_1_0"]["stars"] == 5


@pytest.mark.row("S20")
def test_thumb_and_note_are_kept_with_the_answer_and_it_is_picked_there(store: Store) -> None:
    sweep = make_sweep(store, MODELS, TEMPERATURES, 1)
    app = open_view(sweep)
    cell = cells(store, app, sweep)[3]
    app.session_state["open_dialog"] = ("opened_cell", cell.id)
    call = store.read(lambda db: sweeps.results(db, owner(app), sweep))[cell.id]
    app.run().text_input(key=f"sweep_rate_note_{call.id}").set_value("too loud").run()
    app.feedback(key=f"sweep_rate_thumb_{call.id}").set_value(0).run()
    app.feedback(key=f"sweep_rate_stars_{call.id}").set_value(3).run()
    assert not app.exception
    kept = store.read(lambda db: ratings.of_sweep(db, owner(app), sweep))
    assert kept == {call.id: Rating(4, -1, "too loud")}
    app.button(key="sweep_cell_pick").click().run()
    assert "cheap at 0.7, 4.0 stars, 1 of 1 answer rated" in shown(app)
    app.session_state["open_dialog"] = ("opened_cell", cell.id)
    assert app.run().button(key="sweep_cell_pick").label == "Picked"


@pytest.mark.row("S19")
def test_what_is_looked_for_stands_in_the_address_and_a_new_tab_finds_the_same(store: Store) -> None:
    sweep = make_sweep(store, MODELS, TEMPERATURES, 2)
    app = open_view(sweep)
    rate(store, sweep, 0, 1, 5)
    app.text_input(key="sweep_search").set_value("hikers").run()
    app.session_state["sweep_show"] = ["rated"]
    app.session_state["sweep_show_models"] = [f"fake/{MODELS[0]}"]
    app.session_state["sweep_show_temperatures"] = ["0.7"]
    app.session_state["sweep_view"] = "read"
    address = {name: values for name, values in app.run().query_params.items() if name != "sweep"}
    assert {name: "".join(values) for name, values in address.items()} == {
        "sweep_view": "read",
        "sweep_search": "hikers",
        "sweep_show": "rated",
        "sweep_show_models": f"fake/{MODELS[0]}",
        "sweep_show_temperatures": "0.7",
    }

    other = new_tab("sweep", sweep=sweep, **{name: "".join(values) for name, values in address.items()})
    assert other.text_input(key="sweep_search").value == "hikers"
    assert answer_data(other)["view"] == "read" and page_cells(other) == page_cells(app) != {}
    for name, nothing in {"sweep_search": "", "sweep_show": [], "sweep_show_models": [], "sweep_view": "grid"}.items():
        other.session_state[name] = nothing
    left = set(other.run().query_params) - {"sweep"}
    assert left == {"sweep_show_temperatures"}, "what is looked for no more is gone from it"


@pytest.mark.row("S15", "S16")
def test_of_one_model_alone_the_repeats_are_columns_in_the_grid_and_in_read(store: Store) -> None:
    app = open_view(make_sweep(store, MODELS, TEMPERATURES, 4))
    assert not answer_data(app)["beside"], "of several models each is a column"
    app.session_state["sweep_show_models"] = [f"fake/{MODELS[1]}"]
    assert answer_data(app.run())["beside"]
    app.session_state["sweep_view"], app.session_state["sweep_place"] = "read", Place(1, 1, 1, 0, 3)
    found = answer_data(app.run())
    assert found["first"] == 1, "the last three"
    assert set(found["read"]) == {f"1_{column}_{repeat}" for column in (0, 1) for repeat in (1, 2, 3)}
    single = open_view(make_sweep(store, MODELS[:1], TEMPERATURES, 1))
    assert not answer_data(single)["beside"]


@pytest.mark.row("S17", "S19")
def test_each_filter_leaves_the_answers_that_it_names_and_no_others(store: Store, subtests: pytest.Subtests) -> None:
    sweep = make_sweep(store, [f"m{at}" for at in range(6)], TEMPERATURES, 2, odd_answer)
    rate(store, sweep, 3, 1, 5)
    rules = [Rule("contains", "hikers"), Rule("words", "60")]
    store.write(lambda db: decision.set_rules(db, LOCAL_OWNER, sweep, rules)).result()
    app = open_view(sweep)
    every = page_cells(app)

    def is_other(place: str) -> bool:
        coldest = re.sub("_1_", "_0_", place)
        bare = [" ".join(seen.text(every[one]["html"]).split()) for one in (place, coldest)]
        return bool(bare[0]) and bare[0] != bare[1]

    def is_broken(cell: dict[str, Any]) -> bool:
        return not {"lacks “hikers”", "over 60 words"}.isdisjoint(cell["marks"])

    def has_equal(place: str) -> bool:
        whole = [seen.text(cell["html"]) for id, cell in every.items() if id[0] == place[0] and cell["state"] == "ok"]
        mine = seen.text(every[place]["html"])
        return bool(mine.strip()) and whole.count(mine) > 1

    wanted: list[tuple[str, object, object, Callable[[str, dict[str, Any]], bool]]] = [
        ("sweep_search", "HIKERS", "", lambda _place, cell: "hikers" in seen.text(cell["html"]).lower()),
        ("sweep_show_models", ["fake/m2"], [], lambda place, _cell: place.startswith("2_")),
        ("sweep_show_temperatures", ["0.7"], [], lambda place, _cell: "_1_" in place),
        ("sweep_show_rules", ["contains:hikers"], [], lambda _place, cell: "lacks “hikers”" in cell["marks"]),
        ("sweep_show_rules", ["breaks"], [], lambda _place, cell: is_broken(cell)),
        ("sweep_show_rules", ["keeps"], [], lambda _place, cell: cell["state"] == "ok" and not is_broken(cell)),
        ("sweep_show", ["failed"], [], lambda _place, cell: cell["state"] == "error"),
        ("sweep_show", ["cut"], [], lambda _place, cell: "cut off" in cell["marks"]),
        (
            "sweep_show",
            ["odd"],
            [],
            lambda _place, cell: not {"blank", "stopped by content rules"}.isdisjoint(cell["marks"]),
        ),
        ("sweep_show", ["same"], [], lambda place, _cell: has_equal(place)),
        ("sweep_show", ["different"], [], lambda place, _cell: is_other(place)),
        ("sweep_show", ["rated"], [], lambda place, _cell: place.startswith("3_1_")),
        (
            "sweep_show",
            ["failed", "cut"],
            [],
            lambda _place, cell: cell["state"] == "error" or "cut off" in cell["marks"],
        ),
    ]
    marked = [cell for cell in every.values() if cell["marks"]]
    assert marked and all(len(cell["meaning"]) == len(cell["marks"]) for cell in marked), "the pointer tells of each"
    for field, value, nothing, is_meant in wanted:
        with subtests.test(field=field, value=value):
            app.session_state[field] = value
            left = set(page_cells(app.run()))
            assert left == {place for place, cell in every.items() if is_meant(place, cell)}
            assert 0 < len(left) < len(every)
            app.session_state[field] = nothing


@pytest.mark.row("S17", "S19")
def test_only_what_there_is_can_be_looked_for_and_what_failed_is_a_press_away(store: Store) -> None:
    def pills(app: AppTest) -> list[str]:
        return [option for one in app.get("button_group") if one.key == "sweep_show" for option in one.options]

    good = open_view(make_sweep(store, MODELS, (0,), 1, lambda cell: odd_answer(replace(cell, row=0, repeat=cell.row))))
    assert pills(good) == [] and standing(good).startswith("2 answers, none failed or cut off · ")
    app = open_view(make_sweep(store, [f"m{at}" for at in range(6)], TEMPERATURES, 2, odd_answer))
    assert pills(app) == ["failed 1", "cut 1", "odd 4", "same text 10", "differs from temperature 0"]
    [help] = [one.proto.help for one in app.markdown if "**odd 4**: it is empty, the model declined" in one.proto.help]
    assert re.findall(r"\*\*(.*)\*\*", help) == pills(app), "what each of them is"
    assert "1 failed · 1 cut" in standing(app)
    app.session_state["sweep_view"] = "read"
    app.run().button(key="sweep_show_failed").click().run()
    assert answer_data(app)["view"] == "grid" and [one["state"] for one in page_cells(app).values()] == ["error"]
    app.button(key="sweep_to_read").click().run()
    assert set(answer_data(app)["read"]) == set(page_cells(app)), "nor is another one read"
    none = open_view(make_sweep(store, MODELS, TEMPERATURES, 1, lambda _cell: Reply(state="error", error_kind="x")))
    assert {one["state"] for one in page_cells(none).values()} == {"error"}
    assert "sweep_to_read" not in {one.key for one in none.button}, "there is nothing to be read"


@pytest.mark.row("S24")
def test_an_answer_is_gone_on_with_in_chat_at_its_temperature(store: Store) -> None:
    sweep = make_sweep(store, MODELS, TEMPERATURES, 1)
    app = open_view(sweep)
    cell = next(one for one in cells(store, app, sweep) if (one.row, one.column) == (1, 1))
    app.session_state["open_dialog"] = ("opened_cell", cell.id)
    app.run().button(key="sweep_cell_chat").click().run()
    assert not app.exception
    begins = text_of(store.read(lambda db: sweeps.results(db, owner(app), sweep))[cell.id]).split(".")[0]
    said = shown(app)
    assert "Write 60 words for a steel thermos." in said and begins in said
    assert "temperature 0.7" in changed_settings(app)
    assert store.read(lambda db: chats.chats_of(db, owner(app), "", 1))[0].model == "fake/cheap"


@pytest.mark.row("S27")
def test_a_sweep_is_presented_slide_by_slide_with_nothing_else_on_the_page(store: Store) -> None:
    sweep = make_sweep(store, MODELS, TEMPERATURES, 2)
    rate(store, sweep, 0, 1, 5)
    app = open_view(sweep, "report")
    who, first = owner(app), cells(store, app, sweep)[0]
    options = decision.ReportOptions(title="Which model?", recommendation="Take **dear**.")
    store.write(lambda db: decision.set_report(db, who, sweep, options)).result()
    store.write(lambda db: decision.pick(db, who, sweep, first.id)).result()
    app.button(key="sweep_present").click().run()
    assert not app.exception and not app.multiselect and not app.text_area

    assert [one.value for one in app.header] == ["dear at temperature 0"], "the pick stands out"
    headings, texts = [], []
    for _slide in range(8):
        headings.append(app.title[0].value)
        texts.append(shown(app))
        app.button(key="sweep_slide_on").click().run()
    assert [re.sub(r"\\", "", heading) for heading in headings] == [
        "Which model?",
        "How different the answers are",
        "Seconds",
        "Cost of 1,000 answers",
        "dear at temperature 0",
        "dear at temperature 0.7",
        "cheap at temperature 0",
        "cheap at temperature 0",
    ], "verdict, charts, three answers, and it ends there"
    begins = text_of(store.read(lambda db: sweeps.results(db, who, sweep))[first.id]).split(".")[0]
    for said in (
        "not rated · 1,000 such answers cost about $0.1",
        "Take dear.",
        begins,
        "1 of 2 models has no rated answer.",
    ):
        assert said in texts[0], "what it costs, what is recommended, and how its answer begins"
    assert re.search(r"dear at 0.7.*★★★★★ 5.0 stars, 2 of 2 answers rated · \$0.\d+ per 1,000", texts[0], re.DOTALL), (
        "the next"
    )
    assert all("The grey lines are the other models." in texts[at] for at in (1, 2, 3))
    assert all("| Model | 0 | 0\\.7 |" in texts[at] or "| Model | 0 | 0.7 |" in texts[at] for at in (1, 2, 3)), (
        "in large numbers too"
    )
    app.button(key="sweep_slide_end").click().run()
    assert app.multiselect(key="sweep_models")
    assert click(open_view(sweep), "sweep_present_now").title[0].value == headings[0], "and from above the answers"


@pytest.mark.row("S20", "U1")
def test_a_model_judges_after_it_was_asked_about_and_is_counted_in_usage(store: Store, service: FakeApi) -> None:
    sweep = make_sweep(store, MODELS, TEMPERATURES, 2)
    model = f"{host(service)}/silent"
    service.script("silent", b'{"choices":[{"message":{"content":"4 warm enough"},"finish_reason":"stop"}]}')
    app = open_view(sweep, "judge")
    app.selectbox(key="sweep_judge_model").options.append("silen")
    app.session_state["sweep_judge_model"] = "silen"
    assert "is not in the list of" in shown(app.run()), "letters and Enter make the id of a model that there is not"
    app.button(key="sweep_judge_meant_0").click()
    assert "8 further calls · no price" in shown(app.run()).replace("\\", "")
    assert bodies(service) == [], "nothing before the press"
    app.button(key="sweep_judge_start").click().run()
    run = resources.services().dispatcher.jobs.get(judge.job_id(sweep))
    assert run is not None and run.wait_until_finished(SECONDS)

    who = owner(app)
    said = store.read(lambda db: ratings.of_sweep(db, who, sweep, model))
    assert list(said.values()) == [Rating(4, None, "warm enough")] * 8
    assert store.read(lambda db: ratings.of_sweep(db, who, sweep)) == {}, "a person has said nothing"
    assert [body["temperature"] for body in bodies(service)] == [0] * 8
    shows = shown(app.run())
    assert list(app.dataframe[0].value.columns) == ["Setting", "Your stars", "Stars", "Judged"]
    assert "gives dear" not in shows and f"Stars by {model}" in shows and "This model has judged all answers." in shows
    better = partial(ratings.rate, owner=who, call_id=next(iter(said)), rating=Rating(5), rater=model)
    store.write(better).result()
    told = rf"Nothing is picked yet\. The judge {re.escape(model)} gives (dear|cheap) at 0(\.7)? the most stars: 4\.5\."
    assert re.search(told, shown(open_view(sweep))), "above the answers, though nobody else has given stars"
    assert standing(app).startswith("8 answers"), "the sweep's own answers are what they were"
    counted = store.read(lambda db: db.execute(select(calls.c.page).where(calls.c.owner == who)).scalars().all())
    assert sorted(counted) == ["judge"] * 8 + ["sweep"] * 8
    tiles = {metric.label: metric.value for metric in switch_page(app, "usage").metric}
    assert tiles["Calls"] == "8", "this session asked for nothing else"


@pytest.mark.row("S3", "S20")
def test_a_judge_keeps_to_the_limit_of_its_sweep(store: Store, service: FakeApi) -> None:
    """At this price a judgement costs at most some thousandth of a dollar, and less for a short one."""
    sweep = make_sweep(store, MODELS, TEMPERATURES, 2)
    answer = b'{"choices":[{"message":{"content":"4 warm"},"finish_reason":"stop"}],"usage":{"prompt_tokens":300,"completion_tokens":100}}'  # noqa: E501
    service.script("silent", answer)
    app = open_view(sweep, "judge")
    who = owner(app)
    resources.services().registry.set_prices(who, {host(service): {"silent": Price(2.5, 10.0)}})
    plan = store.read(lambda db: sweeps.plan_of(db, who, sweep))
    spent = store.read(lambda db: sweeps.spent(db, who, sweep))
    assert plan is not None
    limited = replace(plan, cap=spent + 0.006)
    store.write(lambda db: sweeps.change_plan(db, who, sweep, limited)).result()
    app.session_state["sweep_judge_model"] = f"{host(service)}/silent"
    app.run().button(key="sweep_judge_start").click().run()
    run = resources.services().dispatcher.jobs.get(judge.job_id(sweep))
    assert run is not None and run.wait_until_finished(SECONDS)

    on_judges = store.read(lambda db: sweeps.spent_on_judges(db, who, sweep))
    assert 0 < on_judges <= 0.006 and 0 < len(bodies(service)) < 8
    study = read_study(store, resources.services().sweeps.progress, who, sweep)
    assert study is not None and study.judging_cost == on_judges, "the report tells it beside the answers' cost"
    assert "The sweep stopped at its limit" in shown(app.run())
    sent = len(bodies(service))
    app.button(key="sweep_judge_start").click().run()
    again = resources.services().dispatcher.jobs.get(judge.job_id(sweep))
    assert again is not None and again.wait_until_finished(SECONDS)
    assert store.read(lambda db: sweeps.spent_on_judges(db, who, sweep)) <= 0.006
    assert len(bodies(service)) - sent < sent, "what the first judge has spent counts"


@pytest.mark.row("S20")
def test_a_judge_whose_key_is_refused_stops_after_a_few_calls_and_says_why(store: Store, service: FakeApi) -> None:
    sweep = make_sweep(store, [f"m{at}" for at in range(8)], TEMPERATURES, 2)
    app = open_view(sweep, "judge")
    app.session_state["sweep_judge_model"] = f"{host(service)}/error-401"
    app.run().button(key="sweep_judge_start").click().run()
    run = resources.services().dispatcher.jobs.get(judge.job_id(sweep))
    assert run is not None and run.wait_until_finished(SECONDS)

    assert len(bodies(service)) <= 2 * judge.CONCURRENCY
    assert "does not accept this key" in shown(app.run())


@pytest.mark.row("S20")
def test_a_judge_whose_words_have_no_grade_says_so_and_what_it_cost_until_that_is_closed(
    store: Store, service: FakeApi
) -> None:
    sweep = make_sweep(store, [f"m{at}" for at in range(8)], TEMPERATURES, 2)
    said = b'{"choices":[{"message":{"content":"It is *good*."},"finish_reason":"stop"}],"usage":{"prompt_tokens":300,"completion_tokens":100}}'  # noqa: E501
    service.script("silent", said)
    app = open_view(sweep, "judge")
    resources.services().registry.set_prices(owner(app), {host(service): {"silent": Price(2.5, 10.0)}})
    app.session_state["sweep_judge_model"] = f"{host(service)}/silent"
    app.run().button(key="sweep_judge_start").click().run()
    run = resources.services().dispatcher.jobs.get(judge.job_id(sweep))
    assert run is not None and run.wait_until_finished(SECONDS)
    sent = len(bodies(service))

    assert judge.GIVES_UP_AFTER <= sent <= 2 * judge.CONCURRENCY
    for tab in (app.run(), open_view(sweep, "judge")):
        shows = shown(tab)
        assert "silent judged 0 of 32 answers." in shows, "stays, in another tab too"
        assert f"In {sent} of its replies no grade could be read: the last one was “It is *good*.” Stopped" in shows
        assert f"Stopped after {sent}, as none of them gave a grade." in shows
        assert f"Cost: ${0.00175 * sent:.2g}" in shows
        assert standing(tab).endswith(f"judging ${0.00175 * sent:.2g}"), "beside what the answers cost"
    app.button(key="sweep_judge_close").click().run()
    assert "no grade could be read" not in shown(app) and "judging $" in standing(app)


@pytest.mark.row("T8", "S22")
def test_a_hostile_models_name_is_a_name_in_every_view(store: Store, subtests: pytest.Subtests) -> None:
    name = '"><img src=x onerror=alert(1)></title><script>alert(2)</script> $1 **b** :smile:'
    sweep = make_sweep(store, [name, "plain"], TEMPERATURES, 2)
    app = open_view(sweep)
    first = cells(store, app, sweep)[0]
    app.selectbox(key="sweep_pick").set_value(first.id).run()
    said = next(one for one in app.markdown if "Your pick" in one.value)
    assert not said.proto.allow_html and name in shown(app)
    for view in ("charts", "judge", "report"):
        with subtests.test(view=view):
            app.session_state["sweep_view"] = view
            html = [one.value for one in app.run().markdown if one.proto.allow_html]
            assert not app.exception
            assert not any("<script" in one or "onerror=alert(1)>" in one for one in html)
    app.session_state["sweep_view"] = "charts"
    [drawn] = [one.value for one in app.run().markdown if "data:image/svg+xml" in one.value]
    said_of_it = re.findall(r'alt="([^"]*)"', drawn)
    assert unescape(said_of_it[0]).startswith(name + ": 0: ") and len(said_of_it) == 2


@pytest.mark.row("S15")
def test_what_was_asked_is_read_in_full_beside_the_answers(store: Store) -> None:
    sweep = make_sweep(store, MODELS, TEMPERATURES, 1)
    app = open_view(sweep, "read")
    for view in ("read", "grid"):
        app.session_state["sweep_view"] = view
        folded = next(one for one in app.run().expander if one.label == "The prompt")
        assert folded.text[0].value == "Write 60 words for a steel thermos."
    plan = store.read(lambda db: sweeps.plan_of(db, LOCAL_OWNER, sweep))
    assert plan is not None
    asked = replace(plan, prompt="Sell <a> {{thing}}.", system="For {{thing}}.", inputs=({"thing": "**tea** & <b>"},))
    store.write(lambda db: sweeps.change_plan(db, LOCAL_OWNER, sweep, asked)).result()
    folded = next(one for one in app.run().expander if one.label == "The prompt")
    sent = [one.proto.body for one in folded.get("html")]
    put_in = "<mark><bdi>**tea** &amp; &lt;b&gt;</bdi></mark>"
    assert ["For " + put_in + "." in sent[0], "Sell &lt;a&gt; " + put_in + "." in sent[1]] == [True, True], sent
    assert answer_data(app)["view"] == "grid"
    app.button(key="sweep_to_read").click().run()
    assert answer_data(app)["view"] == "read", "the grid says where the temperature can be moved"
    assert app.button(key="sweep_to_read").disabled, "it stays: what is behind it would come under the pointer"
    assert "**Sweep** · Write 60 words for a steel thermos." in shown(app), "what the sweep is called"
