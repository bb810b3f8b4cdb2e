"""Stars, a thumb and a note for one answer."""

import streamlit as st

from lib.calls.records import CallRecord
from lib.sweep import ratings
from lib.sweep.ratings import LONGEST_NOTE, MOST_STARS, PERSON, Rating
from lib.ui.shared import resources
from lib.ui.shared.state import state
from lib.ui.shared.texts import _
from lib.ui.shared.visitor import visitor
from lib.ui.sweep.hidden_names import hidden
from lib.ui.sweep.open_study import keep


def rating_fields(call: CallRecord) -> None:
    """What the visitor says of an answer; each change is kept at once. What models say of it stands below."""
    said = _said(call)
    mine = said.get(PERSON, Rating())
    stars, thumb, note = (f"sweep_rate_{name}_{call.id}" for name in ("stars", "thumb", "note"))
    # As they are stored: the answers below may have been rated since.
    st.session_state[stars] = None if mine.stars is None else mine.stars - 1
    st.session_state[thumb] = None if mine.thumb is None else int(mine.thumb > 0)
    st.session_state.setdefault(note, mine.note)
    with st.container(horizontal=True, vertical_alignment="center", key="sweep_rating"):
        st.feedback("stars", key=stars, on_change=_keep, args=(call.id, stars, thumb, note))
        st.feedback("thumbs", key=thumb, on_change=_keep, args=(call.id, stars, thumb, note))
        st.text_input(
            _("Note"),
            key=note,
            max_chars=LONGEST_NOTE,
            placeholder=_("A note; the full report and tables show it"),
            label_visibility="collapsed",
            on_change=_keep,
            args=(call.id, stars, thumb, note),
        )
    # What a model says of it would be heard before one's own word, and it has a name.
    for rater, rating in () if hidden() else said.items():
        if rater != PERSON:
            given = rating.stars or 0
            st.text(f"{rater}{_(': ')}{'★' * given}{'☆' * (MOST_STARS - given)} {rating.note}")


def _said(call: CallRecord) -> dict[str, Rating]:
    owner, sweep_id = visitor().owner, str(state.sweep_id)
    found = resources.services().store.read(lambda db: ratings.all_of_sweep(db, owner, sweep_id))
    return {rater: rating for (call_id, rater), rating in found.items() if call_id == call.id}


def _keep(call_id: str, stars: str, thumb: str, note: str) -> None:
    given, up = st.session_state.get(stars), st.session_state.get(thumb)
    rating = Rating(
        stars=None if given is None else int(given) + 1,
        thumb=None if up is None else (1 if up else -1),
        note=(st.session_state.get(note) or "").strip(),
    )
    keep(lambda db, owner, _sweep_id: ratings.rate(db, owner, call_id, rating))
