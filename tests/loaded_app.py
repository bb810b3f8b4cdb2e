"""Loads what the app loads until it can be used, and makes nothing that each process must have for itself."""

from functools import cache
from importlib import import_module

from streamlit.components.v2 import manifest_scanner

from lib.core import prices, tokens
from lib.ui.shared.resources import WARM_MODULES

SERVER = ("streamlit.web.cli", "streamlit.web.server.starlette.starlette_app", "uvicorn", "alembic.command", "keyring")

for name in (*WARM_MODULES, *SERVER):
    import_module(name)
tokens.count("warm")
prices.list_price("gpt-4o")
# Streamlit reads the metadata of every installed package, in search of components.
manifest_scanner.scan_component_manifests = cache(manifest_scanner.scan_component_manifests)
manifest_scanner.scan_component_manifests()
