"""Waits for something without missing what is pressed meanwhile.

A script run hears of a press when it next draws something or looks at session state (`runner.fastReruns` is off): one
that only waits would leave Stop, or a change of page, unheard for as long.
"""

import time
from collections.abc import Callable
from concurrent.futures import Future, wait
from typing import TypeVar

import streamlit as st

T = TypeVar("T")
SECONDS = 0.05
"""How long a wait may go on without a look."""


def until(done: Callable[[float], bool], seconds: float) -> bool:
    """Wait at most `seconds` for `done`, which waits as many seconds as it is given and tells whether it is so."""
    end = time.monotonic() + seconds
    while not done(max(0.0, min(SECONDS, end - time.monotonic()))):
        if time.monotonic() >= end:
            return False
        st.session_state.get("heard")  # ends this run here where a press waits to be heard
    return True


def result(future: Future[T], seconds: float) -> T:
    """The result of what runs elsewhere; raises TimeoutError after `seconds`. What nobody waits for any more ends."""
    try:
        until(lambda least: bool(wait([future], least).done), seconds)
        return future.result(0)
    except BaseException:  # the end of this run too
        future.cancel()
        raise
