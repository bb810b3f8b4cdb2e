"""The verdict on a sweep: what was picked, how it is rated, what is rated higher, how well it keeps the rules, what it
costs, what is cheaper, and what models say that judged."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from lib.core.i18n import Texts, in_brackets, joined
from lib.sweep.number_list import number_label
from lib.sweep.plan import Plan, warmth
from lib.sweep.rule_check import Keeping
from lib.sweep.rule_words import keeping_words
from lib.sweep.study import Setting, Study

NEARLY = 0.2
"""By what part of itself a cost may differ from another that is about the same."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """`pick` is what somebody chose. `best`, where nothing was chosen, is what has the most stars: settings that differ
    in their temperature alone, none where others have as many or nothing is rated. `cheaper` is what has the most stars
    of what costs less than the pick: settings that differ in their temperature alone, and cost about the same.
    `better` is what has the most stars, where the pick has fewer: settings that differ in their temperature alone.
    `unpriced` counts the rated settings without a price. All stars are a person's: what judges say is told beside them.
    `keeping` is how well the answers of the pick, or of the best, keep the rules, None without rules; where they don't
    keep all, `keepers` are the settings of which every answer does. `alone` is whether none of the others has
    stars."""

    pick: Setting | None
    best: tuple[Setting, ...]
    cheaper: tuple[Setting, ...]
    unpriced: int
    plan: Plan
    keeping: Keeping | None = None
    keepers: tuple[Setting, ...] = ()
    alone: bool = False
    better: tuple[Setting, ...] = ()

    @property
    def lead(self) -> tuple[Setting, ...]:
        """What it is about: the pick, else the best; nothing where there is neither."""
        return (self.pick,) if self.pick else self.best

    @property
    def is_thin(self) -> bool:
        """Whether nothing is picked and nothing else is rated, or less than half of the answers have stars by which it
        stands; a pick without any stands by itself."""
        if self.best and self.alone:
            return True
        return any(one.stars is not None and _is_little(one.stars.known, one) for one in self.lead)


def verdict(study: Study) -> Verdict:
    """The verdict as the pick and the stars stand."""
    chosen = study.decision.pick
    pick = next((one for one in study.settings if any(cell.id == chosen for cell in one.cells)), None)
    others = [one for one in study.settings if one is not pick and one.stars is not None]
    best = () if pick else _top(others)
    lead = (pick,) if pick else best
    keeping = study.keeping(*lead) if any(one.answers for one in lead) else None
    return Verdict(
        pick,
        best,
        _cheaper(pick, others),
        sum(one.per_thousand is None for one in others),
        study.plan,
        keeping,
        _keepers(study, lead) if keeping and keeping.kept < keeping.told else (),
        len(best) == len(others) < len(study.settings),
        _better(pick, others),
    )


def _better(pick: Setting | None, others: Sequence[Setting]) -> tuple[Setting, ...]:
    """The best rated, as far as stars are shown: 4.04 is no more than 4.0. Of several models that of most ratings."""
    most = max(map(_stars_shown, others), default=0)
    if pick is None or most <= _stars_shown(pick):
        return ()
    top = [one for one in others if _stars_shown(one) == most]
    first = max(top, key=_rated_answers)
    place = (first.row, first.variant, _rated_answers(first))
    return tuple(one for one in top if (one.row, one.variant, _rated_answers(one)) == place)


def _keepers(study: Study, lead: Sequence[Setting]) -> tuple[Setting, ...]:
    """The other settings that have all their answers and keep all rules in each of them: the best rated first."""
    whole = [one for one in study.settings if one not in lead and len(one.answers) == len(one.cells)]
    keep = [one for one in whole if (found := study.keeping(one)) and found.all_kept]
    return tuple(sorted(keep, key=_stars, reverse=True))


def sentence(found: Verdict, texts: Texts, cost: bool = True) -> str:
    """The verdict in a sentence, without Markdown, with or without what it costs; foreign names stand in it as they
    are."""
    _ = texts.one
    if found.pick is None:
        if not found.best:
            return _("Nothing is picked yet.")
        return _("; ").join([_most_stars(found, texts), *rules_told(found, texts)]) + _(".")
    parts = [f"{named(found.pick, found.plan, texts)}{_(', ')}{rated(found.pick, texts)}"]
    parts += [*better_told(found, texts, cost), *rules_told(found, texts)]
    return _("; ").join([*parts, *(_costs(found, found.pick, texts) if cost else ())]) + _(".")


def told(study: Study, texts: Texts, cost: bool = True) -> str:
    """The verdict in a sentence, what the judges say, and of how many models nothing is rated."""
    found = verdict(study)
    parts = [sentence(found, texts, cost), *judges_told(study, found, texts), not_rated(study, texts)]
    return joined(parts, texts.one)


def better_told(found: Verdict, texts: Texts, cost: bool = True) -> list[str]:
    """What is rated higher than the pick, unless it is cheaper too, and named for that."""
    if not found.better or (cost and found.better[0] in found.cheaper):
        return []
    _, name = texts.one, all_named(found.better, found.plan, texts)
    return [_("{name} has more: {stars}").format(name=name, stars=rated(found.better[0], texts))]


def judges_told(study: Study, found: Verdict, texts: Texts) -> list[str]:
    """What each model that judged gives the pick, or what has the most stars of a person, and what it gives the
    most: a sentence each."""
    said = (_judge_told(study, judge, found.lead, texts) for judge in study.judged)
    return [words for words in said if words]


def _judge_told(study: Study, judge: str, lead: Sequence[Setting], texts: Texts) -> str:
    _ = texts.one
    given = [(one, round(stars.mean, 1)) for one in study.settings if (stars := study.stars_of(judge, one))]
    most = max((stars for _one, stars in given), default=0)
    top = [one for one, stars in given if stars == most]
    of_one_model = len({(one.row, one.variant) for one in top}) == 1
    mine = [stars for one, stars in given if one in lead]
    facts = {
        "judge": model_name(study.plan, judge),
        "stars": max(mine, default=0),
        "name": all_named(top, study.plan, texts) if of_one_model else "",
        "most": most,
    }
    if not mine:
        words = _("The judge {judge} gives {name} the most stars: {most:.1f}.") if of_one_model else ""
    elif max(mine) == most:
        words = _("The judge {judge} gives it {stars:.1f} stars, and nothing more than that.")
    elif of_one_model:
        words = _("The judge {judge} gives it {stars:.1f} stars, and {name} the most: {most:.1f}.")
    else:
        words = _("The judge {judge} gives it {stars:.1f} stars, and others up to {most:.1f}.")
    return words.format(**facts)


def _most_stars(found: Verdict, texts: Texts) -> str:
    _ = texts.one
    words = _("Nothing is picked yet; {name} has the most stars: {stars}")
    if found.alone:
        words = _("Nothing is picked yet, and only {name} is rated: {stars}")
    return words.format(name=all_named(found.best, found.plan, texts), stars=rated(found.best[0], texts))


def rules_told(found: Verdict, texts: Texts) -> list[str]:
    """How well the pick, or the best, keeps the rules, and what keeps them where it does not; nothing without rules."""
    if found.keeping is None:
        return []
    words = [keeping_words(found.keeping, found.plan, texts)]
    return [*words, _kept_by(found.keepers, found.plan, texts)] if found.keepers else words


def _kept_by(keepers: Sequence[Setting], plan: Plan, texts: Texts) -> str:
    """What keeps all rules: the settings of one model by name, of others how many there are."""
    _, _n, first = texts.one, texts.counted, keepers[0]
    same = [one for one in keepers if (one.row, one.variant) == (first.row, first.variant)]
    name, more = all_named(same, plan, texts), len(keepers) - len(same)
    if not more:
        return _("every answer of {name} keeps them").format(name=name)
    words = _n(
        "every answer of {name}, and of {count} other setting, keeps them",
        "every answer of {name}, and of {count} other settings, keeps them",
        more,
    )
    return words.format(name=name, count=more)


def _costs(found: Verdict, pick: Setting, texts: Texts) -> list[str]:
    """What the pick costs, what is cheaper, and of how many others no price is known."""
    _n = texts.counted
    parts = [thousand(pick, texts)]
    if found.cheaper:
        parts.append(_second(found.cheaper, found.plan, texts))
    if found.unpriced:
        words = _n(
            "what {count} other rated setting costs is not known",
            "what {count} other rated settings cost is not known",
            found.unpriced,
        )
        parts.append(words.format(count=found.unpriced))
    return parts


def named(setting: Setting, plan: Plan, texts: Texts) -> str:
    """A setting's name: the model, the temperature, and what else was varied."""
    return all_named((setting,), plan, texts)


def all_named(settings: Sequence[Setting], plan: Plan, texts: Texts) -> str:
    """The name of settings that differ in their temperature alone."""
    _ = texts.one
    return _name(settings, plan, texts, _("{model} at {temperature}"))


def headline(setting: Setting, plan: Plan, texts: Texts) -> str:
    """A setting's name for a heading, which stands alone: it says what the number is."""
    _ = texts.one
    return _name((setting,), plan, texts, _("{model} at temperature {temperature}"))


def _name(settings: Sequence[Setting], plan: Plan, texts: Texts, words: str) -> str:
    _, first = texts.one, settings[0]
    name = model_name(plan, first.model)
    in_order = sorted(settings, key=lambda one: warmth(one.temperature))
    temperatures = [number_label(one.temperature) for one in in_order if one.temperature is not None]
    if temperatures:
        name = words.format(model=name, temperature=_(" and ").join(temperatures))
    varied = variant_name(plan, first.variant, texts)
    return in_brackets(name, varied, _) if varied else name


def model_name(plan: Plan, model: str) -> str:
    """A model's name, without its service where it and all of the plan's models have the same."""
    services = {one.partition("/")[0] for one in (*plan.models, model)}
    return model if len(services) > 1 else model.partition("/")[2] or model


def variant_name(plan: Plan, variant: int, texts: Texts) -> str:
    """The value of the further axis, with what it is of; "" where there is no such axis."""
    _ = texts.one
    if plan.axis is None:
        return ""
    if plan.axis.of_system:
        return _("system prompt {number}").format(number=variant + 1)
    return f"{plan.axis.field} {plan.axis.labels[variant]}"


def temperature_name(value: float | None) -> str:
    """A temperature as it is named; one that is not sent has a dash."""
    return "–" if value is None else number_label(value)


def not_rated(study: Study, texts: Texts) -> str:
    """Of how many models no answer has stars; "" where that is none of them or all."""
    rows = {one.row for one in study.settings}
    without = len(rows - {one.row for one in study.settings if one.stars is not None})
    if without in (0, len(rows)):
        return ""
    _n = texts.counted
    words = _n(
        "{count} of {total} models has no rated answer.", "{count} of {total} models have no rated answer.", without
    )
    return words.format(count=without, total=len(rows))


def rated(setting: Setting, texts: Texts) -> str:
    """A setting's stars and how many of its answers have any."""
    _, _n = texts.one, texts.counted
    total = len(setting.cells)
    if setting.stars is None:
        return _("not rated")
    if _is_little(setting.stars.known, setting):
        words = _("{stars:.1f} stars, only {rated} of {total} answers rated")
        return words.format(stars=setting.stars.mean, rated=setting.stars.known, total=total)
    words = _n(
        "{stars:.1f} stars, {rated} of {total} answer rated",
        "{stars:.1f} stars, {rated} of {total} answers rated",
        total,
    )
    return words.format(stars=setting.stars.mean, rated=setting.stars.known, total=total)


def _is_little(known: int, setting: Setting) -> bool:
    return 2 * known < len(setting.cells)


def thousand(setting: Setting, texts: Texts) -> str:
    """What a thousand such answers cost."""
    _ = texts.one
    cost = setting.per_thousand
    if cost is None:
        return _("no price is known for it")
    if cost == 0:
        return _("it is free")
    return _("1,000 such answers cost about {cost}").format(cost=texts.dollars(cost))


def _second(settings: Sequence[Setting], plan: Plan, texts: Texts) -> str:
    _, setting = texts.one, settings[0]
    stars = setting.stars.mean if setting.stars else 0
    facts = {"name": all_named(settings, plan, texts), "stars": stars, "cost": texts.dollars(setting.per_thousand or 0)}
    if not setting.per_thousand:
        return _("{name} has {stars:.1f} stars and is free").format(**facts)
    return _("{name} has {stars:.1f} stars at about {cost}").format(**facts)


def _top(settings: Sequence[Setting]) -> tuple[Setting, ...]:
    """Those with the most stars; none on a tie of several models."""
    most = max(map(_stars, settings), default=0)
    top = tuple(one for one in settings if _stars(one) == most)
    return top if len({(one.row, one.variant) for one in top}) == 1 else ()


def _stars(setting: Setting) -> float:
    return setting.stars.mean if setting.stars else 0


def _stars_shown(setting: Setting) -> float:
    return round(_stars(setting), 1)


def _rated_answers(setting: Setting) -> int:
    return setting.stars.known if setting.stars else 0


def _cheaper(pick: Setting | None, others: Sequence[Setting]) -> tuple[Setting, ...]:
    if pick is None or pick.per_thousand is None:
        return ()
    least = (1 - NEARLY) * pick.per_thousand
    cheaper = [one for one in others if one.per_thousand is not None and one.per_thousand < least]
    # Of those with the same stars the cheapest.
    first = max(cheaper, key=lambda one: (_stars(one), -(one.per_thousand or 0)), default=None)
    return tuple(one for one in cheaper if first and _equals(one, first))


def _equals(one: Setting, other: Setting) -> bool:
    """Whether two settings of one model are as good, and cost about the same: which of them is named is chance."""
    same = (one.row, one.variant, _stars(one)) == (other.row, other.variant, _stars(other))
    return same and math.isclose(one.per_thousand or 0, other.per_thousand or 0, rel_tol=NEARLY)
