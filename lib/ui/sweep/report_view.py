"""What can be handed to other people: the report, made to their wishes, and the other forms of a sweep."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import streamlit as st

from lib.core.file_names import file_name
from lib.core.i18n import N_
from lib.sweep import decision, report
from lib.sweep.decision import LONGEST_TEXT, ReportOptions
from lib.sweep.export.document import report as document
from lib.sweep.export.json_file import json_file
from lib.sweep.export.markdown import markdown
from lib.sweep.export.summary import summary
from lib.sweep.export.wording import Subject, title
from lib.sweep.export.workbook import workbook
from lib.sweep.study import Study
from lib.ui.shared import resources
from lib.ui.shared.choices import choice_key
from lib.ui.shared.saved_file import saved, say_saved
from lib.ui.shared.share_link import open_share
from lib.ui.shared.state import Shareable, state
from lib.ui.shared.texts import LANGUAGES, _, language
from lib.ui.sweep.open_study import keep, texts_of
from lib.ui.sweep.view_state import remembered

DEPTHS = {
    "director": N_("For those who decide: verdict, overview, three answers"),
    "full": N_("Full: with all answers, charts and numbers"),
}
EXCEL = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
LONGEST_LINE = 200
FIELDS = ("title", "author", "recommendation", "language", "depth", "prompt", "cost")


@dataclass(frozen=True, slots=True)
class Form:
    """Another form of a sweep: what it is called, how it is made, and as what kind of file it is saved."""

    name: str
    label: str
    icon: str
    ending: str
    mime: str
    make: Callable[[], bytes]


def report_view(study: Study) -> None:
    """The wishes, the report itself, and the other forms."""
    say_saved()
    options = _wishes(study)
    subject = Subject(study, options, texts_of(options.language))
    with st.container(horizontal=True):
        st.download_button(
            _("Save the report"),
            partial(_report, subject),  # made on the click, not with every rerun
            file_name=file_name(title(*subject), "html", "report"),
            mime="text/html",
            key="sweep_report",
            type="primary",
            icon=":material/description:",
            on_click=saved,
        )
        if st.button(_("Present"), key="sweep_present", icon=":material/slideshow:"):
            remembered.slide = 0
            st.rerun()  # the whole page, of which this is a part
        words, key = _("Share for reading"), "sweep_link"
        if resources.services().may_share_links and st.button(words, key=key, icon=":material/link:"):
            _share(subject)
            st.rerun()
    st.caption(_("One file that opens in every browser without a network; from there it prints, or becomes a PDF."))
    with st.expander(_("Other forms"), key="sweep_forms", expanded=True):
        st.caption(_("To paste into a mail:"))
        st.code(summary(study, options, subject.texts), language=None, wrap_lines=True)
        with st.container(horizontal=True):
            for form in _forms(subject):
                st.download_button(
                    _(form.label),
                    form.make,
                    file_name=file_name(title(*subject), form.ending, "sweep"),
                    mime=form.mime,
                    key=f"sweep_{form.name}",
                    icon=form.icon,
                    on_click=saved,
                )


def share_report(study: Study) -> None:
    """Let the page's next run open the dialog that shares the report, as it was wished for last."""
    options = _wished(study)
    _share(Subject(study, options, texts_of(options.language)))


def _wished(study: Study) -> ReportOptions:
    return study.decision.report or ReportOptions(language=language())


def _share(subject: Subject) -> None:
    options = subject.options
    shows = [_("the report, in the language and to the extent that are set for it")]
    shows += [_("with the prompt")] if options.prompt else []
    shows += [_("with costs")] if options.cost else []
    made = partial(_report, subject)
    open_share(Shareable("sweep", str(state.sweep_id), title(*subject), shows, made))


def _forms(subject: Subject) -> list[Form]:
    study = subject.study
    rows = partial(report.csv, study.cells, study.results, study.ratings)
    return [
        Form("excel", N_("Excel"), ":material/table_view:", "xlsx", EXCEL, partial(workbook, subject)),
        Form("table", N_("CSV"), ":material/table_rows:", "csv", "text/csv", rows),
        Form("json", N_("JSON"), ":material/data_object:", "json", "application/json", partial(json_file, study)),
        Form("markdown", N_("Markdown"), ":material/notes:", "md", "text/markdown", partial(_markdown, subject)),
    ]


def _report(subject: Subject) -> bytes:
    return document(subject.study, subject.options, subject.texts)


def _markdown(subject: Subject) -> bytes:
    return markdown(subject).encode("utf-8", "replace")


def _wishes(study: Study) -> ReportOptions:
    """The report's fields, as they were left for this sweep; each change is kept."""
    kept = _wished(study)
    keys = {field: f"sweep_report_{field}_{study.cells[0].id}" for field in FIELDS}
    for field, key in keys.items():
        st.session_state.setdefault(key, getattr(kept, field))
    with st.container(key="sweep_report_form"):
        _words(study, keys)
        _extent(keys)
    return _as_wished(keys)


def _words(study: Study, keys: Mapping[str, str]) -> None:
    """What the report says in one's own words."""
    with st.container(horizontal=True):
        st.text_input(_("Title"), **_kept("title", keys), placeholder=study.title, max_chars=LONGEST_LINE)
        st.text_input(_("Author"), **_kept("author", keys), max_chars=LONGEST_LINE)
    st.text_area(
        _("Your recommendation"),
        **_kept("recommendation", keys),
        max_chars=LONGEST_TEXT,
        height=90,
        placeholder=_("What should the readers do? It stands below the verdict."),
    )


def _extent(keys: Mapping[str, str]) -> None:
    """How much of the sweep it shows, to whom, and in which language."""
    choice_key(keys["depth"])
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.selectbox(
            _("For whom"), list(DEPTHS), format_func=lambda depth: _(DEPTHS[depth]), **_kept("depth", keys), width=400
        )
        st.selectbox(
            _("Language"), list(LANGUAGES), format_func=LANGUAGES.__getitem__, **_kept("language", keys), width=160
        )
        st.toggle(_("With the prompt"), **_kept("prompt", keys))
        st.toggle(_("With costs"), **_kept("cost", keys))


def _kept(field: str, keys: Mapping[str, str]) -> dict[str, Any]:
    """What makes a widget the field of an option, whose change is kept."""
    # Kept by Streamlit too while a slide is shown in its place: else it comes back empty, over what was stored.
    return {"key": keys[field], "on_change": _keep_wish, "args": (field, keys[field]), "persist_state": "session"}


def _as_wished(keys: Mapping[str, str]) -> ReportOptions:
    return ReportOptions.from_json({field: st.session_state[key] for field, key in keys.items()})


def _keep_wish(field: str, key: str) -> None:
    value, first = st.session_state[key], ReportOptions(language=language())
    keep(lambda db, owner, sweep_id: decision.change_report(db, owner, sweep_id, field, value, first))
