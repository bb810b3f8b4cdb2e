"""Models under other names and in another order, so that answers are judged and not who wrote them."""

import random
import re
from collections.abc import Iterable, Sequence

import streamlit as st

from lib.core.errors import TemperaError
from lib.core.rich_text import literal
from lib.sweep.plan import Cell
from lib.sweep.progress import Progress
from lib.ui.shared.error_box import error_box
from lib.ui.shared.state import state
from lib.ui.shared.texts import _
from lib.ui.sweep.view_state import remembered

KEY, ON = "sweep_hide_names", "on"
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def hidden() -> bool:
    """Whether the models' names are hidden. A reload does not give them away: the address says so too."""
    if KEY not in st.session_state:
        st.session_state[KEY] = st.query_params.get(KEY) == ON
    return bool(st.session_state[KEY])


def to_address() -> None:
    """The address says whether they are."""
    if hidden():
        st.query_params[KEY] = ON
    else:
        st.query_params.pop(KEY, None)


def switch() -> None:
    """The switch that hides them, and shows them again."""
    st.toggle(_("Hide names"), key=KEY, persist_state="session", on_change=_everywhere)


def other_names(rows: Iterable[int]) -> dict[int, str]:
    """A letter for each model, by row, in the order in which they are shown: always the same for one sweep and input,
    and another for the next input, so that who was recognised once stands elsewhere there."""
    return {row: _("Model {letter}").format(letter=letter) for row, letter in _by_row(rows).items()}


def in_address(cells: Iterable[Cell]) -> dict[str, str]:
    """The models by what the address calls them: their ids, and while names are hidden their letters."""
    models = {cell.row: cell.model for cell in cells}
    if not hidden():
        return {model: model for model in models.values()}
    return {letter: models[row] for row, letter in _by_row(models).items()}


def unnamed(sentence: str, progress: Progress) -> str:
    """A sentence about one of the answers, as it is read; while names are hidden, with the other names."""
    if not hidden():
        return sentence
    for name, other in _in_sentences(progress.cells, progress):
        sentence = re.sub(rf"(?<![\w-]){re.escape(name)}(?![\w-])", other, sentence, flags=re.IGNORECASE)
    return sentence


def _in_sentences(cells: Sequence[Cell], progress: Progress) -> list[tuple[str, str]]:
    """What the models may be called in a sentence, the longest name first, each with the other name."""
    others = other_names({cell.row for cell in cells})
    found: dict[str, str] = {}
    for cell in cells:
        call = progress.results.get(cell.id)
        bare = cell.model.partition("/")[2]
        for name in (cell.model, bare, bare.rpartition("/")[2], call.model_answered if call else ""):
            found.setdefault(name, others[cell.row])
    return sorted(((name, other) for name, other in found.items() if name), key=lambda pair: -len(pair[0]))


def _by_row(rows: Iterable[int]) -> dict[int, str]:
    shuffled = sorted(rows)
    random.Random(f"{state.sweep_id} {remembered.slice}").shuffle(shuffled)
    return {row: _letters(at) for at, row in enumerate(shuffled)}


def _letters(number: int) -> str:
    """A, B, ... Z, AA, AB, ..."""
    first, last = divmod(number, len(LETTERS))
    return (LETTERS[first - 1] if first else "") + LETTERS[last]


def unnamed_error(error: TemperaError, progress: Progress) -> None:
    """Shows an error; while names are hidden without the service's own words, which may hold one."""
    if hidden():
        st.error(literal(unnamed(error.sentence(_), progress)), icon=":material/error:")
    else:
        error_box(error)


def instead(place: str = "") -> None:
    """What stands where the names would be told; `place` where there is another such place."""
    with st.container(horizontal=True, vertical_alignment="center", key=f"sweep_names_hidden{place}"):
        st.caption(_("The models' names are hidden."))
        st.button(_("Show them"), key=f"sweep_show_names{place}", type="tertiary", on_click=_show)


def _show() -> None:
    st.session_state[KEY] = False
    _everywhere()


def _everywhere() -> None:
    """The set-up, which names the models too, is drawn by the page, not with the answers."""
    remembered.asks_for_page = True
