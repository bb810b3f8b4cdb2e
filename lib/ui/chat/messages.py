"""Draws the messages of a conversation, and the places for answers that are being written."""

import streamlit as st

from lib.calls.records import CallRecord
from lib.chat import attachments
from lib.chat.repository import Turn
from lib.core import tokens
from lib.core.errors import recorded
from lib.core.reply import Choice
from lib.core.rich_text import literal
from lib.ui.chat import answer_toolbar, open_chat, question_toolbar, turn_editor
from lib.ui.chat.answer_figures import author
from lib.ui.chat.answer_toolbar import ask_again_button
from lib.ui.chat.attachments import message_attachments, own_words
from lib.ui.chat.chat_state import chat_state
from lib.ui.chat.images import message_images
from lib.ui.chat.live_answer import LiveAnswer, thinking
from lib.ui.chat.open_chat import ChatView
from lib.ui.chat.shown_turns import first_shown
from lib.ui.chat.slow_answer import live_answer, own_stop
from lib.ui.shared.answer_parts import answer_parts
from lib.ui.shared.error_box import error_box
from lib.ui.shared.figures import mark
from lib.ui.shared.markdown import Container, markdown
from lib.ui.shared.texts import _

ICONS = {"user": ":material/person:", "assistant": ":material/auto_awesome:", "system": ":material/tune:"}
NAMES = {"user": "question", "system": "instructions"}
COLUMNS = 3


def conversation(view: ChatView) -> list[LiveAnswer]:
    """The last turns of the open branch; the answers that are being written, each in its place."""
    first = first_shown(view.turns)
    number = sum(turn.role == "assistant" for turn in view.turns[:first]) - 1
    live: list[LiveAnswer] = []
    for index, turn in enumerate(view.turns[first:], first):
        last, was_last = turn is view.turns[-1], index >= len(view.turns) - 3
        number += turn.role == "assistant"
        with st.chat_message(turn.role, avatar=ICONS[turn.role]):
            if turn.role != "assistant":
                with st.container(key=f"{NAMES[turn.role]}_{index}"):  # what the styles know it by
                    turn_editor.editor(turn) if chat_state.editing == turn.id else _question(index, turn)
            elif chat_state.editing == turn.id:
                turn_editor.editor(turn)
            elif len((then := _as_it_stood(view, index)).beside) > 1:
                live += _side_by_side(number, then, last)
            elif last and view.running:
                live = [_running(number, turn, view)]
            else:
                _answer(number, turn, last, was_last)
            if was_last and turn.role == "assistant":
                # Streamlit keeps what is gone, greyed, until the run ends; what has a place of its own goes at once.
                container = st.empty()
                if last:
                    ask_again_button(container, view)
    return live


def _question(index: int, turn: Turn) -> None:
    message_images(turn.images)
    words, files = attachments.parted(turn.text)
    if turn.id in chat_state.formatted:
        markdown(st, words)
    elif words:
        own_words(words)
    message_attachments(str(index), files)
    question_toolbar.under_question(index, turn)


def _answer(number: int, turn: Turn, last: bool, was_last: bool) -> None:
    author(turn)
    shown = turn.call.choices if turn.call and turn.call.choices else (Choice(),)
    for index, container in enumerate(_containers(number, len(shown), turn.choice)):
        with container:
            _choice(f"{number}_{index}", shown[index], turn.begun if turn.call else turn.text, turn.call)
            if len(shown) > 1:
                _ended_apart(shown[index])
                if index < len(turn.alternatives):  # a service may send more than were asked for
                    answer_toolbar.pick_button(f"{number}_{index}", turn.alternatives[index], index == turn.choice)
    _trouble(turn, last)
    answer_toolbar.under_answer(number, turn, last, was_last)


def _trouble(turn: Turn, last: bool) -> None:
    """What went wrong with an answer, and what the service did not do."""
    if turn.call and turn.call.error_kind:
        error_box(recorded(turn.call.error_record, turn.call.error_text, turn.call.error_kind))
        if last:
            answer_toolbar.second_address(turn, turn.call)
    if turn.call and turn.call.state != "started":
        answer_toolbar.not_as_asked(turn, turn.call, last)


def _running(number: int, turn: Turn, view: ChatView) -> LiveAnswer:
    author(turn)
    answer = next(iter(view.running.values()))
    return live_answer(answer, turn, _containers(number, answer.call.request.choices, turn.choice))


def _as_it_stood(view: ChatView, index: int) -> ChatView:
    """The conversation up to the turn at `index`, with the answers that stand beside that one."""
    if index == len(view.turns) - 1:
        return view
    return ChatView(view.turns[: index + 1], open_chat.current().side_by_side(view.turns[index]))


def _side_by_side(number: int, view: ChatView, last: bool) -> list[LiveAnswer]:
    """The answers of several models to one question, each in a column; those that are being written are given back."""
    live = []
    # The picked answer alone has the key `answer_<n>`: other tools find the one that the conversation goes on with.
    columns = st.columns(len(view.beside), border=True)
    for index, (column, turn) in enumerate(zip(columns, view.beside, strict=True)):
        picked = turn.id == view.turns[-1].id
        key = f"answer_{number}_{index}"
        with column, st.container(key=key):
            stop = _head(key, turn, view)
            container = st.container(key=f"answer_{number}") if picked else st.container()
            answer = view.running.get(turn.call.id) if turn.call else None
            if answer is None:
                _one_of_several(number, index, container, view)
            else:
                live.append(live_answer(answer, turn, [container], own_stop(stop, turn, f"chat_stop_{index}")))
    answer_toolbar.under_several(number, view, last)
    return live


def _head(key: str, turn: Turn, view: ChatView) -> Container:
    """Who answers in a column, and the place of its own Stop, which does not slide down as the answer grows."""
    with st.container(key=f"head_of_{key}", horizontal=True, vertical_alignment="center", gap="small"):
        author(turn, view.beside)
        return st.empty()


def _one_of_several(number: int, index: int, container: Container, view: ChatView) -> None:
    turn = view.beside[index]
    with container:
        _choice(f"{number}_{index}", turn.call.choice(turn.choice) if turn.call else Choice(), turn.begun, turn.call)
    _trouble(turn, last=False)
    answer_toolbar.under_one_of_several(number, index, turn, view)


def _containers(number: int, count: int, picked: int) -> list[Container]:
    """Where the choices of an answer stand: the picked one is `answer_<n>`, alternatives are `answer_<n>_<choice>`."""
    if count <= 1:
        return [st.container(key=f"answer_{number}")]
    containers = []
    columns = st.columns(min(count, COLUMNS))
    for index in range(count):
        outer = columns[index % COLUMNS].container(key=f"answer_{number}_{index}", border=True)
        containers.append(outer.container(key=f"answer_{number}") if index == picked else outer)
    return containers


def _choice(name: str, choice: Choice, begun: str, call: CallRecord | None) -> None:
    # The same elements as LiveChoice makes, so that a finished answer stays where it was written.
    if choice.reasoning:
        markdown(thinking(st, _thought(choice, call)), choice.reasoning)
    markdown(st, begun + choice.text)
    if choice.parts and call:
        answer_parts(st, f"parts_{name}", call.owner, choice.parts)


def _ended_apart(choice: Choice) -> None:
    """How one of several versions ended, where that is no normal end; the line below is about all of them."""
    if mark(choice.finish_reason):
        st.caption(literal(mark(choice.finish_reason)))


def _thought(choice: Choice, call: CallRecord | None) -> str:
    """How many tokens went into thinking: as the service says it, else our count."""
    if call and call.usage.reasoning_tokens and call.usage.source == "reported" and len(call.choices) == 1:
        return _("Thinking: {tokens:,} tokens").format(tokens=call.usage.reasoning_tokens)
    return _("Thinking: about {tokens:,} tokens").format(tokens=tokens.count(choice.reasoning))
