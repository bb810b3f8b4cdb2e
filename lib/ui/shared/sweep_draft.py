"""A sweep's form as another page wants it filled, passed on once, so that pages don't import each other."""

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from lib.core.request import Message
from lib.ui.shared.page_files import SWEEP_PAGE

_SWEEP = "sweep_draft"


@dataclass(frozen=True, slots=True)
class SweepDraft:
    """A sweep's form to begin with: `history` is the conversation that `prompt` goes on."""

    prompt: str
    system: str
    models: tuple[str, ...]
    history: tuple[Message, ...]


def open_sweep_with(prompt: str, system: str, models: Sequence[str], history: Sequence[Message]) -> None:
    """Lead to the sweep page with its form filled. Only a script run can do that, no callback."""
    # Through the session and not the address: a conversation is longer than an address may be.
    st.session_state[_SWEEP] = SweepDraft(prompt, system, tuple(models), tuple(history))
    st.switch_page(SWEEP_PAGE)


def taken_sweep_draft() -> SweepDraft | None:
    """The draft that waits for the sweep page, taken out; None when there is none."""
    draft: SweepDraft | None = st.session_state.pop(_SWEEP, None)
    return draft
