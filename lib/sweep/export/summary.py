"""A sweep in six lines, to be pasted into a mail."""

from lib.core.clock import as_datetime
from lib.core.i18n import Texts, in_brackets, listed
from lib.core.titles import title_of
from lib.sweep.decision import ReportOptions
from lib.sweep.export.wording import title
from lib.sweep.measures import BY_NAME
from lib.sweep.plan import warmth
from lib.sweep.study import Study
from lib.sweep.verdict import model_name, temperature_name, told


def summary(study: Study, options: ReportOptions, texts: Texts) -> str:
    """Title, verdict, recommendation, what was asked, whom, and what the temperature did; as plain text."""
    _ = texts.one
    date = as_datetime(study.created_at).strftime("%Y-%m-%d")
    lines = [
        in_brackets(title(study, options, texts), date, _),
        _("Verdict: {words}").format(words=told(study, texts, options.cost)),
    ]
    if options.recommendation.strip():
        lines.append(_("Recommendation: {words}").format(words=" ".join(options.recommendation.split())))
    if options.prompt:
        lines.append(_("Asked: {words}").format(words=title_of(study.plan.prompt)))
    return "\n".join([*lines, _models(study, texts), _difference(study, texts)]) + "\n"


def _models(study: Study, texts: Texts) -> str:
    _, _n = texts.one, texts.counted
    done = sum(len(setting.answers) for setting in study.settings)
    words = _n(
        "{done} of {total} answer; models: {models}; temperatures: {temperatures}",
        "{done} of {total} answers; models: {models}; temperatures: {temperatures}",
        len(study.cells),
    )
    return words.format(
        done=done,
        total=len(study.cells),
        models=listed((model_name(study.plan, model) for model in study.plan.models), _),
        temperatures=listed(map(temperature_name, study.temperatures), _),
    )


def _difference(study: Study, texts: Texts) -> str:
    """How different the answers are at the lowest and the highest temperature, the mean of all models."""
    _, written = texts.one, BY_NAME["difference"].written
    known: dict[float | None, list[float]] = {}
    for setting in study.settings:
        if (found := setting.measure("difference")) is not None:
            known.setdefault(setting.temperature, []).append(found.mean)
    if not known:
        return _("How different the answers are: not known, as there is one for each setting.")
    in_order = sorted(known.items(), key=lambda one: warmth(one[0]))
    means = [in_brackets(written(sum(values) / len(values), texts), temperature_name(at), _) for at, values in in_order]
    return _("How different the answers are, by temperature: {values}").format(values=listed(means, _))
