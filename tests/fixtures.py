"""What all tests share: a data folder of their own, tiktoken's vocabulary, services, stores, a tab."""

import asyncio
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest
from sqlalchemy import make_url
from streamlit.testing.v1 import AppTest

from lib.background import Jobs
from lib.core import tokens
from lib.services import Services
from lib.settings import Settings
from lib.store import migrations
from lib.store.database import Store
from lib.ui.shared import resources
from tests import cheaper, new_file
from tests.app_server import AppServer, forked_app
from tests.examples import examples
from tests.fake_api import FakeApi
from tests.pages import BEGINS_WITH, KEY, new_tab
from tests.postgresql import new_database, server_url

# A busy machine is slow, not wrong.
hypothesis.settings.register_profile("ours", deadline=None, max_examples=examples(100))
hypothesis.settings.load_profile("ours")
VOCABULARY = Path(tempfile.gettempdir()) / "tempera-test-vocabulary"
tokens.place_vocabulary(VOCABULARY)
os.environ["TIKTOKEN_CACHE_DIR"] = str(VOCABULARY)
cheaper.share()


def pytest_collection_finish() -> None:
    cheaper.freeze()


@pytest.fixture
def data_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty data folder that the app uses during the test."""
    monkeypatch.setenv("TEMPERA_DATA_DIR", str(tmp_path / "data"))
    close = resources.services.clear  # a test may put something else in its place
    yield tmp_path / "data"
    close()  # that of a test that failed too: the next one would get its app


@pytest.fixture
def api() -> Iterator[FakeApi]:
    """The fake service, on a socket of its own."""
    with FakeApi() as api:
        yield api


@pytest.fixture(scope="session")
def started_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder as the first start leaves it; to bring a new database up to date takes as long as three tests."""
    folder = tmp_path_factory.mktemp("started") / "data"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(migrations, "upgrade", new_file.take_all_steps)
        Services.open(Settings(data_dir=folder, local_model=False)).close()
    return folder


@pytest.fixture
def service(api: FakeApi, data_dir: Path, started_once: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeApi]:
    """The fake service as the operator's, for an app that was started once before and closes after the test."""
    shutil.copytree(started_once, data_dir, ignore=shutil.ignore_patterns("*.spill"))
    monkeypatch.setenv("TEMPERA_BASE_URL", api.base_url)
    monkeypatch.setenv("TEMPERA_API_KEY", KEY)
    yield api
    resources.close()


@pytest.fixture
def settings_open(monkeypatch: pytest.MonkeyPatch) -> None:
    """Chat's settings are open in the tabs of the test: a fourth of a page's work, so only where they are looked at."""
    monkeypatch.setitem(BEGINS_WITH, "settings_open", True)


@pytest.fixture
def app(service: FakeApi) -> AppTest:
    """A new visitor's tab on the chat page, with the fake service."""
    return new_tab()


@pytest.fixture(scope="session")
def bare_app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AppServer]:
    """The app as a process, without services and without the practice model: for what the server does by itself."""
    with forked_app(tmp_path_factory.mktemp("bare") / "data", TEMPERA_LOCAL_MODEL="false") as app:
        yield app


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a database on each backend in turn: an empty one, but where the test wants a `store` in it."""
    wants_store = "store" in request.fixturenames
    if request.param == "sqlite":
        file = tmp_path / "data" / "tempera.db"
        if wants_store:
            file.parent.mkdir()
            shutil.copy(request.getfixturevalue("started_once") / file.name, file)
        yield f"sqlite:///{file}"
        return
    like = {"like": request.getfixturevalue("started_on_postgresql")} if wants_store else {}
    with new_database(server_url(request.config), **like) as made:
        yield made


@pytest.fixture(scope="session")
def started_on_postgresql(pytestconfig: pytest.Config) -> Iterator[str]:
    """The name of a database on PostgreSQL as the first start leaves it."""
    with new_database(server_url(pytestconfig)) as made:
        Store.open(made).close()
        yield str(make_url(made).database)


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    """An open, empty store."""
    opened = Store.open(url)
    yield opened
    opened.close()


@pytest.fixture
def jobs() -> Iterator[Jobs]:
    """The loop on which calls and sweeps run, in a thread of its own."""
    opened = Jobs()
    yield opened
    opened.close(last=asyncio.sleep(0))
