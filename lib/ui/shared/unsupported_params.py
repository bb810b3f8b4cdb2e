"""Greys a control whose parameter the chosen model does not take, with the reason and a button that tries it
again."""

from dataclasses import dataclass

import streamlit as st

from lib.calls import unsupported_params
from lib.core.request import names_of
from lib.core.rich_text import literal
from lib.gateway.endpoints import find
from lib.services import Services
from lib.ui.shared import resources
from lib.ui.shared.texts import _


@dataclass(frozen=True, slots=True)
class ChosenModel:
    """A visitor's chosen model at its address, and the fields that it is known to refuse."""

    owner: str
    base_url: str
    model: str
    unsupported: frozenset[str]

    def takes(self, field: str) -> bool:
        """Whether it is worth sending `field`, under any of its names."""
        return not self.unsupported.issuperset(names_of(field))


ANY_MODEL = ChosenModel("", "", "", frozenset())
"""No model in particular: nothing is known to be unsupported."""


def chosen(services: Services, owner: str, value: str) -> ChosenModel:
    """The model that the picker's `value` means, with what is known of it."""
    endpoints = services.registry.endpoints(owner)
    if not endpoints or not value.strip():
        return ChosenModel(owner, "", "", frozenset())
    endpoint, model = find(value.strip(), endpoints)
    known = services.store.read(lambda db: unsupported_params.known(db, owner, endpoint.base_url, model))
    return ChosenModel(owner, endpoint.base_url, model, known)


def why_greyed(prefix: str, chosen: ChosenModel, field: str) -> None:
    """Says why a control is greyed, beside the button that tries its field again."""
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall", key=f"{prefix}_greyed_{field}"):
        words = _("{model} does not take {field}; it is left out.")
        st.caption(words.format(model=literal(chosen.model), field=literal(field)), width="content")
        words, key = _("Try it again"), f"{prefix}_try_{field}"
        st.button(words, key=key, type="tertiary", icon=":material/refresh:", on_click=_forget, args=(chosen, field))


def _forget(chosen: ChosenModel, field: str) -> None:
    owner, base_url, model, names = chosen.owner, chosen.base_url, chosen.model, names_of(field)
    resources.services().store.write(lambda db: unsupported_params.forget(db, owner, base_url, model, names)).result()
