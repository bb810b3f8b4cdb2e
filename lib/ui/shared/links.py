"""Fills controls from an address: code that the pages' own links.py share.

A link sends nothing, is applied once, and is then taken out of the address, so that a reload does not undo what was
changed since.
"""

from collections.abc import Iterable
from typing import Any

import streamlit as st

from lib.core.errors import InvalidInput
from lib.core.i18n import N_
from lib.core.parameters import RANGES, Params
from lib.gateway.addresses import is_loopback
from lib.ui.shared import controls
from lib.ui.shared.refusals import refusals_told
from lib.ui.shared.state import state
from lib.ui.shared.texts import _, error_sentence

MAX_TEXT = 20_000
TRUE = ("1", "true", "on", "yes")


def fill_controls(page: str, fields: Iterable[str]) -> None:
    """Set the controls `fields` of a page as far as the address names them; what can't be used is said."""
    for field in set(fields) & set(st.query_params):
        with refusals_told():
            controls.switch_on(page, field, _value(field))


def show_link(words: str, link: str) -> None:
    """A link of ours to be copied, under `words` that say what it does."""
    st.caption(words)
    st.code(link, language=None, wrap_lines=True)
    if is_loopback(link):
        st.caption(_("Its address is this computer's own, so it works only here."))


def page_address() -> str:
    """The address of the page as this browser has found it; "" where that is not known."""
    return st.context.url if isinstance(st.context.url, str) else ""


def whole(name: str, most: int) -> int | None:
    """The whole number from 1 to `most` that the address has under `name`; None where it has none, or where it is no
    such number, which is said."""
    text = st.query_params.get(name)
    if text is None:
        return None
    if text.isdecimal() and len(text) < 10 and 1 <= int(text) <= most:
        return int(text)
    message = N_("The link's “{field}” has to be a whole number from 1 to {most}.")
    state.notices.append(error_sentence(InvalidInput(message, field=name, most=most)))
    return None


def number(name: str, text: str, field: str) -> Any:
    """`text`, which the address has under `name`, as a value of the API's `field`; raises InvalidInput."""
    try:
        value = int(text) if RANGES[field].whole else float(text)
    except ValueError:
        raise InvalidInput(N_("The link's “{field}” is not a number."), field=name) from None
    Params.checked({field: value})
    return value


def _value(field: str) -> Any:
    query, kind = st.query_params, controls.CONTROLS[field].kind
    if kind == "number":
        return number(field, query[field], field)
    if kind == "flag":
        return query[field].lower() in TRUE
    if kind == "text":
        return query[field][:MAX_TEXT]
    value: Any = query.get_all(field) if kind == "words" else query[field]
    Params.checked({field: value})
    return value
