"""Sample data on the usage page: seen where there is nothing yet, marked everywhere, mixed with nothing."""

import csv
import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import func, select
from streamlit.testing.v1 import AppTest

from lib.store.schema import calls, settings
from lib.ui.shared import resources
from lib.ui.usage import sample as switch
from lib.usage import queries, sample
from lib.usage.call_files import to_csv
from lib.usage.scope import Scope
from lib.usage.totals import total
from tests.pages import click, new_tab, shown, switch_page
from tests.store_fixtures import record


@pytest.fixture
def app(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[AppTest]:
    """The usage page of somebody who has asked nothing yet."""
    monkeypatch.setenv("TEMPERA_LOCAL_MODEL", "false")
    yield new_tab("usage")
    switch._store.clear()
    resources.close()


def rows() -> tuple[int, int]:
    """How many calls and settings are stored."""
    # any owner: that there is none of anybody.
    counts = [select(func.count()).select_from(table) for table in (calls, settings)]
    return resources.services().store.read(lambda db: tuple(db.execute(count).scalar_one() for count in counts))  # type: ignore[return-value]


@pytest.mark.row("U24")
def test_an_empty_page_is_seen_with_sample_data_and_is_empty_again_without(app: AppTest) -> None:
    before = rows()
    click(app, "usage_sample_on")
    assert "every call here is made up, none is yours" in shown(app) and app.query_params["sample"] == "on"
    assert app.metric[0].value != "0" and app.subheader[0].value.startswith("In the last 30 days the sample used ")
    for scope in ("today", "week", "all"):
        app.segmented_control(key="usage_scope").set_value(scope).run()
        assert len(app.metric) == 5, scope
        assert "every call here is made up" in shown(app), scope
    for section in ("calls", "speed", "bill", "budget", "chart"):
        app.segmented_control(key="usage_more").set_value(section).run()
        assert not app.exception, section
        assert "every call here is made up" in shown(app), section
    assert {name for one in app.get("download_button") for name in [one.proto.label]} >= {"CSV", "JSON"}

    click(app, "usage_sample_off")
    assert not app.metric and "made up" not in shown(app) and "sample" not in app.query_params
    assert rows() == before, "nothing of it was stored"


@pytest.mark.row("U24")
def test_the_sample_is_never_mixed_with_real_calls(app: AppTest) -> None:
    record(resources.services().store, "local", model="mine", session="s")
    app.segmented_control(key="usage_scope").set_value("all").run()
    assert app.metric[3].value == "1"
    app.toggle(key="usage_sample").set_value(True).run()
    assert int(app.metric[3].value) > 100 and "mine" not in str(app.dataframe[0].value)
    app.toggle(key="usage_sample").set_value(False).run()
    assert app.metric[3].value == "1" and "sample-" not in str(app.dataframe[0].value)
    # A link that shows it, for a demo; and another page in between.
    tab = switch_page(switch_page(new_tab("usage", sample="on"), "chat"), "usage")
    assert "every call here is made up" in shown(tab)


def test_its_calls_are_the_same_each_time_and_add_up_by_every_filter() -> None:
    first, second = (sample.store_of(1_800_000_000_000_000) for _ in range(2))
    scope = Scope(sample.OWNER)
    try:
        found = [one.read(lambda db: to_csv(queries.every(db, scope))) for one in (first, second)]
        assert found[0] == found[1]
        lines = list(csv.DictReader(io.StringIO(found[0].decode("utf-8-sig"))))
        assert all(line["id"].startswith("sample-") and line["endpoint"].startswith("sample-") for line in lines)
        choices = first.read(lambda db: queries.choices(db, sample.OWNER)) | {"outcomes": ["failed", "cut", "ok"]}
        for name, values in choices.items():
            for value in values:
                some = Scope(sample.OWNER, **{name: (value,)})  # type: ignore[arg-type]
                listed = first.read(lambda db, some=some: list(queries.every(db, some)))  # type: ignore[misc]
                summed = total(first.read(lambda db, some=some: queries.by_model(db, some)))  # type: ignore[misc]
                assert summed.calls == len(listed) > 0, value
                assert (summed.prompt_tokens or 0) == sum(one.usage.prompt_tokens or 0 for one in listed), value
    finally:
        first.close()
        second.close()
