"""Where the browser is that the browser tests drive."""

import shutil

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")


def chromium_path() -> str | None:
    """The path of an installed Chromium or Chrome; None means Playwright's own (what `launch` takes None for)."""
    return next(filter(None, map(shutil.which, NAMES)), None)
