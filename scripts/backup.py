"""Everything as one file and back: `python scripts/backup.py save FILE`, `python scripts/backup.py restore FILE`; and
one person's history into a database that many share: `python scripts/backup.py move [FILE] --owner MAIL`.

Saving may be done while Tempera runs. Restoring asks for Tempera to be closed first, as the page that is open would
still show what was there before; the menu of every page restores while it runs. Moving asks for it too, as others could
not write as long as it takes.
"""

import argparse
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))  # the modules below are found by it

from sqlalchemy import make_url

from lib.calls import records, usage_rollups
from lib.core.errors import TemperaError
from lib.settings import Settings
from lib.store import backup, moving, process_lock
from lib.store.database import Store
from lib.visitor import LOCAL_OWNER


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
        _refuse_company(store)
        kept = backup.restore(store, file, settings.data_dir)
        # Calls that were under way when the backup was made end in no process now.
        store.write(lambda db: records.interrupt_orphans(db, process_lock.ID)).result()
    finally:
        store.close()
    return f"{file} is restored. What was there before is kept in {kept}."


def move(settings: Settings, file: Path, owner: str) -> str:
    """Add one person's history to the database of the settings; a sentence about it."""
    if not settings.database_url.get_secret_value():
        sys.exit("Set TEMPERA_DATABASE_URL to the database that the history is to go into.")
    owner = owner.strip().lower()
    if owner.count("@") != 1 or not all(owner.split("@")):
        sys.exit("Say whose it becomes by the mail address of the account: --owner ada@example.com")
    store = Store.open(settings.store_url, settings.data_dir)
    try:
        _refuse_company(store)
        moving.move_in(store, file, LOCAL_OWNER, owner, usage_rollups.rebuild_all)
    finally:
        store.close()
    return f"What {file} holds is {owner}'s now, in the database of the settings. The file is as it was."


def _refuse_company(store: Store) -> None:
    """All is written at once, and who else writes meanwhile would wait for longer than a statement may take."""
    if store.has_company():
        sys.exit("Tempera is running on this database. Stop it and its workers, then try again. Nothing was changed.")


def main() -> None:
    """Do what was asked for; ends with 1 and a sentence when it can't be done."""
    options = argparse.ArgumentParser(description="Save everything as one file, bring it back, or move it.")
    options.add_argument("what", choices=["save", "restore", "move"])
    options.add_argument("file", type=Path, nargs="?", help="for move: the data folder's own where there is none")
    options.add_argument("--owner", default="", help="for move: the mail address of whose it becomes")
    asked = options.parse_args()
    if asked.file is None and asked.what != "move":
        options.error("which file?")
    try:
        settings = Settings.load()
        if asked.what == "move":
            print(move(settings, asked.file or settings.data_dir / "tempera.db", asked.owner))
        else:
            print({"save": save, "restore": restore}[asked.what](settings, asked.file))
    except TemperaError as trouble:
        sys.exit(f"{trouble} {trouble.original}".strip())


if __name__ == "__main__":
    main()
