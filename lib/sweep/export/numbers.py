"""The charts and the tables of numbers in a report, with how much of them is known."""

from collections.abc import Sequence
from html import escape

from lib.core.i18n import Texts, joined, listed
from lib.core.money import aligned_decimals
from lib.sweep import charts
from lib.sweep.export.wording import Subject, mean_stars, name, section, table
from lib.sweep.measures import Measure, Spread
from lib.sweep.rule_words import rule_words
from lib.sweep.study import Setting
from lib.sweep.verdict import named

FOR_DIRECTORS = ("difference",)


def chart_section(subject: Subject) -> str:
    """What the temperature does: of each measure a panel for each model."""
    _ = subject.texts.one
    measures = subject.measures
    if subject.options.depth == "director":
        measures = [measure for measure in measures if measure.name in FOR_DIRECTORS]
    drawn = [_chart(subject, measure) for measure in measures]
    note = _("From left to right the temperature; the line is the mean, the area from the lowest to the highest.")
    shown = "".join(drawn)
    return section(_("What the temperature does"), f'<p class="note">{escape(note)}</p>{shown}' if shown else "")


def _chart(subject: Subject, measure: Measure) -> str:
    _ = subject.texts.one
    drawn = charts.panels(subject.study, measure, subject.texts)
    if not drawn:
        return ""
    missing = charts.without_values(subject.study, measure, subject.texts)
    words = [charts.explained(subject.study, measure, subject.texts), *([_(charts.OTHERS)] if len(drawn) > 1 else [])]
    absent = _("Not known of: {models}.").format(models=listed(missing, _)) if missing else ""
    # How it is reckoned is for those who want to see, and not for those who decide.
    technical = _(measure.technical) if measure.technical and subject.options.depth == "full" else ""
    beneath = [part for part in (absent, technical) if part]
    return (
        f'<div class="chart"><h3>{escape(_(measure.label))}</h3><p class="note">{escape(joined(words, _))}</p>'
        f'<div class="panels">{"".join(f"<figure>{one}</figure>" for one in drawn)}</div>'
        f'<p class="note">{escape(joined(beneath, _))}</p></div>'
    )


def number_section(subject: Subject) -> str:
    """Every measure of every setting, with how many answers it is known of."""
    _, study = subject.texts.one, subject.study
    head = [escape(_("Setting")), escape(_("Answers")), *(escape(_(measure.label)) for measure in subject.measures)]
    columns = [_values(study.settings, measure, subject.texts) for measure in subject.measures]
    rows = [
        [name(named(one, study.plan, subject.texts)), _done(one, subject.texts), *values]
        for one, *values in zip(study.settings, *columns, strict=True)
    ]
    note = _("Means of whole answers. A small number says of how many answers a mean is known, where not of all.")
    notes = (f'<p class="note">{escape(words)}</p>' for words in (note, _coverage(subject)))
    return section(_("Numbers"), table(head, rows, "stack numbers"), *notes)


def _done(setting: Setting, texts: Texts) -> str:
    _ = texts.one
    words = f"{len(setting.answers)}/{len(setting.cells)}"
    return words + (f" {escape(_('({count} failed)').format(count=setting.failed))}" if setting.failed else "")


def _values(settings: Sequence[Setting], measure: Measure, texts: Texts) -> list[str]:
    """A measure's column: its mean of each setting, and of how many answers that is known, where not of all."""
    found = [setting.measure(measure.name) for setting in settings]
    written = aligned_decimals([measure.written(one.mean, texts) if one else "–" for one in found])
    return [
        escape(words) + _coverage_of(setting, measure, one)
        for setting, words, one in zip(settings, written, found, strict=True)
    ]


def _coverage_of(setting: Setting, measure: Measure, found: Spread | None) -> str:
    # Of differences there are as many as pairs.
    if found is None or measure.name in ("difference", "speed") or found.known == len(setting.answers):
        return ""
    return f" <small>{found.known}/{len(setting.answers)}</small>"


def _coverage(subject: Subject) -> str:
    """Whose word the tokens are."""
    _ = subject.texts.one
    sources = [call.usage.source for setting in subject.study.settings for call in setting.answers]
    words = _("Tokens of {total} answers: {reported} counted by services, {estimated} estimated, {unknown} not known.")
    reported, estimated = sources.count("reported"), sources.count("gateway") + sources.count("estimated")
    return words.format(total=len(sources), reported=reported, estimated=estimated, unknown=sources.count("unknown"))


def rule_section(subject: Subject) -> str:
    """How many answers pass each rule; nothing without rules."""
    _, study = subject.texts.one, subject.study
    rules = study.decision.rules
    if not rules:
        return ""
    together = [escape(_("all rules"))] if len(rules) > 1 else []
    each = [name(rule_words(rule, study.plan, subject.texts)) for rule in rules]
    rows = [[name(named(one, study.plan, subject.texts)), *_kept(subject, one)] for one in study.settings]
    head = [escape(_("Setting")), *together, *each]
    return section(_("Rules that answers pass"), table(head, rows, "stack numbers"))


def _kept(subject: Subject, setting: Setting) -> list[str]:
    """How many of a setting's answers keep all rules, where there are several, and how many each of them."""
    study, rules = subject.study, subject.study.decision.rules
    found, tallies = study.keeping(setting), [study.tally(at, setting) for at in range(len(rules))]
    together = [f"{found.kept}/{found.told}"] if found and len(rules) > 1 else []
    return [*together, *(f"{one.passed}/{one.told}" for one in tallies)]


def judge_section(subject: Subject) -> str:
    """The stars that models gave who were asked to judge, beside those given by hand; nothing where none was."""
    texts, study = subject.texts, subject.study
    _ = texts.one
    if not study.judged:
        return ""
    own = [escape(_("Given by hand"))] if study.ratings else []
    head = [escape(_("Setting")), *own, *(name(judge) for judge in study.judged)]
    rows = [
        [
            name(named(one, study.plan, subject.texts)),
            *([_given(one.stars, texts)] if own else []),
            *(_given(study.stars_of(judge, one), subject.texts) for judge in study.judged),
        ]
        for one in study.settings
    ]
    return section(_("Stars by models that judged"), table(head, rows, "stack numbers"))


def _given(found: Spread | None, texts: Texts) -> str:
    return f"{mean_stars(found.mean, texts)} <small>({found.known})</small>" if found else "–"
