"""See to it that the browser tests have a browser: an installed one, else Playwright's own, else Debian's."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))
from browser_path import WITHOUT_WINDOWS, chromium_path

PLAYWRIGHT = (sys.executable, "-m", "playwright")


def found() -> bool:
    """Whether there is a browser now."""
    if chromium_path():
        return True
    with sync_playwright() as playwright:
        return Path(playwright.chromium.executable_path).exists()


def runs(*command: str) -> bool:
    """Whether the command ended well; its complaints are not shown, as there is another way to try."""
    return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True).returncode == 0


def fetch() -> None:
    """Try the ways there are, the portable one first; only root can install Debian's packages."""
    os.environ["DEBIAN_FRONTEND"] = "noninteractive"
    may_apt = bool(shutil.which("apt-get")) and os.geteuid() == 0
    if runs(*PLAYWRIGHT, "install", "chromium"):
        # Playwright's browser comes without the libraries that a bare Debian lacks.
        if may_apt:
            runs(*PLAYWRIGHT, "install-deps", "chromium")
    elif may_apt and runs("apt-get", "update", "-qq"):
        install = ("apt-get", "install", "-y", "-qq", "--no-install-recommends", "fonts-liberation")
        if not runs(*install, WITHOUT_WINDOWS):
            runs(*install, "chromium")


def main() -> None:
    """End quietly when there is a browser in the end, otherwise with a sentence."""
    if found():
        return
    print("Getting a browser for the tests; this can take a minute or two ...", flush=True)
    fetch()
    if not found():
        sys.exit("The tests need a browser, and none could be fetched: install Chromium or Chrome and try again.")


if __name__ == "__main__":
    main()
