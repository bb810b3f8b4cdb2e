"""The menu of a message: all that can be done with it, and the panel that some of that opens below it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import streamlit as st

from lib.chat.form import Form
from lib.chat.repository import Turn
from lib.core.errors import InvalidInput
from lib.core.i18n import N_
from lib.core.rich_text import tables
from lib.gateway import endpoints
from lib.ui.chat import chat_settings, edit_actions, model_actions, open_chat
from lib.ui.chat.chat_state import chat_state
from lib.ui.chat.links import chat_link
from lib.ui.shared import links, model_picker, resources
from lib.ui.shared.choices import choice_key
from lib.ui.shared.markdown import to_the_letter
from lib.ui.shared.other_pages import open_sweep_with
from lib.ui.shared.state import state
from lib.ui.shared.texts import _, error_sentence


@dataclass(frozen=True, slots=True)
class Action:
    """A thing to do with a message: how it is called, what a press does with (where the menu stands, the turn), and
    `under` which messages it is offered."""

    icon: str
    words: str
    do: Callable[[str, Turn], None]
    under: tuple[str, ...] = ("question", "answer")


def answer_menu(name: str, turn: Turn) -> None:
    """The menu of an answer."""
    _menu(name, turn, _offered("answer"))


def question_menu(name: str, turn: Turn) -> None:
    """The menu of one's own message."""
    other = "markdown" if turn.id in chat_state.formatted else "typed"
    _menu(name, turn, [action for action in _offered("question") if action != other])


def _offered(role: str) -> list[str]:
    return [name for name, action in ACTIONS.items() if role in action.under]


def _menu(name: str, turn: Turn, choices: Sequence[str]) -> None:
    """The menu; the page knows it as `more_<name>`. It opens without asking the server and costs a page a third of what
    a popover does."""
    label, key = _("More"), f"more_{name}"
    chosen = st.menu_button(
        label, choices, key=key, type="tertiary", format_func=_label, on_click=_do, args=(name, turn)
    )
    if chosen == "sweep" and _why_not_swept(turn) is None:
        _open_in_sweep(turn)  # only the page itself can lead to another one, no callback


def panel(name: str, turn: Turn) -> None:
    """What was opened below this turn, if anything was."""
    *place, kind = chat_state.panel or ("", "", "")
    if place == [name, turn.id]:
        with st.container(border=True, key=f"panel_{name}"):
            PANELS[kind](name, turn)
            st.button(_("Close"), key=f"panel_close_{name}", type="tertiary", on_click=_close)


def turn_over(name: str, turn: Turn, kind: str) -> None:
    """Open the panel below this turn with one of PANELS, or close it where it shows that."""
    panel = (name, turn.id, kind)
    chat_state.panel = None if chat_state.panel == panel else panel


def _label(action: str) -> str:
    return f":material/{ACTIONS[action].icon}: {_(ACTIONS[action].words)}"


def _do(name: str, turn: Turn) -> None:
    ACTIONS[st.session_state[f"more_{name}"]].do(name, turn)


def _show_otherwise(_name: str, turn: Turn) -> None:
    chat_state.formatted ^= {turn.id}


def _say_why_not_swept(_name: str, turn: Turn) -> None:
    if why_not := _why_not_swept(turn):
        state.notices.append(why_not)


def _close() -> None:
    chat_state.panel = None


def _to_the_letter(_name: str, turn: Turn) -> None:
    st.caption(_("To the letter, as it came; the button in the corner copies it:"))
    to_the_letter(st, turn.text, wrap_lines=True)
    found = tables(turn.text)
    if found:
        st.caption(_("Its tables, to be pasted into a spreadsheet:"))
    for table in found:
        st.code(table, language=None)


def _other_model(name: str, turn: Turn) -> None:
    owner, key = open_chat.current().owner, f"again_model_{name}"
    st.selectbox(
        _("Try again with another model"),
        model_picker.options(resources.services(), owner),
        index=None,
        format_func=model_picker.model_label,
        key=choice_key(key),
        placeholder=_("Choose a model"),
        accept_new_options=True,
        on_change=_again_with,
        args=(key, turn),
    )


def _again_with(key: str, turn: Turn) -> None:
    model = st.session_state[key]
    if model:
        _close()
        model_actions.try_again(turn, model)


def _share(_name: str, turn: Turn) -> None:
    """The address that asks the question `turn` with the settings as they stand."""
    try:
        link = chat_link(_named(chat_settings.read()), turn.text, links.page_address())
    except InvalidInput as error:
        st.caption(error_sentence(error))
    else:
        links.show_link(_("A link with this question, the model and the settings; never a key:"), link)


def _named(form: Form) -> Form:
    """The form with the service named, so that the link means the same whatever is connected there."""
    connected = open_chat.current().endpoints()
    return replace(form, model=endpoints.named(form.model, connected)) if connected and form.model else form


def _why_not_swept(turn: Turn) -> str | None:
    """Why the conversation up to `turn` can't be swept; None where it can."""
    if chat_state.temporary:
        return _("A sweep is kept; a temporary chat is not.")
    pictured = any(one.images for one in _up_to(turn))
    return _("A sweep sends text only; this conversation has images.") if pictured else None


def _open_in_sweep(turn: Turn) -> None:
    """Open Sweep with the last question up to `turn` as its prompt, and what was said before as its history."""
    form = chat_settings.read()
    messages = open_chat.current().to_send(_up_to(turn))
    while messages and messages[-1].role != "user":
        messages.pop()
    prompt = messages.pop().content if messages else ""
    open_sweep_with(prompt, form.system, form.models, messages)


def _up_to(turn: Turn) -> list[Turn]:
    turns = open_chat.current().branch()
    at = next((index for index, one in enumerate(turns) if one.id == turn.id), len(turns) - 1)
    return turns[: at + 1]


PANELS: Mapping[str, Callable[[str, Turn], None]] = {
    "copy": _to_the_letter,
    "share": _share,
    "again": _other_model,
}
ACTIONS: Mapping[str, Action] = {
    "again": Action("refresh", N_("Try again with another model"), partial(turn_over, kind="again"), ("answer",)),
    "edit": Action("edit", N_("Edit"), lambda _name, turn: edit_actions.edit(turn), ("answer",)),
    "markdown": Action("text_format", N_("Show as Markdown"), _show_otherwise, ("question",)),
    "typed": Action("text_format", N_("Show as typed"), _show_otherwise, ("question",)),
    "share": Action("link", N_("Share as a link"), partial(turn_over, kind="share"), ("question",)),
    "write": Action("add_comment", N_("Add a turn by hand"), lambda _name, _turn: edit_actions.begin_writing()),
    "sweep": Action("grid_view", N_("Open in Sweep"), _say_why_not_swept),
    "delete": Action("delete", N_("Delete"), lambda _name, turn: edit_actions.delete(turn)),
}
"""All that can be done with a message, in the order of the menus."""
