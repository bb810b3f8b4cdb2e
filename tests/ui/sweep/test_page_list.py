"""The list of past sweeps, from the main script on: what it says of each, and what can be done with it."""

from datetime import UTC, datetime

import pytest
from streamlit.testing.v1 import AppTest

from lib.core.parameters import Params
from lib.sweep import decision
from lib.sweep import repository as sweeps
from lib.sweep.axis import Axis
from lib.sweep.plan import Plan
from lib.sweep.rules import Rule
from lib.ui.shared import resources
from lib.ui.shared.dates import short_date
from lib.ui.sweep.heading import compared
from lib.ui.sweep.sweep_list import what_it_compares
from tests.fake_api import FakeApi
from tests.pages import (
    bodies,
    buttons,
    cells,
    click,
    go_back,
    host,
    new_tab,
    owner,
    run_sweep,
    shown,
    standing,
    sweep_ended,
    sweep_id,
)


@pytest.fixture
def app(service: FakeApi) -> AppTest:
    """The sweep page with one service, the fake one."""
    return new_tab("sweep")


def swept(api: FakeApi, text: str, models: str = "echo", **more: str) -> AppTest:
    """A tab whose sweep has ended."""
    named = ",".join(f"{host(api)}/{model}" for model in models.split(","))
    return run_sweep(new_tab("sweep", **{"models": named, "prompt": text, "temperatures": "0,0.7", **more}))


def listed(app: AppTest) -> list[str]:
    """What the list says of each sweep, without what keeps titles from being Markdown."""
    return [str(one.label).replace("\\", "") for one in app.sidebar.button if str(one.key).startswith("sweep_open_")]


def menu(app: AppTest, sweep: str, action: str) -> AppTest:
    """Choose something in the menu of a sweep of the list."""
    app.menu_button(key=f"sweep_menu_{sweep}").click(action).run()
    assert not app.exception
    return app


@pytest.mark.row("S13")
@pytest.mark.usefixtures("service")
def test_the_list_says_what_was_compared_and_what_failed_and_finds_it_again(api: FakeApi) -> None:
    swept(api, "Praise tea.", "echo,error-400")
    tab = swept(api, "Sell 100% _socks_.", repeats="2")

    assert [label.partition("  \n")[0] for label in listed(tab)] == ["Sell 100% _socks_.", "Praise tea."]
    assert "2 × 2 · 4/4" in listed(tab)[0] and "failed" not in listed(tab)[0]
    assert "2 × 2 · 2/4 · 2 failed" in listed(tab)[1]
    inputs, values = '[{"it": "红茶 cake"}]', '["", "Be loud."]'
    swept(api, "Say {{it}}.", system="Be brief.", inputs=inputs, vary="system", values=values)
    found = {"PRAISE": 1, "error-400": 1, "100%": 1, "echo": 3, "coffee": 0, "%": 1, "tea praise": 1, "tea 100%": 0}
    found |= {"红茶": 1, "brief": 1, "loud cake": 1, "values": 0, "said praise": 1, "said coffee": 0}
    for words, count in found.items():
        tab.text_input(key="sweep_list_search").set_value(words).run()
        assert len(listed(tab)) == count, words
    tab.text_input(key="sweep_list_search").set_value("said").run()
    assert len(listed(tab)) == 3, "in the answers"
    excerpts = [one.value for one in tab.sidebar.caption if one.value.startswith("You :orange-background[**said**]")]
    assert len(excerpts) == 3 and "Praise tea" in excerpts[-1]
    tab.text_input(key="sweep_list_search").set_value("TEA").run()
    assert listed(tab)[0].startswith("Praise :orange-background[**tea**].")
    tab.text_input(key="sweep_list_search").set_value("coffee").run()
    assert "No sweep has these words." in shown(tab)


@pytest.mark.row("S13", "S16")
@pytest.mark.usefixtures("service")
def test_a_refresh_that_was_asked_for_at_an_earlier_address_leaves_open_what_is(api: FakeApi) -> None:
    """A long run is still under way when the list or the progress is refreshed, which the browser asks for at the
    address that it knows; ended by then, the sweep has the whole page drawn anew with that."""
    tab = swept(api, "Praise tea.")
    first = sweep_id(tab)
    tab.query_params.clear()
    assert sweep_id(tab.run()) == first and cells(tab) and first in tab.query_params["sweep"]

    click(tab, "sweep_new")
    tab.query_params["sweep"] = first
    assert tab.run().session_state["open_sweep"] is None and not cells(tab)

    click(tab, f"sweep_open_{first}")
    assert not cells(go_back(tab)) and cells(go_back(tab, sweep=first)) and sweep_id(tab) == first


@pytest.mark.row("S13")
@pytest.mark.usefixtures("service")
def test_a_past_sweep_opens_with_its_set_up_is_renamed_used_again_deleted_and_brought_back(api: FakeApi) -> None:
    tab = swept(api, "Praise tea.", repeats="2", max_tokens="7")
    first = sweep_id(tab)
    tab = new_tab("sweep", prompt="")
    click(tab, "sweep_new")
    tab.text_area(key="sweep_prompt").set_value("Half a thought").run()
    assert "done" not in shown(tab)

    click(tab, f"sweep_open_{first}")
    assert standing(tab).startswith("4 answers")
    assert tab.text_area(key="sweep_prompt").value == "Praise tea."
    assert (tab.number_input(key="sweep_repeats").value, tab.number_input(key="sweep_max_tokens").value) == (2, 7)
    menu(tab, first, "rename").text_input(key=f"sweep_title_{first}").set_value("Tea!")
    click(tab, "sweep_rename_keep")
    assert listed(tab)[0].startswith("Tea!") and "sweep_rename_keep" not in buttons(tab)
    click(tab, "sweep_new")
    assert tab.text_area(key="sweep_prompt").value == "Half a thought", "nothing typed is lost"

    click(tab, f"sweep_open_{first}")
    sent = len(bodies(api))
    menu(tab, first, "again")
    assert tab.text_area(key="sweep_prompt").value == "Praise tea." and not standing(tab)
    assert len(bodies(api)) == sent
    click(tab, f"sweep_open_{first}")
    menu(tab, first, "delete")
    assert listed(tab) == [] and not standing(tab)
    click(tab, "sweep_undelete")
    assert listed(tab)[0].startswith("Tea!") and standing(tab).startswith("4 answers")
    assert "The sweep is deleted." not in shown(tab)


@pytest.mark.row("S13", "S20")
@pytest.mark.usefixtures("service")
def test_a_sweep_that_is_run_once_more_keeps_its_rules_and_another_one_has_none(
    api: FakeApi, subtests: pytest.Subtests
) -> None:
    tab = swept(api, "Praise {{it}}.", inputs='[{"it": "tea"}]')
    first, rules, store = sweep_id(tab), (Rule("contains", "{{it}}"), Rule("words", "9")), resources.services().store
    store.write(lambda db: decision.set_rules(db, owner(tab), first, rules)).result()
    for repeats, (asked, begin, kept) in enumerate(
        (
            ("Praise {{it}}.", "open", rules),
            ("Praise {{it}}.", "again", rules),
            ("Praise {{it}} warmly.", "open", rules),
            ("Praise tea.", "open", ()),
        )
    ):
        with subtests.test(asked=asked, begin=begin):
            menu(tab, first, "again") if begin == "again" else click(tab, f"sweep_open_{first}")
            tab.text_area(key="sweep_prompt").set_value(asked)
            # Fewer temperatures: else it would grow, or be the same that was asked before.
            tab.session_state["sweep_temperatures"] = [0.7]
            tab.number_input(key="sweep_repeats").set_value(1 + repeats).run()
            run_sweep(tab)
            assert sweep_id(tab) != first
            assert store.read(lambda db: decision.of_sweep(db, owner(tab), sweep_id(tab))).rules == kept
    click(tab, "sweep_new")
    plain = swept(api, "Praise {{it}}.", inputs='[{"it": "tea"}]', repeats="5")
    assert not store.read(lambda db: decision.of_sweep(db, owner(plain), sweep_id(plain))).rules


@pytest.mark.row("S13")
@pytest.mark.usefixtures("service")
def test_a_new_sweep_asks_nothing_yet_and_what_was_typed_beyond_the_last_one_stays(api: FakeApi) -> None:
    asked = {"system": "Be brief.", "inputs": '[{"it": "tea"}]', "vary": "top_p", "values": "[0.5, 1]"}
    for tab in (swept(api, "Say {{it}}.", "echo,json", repeats="3", **asked), new_tab("sweep")):  # a reload too
        click(tab, "sweep_new")
        assert (tab.text_area(key="sweep_prompt").value, tab.text_area(key="sweep_system").value) == ("", "")
        assert not tab.data_editor and not tab.session_state["sweep_inputs"] and not tab.session_state["sweep_vary"]
        assert len(tab.multiselect(key="sweep_models").value) == 2 and tab.number_input(key="sweep_repeats").value == 3
        first = next(str(one.key) for one in tab.sidebar.button if str(one.key).startswith("sweep_open_"))
        assert tab.text_area(key="sweep_prompt").value == "" and not click(tab, first).exception
        assert tab.text_area(key="sweep_prompt").value == "Say {{it}}." and "tea" in set(tab.data_editor[0].value["it"])
    tab.text_area(key="sweep_prompt").set_value("Say {{it}} twice.").run()
    click(tab, "sweep_new")
    assert tab.text_area(key="sweep_prompt").value == "Say {{it}} twice.", "nothing typed is lost"


@pytest.mark.usefixtures("service")
def test_a_sweep_opens_and_goes_on_whose_further_field_has_got_a_control_since(api: FakeApi) -> None:
    tab = new_tab("sweep")
    store, asked = resources.services().store, (f"{host(api)}/echo",)
    for value in (0.5, "wide"):
        plan, name = Plan("tea", asked, (0.0,), params=Params(extra_fields={"top_p": value})), f"sweep-{value}"
        store.write(lambda db, plan=plan, name=name: sweeps.add_plan(db, owner(tab), "s1", name, plan)).result()
        store.write(
            lambda db, plan=plan, name=name: sweeps.add_cells(db, owner(tab), name, [*plan.cells(name)])
        ).result()
        click(tab.run(), f"sweep_open_{name}")
        assert "1 answer" in standing(sweep_ended(click(tab, "sweep_resume")))
        assert bodies(api)[-1]["top_p"] == value


@pytest.mark.row("T13")
@pytest.mark.usefixtures("service")
def test_nobody_else_renames_or_brings_back(api: FakeApi) -> None:
    tab = swept(api, "Praise tea.")
    store, id = resources.services().store, sweep_id(tab)
    store.write(lambda db: sweeps.rename(db, "somebody else", id, "Mine")).result()
    store.write(lambda db: sweeps.delete(db, owner(tab), id)).result()
    store.write(lambda db: sweeps.undelete(db, "somebody else", id)).result()

    assert store.read(lambda db: sweeps.sweeps_of(db, owner(tab))) == []
    store.write(lambda db: sweeps.undelete(db, owner(tab), id)).result()
    assert [one.title for one in store.read(lambda db: sweeps.sweeps_of(db, owner(tab)))] == ["Praise tea."]


@pytest.mark.usefixtures("service")
def test_what_a_sweep_compares_is_said_in_a_line() -> None:
    plan = Plan(
        "{{x}}", ("a/b", "a/c"), (0.0, 1.0), inputs=({"x": "1"},) * 3, axis=Axis("top_p", (0.5, 1.0)), repeats=4
    )
    assert compared(plan) == ["2 models", "temperature 0, 1", "3 inputs", "top_p 0\\.5, 1", "4 answers each"]
    assert compared(Plan("x", ("a/b",), (None,))) == ["b"]
    for axes, total, words in [((2, 2, 3, 2), 96, "2 × 2 × 3 × 2 × 4"), ((1, 1, 1, 1), 1, "1"), ((3, 1, 1, 1), 3, "3")]:
        assert what_it_compares(sweeps.Sweep("", "", 0, total, 0, 0, axes)) == words


def test_dates_are_short() -> None:
    now = datetime(2026, 11, 28, 21, 0, tzinfo=UTC)
    said = [
        short_date(round(moment.timestamp() * 1e6), now) for moment in (now, now.replace(day=1), now.replace(year=2025))
    ]
    assert said == ["9:00\u202fPM", "Nov 1", "Nov 2025"]
