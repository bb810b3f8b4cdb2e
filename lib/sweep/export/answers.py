"""The answers in a report: a few of them for those who decide, the grid and all texts for those who want to see."""

from collections.abc import Iterator
from html import escape

from lib.calls.records import CallRecord
from lib.core.errors import recorded
from lib.core.i18n import N_, listed
from lib.core.rich_text import line_of_html, to_html, typeset
from lib.sweep import charts
from lib.sweep.export.wording import (
    Subject,
    anchor,
    by_temperature_head,
    cut_at_word,
    figures,
    input_note,
    judged,
    name,
    place,
    section,
    table,
)
from lib.sweep.findings import text_of
from lib.sweep.plan import Cell
from lib.sweep.study import Setting, Study
from lib.sweep.verdict import Verdict, model_name, named

LONGEST_EXCERPT, SHORTEST_EXCERPT = 160, 60
"""Characters; in between as there are few or many columns."""
THREE = 3


def compared(subject: Subject, found: Verdict) -> str:
    """Answers beside each other: of one model with each thing that was varied, and of the models at one temperature."""
    _, study = subject.texts.one, subject.study
    contenders = chosen(study, found)
    if not contenders:
        return ""
    lead = contenders[0]
    sections: list[str] = []
    for what, settings in varied(study, lead):
        title = _("What {name} changes in the answers of {model}")
        words = title.format(name=_(what), model=model_name(study.plan, lead.model))
        sections.append(_beside_each_other(subject, words, settings, lead))
    if sections:
        # What else one model writes stands there already.
        contenders = _one_of_each_model(contenders)
    if not sections or len(contenders) > 1:
        sections.append(contenders_section(subject, contenders))
    return "".join(sections)


def contenders_section(subject: Subject, contenders: list[Setting]) -> str:
    """Answers of settings beside each other, to the question that the best of the first one is to."""
    _ = subject.texts.one
    return _beside_each_other(subject, _("Answers to compare"), contenders, contenders[0]) if contenders else ""


def varied(study: Study, lead: Setting) -> Iterator[tuple[str, list[Setting]]]:
    """What was varied beside the models, by its name (the temperature, the further axis), with at most three settings
    that differ from `lead` in nothing else: from the lowest value to the highest."""
    answered = [one for one in study.settings if one.answers and one.row == lead.row]
    at_temperatures = [one for one in answered if one.variant == lead.variant]
    if len(at_temperatures) > 1:
        yield N_("the temperature"), _ends_and_middle(at_temperatures, lead)
    variants = [one for one in answered if one.column == lead.column]
    if study.plan.axis is not None and len(variants) > 1:
        name = N_("the system prompt") if study.plan.axis.of_system else study.plan.axis.field
        yield name, _ends_and_middle(variants, lead)


def _ends_and_middle(line: list[Setting], lead: Setting) -> list[Setting]:
    """Three of a line, `lead` among them."""
    if len(line) <= THREE:
        return line
    middle = line[len(line) // 2] if lead in (line[0], line[-1]) else lead
    return [line[0], middle, line[-1]]


def _beside_each_other(subject: Subject, title: str, settings: list[Setting], lead: Setting) -> str:
    """An answer of each setting, to the question that the best answer of `lead` is to."""
    best = best_cell(subject.study, lead)
    cells = [best_cell(subject.study, one, best.input if best else None) for one in settings]
    shown = [
        one_answer(subject, one, cell, named(one, subject.study.plan, subject.texts))
        for one, cell in zip(settings, cells, strict=True)
        if cell
    ]
    to = input_note(subject, best.input if best else 0)
    return section(title, f'{to}<div class="three">{"".join(shown)}</div>' if shown else "")


def chosen(study: Study, found: Verdict) -> list[Setting]:
    """At most three settings worth comparing: the pick or the best, what has more stars, the cheaper one, what keeps
    the rules where the pick does not, then those with the most stars."""
    settings = [one for one in study.settings if one.answers]
    first: list[Setting] = []
    for one in (*found.lead[:1], *found.better[:1], *found.cheaper[:1], *found.keepers[:1]):
        if one.answers and one not in first:
            first.append(one)
    column = first[0].column if first else 0
    # Of those with as many stars one at the same temperature, so that the models alone differ.
    others = sorted(settings, key=lambda one: (-(one.stars.mean if one.stars else 0), one.column != column))
    # One of each model, as long as there are others: three temperatures of one model tell less.
    seen = {one.row for one in first}
    fresh = _one_of_each_model([one for one in others if one not in first and one.row not in seen])
    rest = [one for one in others if one not in first and one not in fresh]
    return [*first, *fresh, *rest][:THREE]


def _one_of_each_model(settings: list[Setting]) -> list[Setting]:
    """Of each model the first of its settings, in their order."""
    firsts: dict[int, Setting] = {}
    for one in settings:
        firsts.setdefault(one.row, one)
    return list(firsts.values())


def best_cell(study: Study, setting: Setting, input: int | None = None) -> Cell | None:
    """Where the answer of a setting with the most stars is, to this input if there is one; of several the first that
    keeps all rules, as far as that is known. None where there is no answer."""
    cells = [cell for cell in setting.cells if (call := setting.calls.get(cell.id)) and call.state == "ok"]

    def worth(cell: Cell) -> tuple[bool, int, int]:
        keeps = study.rule_check.keeps(setting.calls[cell.id].id)
        return cell.input == input, _stars(setting, cell), {True: 2, None: 1, False: 0}[keeps]

    return max(cells, key=worth, default=None)


def _stars(setting: Setting, cell: Cell) -> int:
    rating = setting.ratings.get(setting.calls[cell.id].id)
    return (rating.stars or 0) if rating else 0


def grid(subject: Subject) -> str:
    """Models down, temperatures across: how the first answer of each begins, with a link to all of them."""
    _, study = subject.texts.one, subject.study
    rows = []
    for line in study.lines.values():
        by_temperature = {one.temperature: one for one in line}
        cells = [_excerpt(subject, by_temperature.get(value)) for value in study.temperatures]
        rows.append([name(charts.line_name(study, line, subject.texts)), *cells])
    named_input = input_note(subject, 0)
    return section(_("The answers in a grid"), named_input, table(by_temperature_head(subject), rows, "stack grid"))


def _excerpt(subject: Subject, setting: Setting | None) -> str:
    if setting is None:
        return "–"
    _ = subject.texts.one
    text = text_of(setting.answers[0]) if setting.answers else ""
    most = max(SHORTEST_EXCERPT, min(LONGEST_EXCERPT, 500 // len(subject.study.temperatures)))
    words = line_of_html(to_html(text[: 4 * most]))
    short = cut_at_word(words, most) or _("no answer")
    return f'<a href="#{anchor(setting)}"><span dir="auto">{escape(short)}</span></a>'


def texts(subject: Subject) -> str:
    """Every answer in full, model by model and temperature by temperature."""
    _ = subject.texts.one
    drawn = []
    for setting in subject.study.settings:
        title = named(setting, subject.study.plan, subject.texts)
        drawn.append(f'<h3 id="{anchor(setting)}">{name(title)}</h3>')
        drawn += [one_answer(subject, setting, cell, place(cell, subject)) for cell in setting.cells]
    return section(_("All answers"), *drawn)


def one_answer(subject: Subject, setting: Setting, cell: Cell, title: str = "") -> str:
    """An answer with its text, its figures and what was said of it, below its `title`."""
    _ = subject.texts.one
    call = setting.calls.get(cell.id)
    if call is None:
        return f'<article><p class="meta">{_joined(title, _("not sent"))}</p></article>'
    rating = setting.ratings.get(call.id)
    called = f"<b>{name(title)}</b> " if title else ""
    meta = called + _joined(judged(rating), *figures(call, cell, subject))
    # A note is for oneself, and for those who want to see all.
    noted = rating.note if rating and subject.options.depth == "full" else ""
    note = f'<p class="said">{escape(_("Note") + _(": ") + noted)}</p>' if noted else ""
    return f'<article><p class="meta">{meta}</p>{_body(subject, call)}{note}</article>'


def _body(subject: Subject, call: CallRecord) -> str:
    _ = subject.texts.one
    drawn = f'<div class="text" dir="auto">{typeset(to_html(text_of(call)))}</div>' if text_of(call) else ""
    if call.error_kind:
        # What is to be done about it is for whoever ran it, and leads to words that no report has.
        words = recorded(call.error_record, call.error_text).sentence(_, hint=False)
        drawn += f'<p class="failed">{escape(words)}</p>'
    elif not text_of(call).strip():
        drawn += f'<p class="quiet">{escape(_("An empty answer."))}</p>'
    if beside := listed((str(part.get("type", "")) for choice in call.choices[:1] for part in choice.parts), _):
        drawn += f'<p class="quiet">{escape(_("Beside the text: {parts}").format(parts=beside))}</p>'
    return drawn


def _joined(*parts: str) -> str:
    return " · ".join(escape(part) for part in parts if part)
