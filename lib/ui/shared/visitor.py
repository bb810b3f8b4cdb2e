"""Identifies the visitor and the browser session.

On one's own computer there is one person, whatever the browser, the address or a cleared cookie. The browser session
is told by the cookie that lib/web.py sets.
"""

import secrets
from dataclasses import dataclass

import streamlit as st

from lib.visitor import LOCAL_OWNER
from lib.web import ID, SESSION_COOKIE


@dataclass(frozen=True, slots=True)
class Visitor:
    """`owner` is on every row that the visitor owns; `session` is one browser session, 128 bits in hex."""

    owner: str
    session: str


def visitor() -> Visitor:
    """The visitor of this script run."""
    return Visitor(LOCAL_OWNER, _session())


def _session() -> str:
    value = st.context.cookies.get(SESSION_COOKIE)
    if isinstance(value, str) and ID.fullmatch(value):
        return value
    # Without cookies (AppTest, or a browser that refuses them) the session lasts as long as the tab.
    return str(st.session_state.setdefault(SESSION_COOKIE, secrets.token_hex(16)))
