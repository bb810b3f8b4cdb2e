"""A worker (scripts/worker.py) that believes sooner that another process is dead, so that a test need not wait."""

import runpy

from lib import workers
from lib.store import process_lock

process_lock.DEAD_SECONDS = 1.0
workers.STALLED_SECONDS = 7.0
workers.BEAT_SECONDS = 1.0

if __name__ == "__main__":
    runpy.run_path("scripts/worker.py", run_name="__main__")
