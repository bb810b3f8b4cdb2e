"""Sentences that pop up over the page and go by themselves, so that nothing on it moves for them."""

from lib.ui.shared.state import PopUp, Stays, state


def pop_up(sentence: str, icon: str | None = None, stays: Stays = "short") -> None:
    """Let the next run of the page say it. A callback may: at once, before a part of the page runs alone, Streamlit
    would put it where the page's own styles stand, and the page would lose its colours."""
    state.pop_ups.append(PopUp(sentence, icon, stays))
    state.page_is_due = True
