"""What a browser tab remembers of the sweep page between two script runs; the open sweep: lib/ui/shared/state.py"""

from lib.ui.shared.session_value import Dialog, SessionValue, nothing


class SweepState:
    """What is remembered, by name; widget values live under their own keys."""

    missing_sweep: SessionValue[bool] = SessionValue("missing_sweep", bool)
    """Whether the address names a sweep that there is not."""
    cell = Dialog[str]("opened_cell")
    """The cell whose details are open, by its id."""
    used_again: SessionValue[str | None] = SessionValue("sweep_used_again", nothing)
    """The sweep whose set-up a new one was begun with."""
    deleted_sweep: SessionValue[str | None] = SessionValue("deleted_sweep", nothing)
    """The sweep that was deleted last, as long as that can be undone."""
    seen_running: SessionValue[str | None] = SessionValue("sweep_seen_running", nothing)
    """The sweep that this tab saw running last; its end is said in the tab's title."""
    choosing_models = Dialog[list[str]]("sweep_models_dialog")
    """The models that are ticked in the list of all, while it is open."""


sweep_state = SweepState()
