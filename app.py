"""Entry point: `streamlit run app.py`. The script that runs for every page is lib/ui/main.py."""

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import streamlit as st
from starlette.middleware import Middleware

from lib import streamlit_internals
from lib.ui.shared import resources
from lib.ui.shared.crowd_gate import CrowdGate
from lib.ui.shared.error_box import bug_box
from lib.ui.shared.host_check import HostMiddleware
from lib.ui.shared.refusals import press_failed
from lib.ui.shared.shared_pages import SharedPages
from lib.ui.shared.sign_in_gate import SignInGate
from lib.web_server import ROUTES, PageMiddleware

SWITCH_SECONDS = 0.001
"""For so long a thread keeps Python to itself while others wait for it. With Python's 5 ms, fifty pages that draw make
what was pressed, and the services' words, wait for two seconds."""


@asynccontextmanager
async def lifespan(_: st.App) -> AsyncIterator[None]:
    """Open the services and load what the first visitor would wait for; close everything at the end."""
    sys.setswitchinterval(SWITCH_SECONDS)
    resources.warm_up()
    yield
    resources.close()


streamlit_internals.let_callbacks_end(press_failed)
streamlit_internals.let_widgets_read_one_value()
streamlit_internals.log_failures_once()
streamlit_internals.wait_for_readers_no_longer()
app = st.App(
    "lib/ui/main.py",
    lifespan=lifespan,
    routes=ROUTES,
    middleware=[Middleware(gate) for gate in (HostMiddleware, SharedPages, SignInGate, CrowdGate, PageMiddleware)],
    on_script_error=bug_box,
)
