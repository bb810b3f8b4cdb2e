"""The process-wide services, opened once and shared by all visitors."""

import gc
import importlib
import os
import sys
from pathlib import Path
from pkgutil import walk_packages

import streamlit as st

from lib.core import prices, tokens
from lib.core.errors import SettingsError
from lib.services import Services
from lib.settings import Settings
from lib.streamlit_internals import SLOW_IMPORTS
from lib.ui.shared.painter import PAINTER
from lib.ui.shared.texts import LANGUAGES, catalogue
from lib.warmup import warm_up_statements

UI = Path(__file__).parents[1]
WARM_MODULES = (
    "pandas",
    "altair",
    "pyarrow",
    *SLOW_IMPORTS,
    "PIL.Image",
    "httpcore",
    *(found.name for found in walk_packages([str(UI)], "lib.ui.") if found.name != "lib.ui.main"),
)


# In Streamlit's cache and not in a module's variable: clearing it closes the store, in tests too.
@st.cache_resource(show_spinner=False, on_release=Services.close)
def services() -> Services:
    """The services of this process; raises SettingsError when the operator's settings don't work."""
    return Services.open(Settings.load())


def warm_up() -> None:
    """Load what the first visitor would wait for, then keep the garbage collector from walking it again and again: it
    takes 25-70 ms for modules that never go."""
    try:
        services()
    except SettingsError as wrong:
        # Any exception here, SystemExit too, would come out as the server's traceback; nothing is open yet.
        print(f"Tempera can't start. {wrong} {wrong.original}".rstrip(), file=sys.stderr, flush=True)
        os._exit(2)
    for name in WARM_MODULES:
        importlib.import_module(name)
    for language in LANGUAGES:
        catalogue(language)
    warm_up_statements(services().store)
    tokens.count("warm")
    prices.list_price("gpt-4o")
    gc.collect()
    gc.freeze()
    _ = services().keychain.usable  # found out by the time that somebody opens the dialog
    services().local_services.look()  # last: while modules are loaded, its fifth of a second would be over at once


def close() -> None:
    """End what runs and let go of everything."""
    PAINTER.close()  # first: a page that ran anew at its answer's end would open everything once more
    services.clear()
