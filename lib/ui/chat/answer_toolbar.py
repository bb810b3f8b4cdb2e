"""What stands under an answer: its figures, what went wrong, and the ways on from there (all else: message_menu.py)."""

from contextlib import nullcontext

import streamlit as st

from lib.calls import unsupported_params
from lib.calls.records import CallRecord
from lib.chat import longest_answer
from lib.chat.context_window import window_of
from lib.chat.conversation import missing, not_sent
from lib.chat.form import MOST_BESIDE, Form
from lib.chat.repository import Turn
from lib.core.errors import InvalidInput
from lib.core.rich_text import literal
from lib.gateway.addresses import host_of
from lib.gateway.endpoints import find
from lib.ui.chat import chat_settings, edit_actions, model_actions, open_chat, question_toolbar
from lib.ui.chat.answer_figures import figures_button
from lib.ui.chat.chat_settings import BESIDE
from lib.ui.chat.chat_state import chat_state
from lib.ui.chat.message_menu import answer_menu, panel, turn_over
from lib.ui.chat.open_chat import ChatView
from lib.ui.shared import closed_fields
from lib.ui.shared.figures import SENT_BEFORE
from lib.ui.shared.frame import transient
from lib.ui.shared.markdown import Container
from lib.ui.shared.state import state
from lib.ui.shared.texts import _, _n


def under_answer(number: int, turn: Turn, last: bool, was_last: bool) -> None:
    """Its versions, what can be done with it, and its figures. What only the `last` answer has goes at once from one
    that may have been the last a moment ago."""
    with transient(last) if was_last else nullcontext():
        if last:
            _go_on(turn)
    with _row():
        question_toolbar.versions(str(number), turn)
        _buttons(str(number), str(number), turn)
        if was_last:
            empty = st.empty()  # behind the others, which stay where they are when it is empty
            if last:
                _try_again(empty, _again_words(turn))
    panel(str(number), turn)


def under_one_of_several(number: int, index: int, turn: Turn, view: ChatView) -> None:
    """Whether the conversation goes on with this answer, its text to copy, its figures; what else can be done with the
    one that it goes on with, as soon as all have ended."""
    picked, name = turn.id == view.turns[-1].id, f"{number}_{index}"
    own = str(number) if picked else name
    with st.container(key=f"foot_of_answer_{name}", gap="xsmall"):
        pick_button(name, turn.id, picked)
        with _row():
            _buttons(own, name, turn, with_menu=picked and not view.running)
    panel(own, turn)


def pick_button(name: str, message_id: str, picked: bool) -> None:
    """Lets the conversation go on with one of several answers; says so of the one that it goes on with."""
    if picked:
        st.caption(_("The conversation goes on with this one."))
    else:
        st.button(
            _("Go on with this one"), key=f"pick_{name}", on_click=edit_actions.choose_version, args=(message_id,)
        )


def under_several(number: int, view: ChatView, last: bool) -> None:
    """What can be done with all answers side by side, as soon as they have ended: the `last` ones can be asked for
    again."""
    turn, again = view.turns[-1], last and not view.running
    older = not view.running and not set(turn.versions) <= {one.id for one in view.beside}
    with transient(again or older):
        if again:
            _go_on(turn)
        if again or older:
            with _row():
                if older:
                    question_toolbar.versions(str(number), turn)
                if again:
                    _try_again(st, _("Try all again") if closed_fields.values_of(BESIDE) else _again_words(turn))


def ask_again_button(place: Container, view: ChatView) -> None:
    """Stands at the last answer while the page is set otherwise than what stands there was asked with."""
    turn = view.turns[-1]
    if view.running or turn.call is None or len(view.beside) >= MOST_BESIDE:
        return
    try:
        form = chat_settings.read()
    except InvalidInput:
        return
    if form.others or _as_asked_last(form) or any(_would_ask_as(one, form) for one in view.beside):
        return
    words, key = _("Ask again with these settings"), "chat_ask_again"
    place.button(words, key=key, icon=":material/compare_arrows:", on_click=model_actions.ask_beside, args=(turn,))


def _as_asked_last(form: Form) -> bool:
    """Whether nothing was changed since this tab asked: by another model perhaps, chosen for one answer only."""
    return chat_state.asked_form == (state.chat_id, form)


def _would_ask_as(turn: Turn, form: Form) -> bool:
    """Whether an answer was asked for as `form` would ask now; a system prompt is known of this tab's questions."""
    chat_id, asked = chat_state.asked_form or (None, form)
    same_system = chat_id != state.chat_id or asked.system == form.system
    return same_system and open_chat.current().would_ask_as(turn, form)


def _row() -> Container:
    return st.container(horizontal=True, vertical_alignment="center", gap="small")


def _buttons(name: str, figures: str, turn: Turn, with_menu: bool = True) -> None:
    """What can be done with one answer, and its figures."""
    if turn.text.strip():
        _copy_button(name, turn)
    if with_menu:
        answer_menu(name, turn)
    figures_button(figures, turn)


def _copy_button(name: str, turn: Turn) -> None:
    """Shows the text to the letter, as it came, or hides it again."""
    words, icon = _("Copy"), ":material/content_copy:"
    st.button(words, key=f"copy_{name}", type="tertiary", icon=icon, on_click=turn_over, args=(name, turn, "copy"))


def second_address(turn: Turn, call: CallRecord) -> None:
    """Where nothing was sent and the service has another address: a button, never a silent attempt."""
    other = open_chat.current().other_address(call) if not_sent(call) else None
    if other is not None:
        why = _("{service} is at {address} too and takes the same key there. Nothing has been sent yet.")
        st.button(
            _("Use the second address"),
            key="chat_second_address",
            icon=":material/alt_route:",
            help=why.format(service=literal(other.title), address=literal(host_of(other.base_url))),
            on_click=model_actions.use_second_address,
            args=(turn,),
        )


def not_as_asked(turn: Turn, call: CallRecord, last: bool) -> None:
    """What was not sent, and what the service did not do."""
    if turn.left_out:
        words = _n(
            "The oldest {count} message was not sent.", "The oldest {count} messages were not sent.", turn.left_out
        )
        st.caption(words.format(count=turn.left_out))
    if call.state == "cancelled" and not any(one.text or one.reasoning or one.parts for one in call.choices):
        st.caption(_("Stopped by you before anything had come."))
    for name in unsupported_params.left_out(call.params_asked, call.params_sent):
        st.caption(_("“{name}” was left out: this model does not take it.").format(name=literal(name)))
    if call.sent_before and call.state == "ok":
        st.caption(_(SENT_BEFORE))
    lacking = missing(call)
    if not lacking:
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        came = len(call.choices)
        st.caption(_("{came} of {asked} versions came.").format(came=came, asked=came + lacking))
        if last and turn.id == turn.versions[-1]:
            st.button(_("Fetch the rest"), key="chat_fetch_rest", on_click=model_actions.fetch_missing, args=(turn,))


def _try_again(container: Container, words: str) -> None:
    container.button(
        words,
        key="chat_regenerate",
        type="tertiary",
        icon=":material/refresh:",
        on_click=model_actions.try_again,
    )


def _again_words(turn: Turn) -> str:
    other_model = _other_model(turn)
    return _("Try again with {model}").format(model=literal(other_model)) if other_model else _("Try again")


def _other_model(turn: Turn) -> str:
    """The model that is chosen now, where it is another than the one that answered: somebody has chosen it since, or it
    has taken the place of one whose service was forgotten."""
    chosen, connected = str(st.session_state.get("chat_model") or "").strip(), open_chat.current().endpoints()
    if turn.call is None or not chosen or not connected:
        return ""
    endpoint, model = find(chosen, connected)
    return "" if (endpoint.name, model) == (turn.call.endpoint, turn.call.model) else model


def _go_on(turn: Turn) -> None:
    """For an answer that was cut off or stopped, and for one whose beginning was written by hand: let the model go
    on."""
    call = turn.call
    if call is None:
        _go_on_button(_("Let the model go on"), turn)
    elif _reason(turn) == "content_filter":
        st.badge(_("Stopped by the service's content rules"), icon=":material/gpp_maybe:", color="orange")
    elif call.state == "cancelled" and turn.text.strip():
        _go_on_button(_("Continue"), turn)
    elif _reason(turn) == "length" and call.state == "ok":
        _cut_off(turn, call)


def _cut_off(turn: Turn, call: CallRecord) -> None:
    """Where an answer was cut off, and both ways on: let it go on from there, or ask again with more room."""
    longer = longest_answer.next_limit(call, turn.begun, *_most())
    with st.container(key="chat_cut_off", horizontal=True, vertical_alignment="center", gap="small"):
        st.badge(_where_cut(call), icon=":material/content_cut:", color="orange")
        if turn.text.strip():
            _go_on_button(_("Continue"), turn)
        if longer is not None:
            words = _("Ask again, up to {limit:,} tokens").format(limit=longer)
            why = _("Sets max_tokens, the longest answer, for this chat. A token is about three quarters of a word.")
            st.button(words, key="chat_longer", help=why, on_click=model_actions.allow_longer, args=(turn, longer))
    if not turn.text.strip() and not turn.parts:
        st.caption(_("All of it went into thinking, so no answer came. Allow a longer one (max_tokens)."))


def _most() -> tuple[int | None, int | None]:
    """What the operator allows an answer to take, and how much the chosen model reads, answer included, in tokens."""
    conversation = open_chat.current()
    allowed, connected = conversation.dispatcher.limits.max_tokens, conversation.endpoints()
    chosen = str(st.session_state.get("chat_model") or "").strip()
    return allowed, window_of(*find(chosen, connected)) if chosen and connected else None


def _where_cut(call: CallRecord) -> str:
    limit, written = longest_answer.limit_reached(call), call.usage.completion_tokens
    if limit:
        return _("Cut off at the {limit:,} tokens allowed").format(limit=limit)
    if written and not call.params_asked.get("max_tokens"):
        return _("Cut off after {tokens:,} tokens, where the service stops by itself").format(tokens=written)
    if written:
        return _("Cut off after {tokens:,} tokens, the model's own limit").format(tokens=written)
    return _("Cut off at the model's own limit")


def _reason(turn: Turn) -> str | None:
    return turn.call.choice(turn.choice).finish_reason if turn.call else None


def _go_on_button(label: str, turn: Turn) -> None:
    st.button(
        label, key="chat_continue", icon=":material/play_arrow:", on_click=model_actions.continue_answer, args=(turn,)
    )
