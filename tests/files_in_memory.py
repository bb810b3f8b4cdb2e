"""The files of a test run, and of all that it starts, in memory: every commit of a store waits for a disk, for
milliseconds."""

import os
import shutil
import tempfile
from pathlib import Path

IN_MEMORY = Path("/dev/shm")
ROOM = 3 << 30
"""Bytes: many times what the files of a whole run take at once, so that nobody's memory becomes tight."""


def keep() -> None:
    """Let them be there; not where somebody has said where they shall be, or memory is short."""
    if "TMPDIR" not in os.environ and IN_MEMORY.is_dir() and shutil.disk_usage(IN_MEMORY).free > ROOM:
        os.environ["TMPDIR"] = tempfile.tempdir = str(IN_MEMORY)
