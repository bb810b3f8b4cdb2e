"""Where the browser is that the browser tests drive."""

import shutil

WITHOUT_WINDOWS = "chromium-headless-shell"
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", WITHOUT_WINDOWS)


def chromium_path() -> str | None:
    """The path of an installed Chromium or Chrome; None means Playwright's own (what `launch` takes None for)."""
    return next(filter(None, map(shutil.which, NAMES)), None)


def light_chromium_path() -> str | None:
    """The same, but where there is one the Chromium that can open no window: tests take a tenth less time in it."""
    return shutil.which(WITHOUT_WINDOWS) or chromium_path()
