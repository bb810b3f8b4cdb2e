"""The row of presets in the settings: three built-in ones and the visitor's own."""

from collections.abc import Callable

import streamlit as st
from sqlalchemy import Connection

from lib.core.rich_text import literal
from lib.services import Services
from lib.ui.shared import controls, resources
from lib.ui.shared.refusals import refusals_told, stored
from lib.ui.shared.texts import _
from lib.ui.shared.unsupported_params import ChosenModel
from lib.ui.shared.visitor import Visitor, visitor
from lib.visitor import presets
from lib.visitor.presets import PRESETS, READY
from lib.visitor.saved_items import LONGEST_NAME, Values


def preset_row(services: Services, who: Visitor, prefix: str, model: ChosenModel) -> None:
    """One of the presets can be chosen, which fills the controls; beside them, what keeps and changes own ones. One is
    marked while the `model` is sent what it holds."""
    own = services.store.read(lambda db: PRESETS.own(db, who.owner))
    default = services.store.read(lambda db: presets.default_preset(db, who.owner))
    key = f"{prefix}_preset"
    if not _holds(prefix, own, st.session_state.get(key) or "", model):
        st.session_state[key] = None
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.pills(
            _("Presets"),
            [*READY, *own],
            format_func=_name,
            key=key,
            on_change=_choose,
            args=(prefix,),
            label_visibility="collapsed",
            wrap=True,
            persist_state="session",
        )
        with st.popover(_("Your presets"), type="tertiary", icon=":material/bookmark:", key=f"{prefix}_presets"):
            chosen = st.session_state.get(key)
            _new_chats(prefix, chosen, default)
            _own_presets(prefix, chosen if chosen in own else None)
        st.button(
            _("All off"),
            key=f"{prefix}_all_off",
            type="tertiary",
            icon=":material/toggle_off:",
            help=_("None of them is sent then, and the model's own defaults hold; the values stay as they are."),
            disabled=not controls.any_on(prefix),
            on_click=controls.all_off,
            args=(prefix,),
        )


def _new_chats(prefix: str, chosen: str | None, default: str | None) -> None:
    """The tick that lets new chats begin with the chosen preset."""
    shown = chosen or default
    if shown is None:
        st.caption(_("New chats begin with everything at rest; to begin with a preset, choose it first."))
        return
    # A key for each preset, so that the tick always begins as it is kept.
    key = f"{prefix}_preset_default_{shown}"
    words = _("Begin new chats with “{name}”").format(name=_name(shown))
    st.checkbox(words, shown == default, key=key, on_change=_begin_with, args=(key, shown))


def _begin_with(key: str, name: str) -> None:
    wanted = name if st.session_state[key] else None
    stored(lambda db, owner: presets.begin_with(db, owner, wanted))


def _name(preset: str) -> str:
    return _(READY[preset][0]) if preset in READY else literal(preset)


def _own_presets(prefix: str, chosen: str | None) -> None:
    st.caption(_("A preset keeps the system prompt and all settings here; not the model."))
    # A form: Enter in the name saves.
    with st.form(f"{prefix}_preset_form", border=False):
        st.text_input(_("Name"), key=f"{prefix}_preset_name", max_chars=LONGEST_NAME, placeholder=chosen or "")
        with st.container(horizontal=True):
            save, words = f"{prefix}_preset_save", _("Save these settings as a preset")
            st.form_submit_button(words, key=save, icon=":material/bookmark_add:", on_click=_save, args=(prefix,))
            if chosen is not None:
                rename = f"{prefix}_preset_rename"
                st.form_submit_button(_("Rename"), key=rename, on_click=_rename, args=(prefix, chosen))
    if chosen is None:
        st.caption(_("To rename or delete one of yours, choose it first."))
        return
    st.button(_("Delete"), key=f"{prefix}_preset_delete", on_click=_delete, args=(prefix, chosen))


def _choose(prefix: str) -> None:
    name, owner = str(st.session_state.get(f"{prefix}_preset") or ""), visitor().owner
    if name in READY:
        controls.fill(prefix, _ready(name))
    elif name:
        controls.fill(prefix, resources.services().store.read(lambda db: PRESETS.own(db, owner)).get(name, {}))


def _holds(prefix: str, own: dict[str, Values], name: str, model: ChosenModel) -> bool:
    """Whether the controls stand as the preset `name` set them, and the model takes what that switches on."""
    now, kept = controls.values(prefix), _ready(name) if name in READY else own.get(name)
    if kept is None or any(kept.get(f"{field}_on") and not model.takes(field) for field in controls.SWITCHED):
        return False
    kept = controls.as_now(kept)
    return {item: now.get(item) for item in kept} == kept


def _ready(name: str) -> Values:
    """What a built-in preset sets."""
    return {"temperature": READY[name][1], "temperature_on": True, "top_p_on": False}


def _save(prefix: str) -> None:
    name, values = st.session_state[f"{prefix}_preset_name"], controls.values(prefix)
    with refusals_told():
        controls.read(prefix)  # what can't be sent is not worth keeping
        _change(prefix, lambda db, owner: PRESETS.save(db, owner, name, values))


def _rename(prefix: str, old: str) -> None:
    new = st.session_state[f"{prefix}_preset_name"]
    _change(prefix, lambda db, owner: presets.rename(db, owner, old, new))


def _delete(prefix: str, name: str) -> None:
    _change(prefix, lambda db, owner: PRESETS.delete(db, owner, name))


def _change(prefix: str, work: Callable[[Connection, str], str | None]) -> None:
    """Do `work` and let the preset that it names be the chosen one; say so when it can't be done."""
    owner = visitor().owner
    with refusals_told():
        name = resources.services().store.write(lambda db: work(db, owner)).result()
        st.session_state[f"{prefix}_preset"], st.session_state[f"{prefix}_preset_name"] = name, ""
