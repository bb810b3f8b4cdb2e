"""Which answers are looked at by the rules that they keep or break: the field for it, the way from a figure to the
answers behind it, and the line that says so above them."""

from collections.abc import Mapping

import streamlit as st

from lib.core.rich_text import literal
from lib.sweep.plan import Cell, Plan
from lib.sweep.progress import Progress
from lib.sweep.rule_check import BREAKS, KEEPS, RuleCheck
from lib.sweep.rule_words import broken_words
from lib.sweep.study import Setting, Study
from lib.sweep.verdict import temperature_name
from lib.ui.shared import closed_fields
from lib.ui.shared.choices import choice_key
from lib.ui.shared.pop_ups import pop_up
from lib.ui.shared.state import state
from lib.ui.shared.texts import _, _n
from lib.ui.sweep import view_state
from lib.ui.sweep.open_study import PAGE
from lib.ui.sweep.slice_picker import choose_slice
from lib.ui.sweep.view_state import MODELS, RULES, TEMPERATURES, remembered


def rule_field(found: RuleCheck, plan: Plan | None) -> None:
    """Keeps the rules, or breaks one of them; nothing where there are none."""
    if plan is None:
        return
    names = _names(found, plan)
    st.multiselect(
        _("Rules"),
        list(names),
        format_func=names.__getitem__,
        key=choice_key(closed_fields.key_of(RULES)),
        placeholder=_("All"),
        persist_state="session",
    )


def rules_looked_for(progress: Progress, found: RuleCheck, plan: Plan | None) -> None:
    """Says that only answers are shown that keep or break a rule, and leads to those with other inputs, and back to
    all; `progress` is of the whole sweep. Nothing where no rule is looked for."""
    looked_for = view_state.chosen_filter(progress.cells, found)
    if plan is None or not looked_for.rules:
        return
    names, others = _names(found, plan), _elsewhere(looked_for.among(progress.cells, progress.results, found))
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="sweep_rules_shown"):
        words = _(" or ").join(names[name] for name in looked_for.rules)
        st.caption(literal(_("Shown only: {rules}").format(rules=words)), width="content")
        if others:
            label = _n("{count} more with another input", "{count} more with other inputs", len(others))
            if plan.axis is not None:
                label = _n("{count} more elsewhere", "{count} more elsewhere", len(others))
            words, to = label.format(count=len(others)), (others[0].input, others[0].variant)
            icon = ":material/arrow_forward:"
            st.button(words, key="sweep_rules_next", type="tertiary", icon=icon, on_click=_go_to, args=to)
        st.button(_("Show all"), key="sweep_rules_all", type="tertiary", on_click=view_state.show_all)


def read_broken(study: Study, rule: str, setting: Setting | None = None) -> None:
    """Read the answers that break a rule, which is named as the filter names it, of all settings or of one; where there
    is none that is said."""
    found, cells = study.rule_check, setting.cells if setting else study.cells
    broken = [cell for cell in cells if cell.id in study.results and rule in found.says(study.results[cell.id].id)]
    if not broken:
        pop_up(_("None of these answers breaks it."))
        return
    view_state.show_all()
    closed_fields.put(RULES, [rule])
    if setting is not None:
        closed_fields.put(MODELS, [setting.model])
        closed_fields.put(TEMPERATURES, [temperature_name(setting.temperature)])
    first = min(broken, key=lambda cell: (cell.input, cell.variant))
    _go_to(first.input, first.variant)
    view_state.open_cell(first, 0)


def _names(found: RuleCheck, plan: Plan) -> Mapping[str, str]:
    """What can be looked for, by name, in the words that mark such answers."""
    each = {rule.name: broken_words(rule, plan, PAGE) for rule in found.rules}
    return {KEEPS: _("keeps all rules"), BREAKS: _("breaks any rule"), **each}


def _elsewhere(cells: list[Cell]) -> list[Cell]:
    """Those that stand in another grid than the one that is shown: first those in the ones after it."""
    others = [cell for cell in cells if (cell.input, cell.variant) != remembered.slice]
    return sorted(others, key=lambda cell: ((cell.input, cell.variant) < remembered.slice, cell.input, cell.variant))


def _go_to(input: int, variant: int) -> None:
    choose_slice(str(state.sweep_id), input, variant)
