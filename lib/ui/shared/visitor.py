"""Identifies the visitor and the browser session.

On one's own computer there is one person, whatever the browser, the address or a cleared cookie. Where many share it,
the cookie of the sign-in says who it is (lib/access/sign_ins.py). The browser session is told by the cookie that
lib/web_server.py sets.
"""

import secrets
from dataclasses import dataclass

import streamlit as st

from lib.access import sign_ins
from lib.core.errors import NotSignedIn
from lib.ui.shared import resources
from lib.visitor import LOCAL_OWNER
from lib.web_server import ID, SESSION_COOKIE


@dataclass(frozen=True, slots=True)
class Visitor:
    """`owner` is on every row that the visitor owns; `session` is one browser session, 128 bits in hex."""

    owner: str
    session: str


def visitor() -> Visitor:
    """The visitor of this script run; raises NotSignedIn where nobody is, or not any more."""
    return Visitor(_owner(), _session())


def cookie(name: str) -> str:
    """What the browser sent under this name when it connected; "" for nothing."""
    value = st.context.cookies.get(name)
    return value if isinstance(value, str) else ""


def _owner() -> str:
    known = resources.services().sign_ins
    if known is None:
        return LOCAL_OWNER
    owner = known.visitor(cookie(sign_ins.COOKIE))
    if owner is None:
        raise NotSignedIn
    return owner


def _session() -> str:
    value = cookie(SESSION_COOKIE)
    if ID.fullmatch(value):
        return value
    # Without cookies (AppTest, or a browser that refuses them) the session lasts as long as the tab.
    known = st.session_state.get(SESSION_COOKIE)
    return str(known or st.session_state.setdefault(SESSION_COOKIE, secrets.token_hex(16)))
