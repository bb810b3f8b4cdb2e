"""The settings of the open chat: shown when it is opened, kept when they change; those a new chat begins with."""

import streamlit as st

from lib.chat.conversation import Conversation
from lib.chat.form import AS_IT_COMES, Form
from lib.core.errors import InvalidInput
from lib.core.rich_text import literal
from lib.ui.chat.chat_state import chat_state
from lib.ui.shared import closed_fields, controls, model_picker, resources
from lib.ui.shared.state import state
from lib.ui.shared.texts import _
from lib.ui.shared.visitor import visitor
from lib.visitor.presets import PRESETS, READY, default_preset

MODEL = "chat_model"
BESIDE = "chat_models_beside"
PRESET = "chat_preset"


# All of these run in callbacks or before the page is drawn: Streamlit refuses to set a widget's value after that.
def begin() -> None:
    """Set the page as the visitor has a new chat begin: with the chosen preset, else with everything at rest."""
    owner, store = visitor().owner, resources.services().store
    controls.show("chat", AS_IT_COMES)
    name = store.read(lambda db: default_preset(db, owner))
    if name and name in READY:
        controls.switch_on("chat", "temperature", READY[name][1])
    elif name:
        controls.fill("chat", store.read(lambda db: PRESETS.own(db, owner)).get(name, {}))
    st.session_state[PRESET] = name
    # Forgotten, not set: the picker then begins with what was picked by hand last, or used last.
    st.session_state.pop(MODEL, None)
    choose_beside([])
    chat_state.settings_shown = None


def take_up(conversation: Conversation) -> None:
    """Set the page as the open chat is set."""
    begin()
    form = conversation.form()
    if form is None:
        return
    controls.show("chat", form.params, form.system)
    model = _that_can_be_asked(form.model) if form.model else None
    if model:
        st.session_state[MODEL] = model
    elif form.model:
        words = _(
            "This chat’s model, {model}, can’t be asked: its service is not connected. Connect it, or go on with the "
            "model that is chosen above."
        )
        state.notices.append(words.format(model=literal(form.model)))
    # Before the conversation is drawn: what stands under its last answer says when another model is chosen.
    model_picker.choose_first(resources.services(), visitor().owner, MODEL)
    choose_beside([found for one in form.others if (found := _that_can_be_asked(one))])


def choose_beside(models: list[str]) -> None:
    """Let these models be asked beside the first one, and no others; their field is in a popover."""
    if models != closed_fields.values_of(BESIDE):
        closed_fields.put(BESIDE, models)


def read() -> Form:
    """The page's settings as they stand; raises InvalidInput when one is outside the contract."""
    return Form(
        model=st.session_state.get(MODEL) or "",
        system=st.session_state.get("chat_system") or "",
        params=controls.read("chat"),
        others=tuple(closed_fields.values_of(BESIDE)),
    )


def keep(conversation: Conversation) -> None:
    """Keep what was changed on the page with the open chat; what can't be sent yet is kept when it can."""
    try:
        form = read()
    except InvalidInput:
        return
    if conversation.chat_id is None or (conversation.chat_id, form) == chat_state.settings_shown:
        return
    shown_before = chat_state.settings_shown is not None and chat_state.settings_shown[0] == conversation.chat_id
    chat_state.settings_shown = (conversation.chat_id, form)
    # At first only where it has none: the page may show another model than the chat's, which can't be asked today.
    if shown_before or conversation.form() is None:
        conversation.keep_form(form)


def _that_can_be_asked(model: str) -> str | None:
    """The model as the picker names it; None where its service is not connected."""
    services, owner = resources.services(), visitor().owner
    if model.partition("/")[0] in {endpoint.name for endpoint in services.registry.endpoints(owner)}:
        return model
    # Where a file or an earlier service named only the id.
    offered = model_picker.options(services, owner)
    return next((value for value in offered if model in (value, value.partition("/")[2])), None)
