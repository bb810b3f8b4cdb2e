"""Rules in words: what one asks, what an answer that breaks it is like, and how well some answers keep all of them."""

from lib.core.i18n import N_, Texts, in_brackets
from lib.core.segmentation import beginning
from lib.core.variables import filled, names
from lib.sweep.plan import Cell, Plan, unique
from lib.sweep.rule_check import Keeping, RuleCheck
from lib.sweep.rules import KINDS, LANGUAGES, Rule

NAMED = 3
"""So many values of the inputs are named."""
LONGEST_QUOTED = 40
"""Characters of what a rule looks for that stand in a mark."""


def rule_words(rule: Rule, plan: Plan, texts: Texts) -> str:
    """What a rule asks of an answer."""
    _ = texts.one
    if rule.takes == "number":
        return _counted(rule, texts)
    if variables := _variables(rule, plan):
        return _filled_in(rule, variables, texts)
    value = LANGUAGES.get(rule.value, rule.value) if rule.takes == "language" else f"“{rule.value}”"
    return _(KINDS[rule.kind].says) + (f" {value}" if rule.value else "")


def values_looked_for(rule: Rule, plan: Plan, texts: Texts) -> str:
    """What a rule with variables looks for with each of the first inputs, to the letter; "" for any other rule."""
    if not _variables(rule, plan):
        return ""
    values = unique([rule.for_input(values).value for values in plan.inputs])
    quoted = [f"“{_short(value)}”" for value in values[:NAMED]]
    return texts.one(", ").join([*quoted, *(["…"] if len(values) > NAMED else [])])


def broken_words(rule: Rule, plan: Plan, texts: Texts) -> str:
    """What an answer is like that breaks a rule, in a few words."""
    _ = texts.one
    if rule.takes == "number":
        return _beyond(rule, texts)
    variables = _variables(rule, plan)
    if variables and _is_one_variable(rule, variables):
        words = N_("no mention of its “{name}”") if rule.kind == "contains" else N_("mentions its “{name}”")
        return _(words).format(name=variables[0])
    words = {
        "contains": N_("lacks “{value}”"),
        "lacks": N_("contains “{value}”"),
        "pattern": N_("no match for “{value}”"),
        "json": N_("not valid JSON"),
        "language": N_("not in {value}"),
    }[rule.kind]
    return _(words).format(value=LANGUAGES.get(rule.value, "") if rule.takes == "language" else _short(rule.value))


def broken_by(cell: Cell, call_id: str, found: RuleCheck, plan: Plan, texts: Texts) -> list[str]:
    """What an answer is like, for each rule that it breaks: words that a rule looks for are those of its own input."""
    values = plan.inputs[cell.input] if plan.inputs else {}
    return [broken_words(rule.for_input(values), plan, texts) for rule in found.broken(call_id)]


def keeping_words(found: Keeping, plan: Plan, texts: Texts) -> str:
    """How many answers keep all rules, and which rules the others break; no sentence yet, so without an end."""
    _, _n = texts.one, texts.counted
    if found.told == 0:
        return _("whether its answers keep the rules can't be told")
    said = _how_many_keep(found, texts)
    if found.broken:
        said = in_brackets(said, _each_broken(found, plan, texts), _)
    left = found.answers - found.told
    untold = _n("of {count} more it can't be told", "of {count} more it can't be told", left).format(count=left)
    return _("{words}, {more}").format(words=said, more=untold) if left else said


def keeping_figure(found: Keeping, texts: Texts) -> str:
    """How many answers keep all rules, as a figure beside others."""
    _ = texts.one
    if not found.told:
        return _("rules: can't be told")
    return _("rules: {kept} of {told}").format(kept=found.kept, told=found.told)


def _how_many_keep(found: Keeping, texts: Texts) -> str:
    _, _n = texts.one, texts.counted
    if found.told == 1:
        return _("its answer keeps all rules") if found.kept else _("its answer breaks a rule")
    words = _("none of its {count} answers keeps all rules")
    if found.kept == found.told:
        words = _("each of its {count} answers keeps all rules")
    elif found.kept:
        words = _n(
            "{kept} of its {count} answers keeps all rules", "{kept} of its {count} answers keep all rules", found.kept
        )
    return words.format(kept=found.kept, count=found.told)


def _each_broken(found: Keeping, plan: Plan, texts: Texts) -> str:
    """The broken rules, each with how many answers break it where there are several answers."""
    _ = texts.one
    words = {broken_words(rule, plan, texts): count for rule, count in found.broken.items()}
    if found.told == 1:
        return _(", ").join(words)
    return _(", ").join(_("{what}: {count}").format(what=what, count=count) for what, count in words.items())


def _variables(rule: Rule, plan: Plan) -> list[str]:
    """The variables in the words that a rule looks for, where each input has its own."""
    return names(rule.value) if rule.takes == "words" and plan.inputs else []


def _is_one_variable(rule: Rule, variables: list[str]) -> bool:
    return not filled(rule.value, {variables[0]: ""}).strip()


def _counted(rule: Rule, texts: Texts) -> str:
    _n, count = texts.counted, int(rule.value)
    words = {
        "words": _n("has at most {count} word", "has at most {count} words", count),
        "least_words": _n("has at least {count} word", "has at least {count} words", count),
        "characters": _n("has at most {count} character", "has at most {count} characters", count),
        "least_characters": _n("has at least {count} character", "has at least {count} characters", count),
    }
    return words[rule.kind].format(count=rule.value)


def _beyond(rule: Rule, texts: Texts) -> str:
    _n, count = texts.counted, int(rule.value)
    words = {
        "words": _n("over {count} word", "over {count} words", count),
        "least_words": _n("under {count} word", "under {count} words", count),
        "characters": _n("over {count} character", "over {count} characters", count),
        "least_characters": _n("under {count} character", "under {count} characters", count),
    }
    return words[rule.kind].format(count=rule.value)


def _filled_in(rule: Rule, variables: list[str], texts: Texts) -> str:
    """Of words with variables: that they are each input's own."""
    _ = texts.one
    if not _is_one_variable(rule, variables):
        return _("{contains} “{words}”, filled in for each input").format(
            contains=_(KINDS[rule.kind].says), words=rule.value
        )
    words = N_("mentions its “{name}”") if rule.kind == "contains" else N_("does not mention its “{name}”")
    return _(words).format(name=variables[0])


def _short(value: str) -> str:
    cut = beginning(value, LONGEST_QUOTED)
    return cut if cut == value else f"{cut}…"
