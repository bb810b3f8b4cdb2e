"""Shows an error: a sentence for people, the service's own text folded under it."""

import logging

import streamlit as st

from lib.core.errors import ConnectionFailed, StoreError, TemperaError, unforeseen
from lib.core.i18n import N_
from lib.ui.shared.markdown import to_the_letter
from lib.ui.shared.texts import _, error_sentence

log = logging.getLogger(__name__)


def bug_box(bug: Exception) -> bool:
    """Shows what a page met that nobody has foreseen, as `shown_as` says it. True tells Streamlit that it is shown."""
    error_box(shown_as(bug, "a page"))
    return True


def shown_as(bug: Exception, where: str) -> TemperaError:
    """What is said of something unforeseen: a number by which the log has it, and nothing of it. What the database
    refused is said as it is."""
    if isinstance(bug, TemperaError):
        log.warning("%s could not be shown: %s", where, bug.kind)
        return bug
    shown = unforeseen(bug, where)
    shown.hint = N_("Reload the page; what was saved before is still there.")
    return shown


def error_box(error: TemperaError) -> None:
    """What happened and what to do; the original text only on demand, and to the letter."""
    st.error(error_sentence(error), icon=":material/error:")
    if error.original:
        with st.expander(_whose_words(error), type="compact"):
            to_the_letter(st, error.original, wrap_lines=True)


def services_words(error: TemperaError) -> str:
    """What the service said, on one line; "" where the words are of somebody else, or there are none."""
    return "" if error.kind in OF_THE_STORE | OF_NO_CONNECTION else " ".join(error.original.split())


def _whose_words(error: TemperaError) -> str:
    if error.kind in OF_THE_STORE:
        return _("What the database said")
    # Where nothing answered, the words are the operating system's.
    return _("Details") if error.kind in OF_NO_CONNECTION else _("What the service said")


def _kinds(error: type[TemperaError]) -> set[str]:
    """By which an error of this class is known, and one that was recorded."""
    return {error.kind}.union(*map(_kinds, error.__subclasses__()))


OF_THE_STORE, OF_NO_CONNECTION = _kinds(StoreError), _kinds(ConnectionFailed)
