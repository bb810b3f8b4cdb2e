"""Everything as one file and back: `python scripts/backup.py save FILE`, `python scripts/backup.py restore FILE`.

Saving may be done while Tempera runs. Restoring asks for Tempera to be closed first, as the page that is open would
still show what was there before; the menu of every page restores while it runs.
"""

import argparse
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))  # the modules below are found by it

from sqlalchemy import make_url

from lib.calls import records
from lib.core.errors import TemperaError
from lib.settings import Settings
from lib.store import backup, process_lock
from lib.store.database import Store


def save(settings: Settings, file: Path) -> str:
    """Write a backup; a sentence about it."""
    store = Store.open(settings.store_url)
    try:
        backup.save(store, file)
    finally:
        store.close()
    return f"Everything is saved in {file} ({file.stat().st_size / 1e6:.1f} MB)."


def restore(settings: Settings, file: Path) -> str:
    """Replace everything by a backup; a sentence about it."""
    url = make_url(settings.store_url)
    if url.get_backend_name() == "sqlite" and url.database and process_lock.living(Path(url.database)):
        sys.exit("Tempera is running. Close it, then restore the backup; or restore it in the menu of its pages.")
    store = Store.open(settings.store_url)
    try:
        kept = backup.restore(store, file, settings.data_dir)
        # Calls that were under way when the backup was made end in no process now.
        store.write(lambda db: records.interrupt_orphans(db, process_lock.ID)).result()
    finally:
        store.close()
    return f"{file} is restored. What was there before is kept in {kept}."


def main() -> None:
    """Do what was asked for; ends with 1 and a sentence when it can't be done."""
    options = argparse.ArgumentParser(description="Save everything as one file, or bring it back.")
    options.add_argument("what", choices=["save", "restore"])
    options.add_argument("file", type=Path)
    asked = options.parse_args()
    try:
        print({"save": save, "restore": restore}[asked.what](Settings.load(), asked.file))
    except TemperaError as trouble:
        sys.exit(f"{trouble} {trouble.original}".strip())


if __name__ == "__main__":
    main()
