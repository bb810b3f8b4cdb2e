"""Take part in the sweeps of a Tempera that has PostgreSQL: `python scripts/worker.py`, on any machine, as often as one
likes. It has the settings of the app, and serves no page.

Ctrl-C or SIGTERM ends it: nothing new begins, and answers that are on their way have TEMPERA_DRAIN_SECONDS to come to
their end.
"""

import signal
import sys
import threading
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))  # the modules below are found by it

from lib.core.errors import TemperaError
from lib.services import Services
from lib.settings import Settings


def main() -> None:
    """Work until it is asked to end; ends with 1 and a sentence when it can't begin."""
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    try:
        settings = Settings.load().model_copy(update={"local_model": False, "find_services": False})
        services = Services.open(settings, worker=True)
    except TemperaError as trouble:
        sys.exit(f"The worker can't start. {trouble} {trouble.original}".strip())
    if services.workers is None:
        services.close()
        why = services.store_trouble or "It needs PostgreSQL: set TEMPERA_DATABASE_URL, as for the app."
        sys.exit(f"The worker can't start. {why}")
    print(f"Working on sweeps, up to {settings.worker_slots} answers at once. Ctrl-C ends it.", flush=True)
    ended.wait()
    print("Ending ...", flush=True)
    services.close()


if __name__ == "__main__":
    main()
