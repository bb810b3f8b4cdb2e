"""Parts of what is known of a call, for the dialogs that show one: its numbers, its request, its answer as it came."""

import json

import pandas as pd
import streamlit as st

from lib.calls import records
from lib.calls.records import CallRecord
from lib.core.rich_text import literal
from lib.services import Services
from lib.ui.shared.figures import details
from lib.ui.shared.texts import _

SHOWN_CHARACTERS = 20_000


def numbers(call: CallRecord) -> None:
    """All its numbers, in a table."""
    rows = [(literal(name), literal(value)) for name, value in details(call)]
    st.table(pd.DataFrame(rows), border="horizontal", width="content", hide_index=True, hide_header=True)


def request(services: Services, call: CallRecord) -> None:
    """The body as it was sent, put together from what is stored."""
    messages = services.store.read(lambda db: records.messages_of(db, call.owner, call.id))
    body = {"model": call.model, "messages": [one.to_send() for one in messages], **call.params_sent}
    beginning(json.dumps(body, ensure_ascii=False, indent=2), "json")


def raw_answer(services: Services, call: CallRecord) -> None:
    """What the service sent, to the letter, as long as that is known."""
    found = services.dispatcher.raw_answers.get(call.owner, call.id)
    if found is None:
        st.caption(
            _("What a service sends is kept in memory only, for the last few answers: this is not known any more.")
        )
    else:
        beginning(found.text, None)


def beginning(text: str, kind: str | None) -> None:
    """A text to the letter, or the beginning of a long one."""
    st.code(text[:SHOWN_CHARACTERS], language=kind, wrap_lines=True)
    if len(text) > SHOWN_CHARACTERS:
        st.caption(_("The first {count:,} characters of {all:,}.").format(count=SHOWN_CHARACTERS, all=len(text)))
