"""The app, in which a press of “New chat”, and the page Usage, fail in a way that nobody has foreseen."""

import os
import runpy

from lib.ui.chat import open_chat
from lib.ui.usage import reading_help


def fail() -> None:
    raise RuntimeError(f"/home/ada/secret.txt is gone, and {os.environ['TEMPERA_API_KEY']} with it")


open_chat.new = reading_help.reading_help = fail

if __name__ == "__main__":
    runpy.run_path("scripts/start.py", run_name="__main__")
