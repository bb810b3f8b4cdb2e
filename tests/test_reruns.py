"""Two messages of a page, one right after the other, as a table's editor and a button send them: both count."""

from tests.app_server import AppServer
from tests.tabs import open_tab

ROUNDS = 8


def test_a_press_is_heard_whatever_the_page_sends_right_after_it(bare_app: AppServer) -> None:
    """runner.fastReruns and `let_callbacks_end`: else the second message ends the run of the first one before its
    press was heard, and the page is read while a callback still writes."""
    for _round in range(ROUNDS):
        with open_tab(bare_app) as tab:
            assert "connection_save" not in tab.drawn

            tab.ask(pressed="connection_open")
            tab.ask()

            while "connection_save" not in tab.drawn:
                tab.read_run()
