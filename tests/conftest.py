"""What each process of a test run begins with: no settings of the machine's, files in memory, an order of the tests."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import files_in_memory, order

files_in_memory.keep()
DATABASES_DIFFER = {"store", "calls", "sweep"}
"""Folders of tests in which locks, several processes and the schema matter, so that both databases are always tried."""
for name in [name for name in os.environ if name.startswith("TEMPERA_") and not name.startswith("TEMPERA_TEST_")]:
    del os.environ[name]
# What runs on the machine, or lies in its keychain, is none of the tests' business.
os.environ["TEMPERA_FIND_SERVICES"] = "false"
os.environ["PYTHON_KEYRING_BACKEND"] = "keyring.backends.fail.Keyring"
# A test that forgets its own data folder must not find the one of whoever runs it.
os.environ["TEMPERA_DATA_DIR"] = tempfile.mkdtemp(prefix="tempera-test-data-")


def pytest_configure(config: pytest.Config) -> None:
    """Load the app and the fixtures, which takes seconds; not where tests are only handed to several workers, which
    begin when that is done."""
    if hasattr(config, "workerinput") or not config.getoption("numprocesses", None):
        config.pluginmanager.import_plugin("tests.fixtures")


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> Iterator[None]:
    """What takes the longest first, so that at the end no worker waits long for the others; of what only reads and
    writes rows, `make soak` tries the second database."""
    for item in items:
        folder = item.path.relative_to(Path(__file__).parent).parts[0]
        if "[postgresql" in item.name and folder not in DATABASES_DIFFER:
            item.add_marker(pytest.mark.soak)
    yield
    items[:] = order.longest_first(items)
