"""The report: one HTML file that opens without scripts, asks no other computer for anything, and prints well."""

import base64
import hashlib
from html import escape
from importlib.metadata import version
from pathlib import Path

from lib.core.clock import as_datetime
from lib.core.i18n import Texts, listed
from lib.core.rich_text import FORMULA_STYLES
from lib.sweep.decision import ReportOptions
from lib.sweep.export import answer_table, answers, numbers, opening
from lib.sweep.export.short_answers import short_answers
from lib.sweep.export.wording import Subject, title
from lib.sweep.study import Study
from lib.sweep.verdict import verdict

STYLES = (Path(__file__).parent / "report.css").read_text("utf-8") + FORMULA_STYLES
POLICY = (
    "default-src 'none'; img-src data:; style-src-elem 'sha256-{hash}'; style-src-attr 'unsafe-inline'; "
    "base-uri 'none'; form-action 'none'"
)
"""No script, no foreign address, no other styles than ours; answers align their own text."""


def report(study: Study, options: ReportOptions, texts: Texts) -> bytes:
    """The report as an HTML file, in the language of `texts`."""
    subject, found = Subject(study, options, texts), verdict(study)
    date = as_datetime(study.created_at).strftime("%Y-%m-%d")
    parts = [opening.header(subject, date), opening.verdict_card(subject, found), opening.overview(subject, found)]
    rules = numbers.rule_section(subject)
    if options.depth == "director":
        parts += [short_answers(subject, found), rules, opening.asked(subject), numbers.chart_section(subject)]
    else:
        parts += [opening.asked(subject), *_all_answers(subject), rules, numbers.judge_section(subject)]
        parts += [numbers.chart_section(subject), numbers.number_section(subject)]
    return _page(subject, "".join(parts) + _footer(subject, date)).encode("utf-8", "replace")


def _all_answers(subject: Subject) -> list[str]:
    if answer_table.fits(subject.study):
        return [answer_table.answer_tables(subject)]
    return [answers.grid(subject), answers.texts(subject)]


def _page(subject: Subject, body: str) -> str:
    called = title(*subject)
    language = escape(subject.options.language.replace("_", "-"))
    digest = base64.b64encode(hashlib.sha256(STYLES.encode()).digest()).decode()
    return (
        f'<!doctype html><html lang="{language}"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY.format(hash=digest)}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="referrer" content="no-referrer">'
        f"<title>{escape(called)}</title><style>{STYLES}</style></head><body><main>{body}</main></body></html>"
    )


def _footer(subject: Subject, date: str) -> str:
    """When, with what, and which models really answered."""
    _ = subject.texts.one
    study = subject.study
    answered = sorted({call.model_answered for one in study.settings for call in one.answers if call.model_answered})
    lines = [_("Run on {date} with Tempera.").format(date=date)]
    if answered:
        lines.append(_("Models as they answered: {models}.").format(models=listed(answered, _)))
    if subject.options.cost:
        lines.append(_("Costs are in US dollars, at the services’ list prices unless a service or you named others."))
    shown = "".join(f"<p>{escape(line)}</p>" for line in lines)
    source = f"<p><small>genai-prices {escape(version('genai-prices'))}</small></p>" if subject.options.cost else ""
    return f"<footer>{shown}{source}</footer>"
