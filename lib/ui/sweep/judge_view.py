"""The view Judge: rules that the answers have to pass, how many of each setting do, and a model that judges them."""

from collections.abc import Mapping
from functools import partial
from typing import Any

import pandas as pd
import streamlit as st

from lib.core.errors import InvalidInput
from lib.core.i18n import N_
from lib.core.rich_text import literal
from lib.sweep import decision
from lib.sweep.plan import Plan
from lib.sweep.rule_check import BREAKS, Tally
from lib.sweep.rule_words import rule_words, values_looked_for
from lib.sweep.rules import KINDS, LANGUAGES, LONGEST_VALUE, MOST_RULES, Kind, Rule, Takes
from lib.sweep.study import Setting, Study
from lib.sweep.verdict import model_name, temperature_name, variant_name
from lib.ui.shared.choices import choice_key
from lib.ui.shared.texts import _, _n, error_message
from lib.ui.sweep.model_judge import model_judge
from lib.ui.sweep.open_study import PAGE, keep
from lib.ui.sweep.rule_filter import read_broken

RATES = "sweep_rule_rates"
KIND, VALUE, NUMBER, LANGUAGE = "sweep_rule_kind", "sweep_rule_value", "sweep_rule_number", "sweep_rule_language"
FIELD_OF: dict[Takes, str] = {"words": VALUE, "pattern": VALUE, "number": NUMBER, "language": LANGUAGE}
"""Where a rule's value is written, by what it is; a rule that takes nothing has no field."""
# While answers, charts or slides are looked at too: what is half written is not lost.
KEPT: dict[str, Any] = {"persist_state": "session"}
EXAMPLES: dict[Kind, str] = {"contains": N_("for example: thermos"), "lacks": N_("for example: best")}
NAME, SHARE, MOST_SHARES = 140, 72, 3
"""Pixels for a setting's name and for a figure: of so many figures a phone shows all."""
ROW, SCROLLBAR = 33, 14
"""Pixels of a row of a table, as Streamlit draws it, and of what would lie over the last one."""
REFUSED = "sweep_rule_refused"
"""The rule that could not be added: as long as it stands in the fields, what is wrong with it stands below them."""


def judge_view(study: Study) -> None:
    """The rules, one more, and what they find."""
    rules = study.decision.rules
    st.caption(_("Rules that every answer has to pass. They are checked here, on this computer, and cost nothing."))
    for at, rule in enumerate(rules):
        with st.container(horizontal=True, vertical_alignment="center", key=f"sweep_rule_{at}"):
            # By its number it is found in the table, where a phone has no room for more.
            st.markdown(f"{at + 1} · {literal(rule_words(rule, study.plan, PAGE))}", width="content")
            if values := values_looked_for(rule, study.plan, PAGE):
                st.caption(literal(values), width="content")
            _broken(study, at, rule)
            st.button(
                _("Remove"),
                key=f"sweep_rule_drop_{at}",
                type="tertiary",
                icon=":material/close:",
                on_click=_put,
                args=([*rules[:at], *rules[at + 1 :]],),
            )
    if len(rules) < MOST_RULES:
        _one_more(rules, study.plan)
    if rules:
        _pass_rates(study)
    model_judge(study)


def _broken(study: Study, at: int, rule: Rule) -> None:
    """How many answers break a rule, which leads to them."""
    passed, told = study.rule_check.tally(at, study.results.values())
    if not told:
        return
    if passed == told:
        st.caption(_("no answer breaks it"), width="content")
        return
    words = _n("{count} of {total} answer breaks it", "{count} of {total} answers break it", told - passed)
    label, key = words.format(count=told - passed, total=told), f"sweep_rule_read_{at}"
    st.button(label, key=key, type="tertiary", on_click=read_broken, args=(study, rule.name))


def _one_more(rules: tuple[Rule, ...], plan: Plan) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom", key="sweep_rule_new"):
        names = {name: _(kind.says) for name, kind in KINDS.items()}
        kind = st.selectbox(
            _("The answer …"), list(names), format_func=names.__getitem__, key=choice_key(KIND), width=300, **KEPT
        )
        _value_field(kind)
        st.button(_("Add this rule"), key="sweep_rule_add", icon=":material/add:", on_click=_add, args=(rules,))
    if refusal := _refusal():
        st.markdown(refusal)
    if KINDS[kind].takes == "words" and plan.inputs:
        name = f"{{{{{plan.variables[0]}}}}}"
        values = values_looked_for(Rule(kind, name), plan, PAGE)
        words = _("{name} in it stands for what each input has there, to the letter: {values}")
        st.caption(literal(words.format(name=name, values=values)))


def _value_field(kind: Kind) -> None:
    """What a rule of this kind looks for; a number has a field of its own, as a phone has keys for it."""
    takes = KINDS[kind].takes
    if takes == "language":
        languages = list(LANGUAGES)
        st.selectbox(_("Language"), languages, format_func=LANGUAGES.__getitem__, key=LANGUAGE, width=220, **KEPT)
    elif takes == "number":
        example = _("for example: 30")
        st.number_input(_("How many"), 1, None, None, 1, key=NUMBER, placeholder=example, width=220, **KEPT)
    elif takes != "nothing":
        label = _("Regular expression") if takes == "pattern" else _("Text")
        example = _(EXAMPLES[kind]) if kind in EXAMPLES else ""
        st.text_input(label, key=VALUE, placeholder=example, max_chars=LONGEST_VALUE, width=320, **KEPT)


def _written() -> Rule:
    """The rule that stands in the fields, whether it is one or not."""
    kind = st.session_state[KIND]
    takes = KINDS[kind].takes
    typed = st.session_state.get(FIELD_OF[takes]) if takes in FIELD_OF else None
    value = "" if typed is None else str(typed)
    return Rule(kind, value if takes == "pattern" else value.strip())


def _refusal() -> str:
    """What is wrong with the rule in the fields, as Markdown, where it was to be added as it stands."""
    rule = _written()
    wrong = _wrong_with(rule) if rule == st.session_state.get(REFUSED) else None
    return f":red[:material/error: {error_message(wrong)}]" if wrong else ""


def _wrong_with(rule: Rule) -> InvalidInput | None:
    try:
        rule.checked()
    except InvalidInput as wrong:
        return wrong
    return None


def _add(rules: tuple[Rule, ...]) -> None:
    rule = _written()
    st.session_state[REFUSED] = rule
    if _wrong_with(rule) is None:
        _put(list(dict.fromkeys([*rules, rule])))
        st.session_state[VALUE], st.session_state[NUMBER] = "", None


def _put(rules: list[Rule]) -> None:
    keep(lambda db, owner, sweep_id: decision.set_rules(db, owner, sweep_id, rules))


def _pass_rates(study: Study) -> None:
    """Settings down, rules across: how many of the answers pass. A press on a figure leads to those that don't."""
    rules = study.decision.rules
    named_rules = {f"{at} · {rule_words(rule, study.plan, PAGE)}": rule.name for at, rule in enumerate(rules, 1)}
    columns = {**({_("All rules"): BREAKS} if len(rules) > 1 else {}), **named_rules}
    rows, untold = [], 0
    for setting in study.settings:
        tallies = [study.tally(at, setting) for at in range(len(rules))]
        untold += sum(len(setting.answers) - tally.told for tally in tallies)
        keeping = study.keeping(setting)
        together = [Tally(keeping.kept, keeping.told)] if keeping and len(rules) > 1 else []
        shares = [100 * one.passed / one.told if one.told else None for one in [*together, *tallies]]
        rows.append([_temperature_first(setting, study.plan), *shares])
    # As narrow as a phone has room for: where there is more they share it.
    share = partial(st.column_config.ProgressColumn, format="%.0f %%", min_value=0.0, max_value=100.0, width=SHARE)
    name = _("Temperature · model")
    st.dataframe(
        pd.DataFrame(rows, columns=[name, *columns]),
        key=RATES,
        height=ROW * (1 + len(rows)) + (SCROLLBAR if len(columns) > MOST_SHARES else 2),
        hide_index=True,
        placeholder="–",
        column_config={name: st.column_config.TextColumn(width=NAME), **{one: share(one) for one in columns}},
        on_select=partial(_pressed, study, columns),
        selection_mode="single-cell",
    )
    st.caption(_("A press on a figure leads to the answers that break the rule."))
    if untold:
        st.caption(_("Where it could not be told, an answer counts neither way: {count}.").format(count=untold))


def _temperature_first(setting: Setting, plan: Plan) -> str:
    """A setting's name whose end may be cut off: the models of a column may begin alike, what was varied does not."""
    varied = variant_name(plan, setting.variant, PAGE)
    temperature = [] if setting.temperature is None else [temperature_name(setting.temperature)]
    return " · ".join([*temperature, *([varied] if varied else []), model_name(plan, setting.model)])


def _pressed(study: Study, columns: Mapping[str, str]) -> None:
    """Read the answers behind the figure that was pressed, in one of the `columns`, by what they break."""
    for row, column in st.session_state[RATES].selection.cells:
        if column in columns:
            read_broken(study, columns[column], study.settings[row])
