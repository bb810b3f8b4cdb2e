"""Prices on the usage page: what a dollar really costs, and where a price can be set."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from lib.core.reply import Usage
from lib.ui.shared import resources
from lib.visitor import LOCAL_OWNER
from tests.fake_api import FakeApi
from tests.pages import ask, click, host, new_tab, shown, switch_page
from tests.store_fixtures import calls_of, record


@pytest.fixture
def app(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[AppTest]:
    """The usage page with two calls of all time, of two services, $1 and $2."""
    monkeypatch.setenv("TEMPERA_LOCAL_MODEL", "false")
    for service, cost in (("apiyi", 1.0), ("openrouter", 2.0)):
        record(resources.services().store, LOCAL_OWNER, Usage(10, 10, source="reported"), endpoint=service, cost=cost)
    yield new_tab("usage", scope="all")
    resources.close()


def said(app: AppTest) -> str:
    return shown(app).replace("\\", "")


def section(app: AppTest, name: str) -> AppTest:
    return app.segmented_control(key="usage_more").set_value(name).run()


@pytest.mark.row("U6")
def test_what_is_really_paid_stands_beside_list_prices_in_each_currency(app: AppTest) -> None:
    section(app, "bill")
    app.selectbox(key="usage_currency_apiyi").set_value("CNY")
    app.number_input(key="usage_factor_apiyi").set_value(7.0).run()
    assert not app.exception and "you pay" not in said(app), "it counts from now on"
    record(resources.services().store, LOCAL_OWNER, endpoint="apiyi", cost=3.0)
    app.run()
    assert "you pay CN¥21.00" in said(app) and app.metric[2].value == "$6.00"

    app.number_input(key="usage_factor_openrouter").set_value(0.5).run()
    click(app, "usage_terms_all_openrouter")
    assert "you pay CN¥21.00 + $1.00" in said(app), "never added to each other"
    click(app, "usage_terms_all_apiyi")
    assert "you pay CN¥28.00 + $1.00" in said(app)
    section(app, "chart")
    assert list(app.dataframe[-1].value["paid"]) == ["CN¥28.00", "$1.00"]

    section(app, "bill")
    app.number_input(key="usage_factor_apiyi").set_value(None).run()
    record(resources.services().store, LOCAL_OWNER, endpoint="apiyi", cost=3.0)
    assert "you pay CN¥28.00 + $1.00" in said(app.run()), "what was set is fixed for the calls of its time"


@pytest.mark.row("U6", "U7")
def test_wherever_no_price_stands_one_can_be_set(service: FakeApi, subtests: pytest.Subtests) -> None:
    def in_the_table(app: AppTest) -> None:
        assert not app.exception
        assert any("echo" in str(one.value) for one in app.dataframe) and "Dollars for a million tokens" in said(app)

    app = ask(new_tab(), "Hello", "echo")
    with subtests.test("what the next message costs"):
        in_the_table(click(app, "chat_next_set_price"))
    with subtests.test("an answer's figures"):
        switch_page(app, "chat")
        click(app, "figures_0")
        in_the_table(click(app, "figures_set_price"))
    with subtests.test("the cost of all calls"):
        section(switch_page(app, "usage"), "chart")
        in_the_table(click(app, "usage_set_prices"))
    with subtests.test("the cost of one model, and of one call"):
        in_the_table(click(section(app, "chart"), "usage_models_set_price"))
        call_id = resources.services().store.read(lambda db: calls_of(db, "local"))[0].id
        app.session_state["open_dialog"] = ("usage_call", call_id)
        click(app.run(), "usage_call_set_price")
        in_the_table(app.run())
        assert app.session_state["open_dialog"] is None
    with subtests.test("a sweep, before there is any call of its model"):
        tab = new_tab("sweep", models=f"{host(service)}/echo", prompt="Tea?", temperatures="0")
        in_the_table(click(tab, "sweep_set_price"))
