"""A sweep's set-up as a link and as a file, from the main script on; and the examples to start from."""

import json
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from streamlit.testing.v1 import AppTest

from lib.core.errors import InvalidInput
from lib.core.parameters import Params
from lib.core.request import Message
from lib.sweep import setup_file
from lib.sweep.axis import Axis
from lib.sweep.export.json_file import json_file
from lib.sweep.plan import Plan
from lib.sweep.study import read_study
from lib.ui.shared import resources
from lib.ui.sweep.examples import EXAMPLES
from lib.ui.sweep.links import LONGEST, sweep_link
from tests.fake_api import FakeApi
from tests.made_sweeps import make_sweep
from tests.pages import bodies, buttons, cells, host, new_tab, run_sweep, shown

PAGE = "http://127.0.0.1:8501/sweep"
WIDE = Plan(
    "Say {{x}}, 100% & <b>.",
    ("a/m,1", "a/模型 一/v:free"),
    (0.25, 1.0),
    "Be {{x}}.",
    3,
    7,
    Params(stream=True),
    inputs=({"x": 'a,"b"'}, {"x": "中\n文"}),
    axis=Axis("system", ("Be {{x}}.", "Be long, {{x}}.")),
)


@pytest.fixture
def app(service: FakeApi) -> AppTest:
    """The sweep page with one service, the fake one."""
    return new_tab("sweep")


def query(link: str) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(link).query))


def field(app: AppTest, kind: str, key: str) -> Any:
    return getattr(app, kind)(key=key).value


@pytest.mark.row("S28")
@pytest.mark.usefixtures("service")
def test_a_link_brings_the_whole_set_up_and_sends_nothing(api: FakeApi) -> None:
    tab = new_tab("sweep", **query(sweep_link(WIDE, PAGE)))

    assert field(tab, "text_area", "sweep_prompt") == WIDE.prompt
    assert field(tab, "multiselect", "sweep_models") == list(WIDE.models)
    assert field(tab, "pills", "sweep_temperatures") == list(WIDE.temperatures)
    assert field(tab, "number_input", "sweep_repeats") == 3 and field(tab, "number_input", "sweep_concurrency") == 7
    assert field(tab, "toggle", "sweep_max_tokens_on") is False
    assert [row for row in tab.data_editor[0].value["x"] if row] == ['a,"b"', "中\n文"]
    assert field(tab, "text_area", "sweep_system_2") == "Be long, {{x}}."
    assert tab.button(key="sweep_run").label == "Run 48 answers" and bodies(api) == []


@pytest.mark.row("S28")
def test_a_link_asks_nothing_that_stood_in_the_form_before_and_that_comes_back(app: AppTest) -> None:
    app.session_state["sweep_history"] = [{"role": "user", "content": "Hi"}]
    app.text_area(key="sweep_prompt").set_value("Mine.")
    app.text_area(key="sweep_system").set_value("Be mine.")
    app.selectbox(key="sweep_vary").set_value("top_p").run()
    app.text_input(key="sweep_vary_values").set_value("0.2, 0.9").run()
    theirs = Plan("Theirs.", ("a/m",), (0.5,))
    app.query_params.update(query(sweep_link(theirs, PAGE)))
    app.run()
    assert app.button(key="sweep_run").label == "Run 1 answer" and "After a conversation" not in shown(app)
    assert field(app, "text_area", "sweep_system") == "" and not field(app, "selectbox", "sweep_vary")
    app.button(key="sweep_new").click().run()
    assert field(app, "text_area", "sweep_prompt") == "Mine." and field(app, "selectbox", "sweep_vary") == "top_p"


@pytest.mark.row("S28")
@pytest.mark.usefixtures("service")
def test_a_link_that_varies_the_system_prompt_has_all_of_them() -> None:
    tab = new_tab("sweep", models="a/m", prompt="x", temperatures="0", vary="system", values='["One.", "Two."]')
    assert (field(tab, "text_area", "sweep_system"), field(tab, "text_area", "sweep_system_2")) == ("One.", "Two.")
    assert tab.button(key="sweep_run").label == "Run 2 answers"


@pytest.mark.row("S28")
def test_a_link_that_is_followed_beside_an_open_sweep_shows_none_of_its_answers(app: AppTest) -> None:
    sweep = make_sweep(resources.services().store, ("one",), (0.0,), 1)
    tab = new_tab("sweep", sweep=sweep)
    assert len(cells(tab)) == 1
    tab.query_params.clear()
    for name, value in query(sweep_link(WIDE, PAGE)).items():
        tab.query_params[name] = value
    assert field(tab.run(), "text_area", "sweep_prompt") == WIDE.prompt and not cells(tab)


@pytest.mark.row("X13")
def test_the_open_sweep_is_saved_and_shared_from_its_own_head(app: AppTest) -> None:
    sweep = make_sweep(resources.services().store, ("one", "two"), (0.0,), 1)
    tab = new_tab("sweep", sweep=sweep)
    tab.menu_button(key="sweep_hand_on").click("share").run()
    assert not tab.exception and tab.session_state["open_dialog"][1].id == sweep
    assert "sweep_link_make" in buttons(tab)
    tab.session_state["open_dialog"] = None  # it is closed
    tab.menu_button(key="sweep_hand_on").click("save").run()
    assert "sweep_report" in [one.key for one in tab.get("download_button")]


@pytest.mark.row("C28")
def test_a_model_that_a_link_names_twice_is_asked_once(app: AppTest, api: FakeApi) -> None:
    """By its id alone, and with the name of its service."""
    tab = new_tab("sweep", models=f"echo,{host(api)}/echo,nobody-lists-this", prompt="x")
    assert field(tab, "multiselect", "sweep_models") == [f"{host(api)}/echo", "nobody-lists-this"]


@pytest.mark.row("S28")
def test_what_is_too_long_for_a_link_is_a_file_that_opens_again(app: AppTest) -> None:
    for plan in (
        Plan("long " * (LONGEST // 5), ("a/b",), (0.0,)),
        Plan("long " * 5_000, ("a/b",), (0.0,)),
        Plan("x", ("a/b",), (0.0,), history=(Message(role="user", content="Hi"),)),
    ):
        with pytest.raises(InvalidInput, match="too long for a link"):
            sweep_link(plan, PAGE)
        assert setup_file.read(setup_file.written(plan)) == plan
    app.session_state["sweep_share"] = True
    uploader = next(one for one in app.run().get("file_uploader") if one.key == "sweep_setup_file")
    uploader.upload("x.sweep.json", setup_file.written(WIDE), "application/json").run()
    assert field(app, "text_area", "sweep_prompt") == WIDE.prompt and not app.exception
    assert app.button(key="sweep_run").label == "Run 48 answers"


@pytest.mark.row("S26")
def test_a_sweeps_json_opens_with_its_answers_and_says_where_it_comes_from(app: AppTest, api: FakeApi) -> None:
    services = resources.services()
    sweep_id = make_sweep(services.store, ("one", "two"), (0.0, 1.0), 2, owner="somebody else")
    study = read_study(services.store, services.sweeps.progress, "somebody else", sweep_id)
    assert study is not None
    app.session_state["sweep_share"] = True
    uploader = next(one for one in app.run().get("file_uploader") if one.key == "sweep_setup_file")
    uploader.upload("thermos.json", json_file(study), "application/json").run()
    assert not app.exception and len(cells(app)) == 8
    assert "fits every cup holder" in shown(app) or "thermos" in shown(app)
    assert any("opened from a file" in one.label for one in app.expander)
    assert field(app, "text_area", "sweep_prompt") == study.plan.prompt and bodies(api) == []


@pytest.mark.row("S28")
def test_the_page_shows_the_link_and_warns_that_it_works_only_here(app: AppTest, api: FakeApi) -> None:
    app.text_area(key="sweep_prompt").set_value("Praise tea.").run()
    app.session_state["sweep_share"] = True
    assert "prompt=Praise%20tea." in app.run().code[0].value
    app.session_state["sweep_history"] = [{"role": "user", "content": "Hi"}]
    assert "Save it as a file instead." in shown(app.run()) and not app.code


@pytest.mark.row("T11")
def test_a_file_that_is_no_set_up_is_a_sentence(subtests: pytest.Subtests) -> None:
    whole = json.loads(setup_file.written(WIDE))
    for name, change in [
        ("no mark", {"tempera_sweep": None}),
        ("a number for a prompt", {"prompt": 7}),
        ("models that are none", {"models": [None]}),
        ("inputs that are none", {"inputs": [[1]]}),
        ("an axis of something else", {"axis": {"field": "api_key", "values": [1]}}),
        ("a text where a number is varied", {"axis": {"field": "top_p", "values": ["x"]}}),
        ("a number where a word is varied", {"axis": {"field": "reasoning_effort", "values": [1]}}),
        ("a history of nobody", {"history": [{"role": "root", "content": "x"}]}),
        ("parameters out of range", {"params": {"top_p": "much"}}),
    ]:
        with subtests.test(name), pytest.raises(InvalidInput, match="not a sweep's set-up"):
            value = {**whole, **change}
            setup_file.read(json.dumps({key: item for key, item in value.items() if item is not None}).encode())


@given(
    st.binary(max_size=200)
    | st.recursive(st.none() | st.text(), lambda of: st.lists(of)).map(lambda v: json.dumps(v).encode())
)
def test_no_file_is_more_than_a_sentence(file: bytes) -> None:
    with pytest.raises(InvalidInput):
        setup_file.read(file)


@pytest.mark.usefixtures("service")
def test_what_is_varied_comes_back_as_it_was_typed_with_all_digits_of_a_number() -> None:
    for varied, values, typed in [
        ("max_tokens", [1234567, 3], "1234567, 3"),
        ("top_p", [0.1234567, 0.00001, 1], "0.1234567, 0.00001, 1"),
        ("reasoning_effort", ["low", "high"], "low, high"),
    ]:
        tab = new_tab("sweep", vary=varied, values=json.dumps(values), prompt="Hi")
        assert field(tab, "text_input", "sweep_vary_values") == typed


@pytest.mark.usefixtures("service")
def test_nonsense_for_the_lists_in_a_link_is_said_and_the_rest_is_there(api: FakeApi) -> None:
    for nonsense in ({"inputs": "[1]"}, {"inputs": "{"}, {"vary": "api_key", "values": "[1]"}, {"vary": "top_p"}):
        tab = new_tab("sweep", prompt="Praise tea.", **nonsense)
        assert "can't be read; the rest is there." in shown(tab), nonsense
        assert field(tab, "text_area", "sweep_prompt") == "Praise tea."


@pytest.mark.row("S1")
@pytest.mark.usefixtures("service")
def test_each_example_fills_an_empty_form_ready_to_run(subtests: pytest.Subtests, api: FakeApi) -> None:
    for name in EXAMPLES:
        with subtests.test(name):
            tab = new_tab("sweep")
            tab.text_area(key="sweep_prompt").set_value("").run()
            tab.menu_button(key="sweep_example").click(name).run()
            assert tab.button(key="sweep_run").label.startswith("Run ") and not tab.exception
            assert not tab.menu_button(key="sweep_example").disabled, "another one may be tried"
            tab.text_area(key="sweep_prompt").set_value("Praise tea.").run()
            assert tab.menu_button(key="sweep_example").disabled, "what was typed is not replaced, and nothing moves"
    run_sweep(tab)
    assert len(bodies(api)) == 6
