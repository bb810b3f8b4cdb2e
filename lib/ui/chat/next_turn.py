"""Cost and context of the next message, above the composer, and the question before a large one is sent."""

from collections.abc import Sequence

import streamlit as st

from lib.chat.context_window import MENTIONED_FROM, NEARLY_FULL_FROM, Estimate, estimates
from lib.core.errors import InvalidInput
from lib.core.rich_text import literal
from lib.ui.chat import chat_settings, model_actions, open_chat
from lib.ui.chat.chat_state import NEXT, UnconfirmedMessage, chat_state
from lib.ui.chat.inspector import inspect_button
from lib.ui.chat.model_actions import LEAVE_OUT
from lib.ui.chat.open_chat import ChatView
from lib.ui.shared import budgets, resources
from lib.ui.shared.figures import money
from lib.ui.shared.set_price import set_price_button
from lib.ui.shared.texts import _, _n
from lib.ui.shared.visitor import visitor


def next_turn_bar(view: ChatView) -> None:
    """One quiet figure, what the next turn costs; tokens and context behind it, and in front of it from 60 % on."""
    if not view.turns:
        return
    try:
        found = estimates(open_chat.current().endpoints(), view.turns, chat_settings.read())
    except InvalidInput:
        return
    if not found:
        return
    fullest = max((one.fill for one in found if one.fill is not None), default=None)
    label = _label(found, fullest)
    if view.running:
        # It is drawn with the page, and stands still while the answer grows.
        label = _("{figures} + this answer").format(figures=label)
    with st.popover(label, key="chat_next", type="tertiary"):
        for one in found:
            if len(found) > 1:
                st.markdown(f"**{literal(one.model[1])}**")
            st.markdown("\n".join(f"- {line}" for line in _lines(one)))
        st.caption(_("Our estimates, for a typical answer. What you type is counted when you send it."))
        _beyond_the_budget(found)
        set_price_button([one.model for one in found if one.cost is None], "chat_next")
        inspect_button("inspect_next", NEXT, _("What will be sent"))
        _choices()
        if st.button(_("Set a budget"), key="chat_to_budget", type="tertiary", icon=":material/savings:"):
            budgets.open_budget()
    if fullest is not None and fullest >= NEARLY_FULL_FROM and not st.session_state.get(LEAVE_OUT):
        st.caption(_("The model's context is nearly full. You will be asked what to leave out when it is."))


def unconfirmed_message() -> None:
    """A message that was not sent yet, as it is too long or too dear: what can be done."""
    unconfirmed = chat_state.unconfirmed
    if unconfirmed is None:
        return
    with st.container(key="chat_held", border=True):
        st.markdown(_why(unconfirmed))
        with st.container(horizontal=True, gap="small"):
            if unconfirmed.leave_out:
                label = _n(
                    "Leave out the oldest {count} message and send",
                    "Leave out the oldest {count} messages and send",
                    unconfirmed.leave_out,
                ).format(count=unconfirmed.leave_out)
                st.button(
                    label,
                    key="chat_held_leave_out",
                    type="primary",
                    on_click=model_actions.send_unconfirmed,
                    args=(True,),
                )
            st.button(_("Send all the same"), key="chat_held_send", on_click=model_actions.send_unconfirmed)
            st.button(
                _("Back to editing"),
                key="chat_held_back",
                type="tertiary",
                on_click=model_actions.take_back_unconfirmed,
            )


def _why(unconfirmed: UnconfirmedMessage) -> str:
    if unconfirmed.too_long:
        return _(
            "With this message the conversation is about {tokens:,} tokens long; the model reads {window:,}, "
            "its answer included."
        ).format(tokens=unconfirmed.tokens, window=unconfirmed.window)
    return _("This message costs about {cost} at list prices; you wanted to be asked from {limit} on.").format(
        cost=literal(money(unconfirmed.cost)), limit=literal(money(unconfirmed.limit))
    )


def _label(found: Sequence[Estimate], fullest: float | None) -> str:
    costs = [one.cost for one in found if one.cost is not None]
    if any(costs):
        parts = [_("about {cost}").format(cost=literal(money(sum(costs))))]
    else:
        parts = [_("about {tokens:,} tokens").format(tokens=found[0].prompt_tokens)]
    if fullest is not None and fullest >= MENTIONED_FROM:
        parts.append(_("context {percent:.0f} % full").format(percent=100 * fullest))
    return " · ".join(parts)


def _lines(one: Estimate) -> list[str]:
    lines = [_("Input so far: about {tokens:,} tokens").format(tokens=one.prompt_tokens)]
    if one.images:
        lines.append(_("Images come on top; what they cost is not known before."))
    if one.window is None or one.fill is None:
        lines.append(_("How much this model reads is not known."))
    else:
        fill = _("Context: {percent:.0f} % of {window:,} tokens")
        lines.append(fill.format(percent=100 * one.fill, window=one.window))
    if one.cost is None:
        return [*lines, _("This model has no price.")]
    if one.cost == 0:
        return [*lines, _("Next turn: free")]
    return [*lines, _("Next turn: {cost} at list prices").format(cost=literal(money(one.cost)))]


def _choices() -> None:
    st.toggle(
        _("Leave out the oldest messages when not all fit"),
        key=LEAVE_OUT,
        persist_state="session",
        help=_("Each answer says how many were left out."),
    )
    st.number_input(
        _("Ask first when a message costs more than (US dollars)"),
        min_value=0.0,
        value=None,
        step=0.01,
        format="%.2f",
        key=model_actions.ASK_FROM,
        placeholder=_("never"),
        persist_state="session",
    )


def _beyond_the_budget(found: Sequence[Estimate]) -> None:
    words = budgets.says_of_unpriced(resources.services(), visitor())
    if words and any(one.cost is None for one in found):
        st.caption(words)
