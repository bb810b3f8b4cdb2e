"""Every control of a request, once: what it is called, what it is set to at first, how it is drawn and read."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import streamlit as st

from lib.core import extra_fields, stop_words
from lib.core.errors import InvalidInput
from lib.core.i18n import N_, in_brackets
from lib.core.parameters import MAX_STOP_SEQUENCES, RANGES, Params
from lib.core.rich_text import literal
from lib.core.titles import title_of
from lib.ui.shared import unsupported_params
from lib.ui.shared.texts import _, error_message
from lib.ui.shared.unsupported_params import ChosenModel

START_MAX_TOKENS = 1000
MOST_NAMED = 4
MARKED = ":primary[{}]"
STANDS_OUT = ":small[**{}**]"
QUIET: dict[str, Any] = {"label_visibility": "collapsed", "persist_state": "session"}
ZONES = ((0.0, N_("precise")), (0.5, N_("balanced")), (1.0, N_("creative")), (1.5, N_("wild")))
"""Where each zone of the temperature begins; the last one goes on to the end."""
Kind = Literal["number", "word", "words", "flag", "text", "json"]
INITIAL: Mapping[Kind, Any] = {"word": "", "words": [], "flag": True, "text": "", "json": ""}
"""What a control is set to that was never touched; a number has the API's default."""


@dataclass(frozen=True, slots=True)
class Control:
    """One control of a request. Its widget has the key `<page>_<name>`, its switch `<page>_<field>_on`.

    `words` and `help` say in plain language what it does; `kind` how it is drawn and read.
    """

    field: str
    words: str = ""
    help: str = ""
    kind: Kind = "number"
    name: str = ""

    @property
    def switch(self) -> bool:
        """Whether it has a switch, and is sent only while that is on."""
        return self.kind in ("number", "word", "words")

    @property
    def initial(self) -> Any:
        """The value of one that was never touched."""
        if self.kind != "number":
            return INITIAL[self.kind]
        default = RANGES[self.field].default
        return START_MAX_TOKENS if default is None else default

    @property
    def widgets(self) -> tuple[str, ...]:
        """The names of its widgets: that of its value, and that of its switch where it has one."""
        value = self.name or self.field
        return (value, f"{self.field}_on") if self.switch else (value,)

    def keys(self, page: str) -> tuple[str, ...]:
        """The keys of its widgets on a page."""
        return tuple(f"{page}_{name}" for name in self.widgets)

    def sending(self, value: Any) -> dict[str, Any]:
        """How its widgets stand, by name, where it sends `value`."""
        shown = [stop_words.escaped(word) for word in value] if self.kind == "words" else value
        return dict(zip(self.widgets, (shown, True), strict=False))


CONTROLS = {
    control.field: control
    for control in (
        Control("system", kind="text"),
        Control(
            "temperature",
            N_("how adventurous"),
            N_("Low values give the likeliest words, almost the same each time; high values surprise."),
        ),
        Control(
            "max_tokens", N_("longest answer"), N_("In tokens; a token is about three quarters of an English word.")
        ),
        Control(
            "top_p",
            N_("word range"),
            N_("Lower values leave out unlikely words. Change this or the temperature, not both."),
        ),
        Control("n", N_("versions per question"), N_("How many answers to the same question; each one is paid for.")),
        Control(
            "presence_penalty", N_("seek new topics"), N_("Above 0 the model avoids what it has already mentioned.")
        ),
        Control("frequency_penalty", N_("avoid repeats"), N_("Above 0 the model repeats its own words less.")),
        Control(
            "stop",
            N_("end at these words"),
            N_("Up to four; type one and press Enter. `\\n` is the end of a line, `\\t` a tab, `\\\\` a backslash."),
            kind="words",
            name="stop_words",
        ),
        Control("user", N_("your name at the service"), N_("Some services use it to detect abuse."), kind="word"),
        Control("stream", N_("show the answer while it is written"), kind="flag"),
        Control("json", kind="json"),
    )
}
"""Every setting of a request, once: the panel, presets, links and what is remembered over a reload all read this."""
IN_MORE = tuple(field for field in CONTROLS if field not in ("system", "temperature", "max_tokens"))
SWITCHED = tuple(field for field, control in CONTROLS.items() if control.switch)


def keys(prefix: str, fields: Iterable[str] = tuple(CONTROLS)) -> tuple[str, ...]:
    """The keys of all widgets of these controls."""
    return tuple(key for field in fields for key in CONTROLS[field].keys(prefix))


def values(prefix: str) -> dict[str, Any]:
    """How the controls stand, by name without the page; numbers that were never drawn are left out."""
    found = {}
    for control in CONTROLS.values():
        name, *switch = control.widgets
        value = _get(prefix, name)
        if value is not None or control.kind != "number":
            found[name] = value if value is not None else control.initial
        found |= {one: bool(_get(prefix, one)) for one in switch}
    return found


# `fill` and `switch_on` run in callbacks or before the widgets: Streamlit refuses to set a widget's value after it was
# drawn in the same run.
def fill(prefix: str, values: Mapping[str, Any]) -> None:
    """Set controls to `values`, as `values()` gives them; those not named stay as they are."""
    values = as_now(values)
    for name in (name for control in CONTROLS.values() for name in control.widgets):
        if name in values:
            st.session_state[f"{prefix}_{name}"] = values[name]


def as_now(values: Mapping[str, Any]) -> Mapping[str, Any]:
    """`values` that may have been kept before one of the further fields got a control: it is that control's now."""
    params, rest = extra_fields.taken_over(str(values.get("json") or ""))
    stand = {"json": rest} if params.to_send() else {}
    for field, value in params.to_send().items():
        stand |= CONTROLS[field].sending(value)
    return {**values, **stand}


def show(prefix: str, params: Params, system: str = "") -> None:
    """Set all controls as where just these parameters are sent; the others get their first value, switched off."""
    for control in CONTROLS.values():
        for key, value in zip(control.keys(prefix), (control.initial, False), strict=False):
            st.session_state[key] = list(value) if isinstance(value, list) else value
    switch(prefix, SWITCHED, params)
    st.session_state[f"{prefix}_system"] = system
    st.session_state[f"{prefix}_stream"] = bool(params.stream)
    st.session_state[f"{prefix}_json"] = extra_fields.as_typed(params.extra_fields)


def switch_on(prefix: str, field: str, value: Any) -> None:
    """Set a control's value, and its switch where it has one."""
    for name, wanted in CONTROLS[field].sending(value).items():
        st.session_state[f"{prefix}_{name}"] = wanted


def switch(prefix: str, fields: Iterable[str], params: Params) -> None:
    """Switch on, with its value, each of these controls that `params` sends, and the others off."""
    for field in fields:
        value = getattr(params, field)
        if value is None:
            st.session_state[f"{prefix}_{field}_on"] = False
        else:
            switch_on(prefix, field, value)


def any_on(prefix: str) -> bool:
    """Whether anything is switched on, or answers are not shown while they are written."""
    return _get(prefix, "stream") is False or any(_get(prefix, f"{field}_on") for field in SWITCHED)


def all_off(prefix: str) -> None:
    """Switch everything off; the values stay. Answers are shown while they are written."""
    for field in SWITCHED:
        st.session_state[f"{prefix}_{field}_on"] = False
    st.session_state[f"{prefix}_stream"] = True


def read(prefix: str) -> Params:
    """The parameters as the controls stand; raises InvalidInput, as links can set anything."""
    sent = {field: _value(prefix, field) for field in SWITCHED if _get(prefix, f"{field}_on")}
    extra = extra_fields.read(_get(prefix, "json") or "")
    return Params.checked({**sent, "stream": _get(prefix, "stream") or None, "extra_fields": extra})


def changes(prefix: str, chosen: ChosenModel) -> str:
    """What differs from a new page, behind a dot; "" where nothing does."""
    found = _changes(prefix, chosen, CONTROLS)
    named, rest = found[:MOST_NAMED], len(found[MOST_NAMED:])
    said = " · ".join([*named, *([f"+{rest}"] if rest else [])])
    return f":primary[●] {said}" if said else ""


def basics(prefix: str, chosen: ChosenModel) -> None:
    """Draw the controls that matter first: temperature, longest answer, system prompt."""
    with st.container(gap="xsmall"):
        draw(prefix, "temperature", chosen)
        if _get(prefix, "temperature_on"):
            _zones(prefix)
    draw(prefix, "max_tokens", chosen)
    draw(prefix, "system", chosen)


def extra(prefix: str, chosen: ChosenModel) -> None:
    """Draw the other controls, folded at first."""
    # Beside the label, not in it: Streamlit closes an expander whose label changes.
    with st.container(key=f"{prefix}_more_changes"):
        changes = _changes(prefix, chosen, IN_MORE)
        if changes:
            words = _("Set under More: {settings}").format(settings=" · ".join(changes))
            st.caption(MARKED.format(words))
    with st.expander(_("More"), key=f"{prefix}_more"):
        for field in IN_MORE:
            draw(prefix, field, chosen)
            if field == "top_p" and _get(prefix, "temperature_on") and _get(prefix, "top_p_on"):
                st.caption(_("Both temperature and top_p are on; changing one of them is usually enough."))


def draw(prefix: str, field: str, chosen: ChosenModel) -> None:
    """Draw one control, with its switch where it has one."""
    _DRAWN[CONTROLS[field].kind](prefix, field, chosen)


def said(field: str, value: Any) -> str:
    """What a field is set to, in a line of Markdown."""
    return f"{field} {value:g}" if isinstance(value, float) else f"{field} {literal(title_of(str(value)))}"


def _text(prefix: str, field: str, _chosen: ChosenModel) -> None:
    """The standing instructions, sent before everything else."""
    st.text_area(
        _("System prompt (standing instructions)"),
        key=f"{prefix}_{field}",
        height=90,
        placeholder=_("For example: answer in one sentence."),
        persist_state="session",
    )


def _number(prefix: str, field: str, chosen: ChosenModel) -> None:
    """A switch and, below it, the value, the API's default at first; whoever moves that means it to be sent."""
    bounds = RANGES[field]
    _switch(prefix, field, chosen)
    means = _means(prefix, field, chosen)
    key, label = f"{prefix}_{field}", in_brackets(field, _(CONTROLS[field].words), _)
    value = st.session_state.setdefault(key, CONTROLS[field].initial)
    if bounds.whole:
        # A preset of an earlier version may hold more; Streamlit would raise, and sending says what is wrong.
        most = int(bounds.highest) if value <= bounds.highest else None
        st.number_input(label, min_value=int(bounds.lowest), max_value=most, step=1, key=key, **means)
    else:
        ends = (bounds.lowest, bounds.highest)
        st.slider(label, *ends, step=bounds.step, format="%g", key=key, **means)
    if not _get(prefix, f"{field}_on"):
        with st.container(key=f"{prefix}_{field}_rests"):
            st.caption(_("Not sent: the model’s own default."))


def zone(temperature: float) -> str:
    """The word for a temperature, in English."""
    return [words for lowest, words in ZONES if temperature >= lowest][-1]


def _zones(prefix: str) -> None:
    """The words for the temperature, along its slider; the one that it stands in is bold."""
    inside = zone(_get(prefix, "temperature"))
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


def _word(prefix: str, field: str, chosen: ChosenModel) -> None:
    _switch(prefix, field, chosen)
    st.text_input(field, key=f"{prefix}_{field}", **_means(prefix, field, chosen))


def _words(prefix: str, field: str, chosen: ChosenModel) -> None:
    on, key = _switch(prefix, field, chosen), f"{prefix}_{CONTROLS[field].name}"
    st.multiselect(
        field,
        st.session_state.get(key) or [],
        accept_new_options=True,
        max_selections=MAX_STOP_SEQUENCES,
        key=key,
        placeholder=_("Type a word and press Enter"),
        select_all=False,
        **_means(prefix, field, chosen),
    )
    if on and any("\n" in word for word in _value(prefix, field)):
        st.caption(_("`\\n` is sent as the end of a line; for a backslash and an n type `\\\\n`."))


def _flag(prefix: str, field: str, chosen: ChosenModel) -> None:
    st.session_state.setdefault(f"{prefix}_{field}", CONTROLS[field].initial)
    label, taken = in_brackets(field, _(CONTROLS[field].words), _), chosen.takes(field)
    st.toggle(label, key=f"{prefix}_{field}", disabled=not taken, persist_state="session")
    if not taken:
        unsupported_params.why_greyed(prefix, chosen, field)


def _json(prefix: str, field: str, chosen: ChosenModel) -> None:
    """What no control has: any fields, as JSON; a mistake is said at once."""
    st.text_area(
        _("Further fields (JSON)"),
        key=f"{prefix}_{field}",
        height=90,
        placeholder=extra_fields.EXAMPLE,
        help=_("Sent as they are, after the other fields. Services leave out or refuse what they do not know."),
        persist_state="session",
    )
    try:
        fields = extra_fields.read(_get(prefix, field) or "")
    except InvalidInput as wrong:
        st.error(error_message(wrong), icon=":material/error:")
        return
    for name in fields or ():
        if not chosen.takes(name):
            unsupported_params.why_greyed(prefix, chosen, name)


_DRAWN: Mapping[Kind, Callable[[str, str, ChosenModel], None]] = {
    "number": _number,
    "word": _word,
    "words": _words,
    "flag": _flag,
    "text": _text,
    "json": _json,
}


def _switch(prefix: str, field: str, chosen: ChosenModel) -> bool:
    """Draw the switch of a field; whether its value can be set."""
    control, taken = CONTROLS[field], chosen.takes(field)
    label, key = in_brackets(field, _(control.words), _), f"{prefix}_{field}_on"
    on = st.toggle(label, key=key, help=_(control.help), disabled=not taken, persist_state="session")
    if not taken:
        unsupported_params.why_greyed(prefix, chosen, field)
    return on and taken


def _means(prefix: str, field: str, chosen: ChosenModel) -> dict[str, Any]:
    """How a value is drawn below its switch, which it switches on when it is changed; one that the model does not take
    can't be."""
    switch = f"{prefix}_{field}_on"
    return {
        **QUIET,
        "disabled": not chosen.takes(field),
        "on_change": st.session_state.update,
        "args": ({switch: True},),
    }


def _changes(prefix: str, chosen: ChosenModel, fields: Iterable[str]) -> list[str]:
    """What of these is set, and will be sent, in a word or two each."""
    return [said for field in fields if (said := _change(prefix, field, chosen))]


def _change(prefix: str, field: str, chosen: ChosenModel) -> str:
    value, kind = _get(prefix, field), CONTROLS[field].kind
    if kind == "flag":
        return _("not streamed") if value is False else ""
    if kind in ("text", "json"):
        return (_("system prompt") if kind == "text" else "JSON") if (value or "").strip() else ""
    if not (_get(prefix, f"{field}_on") and chosen.takes(field)):
        return ""
    return field if kind == "words" or value in (None, "") else said(field, value)


def _get(prefix: str, name: str) -> Any:
    return st.session_state.get(f"{prefix}_{name}")


def _value(prefix: str, field: str) -> Any:
    value, control = _get(prefix, CONTROLS[field].name or field), CONTROLS[field]
    return tuple(map(stop_words.unescaped, value or ())) if control.kind == "words" else value
