"""The turns of a conversation as they stand on the page, and the answer that is being written."""

from collections.abc import Callable
from typing import Any

import streamlit as st

from lib.calls import CallRecord
from lib.chats import Turn
from lib.errors import recorded
from lib.models import Choice
from lib.runner import Answer
from lib.ui.blocks import blocks
from lib.ui.error_box import error_box
from lib.ui.figures import details, summary
from lib.ui.live import follow, thinking
from lib.ui.safe import rendered
from lib.ui.talk import choose_version, go_on_with, try_again
from lib.ui.texts import _

ICONS = {"user": ":material/person:", "assistant": ":material/auto_awesome:"}
COLUMNS = 3


def conversation(turns: list[Turn], running: Answer | None, waiting: Callable[[], None]) -> None:
    """All turns of the open branch; returns when the running answer, if there is one, has ended."""
    number = -1
    for turn in turns:
        if turn.role == "assistant":
            number += 1
            if running is not None and turn is turns[-1]:
                break
            _answer(number, turn, last=turn is turns[-1])
        else:
            _question(turn.text)
    if running is not None:
        places, status = _running_places(number, running, turns[-1].choice)
        waiting()
        follow(running, places, status)


def _question(text: str) -> None:
    with st.chat_message("user", avatar=ICONS["user"]):
        markdown(st, text)


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
        _under(number, turn, last)


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


def _under(number: int, turn: Turn, last: bool) -> None:
    with st.container(horizontal=True, gap="small"):
        if len(turn.versions) > 1:
            _versions(number, turn)
        if last:
            st.button(
                _("Try again"), key="chat_regenerate", type="tertiary", icon=":material/refresh:", on_click=try_again
            )
        if turn.call and turn.call.state != "started":
            _figures(number, turn.call)


def _figures(number: int, call: CallRecord) -> None:
    with st.expander(summary(call), key=f"figures_{number}", type="compact"):
        st.markdown("\n".join(f"- {name}: **{rendered(value)}**" for name, value in details(call)))


def _versions(number: int, turn: Turn) -> None:
    """`< 2/3 >`: the versions of one answer."""
    at = turn.versions.index(turn.id)
    for label, key, to in (("‹", "back", at - 1), ("›", "on", at + 1)):
        inside = 0 <= to < len(turn.versions)
        if key == "on":
            st.caption(f"{at + 1}/{len(turn.versions)}")
        st.button(
            label,
            key=f"version_{key}_{number}",
            type="tertiary",
            disabled=not inside,
            help=_("Another version of this answer"),
            on_click=choose_version,
            args=(turn.versions[to] if inside else turn.id,),
        )
