"""What hundreds of tests would make anew, made once for all of them: a third of the time that they take.

None of it is the app's own; a process that is started as `make run` starts it (`tests/app_server.py`) has none of it.
"""

import functools
import gc
from typing import Any

import httpx
from sqlalchemy import Engine, create_engine
from streamlit.components.v2 import manifest_scanner
from streamlit.runtime.scriptrunner.script_cache import ScriptCache
from streamlit.testing.v1 import app_test

from lib.store import engines

_known: dict[tuple[Any, ...], Engine] = {}


def share() -> None:
    """Let all tests of this process use the same."""
    # Every AppTest reads the metadata of every installed package, in search of components, and each of its runs
    # compiles the scripts.
    manifest_scanner.scan_component_manifests = functools.cache(manifest_scanner.scan_component_manifests)
    app_test.ScriptCache = functools.cache(ScriptCache)
    app_test.MagicMock = functools.cache(app_test.MagicMock)
    # Each app of a test reads all certificates, and none of its services has one.
    httpx.create_ssl_context = functools.cache(httpx.create_ssl_context)
    engines.create_engine = _engine


def freeze() -> None:
    """Keep the garbage collector from walking again and again through what is loaded for good."""
    gc.collect()
    gc.freeze()


def _engine(url: Any, **options: Any) -> Engine:
    """An engine that takes the statements which an engine before it has compiled."""
    engine = create_engine(url, **options)
    kind = (engine.dialect.name, options.get("isolation_level"))
    known = _known.get(kind)
    # A dialect learns at its first connection what the server is.
    if known is None or known.dialect.server_version_info is None:
        _known[kind] = engine
    else:
        engine.dialect, engine._compiled_cache = known.dialect, known._compiled_cache
    return engine
