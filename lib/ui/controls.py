"""The parameters of a request as controls: each with a switch, off meaning that the field is not sent."""

from dataclasses import dataclass
from typing import Any

import streamlit as st

from lib.models import MAX_STOP_SEQUENCES, RANGES, Params
from lib.ui.texts import _
from lib.words import N_

START_MAX_TOKENS = 1000


@dataclass(frozen=True, slots=True)
class Number:
    """A parameter with a range: its field name, plain words for it, and what its ends mean."""

    field: str
    words: str
    help: str


NUMBERS = {
    number.field: number
    for number in (
        Number(
            "temperature",
            N_("how adventurous"),
            N_("0 to 0.4 is precise, about 0.7 balanced, from 1 creative, above 1.5 wild."),
        ),
        Number(
            "max_tokens", N_("longest answer"), N_("In tokens; a token is about three quarters of an English word.")
        ),
        Number(
            "top_p",
            N_("word range"),
            N_("Lower values leave out unlikely words. Change this or the temperature, not both."),
        ),
        Number("n", N_("versions per question"), N_("How many answers to the same question; each one is paid for.")),
        Number(
            "presence_penalty", N_("seek new topics"), N_("Above 0 the model avoids what it has already mentioned.")
        ),
        Number("frequency_penalty", N_("avoid repeats"), N_("Above 0 the model repeats its own words less.")),
    )
}


QUIET: dict[str, Any] = {"label_visibility": "collapsed", "persist_state": "session"}


def read(prefix: str) -> Params:
    """The parameters as the controls stand; raises InvalidInput, as links can set anything."""
    values = {field: _value(prefix, field) for field in (*RANGES, "stop", "user") if _get(prefix, f"{field}_on")}
    return Params.checked({**values, "stream": _get(prefix, "stream") or None})


def parameters(prefix: str) -> None:
    """Draw the form: what matters first, the rest under More."""
    number(prefix, "temperature")
    number(prefix, "max_tokens")
    with st.expander(_("More"), key=f"{prefix}_more"):
        for field in ("top_p", "n", "presence_penalty", "frequency_penalty"):
            number(prefix, field)
        _stop_sequences(prefix)
        _user(prefix)
        _stream(prefix)
        if _get(prefix, "temperature_on") and _get(prefix, "top_p_on"):
            st.caption(_("Both temperature and top_p are on; changing one of them is usually enough."))


def system_prompt(prefix: str) -> None:
    """The standing instructions, sent before everything else."""
    st.text_area(
        _("System prompt (standing instructions)"),
        key=f"{prefix}_system",
        height=90,
        placeholder=_("For example: answer in one sentence."),
        persist_state="session",
    )


def number(prefix: str, field: str) -> None:
    """A switch and, below it, the value, resting on the contract's default."""
    words, bounds = NUMBERS[field], RANGES[field]
    on = _switch(prefix, field, words.words, words.help)
    key, label = f"{prefix}_{field}", f"{field} ({_(words.words)})"
    if bounds.highest is None:
        st.session_state.setdefault(key, int(bounds.default or START_MAX_TOKENS))
        st.number_input(label, min_value=int(bounds.lowest), step=1, key=key, disabled=not on, **QUIET)
    else:
        st.session_state.setdefault(key, bounds.default)
        ends = (bounds.lowest, bounds.highest)
        st.slider(label, *ends, step=bounds.step, format="%g", key=key, disabled=not on, **QUIET)


def _stop_sequences(prefix: str) -> None:
    on = _switch(prefix, "stop", N_("end at these words"), N_("Up to four; type one and press Enter."))
    st.multiselect(
        "stop",
        st.session_state.get(f"{prefix}_stop_words") or [],
        accept_new_options=True,
        max_selections=MAX_STOP_SEQUENCES,
        key=f"{prefix}_stop_words",
        placeholder=_("Type a word and press Enter"),
        disabled=not on,
        **QUIET,
    )


def _user(prefix: str) -> None:
    on = _switch(prefix, "user", N_("your name at the service"), N_("Some services use it to detect abuse."))
    st.text_input("user", key=f"{prefix}_user", disabled=not on, **QUIET)


def _stream(prefix: str) -> None:
    st.session_state.setdefault(f"{prefix}_stream", True)
    label = f"stream ({_('show the answer while it is written')})"
    st.toggle(label, key=f"{prefix}_stream", persist_state="session")


def _switch(prefix: str, field: str, words: str, help: str) -> bool:
    return st.toggle(f"{field} ({_(words)})", key=f"{prefix}_{field}_on", help=_(help), persist_state="session")


def _get(prefix: str, name: str) -> Any:
    return st.session_state.get(f"{prefix}_{name}")


def _value(prefix: str, field: str) -> Any:
    return tuple(_get(prefix, "stop_words") or ()) if field == "stop" else _get(prefix, field)
