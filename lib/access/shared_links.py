"""Links under which anybody reads one chat or one sweep, as it was when the link was made, and nothing else.

A link holds 256 random bits, of which only the SHA-256 hash is kept: who can read the database can't make a link of it.
It ends after some days, when it is taken back, and while what it shows is deleted.
"""

import hashlib
import re
import secrets
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import Connection, and_, delete, insert, or_, select

from lib.core.clock import DAY, now
from lib.core.errors import InvalidInput
from lib.core.i18n import N_
from lib.store.schema import chats, shared_links, sweeps

Kind = Literal["chat", "sweep"]
DAYS = (1, 7, 30)
MOST_BYTES = 20_000_000
MOST_LINKS = 200
"""Of one visitor."""
_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")
_THINGS = {"chat": (chats, shared_links.c.chat_id), "sweep": (sweeps, shared_links.c.sweep_id)}


@dataclass(frozen=True, slots=True)
class SharedLink:
    """A link that was made: `id` takes it back and opens nothing, `thing` is the id of the chat or sweep. Times in
    microseconds since 1970."""

    id: str
    kind: Kind
    thing: str
    title: str
    made_at: int
    ends_at: int


def make(db: Connection, owner: str, kind: Kind, thing: str, title: str, page: str, days: int) -> str | None:
    """A new link to `page`, an HTML document about a chat or sweep of the owner's; what stands in its address. None
    where this owner has none of that id. Raises InvalidInput for a page that is too large, and for too many links."""
    if len(page.encode()) > MOST_BYTES:
        raise InvalidInput(N_("That is too large to be shared by a link: save it as a file instead."))
    table, _ = _THINGS[kind]
    # any owner: `table` is the chats or the sweeps, and the owner is named.
    mine = select(table.c.id).where(table.c.owner == owner, table.c.id == thing, table.c.deleted_at.is_(None))
    if db.execute(mine).first() is None:
        return None
    forget_ended(db)  # else their pages, which nobody can open, would lie there until the next start
    if len(links_of(db, owner)) >= MOST_LINKS:
        raise InvalidInput(N_("You have {most} links already: take some back first."), most=MOST_LINKS)
    token, moment = secrets.token_urlsafe(32), now()
    row = {"hash": _hash(token), "owner": owner, f"{kind}_id": thing, "title": title, "page": page}
    db.execute(insert(shared_links).values(row | {"made_at": moment, "ends_at": moment + days * DAY}))
    return token


def links_of(db: Connection, owner: str) -> list[SharedLink]:
    """The owner's links that have not ended, the newest first."""
    columns = [shared_links.c[name] for name in ("hash", "chat_id", "sweep_id", "title", "made_at", "ends_at")]
    query = select(*columns).where(shared_links.c.owner == owner, shared_links.c.ends_at > now())
    found = db.execute(query.order_by(shared_links.c.made_at.desc())).all()
    return [
        SharedLink(hash, "chat" if chat else "sweep", chat or sweep, title, made_at, ends_at)
        for hash, chat, sweep, title, made_at, ends_at in found
    ]


def revoke(db: Connection, owner: str, id: str) -> None:
    """Take a link back; nothing where this owner has none of that id."""
    db.execute(delete(shared_links).where(shared_links.c.owner == owner, shared_links.c.hash == id))


def forget_ended(db: Connection) -> None:
    """Remove what links showed that have ended."""
    # any owner: nobody can open them any more.
    db.execute(delete(shared_links).where(shared_links.c.ends_at <= now()))


def page_of(db: Connection, token: str) -> str | None:
    """What the link with this token shows; None where there is none, and where it shows nothing any more."""
    if not _TOKEN.fullmatch(token):
        return None
    still_there = or_(
        and_(shared_links.c.chat_id == chats.c.id, chats.c.deleted_at.is_(None)),
        and_(shared_links.c.sweep_id == sweeps.c.id, sweeps.c.deleted_at.is_(None)),
    )
    # any owner: whoever has the link may read it.
    query = (
        select(shared_links.c.page)
        .outerjoin(chats, shared_links.c.chat_id == chats.c.id)
        .outerjoin(sweeps, shared_links.c.sweep_id == sweeps.c.id)
        .where(shared_links.c.hash == _hash(token), shared_links.c.ends_at > now(), still_there)
    )
    page = db.execute(query).scalar()
    return None if page is None else str(page)


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
