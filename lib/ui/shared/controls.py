"""The parameters of a request as controls: each with a switch, off meaning that the field is not sent."""

from dataclasses import dataclass
from typing import Any

import streamlit as st

from lib.core import extra_fields
from lib.core.contract import MAX_STOP_SEQUENCES, RANGES, Params
from lib.core.errors import InvalidInput
from lib.core.i18n import N_
from lib.ui.shared import unsupported_params
from lib.ui.shared.markdown import rendered
from lib.ui.shared.texts import _
from lib.ui.shared.unsupported_params import Chosen

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
            N_("Low values give the likeliest words, almost the same each time; high values surprise."),
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


ZONES = ((0.0, N_("precise")), (0.5, N_("balanced")), (1.0, N_("creative")), (1.5, N_("wild")))
"""Where each zone of the temperature begins; the last one goes on to the end."""

SWITCHED = (*RANGES, "stop", "user")
NAMES = ("system", "stop_words", "user", "stream", "json", *RANGES, *(f"{field}_on" for field in SWITCHED))
"""All controls of the settings, as they are called after the page's prefix."""
MOST_NAMED = 4
STANDS_OUT = ":small[**{}**]"

QUIET: dict[str, Any] = {"label_visibility": "collapsed", "persist_state": "session"}


def read(prefix: str) -> Params:
    """The parameters as the controls stand; raises InvalidInput, as links can set anything."""
    values = {field: _value(prefix, field) for field in SWITCHED if _get(prefix, f"{field}_on")}
    more = extra_fields.read(_get(prefix, "json") or "")
    return Params.checked({**values, "stream": _get(prefix, "stream") or None, "more": more})


def label(prefix: str, chosen: Chosen) -> str:
    """The settings' heading: what differs from a new page stands in it."""
    changes = _changes(prefix, chosen)
    named, rest = changes[:MOST_NAMED], len(changes[MOST_NAMED:])
    return " · ".join([_("Settings"), *named, *([f"+{rest}"] if rest else [])])


def basics(prefix: str, chosen: Chosen) -> None:
    """What matters first."""
    with st.container(gap="xsmall"):
        number(prefix, "temperature", chosen)
        _zones(prefix)
    number(prefix, "max_tokens", chosen)
    system_prompt(prefix)


def more(prefix: str, chosen: Chosen) -> None:
    """The rest, closed at first."""
    with st.expander(_("More"), key=f"{prefix}_more"):
        for field in ("top_p", "n", "presence_penalty", "frequency_penalty"):
            number(prefix, field, chosen)
        if _get(prefix, "temperature_on") and _get(prefix, "top_p_on"):
            st.caption(_("Both temperature and top_p are on; changing one of them is usually enough."))
        _stop_sequences(prefix, chosen)
        _user(prefix, chosen)
        _stream(prefix, chosen)
        _further(prefix, chosen)


def system_prompt(prefix: str) -> None:
    """The standing instructions, sent before everything else."""
    st.text_area(
        _("System prompt (standing instructions)"),
        key=f"{prefix}_system",
        height=90,
        placeholder=_("For example: answer in one sentence."),
        persist_state="session",
    )


def number(prefix: str, field: str, chosen: Chosen) -> None:
    """A switch and, below it, the value, resting on the contract's default."""
    words, bounds = NUMBERS[field], RANGES[field]
    on = _switch(prefix, field, words.words, words.help, chosen)
    key, label = f"{prefix}_{field}", f"{field} ({_(words.words)})"
    if bounds.highest is None:
        st.session_state.setdefault(key, int(bounds.default or START_MAX_TOKENS))
        st.number_input(label, min_value=int(bounds.lowest), step=1, key=key, disabled=not on, **QUIET)
    else:
        st.session_state.setdefault(key, bounds.default)
        ends = (bounds.lowest, bounds.highest)
        st.slider(label, *ends, step=bounds.step, format="%g", key=key, disabled=not on, **QUIET)


def zone(temperature: float) -> str:
    """The word for a temperature, in English."""
    return [words for lowest, words in ZONES if temperature >= lowest][-1]


def _zones(prefix: str) -> None:
    """The words for the temperature, along its slider; the one that it stands in is bold."""
    inside = zone(_get(prefix, "temperature")) if _get(prefix, "temperature_on") else ""
    row = st.container(
        key=f"{prefix}_temperature_zones",
        horizontal=True,
        wrap=False,
        horizontal_alignment="distribute",
        vertical_alignment="center",
    )
    with row:
        for _lowest, words in ZONES:
            if words == inside:
                st.markdown(STANDS_OUT.format(_(words)), width="content")
            else:
                st.caption(_(words), width="content")


def _stop_sequences(prefix: str, chosen: Chosen) -> None:
    on = _switch(prefix, "stop", N_("end at these words"), N_("Up to four; type one and press Enter."), chosen)
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


def _user(prefix: str, chosen: Chosen) -> None:
    help = N_("Some services use it to detect abuse.")
    on = _switch(prefix, "user", N_("your name at the service"), help, chosen)
    st.text_input("user", key=f"{prefix}_user", disabled=not on, **QUIET)


def _stream(prefix: str, chosen: Chosen) -> None:
    st.session_state.setdefault(f"{prefix}_stream", True)
    label, taken = f"stream ({_('show the answer while it is written')})", chosen.takes("stream")
    st.toggle(label, key=f"{prefix}_stream", disabled=not taken, persist_state="session")
    if not taken:
        unsupported_params.reason(prefix, chosen, "stream")


def _further(prefix: str, chosen: Chosen) -> None:
    """What no control has: any fields, as JSON; a mistake is said at once."""
    st.text_area(
        _("Further fields (JSON)"),
        key=f"{prefix}_json",
        height=90,
        placeholder=extra_fields.EXAMPLE,
        help=_("Sent as they are, after the other fields. Services leave out or refuse what they do not know."),
        persist_state="session",
    )
    try:
        fields = extra_fields.read(_get(prefix, "json") or "")
    except InvalidInput as wrong:
        st.error(rendered(_(wrong.what).format(**wrong.facts)), icon=":material/error:")
        return
    for field in fields or ():
        if not chosen.takes(field):
            unsupported_params.reason(prefix, chosen, field)


def _switch(prefix: str, field: str, words: str, help: str, chosen: Chosen) -> bool:
    """Draw the switch of a field; whether its value can be set."""
    taken = chosen.takes(field)
    label, key = f"{field} ({_(words)})", f"{prefix}_{field}_on"
    on = st.toggle(label, key=key, help=_(help), disabled=not taken, persist_state="session")
    if not taken:
        unsupported_params.reason(prefix, chosen, field)
    return on and taken


def _changes(prefix: str, chosen: Chosen) -> list[str]:
    """What is set, and will be sent, in a word or two each."""
    switched = [field for field in SWITCHED if _get(prefix, f"{field}_on") and chosen.takes(field)]
    found = [f"{field} {_short(_get(prefix, field))}" if field in RANGES else field for field in switched]
    if (_get(prefix, "system") or "").strip():
        found.insert(0, _("system prompt"))
    if _get(prefix, "stream") is False:
        found.append(_("not streamed"))
    return [*found, "JSON"] if (_get(prefix, "json") or "").strip() else found


def _short(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value or "")


def _get(prefix: str, name: str) -> Any:
    return st.session_state.get(f"{prefix}_{name}")


def _value(prefix: str, field: str) -> Any:
    return tuple(_get(prefix, "stop_words") or ()) if field == "stop" else _get(prefix, field)
