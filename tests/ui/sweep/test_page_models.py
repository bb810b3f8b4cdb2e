"""The models of a sweep: chosen among hundreds, by vendor, as sets; an id that no list has is flagged."""

from collections.abc import Iterator

import pytest
from streamlit.testing.v1 import AppTest

from lib.ui.shared import resources
from lib.visitor import LOCAL_OWNER, favourites
from tests.fake_api import FakeApi
from tests.pages import KEY, bodies, click, connect, host, new_tab, run_sweep, shown

MANY = tuple(f"{vendor}-{number:03}" for number in range(100) for vendor in ("gpt", "claude", "qwen", "unheard"))


@pytest.fixture
def api() -> Iterator[FakeApi]:
    """A service with four hundred models and two more."""
    with FakeApi(models=("echo", "gpt-4o", *MANY)) as service:
        yield service


@pytest.fixture
def app(service: FakeApi) -> AppTest:
    """The sweep page."""
    return new_tab("sweep")


def chosen(app: AppTest) -> list[str]:
    """The ids that are chosen, without their endpoint."""
    return [str(value).rpartition("/")[2] for value in app.multiselect(key="sweep_models").value]


def tick(app: AppTest, api: FakeApi, model: str) -> AppTest:
    """Tick a model, or take its tick back. As a browser does, it tells what the field behind the list had before."""
    app.multiselect(key="sweep_models").set_value([f"{host(api)}/echo"])
    box = app.checkbox(key=f"sweep_tick_{host(api)}/{model}")
    return box.set_value(not box.value).run()


def ticks(app: AppTest) -> list[str]:
    """The ids in the open list."""
    return [str(box.key).partition("/")[2] for box in app.checkbox if str(box.key).startswith("sweep_tick_")]


@pytest.mark.row("S1", "C28")
def test_models_are_ticked_in_a_list_by_vendor_that_can_be_filtered(app: AppTest, api: FakeApi) -> None:
    click(app, "sweep_models_open")
    assert len(ticks(app)) <= 64, "a list of four hundred stays short"
    assert {"**OpenAI**", "**Anthropic**", "**Others**"} <= {caption.value for caption in app.caption}
    app.text_input(key="sweep_models_filter").set_value("claude-07").run()
    assert ticks(app) == [f"claude-07{number}" for number in range(10)]
    tick(tick(app, api, "claude-070"), api, "claude-071")
    tick(app, api, "claude-070")
    app.multiselect(key="sweep_models").set_value([f"{host(api)}/echo"])
    click(app, "sweep_models_done")
    assert chosen(app) == ["echo", "claude-071"] and not ticks(app)


@pytest.mark.row("S29")
def test_a_set_of_models_is_kept_and_chosen_again_by_its_name(app: AppTest, api: FakeApi) -> None:
    app.multiselect(key="sweep_models").set_value([f"{host(api)}/gpt-000", f"{host(api)}/qwen-001"])
    click(app, "sweep_models_open")
    app.text_input(key="sweep_model_set_name").set_value("Two *cheap* ones")
    click(app, "sweep_set_keep")

    tab = new_tab("sweep")
    tab.multiselect(key="sweep_models").set_value([])
    click(tab, "sweep_models_open")
    tab.pills(key="sweep_model_set").set_value("Two *cheap* ones")
    click(tab, "sweep_models_done")
    assert chosen(tab) == ["gpt-000", "qwen-001"]
    click(tab, "sweep_models_open")
    click(tab, "sweep_set_forget")
    assert not [one for one in tab.pills if one.key == "sweep_model_set"]
    click(tab, "sweep_set_keep")
    assert "It needs a name." in shown(tab)


@pytest.mark.row("S1")
def test_starred_models_come_first(app: AppTest, api: FakeApi) -> None:
    starred = favourites.Favourites(starred=(f"{host(api)}/qwen-050",))
    resources.services().store.write(lambda db: favourites.keep(db, LOCAL_OWNER, starred)).result()
    assert str(app.run().multiselect(key="sweep_models").options[0]) == "qwen-050", "of one service alone"


@pytest.mark.row("S1")
def test_models_have_their_services_name_once_there_are_two_and_what_was_chosen_stays(
    app: AppTest, api: FakeApi
) -> None:
    app.multiselect(key="sweep_models").set_value([f"{host(api)}/gpt-000", f"{host(api)}/qwen-001"]).run()
    before = app.multiselect(key="sweep_models").value
    assert not [one for one in app.multiselect(key="sweep_models").options if host(api) in str(one)]

    with FakeApi(models=("echo",)) as other:
        field = connect(app, other.base_url, KEY).multiselect(key="sweep_models")
        assert field.value == before == [f"{host(api)}/gpt-000", f"{host(api)}/qwen-001"]
        assert {str(one).partition("/")[0] for one in field.options} >= {host(api), host(other)}
        told = field.proto
        assert told.set_value and list(told.raw_values) == before, "the browser would tell the names that it knows"


@pytest.mark.row("S1")
def test_an_id_that_is_not_in_the_list_is_flagged_with_what_may_be_meant(app: AppTest, api: FakeApi) -> None:
    app.multiselect(key="sweep_models").set_value([f"{host(api)}/gpt-4oo", f"{host(api)}/zzzzzz"]).run()
    assert "Not in the lists of their services: gpt-4oo, zzzzzz." in shown(app), "one line for all"
    assert len([one for one in app.warning if "lists" in one.value]) == 1
    assert [one.label for one in app.button if str(one.key).startswith("sweep_meant_")] == ["Did you mean gpt\\-4o?"]
    click(app, "sweep_meant_0")
    assert chosen(app) == ["gpt-4o", "zzzzzz"] and "gpt-4oo" not in shown(app)
    assert "“zzzzzz” is not in the list of" in shown(app)


def test_what_is_not_in_the_list_is_asked_all_the_same(app: AppTest, api: FakeApi) -> None:
    app.text_area(key="sweep_prompt").set_value("Hi")
    app.multiselect(key="sweep_models").set_value([f"{host(api)}/json"])
    run_sweep(app)
    assert {body["model"] for body in bodies(api)} == {"json"}
