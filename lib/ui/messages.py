"""The turns of a conversation as they stand on the page, and the answer that is being written."""

from collections.abc import Callable
from typing import Any

import streamlit as st

from lib.chats import Turn
from lib.errors import recorded
from lib.models import Choice
from lib.runner import Answer
from lib.ui import turn_tools
from lib.ui.blocks import blocks
from lib.ui.error_box import error_box
from lib.ui.live import follow, thinking
from lib.ui.safe import rendered
from lib.ui.state import state
from lib.ui.talk import go_on_with, show_earlier
from lib.ui.texts import _

ICONS = {"user": ":material/person:", "assistant": ":material/auto_awesome:"}
COLUMNS = 3


def conversation(turns: list[Turn], running: Answer | None, waiting: Callable[[], None]) -> None:
    """The last turns of the open branch; returns when the running answer, if there is one, has ended."""
    first = _first_shown(turns)
    number = sum(turn.role == "assistant" for turn in turns[:first]) - 1
    for index, turn in enumerate(turns[first:], first):
        last = turn is turns[-1]
        if turn.role == "user":
            _question(index, turn)
            continue
        number += 1
        if running is not None and last:
            places, status = _running_places(number, running, turn.choice)
            waiting()
            follow(running, places, status)
        else:
            _answer(number, turn, last)


def _first_shown(turns: list[Turn]) -> int:
    """The index of the first turn that is drawn, and a button for those before it: a long chat costs what a short one
    does."""
    first = max(0, len(turns) - state.shown_turns)
    if first:
        st.button(
            _("Show {count} earlier messages").format(count=first),
            key="chat_earlier",
            type="tertiary",
            icon=":material/history:",
            on_click=show_earlier,
        )
    return first


def _question(index: int, turn: Turn) -> None:
    with st.chat_message("user", avatar=ICONS["user"]):
        if state.editing == turn.id:
            turn_tools.editor(turn)
        else:
            markdown(st, turn.text)
            turn_tools.under_question(index, turn)


def _answer(number: int, turn: Turn, last: bool) -> None:
    with st.chat_message("assistant", avatar=ICONS["assistant"]):
        choices = turn.call.choices if turn.call else ()
        shown = choices or (Choice([turn.text]),)
        for index, place in enumerate(_places(number, len(shown), turn.choice)):
            with place:
                _choice(shown[index])
                if len(shown) > 1:
                    _pick_button(number, index, turn)
        if turn.call and turn.call.error_kind:
            error_box(recorded(turn.call.error_record, turn.call.error_text))
            if last:
                turn_tools.second_address(turn, turn.call)
        if turn.call and turn.call.state != "started":
            turn_tools.not_as_asked(turn, turn.call, last)
        turn_tools.under_answer(number, turn, last)


def _running_places(number: int, answer: Answer, picked: int) -> tuple[list[Any], Any]:
    with st.chat_message("assistant", avatar=ICONS["assistant"]):
        return _places(number, answer.call.request.choices, picked), st.empty()


def markdown(place: Any, text: str) -> None:
    """A whole Markdown text, cut as the live view cuts it, so that nothing moves when an answer ends."""
    for block in blocks(text):
        place.markdown(rendered(block))


def _places(number: int, count: int, picked: int) -> list[Any]:
    """Where the choices of an answer stand: the picked one is `answer_<n>`, alternatives are `answer_<n>_<choice>`."""
    if count <= 1:
        return [st.container(key=f"answer_{number}")]
    places = []
    columns = st.columns(min(count, COLUMNS))
    for index in range(count):
        outer = columns[index % COLUMNS].container(key=f"answer_{number}_{index}", border=True)
        places.append(outer.container(key=f"answer_{number}") if index == picked else outer)
    return places


def _choice(choice: Choice) -> None:
    # The same order of containers as LiveChoice, so that a finished answer stays where it was written.
    reasoning, text = st.container(), st.container()
    if choice.reasoning:
        markdown(thinking(reasoning), choice.reasoning)
    markdown(text, choice.text)


def _pick_button(number: int, index: int, turn: Turn) -> None:
    if index == turn.choice:
        st.caption(_("The conversation goes on with this one."))
    else:
        st.button(_("Go on with this one"), key=f"pick_{number}_{index}", on_click=go_on_with, args=(turn, index))
