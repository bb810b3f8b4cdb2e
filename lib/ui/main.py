"""Runs for every page: opens the services and draws navigation and warnings around the page."""

from contextlib import suppress
from pathlib import Path

import streamlit as st

from lib.core.errors import NotSignedIn, SettingsError, StoreError
from lib.streamlit_internals import browser_has_moved, tab_id
from lib.ui.shared import resources
from lib.ui.shared.error_box import error_box
from lib.ui.shared.frame import bar, store_warning
from lib.ui.shared.menu import restore_choices
from lib.ui.shared.page_style import page_style
from lib.ui.shared.painter import PAINTER
from lib.ui.shared.state import state
from lib.ui.shared.texts import _, settle_reader
from lib.ui.shared.visitor import visitor

PAGES = Path(__file__).resolve().parents[2] / "pages"
ASSETS = Path(__file__).with_name("assets")

PAINTER.release(tab_id())
# Before all else, as a run that is cut short is followed by one that no Back has asked for.
if browser_has_moved():
    state.moved = "history"
st.set_page_config(page_title="Tempera", page_icon=ASSETS / "icon.svg", layout="wide", initial_sidebar_state="auto")
try:
    services = resources.services()
    services.know(visitor().owner)
except (SettingsError, NotSignedIn) as wrong:
    error_box(wrong)
    st.stop()
with suppress(StoreError):
    restore_choices(services)
settle_reader()
# Read by the scripts and styles in assets/.
st.html(page_style())
pages = [
    st.Page(PAGES / "chat.py", title=_("Chat"), default=True),
    st.Page(PAGES / "sweep.py", title=_("Sweep")),
    st.Page(PAGES / "usage.py", title=_("Usage")),
]
page = st.navigation(pages, position="hidden")
if page.url_path != state.page:
    state.page, state.moved = page.url_path, "page"
bar(services, pages)
store_warning(services)
page.run()
