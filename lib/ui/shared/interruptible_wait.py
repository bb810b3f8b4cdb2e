"""Waits for what runs elsewhere, and ends where something was pressed meanwhile.

A script run hears of a press when it next draws something or looks at session state (`runner.fastReruns` is off): one
that only waits would leave a press, or a change of page, unheard for as long.
"""

import time
from concurrent.futures import Future, wait
from typing import TypeVar

import streamlit as st

T = TypeVar("T")
LOOK_SECONDS = 0.05
"""How long a wait may go on without a look."""


def interruptible_result(future: Future[T], seconds: float) -> T:
    """The result of `future`; raises TimeoutError after `seconds`. What nobody waits for any more is cancelled."""
    end = time.monotonic() + seconds
    try:
        while not wait([future], max(0.0, min(LOOK_SECONDS, end - time.monotonic()))).done and time.monotonic() < end:
            st.session_state.get("any")  # ends this run here where a press waits
        return future.result(0)
    except BaseException:  # the end of this run too
        future.cancel()
        raise
