"""Remembers where services are that a visitor has connected: names and addresses, never a key."""

from sqlalchemy import Connection

from lib.gateway.endpoints import Endpoint
from lib.visitor import preferences

NAME = "services"
MOST = 50


def addresses(db: Connection, owner: str) -> dict[str, str]:
    """Base URLs by the endpoint's name, the one connected last first."""
    kept = preferences.get(db, owner, NAME)
    return dict(kept) if isinstance(kept, dict) else {}


def remember(db: Connection, owner: str, endpoint: Endpoint) -> None:
    """Remember the address of a service, as the one connected last."""
    before = addresses(db, owner)
    before.pop(endpoint.name, None)
    preferences.put(db, owner, NAME, dict([(endpoint.name, endpoint.base_url), *before.items()][:MOST]))


def forget(db: Connection, owner: str, name: str) -> None:
    """Remember no address of the endpoint `name`."""
    preferences.put(db, owner, NAME, {one: address for one, address in addresses(db, owner).items() if one != name})
