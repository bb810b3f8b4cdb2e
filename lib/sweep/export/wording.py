"""Words and figures that a report's parts share, in the report's own language."""

import re
from collections.abc import Iterable
from html import escape
from typing import NamedTuple

from lib.calls.records import CallRecord
from lib.core import endings
from lib.core.i18n import Texts
from lib.core.segmentation import beginning, length
from lib.core.titles import title_of
from lib.core.variables import bracketed
from lib.sweep.decision import ReportOptions
from lib.sweep.findings import text_of
from lib.sweep.length_words import length_words
from lib.sweep.measures import MEASURES, Measure
from lib.sweep.plan import Cell
from lib.sweep.ratings import MOST_STARS, Rating
from lib.sweep.rule_words import broken_by, broken_words
from lib.sweep.study import Setting, Study
from lib.sweep.verdict import temperature_name

TAG = re.compile(r"<[^>]*>")


class Subject(NamedTuple):
    """What is told, how, and in which language."""

    study: Study
    options: ReportOptions
    texts: Texts

    @property
    def measures(self) -> list[Measure]:
        """The measures that are shown."""
        return [measure for measure in MEASURES if self.options.cost or measure.name != "cost"]


def title(study: Study, options: ReportOptions, texts: Texts) -> str:
    """What it is called: as its author says, else as the sweep is. One that has its name of its prompt is called by
    that in quotation marks, and has none where the prompt is hidden."""
    _ = texts.one
    if own := " ".join(options.title.split()):
        return own
    if study.title != title_of(study.plan.prompt):
        return study.title
    # With inputs no braces were sent: of a variable its name is read.
    asked = title_of(bracketed(study.plan.prompt)) if study.plan.inputs else study.title
    return _("“{prompt}”").format(prompt=asked) if options.prompt else _("A comparison of models")


def section(title: str, *parts: str, kind: str = "") -> str:
    """A section with its heading; nothing where it would be empty."""
    inside = "".join(parts)
    named = f' class="{kind}"' if kind else ""
    return f"<section{named}><h2>{escape(title)}</h2>{inside}</section>" if inside else ""


def table(head: Iterable[str], rows: Iterable[Iterable[str]], kind: str = "") -> str:
    """A table of HTML; the first cell of each row is its heading. Each cell has its column's name, for narrow
    screens."""
    names = list(head)
    lines = []
    for first, *others in rows:
        cells = "".join(
            f'<td data-name="{TAG.sub("", name)}">{cell}</td>' for name, cell in zip(names[1:], others, strict=True)
        )
        lines.append(f'<tr><th scope="row">{first}</th>{cells}</tr>')
    heading = "".join(f'<th scope="col">{name}</th>' for name in names)
    return f'<table class="{kind}"><thead><tr>{heading}</tr></thead><tbody>{"".join(lines)}</tbody></table>'


def by_temperature_head(subject: Subject) -> list[str]:
    """The heads of a table with models down and temperatures across; each says what its number is."""
    _ = subject.texts.one
    lead = f"<small>{escape(_('Temperature'))}</small>"
    return [escape(_("Model")), *(f"{lead} {escape(temperature_name(at))}" for at in subject.study.temperatures)]


def name(words: str) -> str:
    """A foreign name as HTML; one that runs from right to left disturbs nothing beside it."""
    return f"<bdi>{escape(words)}</bdi>"


def stars(value: float) -> str:
    """Stars as signs, to the nearest whole one."""
    full = max(0, min(MOST_STARS, round(value)))
    return "★" * full + "☆" * (MOST_STARS - full)


def mean_stars(value: float, texts: Texts) -> str:
    """The mean of some stars as a number."""
    return texts.one("{stars:.1f}").format(stars=value)


def judged(rating: Rating | None) -> str:
    """One answer's stars and thumb; "" where it has none."""
    if rating is None:
        return ""
    thumb = {1: "👍", -1: "👎"}.get(rating.thumb or 0, "")
    return " ".join(part for part in (stars(rating.stars) if rating.stars else "", thumb) if part)


def place(cell: Cell, subject: Subject) -> str:
    """Which of the answers of its setting a cell is; "" where there is but one."""
    several = len(subject.study.plan.inputs) > 1
    parts = [input_name(subject, cell.input) if several else "", place_of_repeat(cell, subject)]
    return " · ".join(part for part in parts if part)


def place_of_repeat(cell: Cell, subject: Subject) -> str:
    """Which of the answers to one question a cell is; "" where there is but one."""
    repeats = subject.study.plan.repeats
    return f"{cell.repeat + 1}/{repeats}" if repeats > 1 else ""


def input_name(subject: Subject, input: int) -> str:
    """An input by its own words, in a line; by its number where it has none, or they are hidden with the prompt."""
    _, values = subject.texts.one, subject.study.plan.inputs[input].values()
    words = title_of(" · ".join(value for value in values if value.strip())) if subject.options.prompt else ""
    return words or _("input {number}").format(number=input + 1)


def input_note(subject: Subject, input: int) -> str:
    """A line that says to which input answers are; nothing without inputs."""
    _ = subject.texts.one
    if not subject.study.plan.inputs:
        return ""
    words = _("The answers to: {input}").format(input=input_name(subject, input))
    return f'<p class="note">{escape(words)}</p>'


def cut_at_word(text: str, most: int) -> str:
    """The beginning of a text in at most so many characters, and no word in part."""
    if len(text) <= most:
        return text
    whole = text[: most + 1].rpartition(" ")[0]
    return (whole if len(whole) > most // 2 else beginning(text, most)) + "…"


def duration(seconds: float, texts: Texts) -> str:
    """A time in words."""
    if seconds < 100:
        return texts.counted("{count} s", "{count} s", round(seconds)).format(count=round(seconds))
    return texts.one("{count} min").format(count=round(seconds / 60))


def figures(call: CallRecord, cell: Cell, subject: Subject) -> list[str]:
    """The figures of one answer, in words: length, seconds, what is not normal about it and which rules it breaks; in
    full tokens and cost."""
    _, _n = subject.texts.one, subject.texts.counted
    found = []
    if text := text_of(call):
        found.append(length_words(length(text), subject.texts))
    tokens = call.usage.completion_tokens
    # Those who decide know what a thousand cost, and how long it is in words.
    if tokens is not None and subject.options.depth == "full":
        found.append(_n("{count:,} token", "{count:,} tokens", tokens).format(count=tokens))
    if call.usage.source in ("gateway", "estimated") and subject.options.depth == "full":
        found.append(_("tokens estimated"))
    if call.seconds is not None:
        found.append(_("{seconds:.1f} s").format(seconds=call.seconds))
    if subject.options.cost and call.state == "ok" and subject.options.depth == "full":
        found.append(price(call.cost, subject.texts))
    return [*found, *troubles(call, subject.texts), *broken(call, cell, subject)]


def broken(call: CallRecord, cell: Cell, subject: Subject) -> list[str]:
    """What an answer is like, for each rule that it breaks; without the words of its input where these are hidden."""
    study, texts = subject.study, subject.texts
    if subject.options.prompt:
        return broken_by(cell, call.id, study.rule_check, study.plan, texts)
    return [broken_words(rule, study.plan, texts) for rule in study.rule_check.broken(call.id)]


def price(cost: float | None, texts: Texts) -> str:
    """A cost, which may be none or unknown."""
    _ = texts.one
    return _("no price") if cost is None else _("free") if cost == 0 else texts.dollars(cost)


def per_thousand(setting: Setting, texts: Texts) -> str:
    """What a thousand such answers cost, in two words."""
    _, cost = texts.one, setting.per_thousand
    return _("{cost} per 1,000").format(cost=texts.dollars(cost)) if cost else price(cost, texts)


def troubles(call: CallRecord, texts: Texts) -> list[str]:
    """What is not normal about an answer's end, in a few words."""
    _ = texts.one
    if call.state == "started":
        return [_("not finished")]
    words = _(endings.STATES[call.state]) if call.state in endings.STATES else endings.mark(call.finish_reason, _)
    return [words] if words else []


def anchor(setting: Setting) -> str:
    """The place of a setting's answers in the document."""
    return f"answers-{setting.row}-{setting.variant}-{setting.column}"
