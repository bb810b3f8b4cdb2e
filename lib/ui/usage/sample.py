"""The switch to sample data: made-up calls in a store of their own, said to be that wherever they are shown."""

from dataclasses import replace

import streamlit as st

from lib.core.clock import now
from lib.services import Services
from lib.store.database import Store
from lib.ui.shared import resources
from lib.ui.shared.texts import _
from lib.ui.shared.visitor import Visitor, visitor
from lib.ui.usage.usage_state import usage_state
from lib.usage import sample

KEY, WORD, ON = "usage_sample", "sample", "on"


def source(day: str) -> tuple[Services, Visitor]:
    """Whose calls are shown, and where they are: the visitor's own, or the sample's, whose days end with `day`."""
    if not usage_state.address_read and st.query_params.get(WORD) == ON:
        st.session_state[KEY] = True
    if not shown():
        return resources.services(), visitor()
    return replace(resources.services(), store=_store(day)), Visitor(sample.OWNER, sample.SESSION)


def shown() -> bool:
    """Whether the sample is looked at."""
    return bool(st.session_state.get(KEY))


def who() -> str:
    """Who made the calls that are shown, as a sentence about them says it."""
    return _("the sample") if shown() else _("you")


def is_sample(owner: str) -> bool:
    """Whether calls of this owner are made up."""
    return owner == sample.OWNER


def switch() -> None:
    """The switch, in the sidebar; the address says how it stands."""
    st.toggle(_("Show sample data"), key=KEY, persist_state="session")
    wanted = [ON] if shown() else []
    if st.query_params.get_all(WORD) != wanted:
        if wanted:
            st.query_params[WORD] = ON
        else:
            del st.query_params[WORD]


def banner() -> None:
    """Says above everything that nothing here is real, and leads back."""
    if not shown():
        return
    with st.container(key="usage_sample_banner", horizontal=True, vertical_alignment="center"):
        words = _("**Sample data:** every call here is made up, none is yours. Nothing of it is stored or counted.")
        st.warning(words, icon=":material/science:", width=640)
        st.button(
            _("Leave the sample data"), key="usage_sample_off", on_click=st.session_state.update, args=({KEY: False},)
        )


# One for all tabs: nobody can change it. A day's own, so that *today* is not empty.
@st.cache_resource(show_spinner=False, max_entries=2, on_release=Store.close)
def _store(day: str) -> Store:
    return sample.store_of(now())
