"""Identifies the visitor and the browser session by the two cookies that lib/web.py sets."""

import secrets
from dataclasses import dataclass

import streamlit as st

from lib.web import ID, SESSION_COOKIE, VISITOR_COOKIE


@dataclass(frozen=True, slots=True)
class Visitor:
    """`owner` is the visitor's id, on every row they own; `session` is one browser session. Both 128 bits in hex."""

    owner: str
    session: str


def visitor() -> Visitor:
    """The visitor of this script run."""
    return Visitor(_id(VISITOR_COOKIE), _id(SESSION_COOKIE))


def _id(cookie: str) -> str:
    value = st.context.cookies.get(cookie)
    if isinstance(value, str) and ID.fullmatch(value):
        return value
    # Without cookies (AppTest, or a browser that refuses them) the visitor lasts as long as the tab.
    return str(st.session_state.setdefault(cookie, secrets.token_hex(16)))
