"""Dialog with all models by vendor: what each reads and costs, and a star for favourites."""

from collections.abc import Sequence

import streamlit as st
from sqlalchemy import Connection

from lib.chat.context_window import window_of
from lib.core.i18n import N_
from lib.core.rich_text import literal
from lib.gateway import vendors
from lib.gateway.endpoints import Endpoint, find
from lib.gateway.model_ids import makes_chats
from lib.gateway.pricing import is_free_here, price_of
from lib.services import Services
from lib.ui.shared import model_picker, resources
from lib.ui.shared.figures import money
from lib.ui.shared.state import state
from lib.ui.shared.texts import _
from lib.ui.shared.visitor import visitor
from lib.visitor import favourites
from lib.visitor.favourites import Favourites

SHOWN = 60
"""Rows that are drawn where there are more models; the vendors share them."""
LEAST_OF_EACH = 4
"""Rows of each vendor, even where many vendors make more than SHOWN."""
FILTER = "chat_models_filter"
VENDOR = "chat_models_vendor"
OFFERED = "chat_models_offered"
NOT_FOR_CHATS = N_("Not for chats")

Groups = dict[str, list[tuple[str, str]]]
"""Values of the picker with their model ids, by vendor or as what is not for chats."""


def all_models(services: Services, owner: str) -> None:
    """A button that opens the list."""
    words = _("All models")
    st.button("", key="chat_models_open", icon=":material/view_list:", help=words, on_click=_open)
    if state.choosing_model:
        st.dialog(words, width="medium", on_dismiss=_close)(_body)(services, owner)


def _body(services: Services, owner: str) -> None:
    if not state.choosing_model:
        st.rerun()
    # As it was when the list was opened: a row must not jump away from under the pointer when it gets its star.
    if OFFERED not in st.session_state:
        st.session_state[OFFERED] = model_picker.options(services, owner)
    endpoints = services.registry.endpoints(owner)
    model_picker.list_troubles(services, owner, "chat_models")
    groups = _groups(st.session_state[OFFERED], endpoints)
    left, right = st.columns([2, 1])
    left.text_input(_("Part of the id"), key=FILTER, icon=":material/search:", live=True)
    right.selectbox(_("Vendor"), list(groups), None, key=VENDOR, format_func=_, placeholder=_("All of them"))
    kept = services.store.read(lambda db: favourites.of(db, owner))
    _list(_filtered(groups), kept, endpoints)


def _groups(offered: list[str], endpoints: Sequence[Endpoint]) -> Groups:
    """What the picker offers, by vendor; those of unknown vendors come after, and what is not for chats last."""
    groups: Groups = {}
    for value in offered:
        model = find(value, endpoints)[1]
        group = vendors.vendor_of(model) if makes_chats(model) else NOT_FOR_CHATS
        groups.setdefault(group, []).append((value, model))
    last = (vendors.OTHER, NOT_FOR_CHATS)
    return dict(sorted(groups.items(), key=lambda group: last.index(group[0]) if group[0] in last else -1))


def _filtered(groups: Groups) -> Groups:
    words = (st.session_state.get(FILTER) or "").lower().split()
    vendor = st.session_state.get(VENDOR)
    wanted = {name: models for name, models in groups.items() if vendor in (None, name)}
    found = {
        name: [(value, model) for value, model in models if all(word in f"{name} {model}".lower() for word in words)]
        for name, models in wanted.items()
    }
    return {name: models for name, models in found.items() if models}


def _list(groups: Groups, kept: Favourites, endpoints: Sequence[Endpoint]) -> None:
    if not groups:
        st.caption(_("No model has this in its id. In the list of the page any id can be typed."))
    everything = sum(map(len, groups.values())) <= SHOWN
    most = SHOWN if everything else max(LEAST_OF_EACH, SHOWN // len(groups))
    for vendor, models in groups.items():
        st.caption(f"**{literal(_(vendor))}**")
        for value, model in models[:most]:
            _row(value, value if len(endpoints) > 1 else model, find(value, endpoints), value in kept.starred)
        if len(models) > most:
            _more(vendor, len(models) - most, alone=len(groups) == 1)


def _more(vendor: str, count: int, alone: bool) -> None:
    """What is not drawn: behind a button, or for words to find where it is too much for one vendor."""
    if alone:
        st.caption(_("{count} more: type a part of the id.").format(count=count))
    else:
        label, icon = _("{count} more").format(count=count), ":material/expand_more:"
        st.button(label, key=f"chat_more_of_{vendor}", type="tertiary", icon=icon, on_click=_only, args=(vendor,))


def _row(value: str, label: str, model: tuple[Endpoint, str], starred: bool) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        sign, words = ("★", _("Take the star away")) if starred else ("☆", _("Star"))
        st.button(sign, key=f"chat_star_{value}", type="tertiary", help=words, on_click=_star, args=(value,))
        st.button(
            literal(label),
            key=f"chat_use_{value}",
            type="primary" if value == st.session_state.get("chat_model") else "tertiary",
            on_click=_use,
            args=(value,),
        )
        st.space("stretch")
        st.caption(_facts(*model), width="content", text_alignment="right")


def _facts(endpoint: Endpoint, model: str) -> str:
    """What is known of a model: how much it reads, and what it costs there."""
    window, price = window_of(endpoint, model), price_of(endpoint, model)
    parts = [_("{window:,} tokens").format(window=window)] if window else []
    if is_free_here(endpoint, model):
        parts.append(_("free, on this computer"))
    elif price == (0, 0):
        parts.append(_("free"))
    elif price:
        prompt, completion = (money(dollars).replace("$", "\\$") for dollars in price)
        parts.append(_("{prompt} in, {completion} out per million").format(prompt=prompt, completion=completion))
    return " · ".join(parts)


def _only(vendor: str) -> None:
    st.session_state[VENDOR] = vendor


def _use(value: str) -> None:
    st.session_state["chat_model"] = value
    _close()


def _star(value: str) -> None:
    owner = visitor().owner

    def turn(db: Connection) -> None:
        favourites.keep(db, owner, favourites.of(db, owner).with_star(value))

    resources.services().store.write(turn).result()


def _open() -> None:
    state.close_dialogs()
    state.choosing_model = True
    st.session_state.pop(OFFERED, None)


def _close() -> None:
    state.choosing_model = False
