"""What hundreds of tests would make anew, made once for all of them: a third of the time that they take.

None of it is the app's own; a process that is started as `make run` starts it (`tests/app_server.py`) has none of it.
"""

import functools
import gc
import os
from collections.abc import Iterator
from typing import Any
from unittest.mock import MagicMock

import httpx
from hypothesis.internal.conjecture import providers
from sqlalchemy import Engine, create_engine
from streamlit.components.v2 import manifest_scanner
from streamlit.runtime.scriptrunner.script_cache import ScriptCache
from streamlit.runtime.scriptrunner_utils import script_run_context
from streamlit.testing.v1 import app_test, element_tree, local_script_runner
from streamlit.testing.v1.local_script_runner import LocalScriptRunner

from lib.gateway import sockets
from lib.store import engines, fallback_file
from lib.streamlit_internals import let_widgets_read_one_value
from tests import examples, new_file

LEAST_SECONDS = 30.0
_known: dict[tuple[Any, ...], Engine] = {}


def share() -> None:
    """Let all tests of this process use the same."""
    # Every AppTest reads the metadata of every installed package, in search of components, and each of its runs
    # compiles the scripts.
    manifest_scanner.scan_component_manifests = functools.cache(manifest_scanner.scan_component_manifests)
    app_test.ScriptCache = local_script_runner.ScriptCache = functools.cache(ScriptCache)
    app_test.MagicMock = _runtime
    # Found by walking through the whole tree: once for each look at a widget, and once more to send their values.
    element_tree.Block.__iter__ = _nodes
    # What browsers tell by which message they have already; none is here, and one over HTTP has an app of its own.
    script_run_context.populate_hash_if_needed = lambda _message: None
    # Each app of a test reads all certificates, and none of its services has one.
    httpx.create_ssl_context = functools.cache(httpx.create_ssl_context)
    engines.create_engine = _engine
    # Taken from memory where the tests' files are.
    fallback_file.MOST_BYTES = 2**20
    new_file.share()
    # As app.py does, which AppTest does not run.
    let_widgets_read_one_value()
    local_script_runner.require_widgets_deltas = _until_it_ends
    # Amid an answer for what may come right after.
    sockets.TOGETHER_SECONDS = sockets.MORE_SECONDS = 0.0
    # Hypothesis reads all modules of ours for values to try, and looks at each value for each kind of text.
    if examples.ALL not in os.environ:
        providers._get_local_constants = functools.cache(providers.Constants)


def freeze() -> None:
    """Keep the garbage collector from walking again and again through what is loaded for good."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000)  # Python's own is 700


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


@functools.cache
def _runtime(spec: type) -> MagicMock:
    """What AppTest has in place of a server. A mock remembers each question; who the client is, which none here has, is
    asked a dozen times in each run."""
    runtime = MagicMock(spec=spec)
    runtime.get_client = lambda _session: None
    return runtime


def _nodes(block: element_tree.Block) -> Iterator[element_tree.Node]:
    """A block and all that is in it, in their order; AppTest's own has a generator within another for each level."""
    waiting: list[element_tree.Node] = [block]
    while waiting:
        node = waiting.pop()
        yield node
        if isinstance(node, element_tree.Block):
            waiting.extend(reversed(node.children.values()))


def _until_it_ends(runner: LocalScriptRunner, timeout: float = 3) -> None:
    """Wait for the end of a run: AppTest looks for it every millisecond, and takes the run's own time for that. It also
    waits for three seconds where a test says no more, and a busy machine is slow, not wrong."""
    assert runner._script_thread is not None
    timeout = max(timeout, LEAST_SECONDS)
    runner._script_thread.join(timeout)
    if not runner.script_stopped():
        runner.request_stop()
        runner.join()
        raise RuntimeError(f"AppTest script run timed out after {timeout}(s)")
