"""Parts of what is known of a call, for the dialogs that show one: its numbers, its request, its answer as it came."""

import json
from collections.abc import Mapping
from typing import Any

import pandas as pd
import streamlit as st

from lib.calls import records
from lib.calls.records import CallRecord
from lib.core.rich_text import literal
from lib.gateway.raw_answers import MOST_BYTES, RawAnswer
from lib.services import Services
from lib.ui.shared import markdown
from lib.ui.shared.figures import details
from lib.ui.shared.texts import _

SHOWN_CHARACTERS = 20_000


def numbers(call: CallRecord) -> None:
    """Draw all numbers of a call, in a table."""
    rows = [(literal(name), literal(value)) for name, value in details(call)]
    st.table(pd.DataFrame(rows), border="horizontal", width="content", hide_index=True, hide_header=True)


def request(services: Services, call: CallRecord) -> None:
    """Draw the body of a call's request, as it was sent."""
    body(services.store.read(lambda db: records.body_of(db, call)))


def body(sent: Mapping[str, Any]) -> None:
    """Draw the body of a request."""
    to_the_letter(json.dumps(sent, ensure_ascii=False, indent=2), "json", "json")


def raw_answer(services: Services, call: CallRecord) -> None:
    """Draw what the service sent as a call's answer, to the letter, as long as that is known."""
    answer(services.dispatcher.raw_answers.get(call.owner, call.id))


def answer(found: RawAnswer | None) -> None:
    """Draw what a service sent; None: that is not known any more."""
    if found is None:
        st.caption(
            _(
                "What a service sends is kept in memory only, for the last few answers, and not for temporary chats: "
                "this one is not known any more."
            )
        )
        return
    to_the_letter(found.text, None, "txt")
    if found.size > MOST_BYTES:
        more = _("{kept:,} of {size:,} bytes; the rest was not kept.")
        st.caption(more.format(kept=MOST_BYTES, size=found.size))


def to_the_letter(text: str, kind: str | None, ending: str) -> None:
    """Draw a text to be read and copied; of one that is too long for the page the beginning, and a button that saves
    all of it."""
    markdown.to_the_letter(st, text[:SHOWN_CHARACTERS], kind, wrap_lines=True)
    if len(text) > SHOWN_CHARACTERS:
        st.caption(_("The first {count:,} characters of {all:,}.").format(count=SHOWN_CHARACTERS, all=len(text)))
        st.download_button(_("Save as a file"), text, file_name=f"tempera.{ending}", key="inspector_save")
