"""What all tests share: a data folder of their own, no settings of the machine's, tiktoken's vocabulary."""

import os
import tempfile
from pathlib import Path

import pytest

from lib import tokens

VOCABULARY = Path(tempfile.gettempdir()) / "tempera-test-vocabulary"
tokens.place_vocabulary(VOCABULARY)
os.environ["TIKTOKEN_CACHE_DIR"] = str(VOCABULARY)
for name in [name for name in os.environ if name.startswith("TEMPERA_") and not name.startswith("TEMPERA_TEST_")]:
    del os.environ[name]


@pytest.fixture
def data_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty data folder that the app uses during the test."""
    monkeypatch.setenv("TEMPERA_DATA_DIR", str(tmp_path / "data"))
    return tmp_path / "data"
