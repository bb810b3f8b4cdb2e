"""A sweep as Markdown: verdict, settings, numbers, and all answers to the letter."""

from collections.abc import Iterator

from lib.core.markdown_text import boxed, markdown_line
from lib.sweep.export.wording import Subject, figures, judged, place, title
from lib.sweep.findings import text_of
from lib.sweep.verdict import named, temperature_name, told


def markdown(subject: Subject) -> str:
    """The document."""
    return "\n\n".join(_parts(subject)) + "\n"


def _parts(subject: Subject) -> Iterator[str]:
    _, study, options = subject.texts.one, subject.study, subject.options
    yield f"# {markdown_line(title(*subject))}"
    if options.author.strip():
        yield markdown_line(options.author)
    yield f"**{markdown_line(told(study, subject.texts, options.cost))}**"
    if options.recommendation.strip():
        yield options.recommendation.strip()
    if options.prompt:
        yield f"## {_('What was asked')}"
        yield boxed(study.plan.prompt)
        if study.plan.system.strip():
            yield f"{_('System prompt')}:"
            yield boxed(study.plan.system)
    yield f"## {_('Numbers')}"
    yield _numbers(subject)
    yield f"## {_('All answers')}"
    for setting in study.settings:
        yield f"### {markdown_line(named(setting, study.plan, subject.texts))}"
        for cell in setting.cells:
            call = setting.calls.get(cell.id)
            facts = [place(cell, subject)]
            facts += [judged(setting.ratings.get(call.id)), *figures(call, cell, subject)] if call else [_("not sent")]
            yield markdown_line(" · ".join(fact for fact in facts if fact))
            if call is not None and text_of(call):
                yield boxed(text_of(call))


def _numbers(subject: Subject) -> str:
    _, study = subject.texts.one, subject.study
    head = [_("Model"), _("Temperature"), *(_(measure.label) for measure in subject.measures)]
    lines = [head, ["---"] * len(head)]
    for one in study.settings:
        values = [(measure, one.measure(measure.name)) for measure in subject.measures]
        shown = [measure.written(value.mean, subject.texts) if value else "–" for measure, value in values]
        lines.append([markdown_line(one.model), temperature_name(one.temperature), *shown])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
