"""Database migrations (Alembic): each step is a file `versions/NNNN_what.py` with revision `NNNN`."""

from collections.abc import Callable
from pathlib import Path

from sqlalchemy import Connection, inspect, text

FOLDER = Path(__file__).parent
# By the files' names, so that a start with nothing to do need not import Alembic (0.7 s).
NEWEST = max(path.name[:4] for path in FOLDER.glob("versions/[0-9]*.py"))


def version(conn: Connection) -> str | None:
    """The last step this database has taken; None for an empty one."""
    if not inspect(conn).has_table("alembic_version"):
        return None
    found = conn.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return None if found is None else str(found)


def upgrade(conn: Connection, progress: Callable[[float], None] | None = None, to: str = "head") -> None:
    """Take the missing steps inside the connection's transaction: all of them or none. `progress` hears how much of a
    long step is done, from 0 to 1."""
    # Only here: it takes longer to import than all that a usual start does with the database.
    from alembic import command
    from alembic.config import Config

    config = Config()
    # Alembic's settings are a ConfigParser's, where a percent sign begins something.
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    config.attributes["connection"] = conn
    config.attributes["progress"] = progress
    command.upgrade(config, to)
