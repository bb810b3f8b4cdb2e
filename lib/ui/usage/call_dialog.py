"""One call with all that is known of it: its numbers, what was asked and answered, and its attempts."""

from collections.abc import Sequence
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
import streamlit as st
from babel.dates import format_datetime

from lib.calls import records
from lib.calls.records import CallRecord
from lib.core.clock import as_datetime
from lib.core.errors import StoreError
from lib.core.i18n import N_
from lib.core.request import Message
from lib.core.rich_text import literal
from lib.services import Services
from lib.ui.shared import call_details
from lib.ui.shared.call_details import SHOWN_CHARACTERS
from lib.ui.shared.error_box import error_box
from lib.ui.shared.figures import cost_nothing, currency_amount, precise_seconds
from lib.ui.shared.markdown import typed
from lib.ui.shared.other_pages import CHAT_PAGE, SWEEP_PAGE, continue_in_chat, open_sweep_with
from lib.ui.shared.set_price import set_price_button
from lib.ui.shared.state import state
from lib.ui.shared.texts import _, language, role_names
from lib.ui.shared.written_table import MISSING, written
from lib.ui.usage.failures import failure, reason
from lib.ui.usage.sample import is_sample
from lib.ui.usage.usage_state import usage_state
from lib.ui.usage.waterfall import waterfall
from lib.usage import queries
from lib.visitor import service_terms
from lib.visitor.service_terms import Terms

PARTS = {
    "figures": N_("Numbers"),
    "messages": N_("Question and answer"),
    "request": N_("Request"),
    "attempts": N_("Attempts"),
}
SHOWN_MESSAGES = 20
STEPS = {
    "queued": N_("began to wait"),
    "admitted": N_("had its turn"),
    "connected": N_("connected"),
    "sent": N_("request sent"),
    "first_word": N_("first word"),
    "end": N_("end"),
}


def open_call(call_id: str) -> None:
    """Open the dialog for a call; a callback."""
    usage_state.call = call_id


def call_dialog(services: Services, owner: str, terms: Terms, zone: ZoneInfo) -> None:
    """Draw the dialog of a call, while it is open."""
    call_id = usage_state.call
    if call_id is None:
        return
    found = services.store.read(lambda db: records.call_of(db, owner, call_id))
    if found is None:
        usage_state.call = None
        st.toast(_("This call is not there any more."))
        return
    at = format_datetime(as_datetime(found.started_at, zone), "medium", locale=language())
    title = f"{literal(found.model)} · {at}"
    st.dialog(title, width="medium", on_dismiss=state.close_dialogs)(_body)(services, owner, found, terms)


def _body(services: Services, owner: str, call: CallRecord, terms: Terms) -> None:
    messages = services.store.read(lambda db: records.messages_of(db, owner, call.id))
    failed = failure(call)
    if failed is not None:
        error_box(failed)
    if not is_sample(owner):
        _ways_on(services, owner, call, messages)
    part = st.segmented_control(
        _("Part"),
        list(PARTS),
        default="figures",
        required=True,
        format_func=lambda name: _(PARTS[name]),
        key="usage_call_part",
        label_visibility="collapsed",
    )
    if part == "messages":
        _messages(call, messages)
    elif part == "request":
        call_details.request(services, call)
    elif part == "attempts":
        _attempts(call.attempt_times)
    else:
        call_details.numbers(call)
        if call.cost is None and call.state != "started" and not cost_nothing(call):
            set_price_button([(call.endpoint, call.model)], "usage_call")
        term = service_terms.at_moment(terms.get(call.endpoint, ()), call.started_at)
        if call.cost and term is not None:
            paid = currency_amount(call.cost * (term.factor or 0.0), term.currency)
            st.caption(literal(_("You pay {amount} for it.").format(amount=paid)))


def _ways_on(services: Services, owner: str, call: CallRecord, messages: Sequence[Message]) -> None:
    """To where the call was made, and to making it again."""
    chat_id, sweep_id = services.store.read(lambda db: queries.origin(db, owner, call.id))
    asked = [message for message in messages if message.role == "user"]
    with st.container(horizontal=True):
        if chat_id and st.button(_("Open its chat"), key="usage_open_chat", icon=":material/forum:"):
            state.close_dialogs()
            state.chat_id = chat_id
            st.switch_page(CHAT_PAGE)
        if sweep_id and st.button(_("Open its sweep"), key="usage_open_sweep", icon=":material/grid_view:"):
            state.close_dialogs()
            state.sweep_id = sweep_id
            st.switch_page(SWEEP_PAGE)
        if asked and st.button(_("Continue in Chat"), key="usage_continue", icon=":material/chat:"):
            state.close_dialogs()
            try:
                continue_in_chat(services, call)
            except StoreError as refused:
                error_box(refused)
        if asked and st.button(_("Sweep this"), key="usage_sweep_this", icon=":material/tune:"):
            state.close_dialogs()
            at = messages.index(asked[-1])
            system = next((message.content for message in messages if message.role == "system"), "")
            history = [message for message in messages[:at] if message.role != "system"]
            open_sweep_with(asked[-1].content, system, [f"{call.endpoint}/{call.model}"], history)


def _messages(call: CallRecord, messages: Sequence[Message]) -> None:
    if not messages and not any(choice.text for choice in call.choices):
        st.caption(_("The words of this call are not kept: it was of a temporary chat, or they were deleted."))
        return
    names = role_names()
    if len(messages) > SHOWN_MESSAGES:
        st.caption(_("The last {count} messages of {all}.").format(count=SHOWN_MESSAGES, all=len(messages)))
    for message in messages[-SHOWN_MESSAGES:]:
        st.caption(names.get(message.role, message.role))
        _letter(message.content)
    for choice in call.choices:
        st.caption(names["assistant"])
        _letter(choice.text)


def _letter(text: str) -> None:
    """A text as it was written; of a very long one the beginning, and how much that is."""
    typed(st, text[:SHOWN_CHARACTERS])
    if len(text) > SHOWN_CHARACTERS:
        st.caption(_("The first {count:,} characters of {all:,}.").format(count=SHOWN_CHARACTERS, all=len(text)))


def _attempts(attempts: Sequence[Any]) -> None:
    """When each attempt came how far, in seconds since the call began."""
    if not attempts:
        st.caption(_("Nothing is known of the attempts."))
        return
    waterfall(attempts)
    # A step that no attempt came to has no column: a call that failed has no first word.
    reached = [step for step in STEPS if any(one.get(step) is not None for one in attempts)]
    columns = {
        "number": [number + 1 for number in range(len(attempts))],
        **{step: pd.Series([one.get(step) for one in attempts], dtype="Float64") for step in reached},
        "error": [reason(one.get("error") or "") for one in attempts],
    }
    config: dict[str, Any] = {step: st.column_config.NumberColumn(_(STEPS[step])) for step in reached}
    config |= {"number": st.column_config.NumberColumn(_("Attempt")), "error": st.column_config.TextColumn(_("Error"))}
    frame = written(pd.DataFrame(columns), dict.fromkeys(reached, precise_seconds))
    st.dataframe(frame, hide_index=True, placeholder=MISSING, column_config=config)
    st.caption(_("Seconds since the call began."))
