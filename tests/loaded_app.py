"""Loads what the app loads until it can be used, and makes nothing that each process must have for itself."""

import mimetypes
from functools import cache
from importlib import import_module

import httpx
from streamlit.components.v2 import manifest_scanner

from lib.core import prices, tokens
from lib.ui.shared.resources import WARM_MODULES
from lib.ui.shared.texts import LANGUAGES, catalogue
from tests import new_file

SERVER = ("streamlit.web.cli", "streamlit.web.server.starlette.starlette_app", "uvicorn", "alembic.command", "keyring")
SERVER += ("uvicorn.protocols.websockets.websockets_sansio_impl", "uvicorn.protocols.http.auto", "uvicorn.lifespan.on")

for name in (*WARM_MODULES, *SERVER):
    import_module(name)
tokens.count("warm")
prices.list_price("gpt-4o")
mimetypes.init()
for language in LANGUAGES:
    catalogue(language)
# None of the tests' services has a certificate.
httpx.create_ssl_context = cache(httpx.create_ssl_context)
httpx.create_ssl_context()
# Streamlit reads the metadata of every installed package, in search of components.
manifest_scanner.scan_component_manifests = cache(manifest_scanner.scan_component_manifests)
manifest_scanner.scan_component_manifests()
new_file.made_new()
new_file.share()
