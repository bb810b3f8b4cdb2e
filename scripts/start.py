"""Start Tempera: `python scripts/start.py [PORT]`; without a port that of the environment's PORT, else 8501.

Streamlit does the work; this only says in a sentence what Streamlit would say in a traceback or a log line.
"""

import logging
import os
import socket
import sys
import tomllib
from contextlib import suppress
from pathlib import Path

import click
from streamlit.web import cli

ROOT = Path(__file__).resolve().parents[1]


def address() -> str:
    """The address that Streamlit will listen at, from the environment or its settings file. Streamlit itself is not
    asked: before its start it would then log that its settings have changed."""
    settings = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text(encoding="utf-8"))
    return os.environ.get("STREAMLIT_SERVER_ADDRESS") or str(settings["server"]["address"])


def obstacle(address: str, port: str) -> str | None:
    """What keeps the app from listening there and what to do about it, or None."""
    if not port.isdecimal() or not 0 < int(port) < 65536:
        return f"“{port}” is no port: choose a number from 1024 to 65535, as in: make run PORT=8502"
    try:
        socket.create_server((address, int(port))).close()
    except PermissionError:
        return f"Port {port} needs rights you don't have: choose a number from 1024 up, as in: make run PORT=8502"
    except OSError:
        other = int(port) % 65535 + 1
        return f"Port {port} is in use: stop what runs there, or choose another: make run PORT={other}"
    return None


def say_what_the_store_does() -> None:
    """Print what takes long before the page is there: a database of an older version is copied and changed."""
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(message)s"))
    log = logging.getLogger("lib.store.upgrade")
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    log.propagate = False


def main() -> None:
    """Check the port, then hand over to Streamlit; Ctrl-C ends both without a word."""
    port = sys.argv[1] if len(sys.argv) > 1 else os.environ.get("PORT", "8501")
    # Streamlit looks for .streamlit/config.toml in the folder that it is started from.
    os.chdir(ROOT)
    # It is scripts/ now, and `lib` is found from the root.
    sys.path[0] = str(ROOT)
    trouble = obstacle(address(), port)
    if trouble:
        sys.exit(trouble)
    say_what_the_store_does()
    # standalone_mode off: click would else print “Aborted!” and end the process itself.
    with suppress(click.Abort, KeyboardInterrupt):
        cli.main(["run", "app.py", "--server.port", port], prog_name="streamlit", standalone_mode=False)


if __name__ == "__main__":
    main()
