"""The title of the browser's tab: it counts while a sweep runs, and says when it is done."""

import streamlit as st

from lib.sweep.progress import Progress
from lib.sweep.run import SweepRun
from lib.ui.shared.texts import _
from lib.ui.sweep.sweep_state import sweep_state

NAME = "Tempera"


def tab_title(sweep_id: str, progress: Progress, run: SweepRun | None) -> None:
    """Set the title by how a sweep stands. One that was over before this tab saw it leaves the title as it is."""
    running = run is not None and not run.finished
    if running:
        sweep_state.seen_running = sweep_id
    elif sweep_state.seen_running != sweep_id:
        return
    done, failed, asked = progress.counts(run.failed if run else ())
    count = f"{done + failed}/{asked}"
    st.set_page_config(page_title=f"{count} · {NAME}" if running else f"{_('Done')} {count} · {NAME}")
