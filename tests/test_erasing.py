"""One's history is deleted as a whole or by a stretch of time; what stays is whole, of what went nothing is left."""

import sqlite3
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from lib import erasing
from lib.erasing import Counts, Span
from lib.store.schema import calls, chats, sweeps
from lib.ui.shared import resources
from lib.visitor import LOCAL_OWNER
from tests.fake_api import FakeApi
from tests.pages import ask, buttons, click, host, new_tab, run_sweep, shown, switch_page

OLD = 1_600_000_000_000_000
"""Microseconds since 1970: the year 2020."""


def held(span: Span | None = None) -> Counts:
    return resources.services().store.read(lambda db: erasing.counts(db, LOCAL_OWNER, span or Span()))


def age(table: object, column: str) -> None:
    """Let all that there is be of 2020."""
    resources.services().store.write(lambda db: db.execute(table.update().values({column: OLD}))).result()  # type: ignore[attr-defined]


def erase(app: AppTest, span: str) -> AppTest:
    """Choose what goes, and press the button."""
    click(app, "erase_open")
    app.radio(key="erase_span").set_value(span).run()
    return click(app, "erase_now")


@pytest.mark.row("X9")
def test_what_goes_is_said_before_and_nothing_of_it_is_left(app: AppTest, api: FakeApi, data_dir: Path) -> None:
    ask(app, "A secret about marmalade")
    ask(click(app, "chat_new"), "Another one about marmalade")
    run_sweep(new_tab("sweep", prompt="Praise marmalade.", temperatures="0,1", repeats="1", models=f"{host(api)}/echo"))
    app = new_tab()
    click(app, "erase_open")
    assert "This deletes for good: 2 chats · 1 sweep · 4 calls in Usage." in shown(app)
    assert held() == Counts(2, 1, 4), "nothing is deleted before the button is pressed"

    erase(app, "all")
    assert "Deleted for good: 2 chats · 1 sweep · 4 calls in Usage." in shown(app)
    assert held() == Counts(0, 0, 0) and not [name for name in buttons(app) if name.startswith("chat_open_")]
    assert "There is nothing of that time." in shown(click(app, "erase_open"))
    assert "Ask a model something" in shown(switch_page(app, "usage"))
    resources.close()
    with sqlite3.connect(data_dir / "tempera.db") as db:
        assert not [line for line in db.iterdump() if "marmalade" in line]


@pytest.mark.row("X9")
def test_only_what_is_of_the_time_goes_and_the_rest_stays_whole(app: AppTest, api: FakeApi) -> None:
    ask(app, "Long ago")
    run_sweep(new_tab("sweep", prompt="Long ago", temperatures="0", repeats="1", models=f"{host(api)}/echo"))
    for table, column in ((chats, "updated_at"), (sweeps, "created_at"), (calls, "started_at")):
        age(table, column)
    ask(click(app, "chat_new"), "Today")
    assert held(Span(until=OLD + 1)) == Counts(1, 1, 2)

    erase(app, "old")
    assert held() == Counts(1, 0, 1)
    age(calls, "started_at")
    assert held(Span(until=OLD + 1)) == Counts(0, 0, 0), "calls of a chat that stays are its answers"
    (left,) = [name for name in buttons(app) if name.startswith("chat_open_")]
    assert "You said: Today" in shown(click(app, left))
    erase(app, "today")
    assert held() == Counts(0, 0, 0)


@pytest.mark.row("X9")
@pytest.mark.usefixtures("service")
def test_what_is_being_written_is_stopped_and_not_written_afterwards(api: FakeApi) -> None:
    tab = new_tab("sweep", models=f"{host(api)}/silent", prompt="Praise tea.", temperatures="0")
    click(tab, "sweep_run")
    api.wait(lambda fake: any(one.path.endswith("/chat/completions") for one in fake.requests))

    erase(tab, "all")
    api.wait(lambda fake: fake.requests[-1].closed_by_client)
    assert held() == Counts(0, 0, 0)
