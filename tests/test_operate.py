"""What docs/operate.md says, as far as a machine can tell whether it is so."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from lib.settings import Settings

ROOT = Path(__file__).parents[1]
OPERATE = (ROOT / "docs" / "operate.md").read_text("utf-8")
WRITTEN = OPERATE + (ROOT / "README.md").read_text("utf-8")


def test_every_setting_is_written_down_and_no_other_one() -> None:
    named = set(re.findall(r"TEMPERA_(?!TEST_)([A-Z_]+?)(?:__[A-Z_]+)?\b", WRITTEN))
    settings = {name.upper() for name in Settings.model_fields} - {"ENDPOINTS", "AUTH"}  # tables of secrets.toml

    assert settings - named == set()
    assert named - settings == set()


def test_a_setting_with_a_name_of_before_is_read_under_both(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Settings.model_validate({"first_byte_seconds": 7}).first_token_seconds == 7
    monkeypatch.setenv("TEMPERA_FIRST_BYTE_SECONDS", "8")
    assert Settings().first_token_seconds == 8
    monkeypatch.setenv("TEMPERA_FIRST_TOKEN_SECONDS", "9")
    assert Settings().first_token_seconds == 9


def test_systemd_takes_the_units_of_the_app_and_of_a_worker(tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("no systemd here")
    [unit] = re.findall(r"```ini\n(\[Unit\].*?)```", OPERATE, re.DOTALL)
    commands = re.findall(r"^ *(ExecStart=(\S+) (\S+)(?: \d+)?)$", OPERATE, re.MULTILINE)
    assert [script for _line, _python, script in commands] == ["scripts/start.py", "scripts/worker.py"]
    for line, python, script in commands:
        assert (ROOT / script).is_file()
        file = tmp_path / f"{Path(script).stem}.service"
        # It looks whether the program is there.
        file.write_text(unit.replace(commands[0][0], line.replace(python, sys.executable)))
        found = subprocess.run(["systemd-analyze", "verify", str(file)], capture_output=True, text=True, check=False)

        assert (found.returncode, found.stderr) == (0, ""), script
