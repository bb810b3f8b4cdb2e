"""What all tests share: a data folder of their own, no settings of the machine's, tiktoken's vocabulary, stores."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest
from streamlit.testing.v1 import AppTest

from lib.core import tokens
from lib.store.database import Store
from lib.ui.shared import resources
from tests.fake_api import FakeApi
from tests.pages import KEY, new_tab
from tests.postgresql import new_database, server_url

hypothesis.settings.register_profile("no clock", deadline=None)  # a busy machine is slow, not wrong
hypothesis.settings.load_profile("no clock")
VOCABULARY = Path(tempfile.gettempdir()) / "tempera-test-vocabulary"
tokens.place_vocabulary(VOCABULARY)
os.environ["TIKTOKEN_CACHE_DIR"] = str(VOCABULARY)
for name in [name for name in os.environ if name.startswith("TEMPERA_") and not name.startswith("TEMPERA_TEST_")]:
    del os.environ[name]
# A test that forgets its own data folder must not find the one of whoever runs it.
os.environ["TEMPERA_DATA_DIR"] = tempfile.mkdtemp(prefix="tempera-test-data-")


@pytest.fixture
def data_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty data folder that the app uses during the test."""
    monkeypatch.setenv("TEMPERA_DATA_DIR", str(tmp_path / "data"))
    return tmp_path / "data"


@pytest.fixture
def api() -> Iterator[FakeApi]:
    """The fake service, on a socket of its own."""
    with FakeApi() as api:
        yield api


@pytest.fixture
def service(api: FakeApi, data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeApi]:
    """The fake service as the operator's, for an app that closes after the test."""
    monkeypatch.setenv("TEMPERA_BASE_URL", api.base_url)
    monkeypatch.setenv("TEMPERA_API_KEY", KEY)
    yield api
    resources.close()


@pytest.fixture
def app(service: FakeApi) -> AppTest:
    """A new visitor's tab on the chat page, with the fake service."""
    return new_tab()


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of an empty database, on each backend in turn."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'data' / 'tempera.db'}"
    else:
        with new_database(server_url(request.config)) as made:
            yield made


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    """An open, empty store."""
    opened = Store.open(url)
    yield opened
    opened.close()
