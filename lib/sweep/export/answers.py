"""The answers in a report: three of them for those who decide, the grid and all texts for those who want to see."""

from html import escape

from lib.calls.records import CallRecord
from lib.core.errors import recorded
from lib.core.rich_text import line_of_html, to_html, typeset
from lib.sweep import charts
from lib.sweep.export.wording import (
    Subject,
    anchor,
    by_temperature_head,
    figures,
    judged,
    name,
    place,
    section,
    table,
)
from lib.sweep.findings import text_of
from lib.sweep.plan import Cell
from lib.sweep.study import Setting, Study
from lib.sweep.verdict import Verdict, named

LONGEST_EXCERPT, SHORTEST_EXCERPT = 160, 60
"""Characters; in between as there are few or many columns."""
THREE = 3


def three(subject: Subject, found: Verdict) -> str:
    """An answer of the pick, of the cheaper one, and of what else has the most stars."""
    _ = subject.texts.one
    shown = [drawn for setting in chosen(subject.study, found) if (drawn := _best_answer(subject, setting))]
    return section(_("Answers to compare"), f'<div class="three">{"".join(shown)}</div>' if shown else "")


def chosen(study: Study, found: Verdict) -> list[Setting]:
    """At most three settings worth comparing: the pick or the best, the cheaper one, then those with the most stars."""
    settings = [one for one in study.settings if one.answers]
    first = [one for one in (found.pick, *found.best[:1], *found.cheaper[:1]) if one is not None and one.answers]
    others = sorted(settings, key=lambda one: -(one.stars.mean if one.stars else 0))
    # One of each model, as long as there are others: three temperatures of one model tell less.
    seen = {one.row for one in first}
    fresh = [one for one in others if one not in first and one.row not in seen]
    fresh = [one for at, one in enumerate(fresh) if one.row not in {before.row for before in fresh[:at]}]
    rest = [one for one in others if one not in first and one not in fresh]
    return [*first, *fresh, *rest][:THREE]


def _best_answer(subject: Subject, setting: Setting) -> str:
    best = best_cell(setting)
    return _answer(subject, setting, best, named(setting, subject.study.plan, subject.texts)) if best else ""


def best_cell(setting: Setting) -> Cell | None:
    """Where the answer of a setting with the most stars is; of several the first; None where there is no answer."""
    cells = [cell for cell in setting.cells if (call := setting.calls.get(cell.id)) and call.state == "ok"]
    return max(cells, key=lambda cell: _stars(setting, cell), default=None)


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
    return section(_("The answers in a grid"), table(by_temperature_head(subject), rows, "stack grid"))


def _excerpt(subject: Subject, setting: Setting | None) -> str:
    if setting is None:
        return "–"
    _ = subject.texts.one
    text = text_of(setting.answers[0]) if setting.answers else ""
    most = max(SHORTEST_EXCERPT, min(LONGEST_EXCERPT, 500 // len(subject.study.temperatures)))
    words = line_of_html(to_html(text[: 4 * most]))
    short = words[:most] + ("…" if len(words) > most else "") or _("no answer")
    return f'<a href="#{anchor(setting)}"><span dir="auto">{escape(short)}</span></a>'


def texts(subject: Subject) -> str:
    """Every answer in full, model by model and temperature by temperature."""
    _ = subject.texts.one
    drawn = []
    for setting in subject.study.settings:
        title = named(setting, subject.study.plan, subject.texts)
        drawn.append(f'<h3 id="{anchor(setting)}">{name(title)}</h3>')
        drawn += [_answer(subject, setting, cell, place(cell, subject)) for cell in setting.cells]
    return section(_("All answers"), *drawn)


def _answer(subject: Subject, setting: Setting, cell: Cell, title: str) -> str:
    _ = subject.texts.one
    call = setting.calls.get(cell.id)
    if call is None:
        return f'<article><p class="meta">{_joined(title, _("not sent"))}</p></article>'
    rating = setting.ratings.get(call.id)
    meta = f"<b>{name(title)}</b> {_joined(judged(rating), *figures(call, subject))}"
    note = f'<p class="said">{escape(_("Note"))}: {escape(rating.note)}</p>' if rating and rating.note else ""
    return f'<article><p class="meta">{meta}</p>{_body(subject, call)}{note}</article>'


def _body(subject: Subject, call: CallRecord) -> str:
    _ = subject.texts.one
    drawn = f'<div class="text" dir="auto">{typeset(to_html(text_of(call)))}</div>' if text_of(call) else ""
    if call.error_kind:
        words = recorded(call.error_record, call.error_text).sentence(_)
        drawn += f'<p class="failed">{escape(words)}</p>'
    elif not text_of(call).strip():
        drawn += f'<p class="quiet">{escape(_("An empty answer."))}</p>'
    if beside := ", ".join(str(part.get("type", "")) for choice in call.choices[:1] for part in choice.parts):
        drawn += f'<p class="quiet">{escape(_("Beside the text: {parts}").format(parts=beside))}</p>'
    return drawn


def _joined(*parts: str) -> str:
    return " · ".join(escape(part) for part in parts if part)
