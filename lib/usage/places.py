"""What the chats and sweeps are called that calls were made for."""

from collections.abc import Sequence

from sqlalchemy import Connection, select

from lib.core.request import Page
from lib.store.schema import chats, sweeps
from lib.store.statements import chunks


def titles(conn: Connection, owner: str, ids: Sequence[str]) -> dict[str, tuple[Page, str]]:
    """The page that has it, and its title, of each that is still there, by its id."""
    found: dict[str, tuple[Page, str]] = {}
    pages: tuple[Page, Page] = ("chat", "sweep")
    for some in chunks(ids):
        for page, table in zip(pages, (chats, sweeps), strict=True):
            there = table.c.owner == owner, table.c.id.in_(some), table.c.deleted_at.is_(None)
            rows = conn.execute(select(table.c.id, table.c.title).where(*there))
            found |= {row.id: (page, row.title) for row in rows}
    return found
