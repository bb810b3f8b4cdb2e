"""The app, in which a press of “New chat” fails in a way that nobody has foreseen."""

import runpy

from lib.ui.chat import open_chat


def fail() -> None:
    raise RuntimeError("/home/ada/secret.txt is gone")


open_chat.new = fail

if __name__ == "__main__":
    runpy.run_path("scripts/start.py", run_name="__main__")
