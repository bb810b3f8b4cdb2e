"""The first page of a report: title, verdict, recommendation, the overview, and what was asked."""

from collections.abc import Iterator
from html import escape

from lib.core.i18n import N_, joined, listed
from lib.core.parameters import written
from lib.core.rich_text import as_typed, to_html, typeset
from lib.core.variables import bracketed
from lib.sweep import charts
from lib.sweep.export.wording import (
    Subject,
    by_temperature_head,
    duration,
    input_name,
    mean_stars,
    name,
    per_thousand,
    price,
    section,
    stars,
    table,
    title,
)
from lib.sweep.measures import BY_NAME
from lib.sweep.plan import Plan
from lib.sweep.rule_words import keeping_figure
from lib.sweep.study import Setting
from lib.sweep.verdict import (
    Verdict,
    all_named,
    better_told,
    headline,
    judges_told,
    model_name,
    not_rated,
    rated,
    rules_told,
    temperature_name,
    thousand,
    told,
)

MOST_NAMED = 5
"""Inputs that are named one by one below the title."""
PLAIN_WORDS = {
    "max_tokens": N_("Longest answer, in tokens"),
    "max_completion_tokens": N_("Longest answer, in tokens"),
    "top_p": N_("Range of words, from 0 to 1"),
    "presence_penalty": N_("Seeks new topics, from -2 to 2"),
    "frequency_penalty": N_("Avoids repeats, from -2 to 2"),
    "stop": N_("Ends at these words"),
    "n": N_("Versions of each answer"),
    "reasoning_effort": N_("How much it thinks"),
    "response_format": N_("Form of the answer"),
}
"""What parameters are for those who don't know their names."""


def header(subject: Subject, date: str) -> str:
    """Title, author and date, and what it took."""
    by = [escape(part) for part in (subject.options.author.strip(), date) if part]
    took = "".join(f'<p class="by">{escape(words)}</p>' for words in (_how_much(subject), _took(subject)) if words)
    return f'<header><h1 dir="auto">{escape(title(*subject))}</h1><p class="by">{" · ".join(by)}</p>{took}</header>'


def _how_much(subject: Subject) -> str:
    """How many answers there are, of what."""
    _n, study = subject.texts.counted, subject.study
    inputs, _variants = study.plan.slices
    temperatures, models = len(study.temperatures), len(study.plan.models)
    counted = [
        _n("{count:,} answer", "{count:,} answers", len(study.cells)).format(count=len(study.cells)),
        _n("{count} model", "{count} models", models).format(count=models),
        _n("{count} temperature", "{count} temperatures", temperatures).format(count=temperatures),
        *([_inputs_counted(subject, inputs)] if study.plan.inputs else []),
    ]
    return " · ".join(counted)


def _inputs_counted(subject: Subject, inputs: int) -> str:
    words = subject.texts.counted("{count} input", "{count} inputs", inputs).format(count=inputs)
    if inputs > MOST_NAMED or not subject.options.prompt:
        return words
    _ = subject.texts.one
    return f"{words}{_(': ')}{listed((input_name(subject, at) for at in range(inputs)), _)}"


def _took(subject: Subject) -> str:
    """What all answers together cost, and how long models wrote them."""
    _, calls = subject.texts.one, subject.study.results.values()
    seconds = [call.seconds for call in calls if call.seconds is not None]
    parts = [_total_cost(subject), _judging_cost(subject)] if subject.options.cost else []
    if seconds:
        words = _("{total} of answering in all, {each:.1f} s for an answer")
        parts.append(words.format(total=duration(sum(seconds), subject.texts), each=sum(seconds) / len(seconds)))
    return " · ".join(part for part in parts if part)


def _total_cost(subject: Subject) -> str:
    _, calls = subject.texts.one, [call for call in subject.study.results.values() if call.billed != "no"]
    known = [call.cost for call in calls if call.cost is not None]
    if not known:
        return ""
    cost = price(sum(known), subject.texts)
    if len(known) < len(calls):
        return _("{cost} for {count} of the answers, the others have no price").format(cost=cost, count=len(known))
    return _("{cost} for all answers").format(cost=cost)


def _judging_cost(subject: Subject) -> str:
    _, cost = subject.texts.one, subject.study.judging_cost
    return _("{cost} more for models that judged them").format(cost=price(cost, subject.texts)) if cost else ""


def verdict_card(subject: Subject, found: Verdict) -> str:
    """The verdict in large letters, and what its author recommends."""
    _, options = subject.texts.one, subject.options
    # What few stars tell is told in a smaller voice, and in the same one what is missing.
    kind = "pick thin" if found.is_thin else "pick"
    words = options.recommendation.strip()
    # What decided comes before what was counted.
    wish = f'<div class="wish text">{typeset(to_html(words))}</div>' if words else ""
    if found.pick is None:
        said = f'<p class="{kind}">{escape(told(subject.study, subject.texts, options.cost))}</p>{wish}'
    else:
        called = name(headline(found.pick, subject.study.plan, subject.texts))
        said = f'<p class="{kind}">{called}</p>{wish}{_figures(subject, found, found.pick)}'
    return f'<section class="verdict"><h2>{escape(_("The verdict"))}</h2>{said}</section>'


def _figures(subject: Subject, found: Verdict, pick: Setting) -> str:
    """What is known of the pick: its stars, what it costs, how it keeps the rules, what judges say; and what is not
    rated."""
    shown = f'<span class="stars" aria-hidden="true">{stars(pick.stars.mean)}</span> ' if pick.stars else ""
    facts = [shown + escape(rated(pick, subject.texts)), *_costs(subject, found, pick)]
    others = better_told(found, subject.texts, subject.options.cost)
    rules = rules_told(found, subject.texts)
    judges = judges_told(subject.study, found, subject.texts)
    left = [words for words in [not_rated(subject.study, subject.texts)] if words]
    lines = [facts, *([escape(words) for words in line] for line in (others, rules, judges, left))]
    return "".join(f'<p class="figures">{" · ".join(line)}</p>' for line in lines if line)


def _costs(subject: Subject, found: Verdict, pick: Setting) -> Iterator[str]:
    if not subject.options.cost:
        return
    _ = subject.texts.one
    yield escape(thousand(pick, subject.texts))
    if found.cheaper and (given := found.cheaper[0].stars) is not None:
        words = _("cheaper: {name}, {stars:.1f} stars, {cost}")
        cost = price(found.cheaper[0].per_thousand, subject.texts)
        called = all_named(found.cheaper, found.plan, subject.texts)
        yield escape(words.format(name=called, stars=given.mean, cost=cost))


def overview(subject: Subject, found: Verdict) -> str:
    """Models down, temperatures across: stars, how different, what a thousand cost."""
    _, study = subject.texts.one, subject.study
    rows = []
    for line in study.lines.values():
        by_temperature = {one.temperature: one for one in line}
        cells = [_overview_cell(subject, by_temperature.get(value), found) for value in study.temperatures]
        rows.append([name(charts.line_name(study, line, subject.texts)), *cells])
    shown = [_("stars"), _("how much the answers of one setting differ from each other")]
    shown += [_("what 1,000 such answers cost")] if subject.options.cost else []
    shown += [_("how many of its answers keep all rules")] if study.decision.rules else []
    note = _("For each model and temperature: {facts}.").format(facts=_(", ").join(shown))
    note = joined([note, _("The higher the temperature, the more freely a model chooses its words.")], _)
    return section(
        _("At a glance"),
        f'<p class="note">{escape(note)}</p>',
        table(by_temperature_head(subject), rows, "stack glance"),
    )


def _overview_cell(subject: Subject, setting: Setting | None, found: Verdict) -> str:
    if setting is None or not setting.answers:
        return '<span class="quiet">–</span>'
    _, difference = subject.texts.one, setting.measure("difference")
    lines = []
    if setting.stars:
        lines.append(f'<b class="stars">★ {mean_stars(setting.stars.mean, subject.texts)}</b>')
    elif subject.study.ratings:
        lines.append(f'<span class="quiet">{escape(_("not rated"))}</span>')
    if difference:
        value = BY_NAME["difference"].written(difference.mean, subject.texts)
        lines.append(f"<span>{escape(_('{share} different').format(share=value))}</span>")
    if subject.options.cost:
        lines.append(f"<span>{escape(per_thousand(setting, subject.texts))}</span>")
    if keeping := subject.study.keeping(setting):
        lines.append(f"<span>{escape(keeping_figure(keeping, subject.texts))}</span>")
    mark = " picked" if setting is found.pick else ""
    return f'<div class="facts{mark}">{" ".join(lines)}</div>'


def asked(subject: Subject) -> str:
    """The prompt, unless it is hidden, and the settings."""
    _, plan = subject.texts.one, subject.study.plan
    texts = []
    if subject.options.prompt:
        for message in plan.history:
            texts.append(f"<h3>{escape(_('Before it'))}</h3>{_letter(message.content)}")
        texts.append(_asked(plan.prompt, plan))
        if plan.system.strip():
            texts.append(f"<h3>{escape(_('System prompt'))}</h3>{_asked(plan.system, plan)}")
        texts += _inputs(subject)
    facts = "".join(f"<dt>{escape(term)}</dt><dd>{fact}</dd>" for term, fact in _settings(subject))
    return section(_("What was asked"), *texts, f"<dl>{facts}</dl>")


def _letter(text: str) -> str:
    return f'<blockquote class="typed">{as_typed(text)}</blockquote>'


def _asked(text: str, plan: Plan) -> str:
    """A prompt; where its variables were filled in, their names are marked, as no braces were sent."""
    return bracketed(_letter(text), "<mark>{name}</mark>") if plan.inputs else _letter(text)


def _inputs(subject: Subject) -> list[str]:
    """What was put in for each variable."""
    _, plan = subject.texts.one, subject.study.plan
    if not plan.inputs:
        return []
    columns = list(dict.fromkeys(column for row in plan.inputs for column in row))
    rows = [
        [str(at), *(f'<div class="typed" dir="auto">{escape(row.get(column, ""))}</div>' for column in columns)]
        for at, row in enumerate(plan.inputs, 1)
    ]
    shown = table(["", *(name(column) for column in columns)], rows, "stack")
    return [f"<h3>{escape(_('What was put in'))}</h3>{shown}"]


def _settings(subject: Subject) -> Iterator[tuple[str, str]]:
    """(what, value as HTML) of all that was set."""
    _, plan = subject.texts.one, subject.study.plan
    yield _("Models"), listed((name(model_name(plan, model)) for model in plan.models), _)
    yield _("Temperatures"), listed((escape(temperature_name(value)) for value in plan.ascending), _)
    yield _("Answers per setting"), str(plan.repeats)
    for field, value in plan.params.to_send().items():
        if field not in ("stream", "temperature"):
            yield _(PLAIN_WORDS.get(field, field)), _value(field, written(value))
    if plan.axis is not None and not plan.axis.of_system:
        field = plan.axis.field
        yield _(PLAIN_WORDS.get(field, field)), _value(field, listed(plan.axis.labels, _))
    elif plan.axis is not None and subject.options.prompt:
        yield _("System prompts"), "".join(_letter(str(value)) for value in plan.axis.values)


def _value(field: str, words: str) -> str:
    """A parameter's value; its technical name, where it has a plain one before it, is small."""
    return escape(words) + (f" <small>{escape(field)}</small>" if field in PLAIN_WORDS else "")
