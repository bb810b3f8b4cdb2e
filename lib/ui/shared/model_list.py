"""The list of all models by vendor, to be filtered: what each reads and costs, and a star for favourites."""

from collections.abc import Callable, Sequence

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
from lib.ui.shared.choices import choice_key
from lib.ui.shared.figures import money
from lib.ui.shared.texts import _
from lib.ui.shared.visitor import visitor
from lib.visitor import favourites

SHOWN = 60
"""Rows that are drawn where there are more models; the vendors share them."""
LEAST_OF_EACH = 4
"""Rows of each vendor, even where many vendors make more than SHOWN."""
NOT_FOR_CHATS = N_("Not for chats")

Groups = dict[str, list[tuple[str, str]]]
"""Values of the picker with their model ids, by vendor or as what is not for chats."""
Choose = Callable[[str, str], None]
"""Draws what chooses a model: gets its value and its label."""


def begin(page: str) -> None:
    """Let the list of `page` be drawn anew, in the order that holds now."""
    st.session_state.pop(_offered(page), None)


def model_list(services: Services, owner: str, page: str, choose: Choose) -> None:
    """The list, with its filters; the widgets' keys begin with `page`."""
    # As it was when the list was opened: a row must not jump away from under the pointer when it gets its star.
    if _offered(page) not in st.session_state:
        st.session_state[_offered(page)] = model_picker.options(services, owner)
    endpoints = services.registry.endpoints(owner)
    model_picker.list_troubles(services, owner, f"{page}_models")
    groups = _groups(st.session_state[_offered(page)], endpoints)
    left, right = st.columns([2, 1])
    words = left.text_input(_("Part of the id"), key=f"{page}_models_filter", icon=":material/search:", live=True)
    vendor = right.selectbox(
        _("Vendor"),
        list(groups),
        None,
        key=choice_key(f"{page}_models_vendor"),
        format_func=_,
        placeholder=_("All of them"),
    )
    starred = services.store.read(lambda db: favourites.of(db, owner)).starred
    with st.container(gap="xsmall"):
        _list(page, _filtered(groups, words or "", vendor), starred, endpoints, choose)


def _offered(page: str) -> str:
    return f"{page}_models_offered"


def _groups(offered: list[str], endpoints: Sequence[Endpoint]) -> Groups:
    """What the picker offers, by vendor; those of unknown vendors come after, and what is not for chats last."""
    groups: Groups = {}
    for value in offered:
        model = find(value, endpoints)[1]
        group = vendors.vendor_of(model) if makes_chats(model) else NOT_FOR_CHATS
        groups.setdefault(group, []).append((value, model))
    last = (vendors.OTHER, NOT_FOR_CHATS)
    return dict(sorted(groups.items(), key=lambda group: last.index(group[0]) if group[0] in last else -1))


def _filtered(groups: Groups, words: str, vendor: str | None) -> Groups:
    wanted = {name: models for name, models in groups.items() if vendor in (None, name)}
    parts = words.lower().split()
    found = {
        name: [(value, model) for value, model in models if all(part in f"{name} {model}".lower() for part in parts)]
        for name, models in wanted.items()
    }
    return {name: models for name, models in found.items() if models}


def _list(page: str, groups: Groups, starred: Sequence[str], endpoints: Sequence[Endpoint], choose: Choose) -> None:
    if not groups:
        st.caption(_("No model has this in its id. In the list of the page any id can be typed."))
    everything = sum(map(len, groups.values())) <= SHOWN
    most = SHOWN if everything else max(LEAST_OF_EACH, SHOWN // len(groups))
    for vendor, models in groups.items():
        st.caption(f"**{literal(_(vendor))}**")
        for value, model in models[:most]:
            with st.container(horizontal=True, vertical_alignment="center", gap="small"):
                _star_button(page, value, value in starred)
                choose(value, literal(value if len(endpoints) > 1 else model))
                st.space("stretch")
                st.caption(_facts(*find(value, endpoints)), width="content", text_alignment="right")
        if len(models) > most:
            _more(page, vendor, len(models) - most, alone=len(groups) == 1)


def _more(page: str, vendor: str, count: int, alone: bool) -> None:
    """What is not drawn: behind a button, or for words to find where it is too much for one vendor."""
    if alone:
        st.caption(_("{count} more: type a part of the id.").format(count=count))
    else:
        label, icon = _("{count} more").format(count=count), ":material/expand_more:"
        key, only = f"{page}_more_of_{vendor}", {f"{page}_models_vendor": vendor}
        st.button(label, key=key, type="tertiary", icon=icon, on_click=st.session_state.update, args=(only,))


def _star_button(page: str, value: str, starred: bool) -> None:
    sign, words = ("★", _("Take the star away")) if starred else ("☆", _("Star"))
    st.button(sign, key=f"{page}_star_{value}", type="tertiary", help=words, on_click=_star, args=(value,))


def _facts(endpoint: Endpoint, model: str) -> str:
    """What is known of a model: how much it reads, and what it costs there."""
    window, price = window_of(endpoint, model), price_of(endpoint, model)
    parts = [_("{window:,} tokens").format(window=window)] if window else []
    if is_free_here(endpoint, model):
        parts.append(_("free, on this computer"))
    elif price == (0, 0):
        parts.append(_("free"))
    elif price:
        prompt, completion = (literal(money(dollars)) for dollars in price)
        parts.append(_("{prompt} in, {completion} out per million").format(prompt=prompt, completion=completion))
    else:
        parts.append(_("no price"))
    return " · ".join(parts)


def _star(value: str) -> None:
    owner = visitor().owner

    def turn(db: Connection) -> None:
        favourites.keep(db, owner, favourites.of(db, owner).with_star(value))

    resources.services().store.write(turn).result()
