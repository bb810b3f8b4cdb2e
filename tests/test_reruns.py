"""Which part of a page runs for a press, and that no press is lost."""

from pathlib import Path

import pytest

from tests.app_server import ROOT, AppServer
from tests.made_sweeps import app_with_sweeps, make_sweep
from tests.tabs import open_tab

ROUNDS = 8


def test_a_press_is_heard_whatever_the_page_sends_right_after_it(bare_app: AppServer) -> None:
    """Two messages, one right after the other, as a table's editor and a button send them: both count. By
    runner.fastReruns and `let_callbacks_end`: else the second message ends the run of the first one before its
    press was heard, and the page is read while a callback still writes."""
    for _round in range(ROUNDS):
        with open_tab(bare_app) as tab:
            assert "connection_save" not in tab.drawn

            tab.ask(pressed="connection_open")
            tab.ask()

            while "connection_save" not in tab.drawn:
                tab.read_run()


@pytest.mark.row("S12")
def test_what_a_press_in_a_part_of_the_page_asks_for_is_shown_though_it_stands_elsewhere(tmp_path: Path) -> None:
    """A browser runs the part alone; here it is the answers of a sweep, whose service is not connected any more."""
    folder = tmp_path / "data"
    unsent = app_with_sweeps(folder, lambda store: make_sweep(store, ("m",), (0.0,), 1, lambda _cell: None))
    with unsent as (app, sweep), open_tab(app, f"sweep={sweep}") as tab:
        tab.run(page="sweep")
        tab.run(pressed="sweep_resume")
        assert "connection_save" in tab.drawn, "the dialog that asks for the service"


def test_no_part_of_a_page_is_drawn_in_another_way() -> None:
    lib = ROOT / "lib"
    assert [path.name for path in lib.rglob("*.py") if "st.fragment" in path.read_text("utf-8")] == ["page_part.py"]
