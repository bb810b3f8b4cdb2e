"""The calls that are shown, as files: exactly those of the chosen time and filters; and calls that come in from one."""

from collections.abc import Callable, Iterable
from functools import partial

import streamlit as st
from sqlalchemy import Connection

from lib.calls import imported
from lib.calls.records import CallRecord
from lib.core.errors import TemperaError
from lib.core.i18n import joined
from lib.core.table_file import MAX_BYTES
from lib.services import Services
from lib.ui.shared.state import state
from lib.ui.shared.texts import LANGUAGES, _, _n, catalogue, error_message, for_this_reader
from lib.ui.usage.sample import is_sample
from lib.usage import call_files, import_file, queries
from lib.usage.scope import Scope
from lib.visitor import service_terms
from lib.visitor.service_terms import Terms

Made = Callable[[Iterable[CallRecord], Terms], bytes]
FORMS = {
    "csv": ("CSV", "text/csv"),
    "xlsx": ("Excel", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    "json": ("JSON", "application/json"),
}
UPLOAD = "usage_import"


def downloads(services: Services, scope: Scope, count: int) -> None:
    """Every call of the scope as a file, made when it is asked for, and a way in for such a file."""
    name = "tempera-usage-SAMPLE-DATA" if is_sample(scope.owner) else "tempera-usage"
    with st.popover(_("Export"), icon=":material/download:", key="usage_download"):
        made: dict[str, Made] = {"csv": call_files.to_csv, "json": call_files.to_json}
        # A file is made when it is asked for, where there is no session to tell the reader's language.
        made["xlsx"] = partial(call_files.to_excel, translate=for_this_reader(_))
        for ending, (title, mime) in FORMS.items():
            st.download_button(
                title,
                partial(_file, services, scope, made[ending]),
                file_name=f"{name}.{ending}",
                mime=mime,
                key=f"usage_{ending}",
                on_click="ignore",
                width="stretch",
                disabled=not count,
            )
        st.caption(_("Every call that is shown here, with its numbers and without any text."))
        if count > call_files.MOST_EXCEL_ROWS:
            words = _("Excel: the newest {count:,} calls; CSV and JSON have all of them.")
            st.caption(words.format(count=call_files.MOST_EXCEL_ROWS))
        if not is_sample(scope.owner):
            st.file_uploader(
                _("Bring in calls from such a file"),
                type=[*FORMS],
                key=UPLOAD,
                max_upload_size=MAX_BYTES // 1_000_000,
                on_change=_bring_in,
                args=(services, scope.owner),
                help=_("Each call comes in once, however often its file does. No budget counts it."),
            )


def _file(services: Services, scope: Scope, made: Made) -> bytes:
    return services.store.read(lambda db: made(queries.every(db, scope), service_terms.load(db, scope.owner)))


def _bring_in(services: Services, owner: str) -> None:
    """Take in a file that was chosen; what came of it is said on the page."""
    file = st.session_state[UPLOAD]
    if file is None:
        return
    try:
        found = import_file.read(file.getvalue(), owner, names_of_columns())
        new = services.store.write(lambda db: _kept(db, owner, found)).result()
    except TemperaError as error:
        state.notices.append(error_message(error))
        return
    state.notices.append(joined(_said(found, new), _))


def names_of_columns() -> dict[str, str]:
    """The columns of a workbook by what it calls them, whatever the language of who saved it."""
    catalogues = [catalogue(language) for language in LANGUAGES]
    return {one.gettext(words): name for one in catalogues for name, words in call_files.WORDS.items()}


def _kept(db: Connection, owner: str, found: import_file.ImportFile) -> int:
    """How many calls are new. What a dollar cost at a service comes with them where that was never said here."""
    for service, terms in found.terms.items():
        if service not in service_terms.load(db, owner):
            for term in terms:
                service_terms.put(db, owner, service, term)
    return imported.add(db, owner, found.calls)


def _said(found: import_file.ImportFile, new: int) -> list[str]:
    """What came of a file, as sentences."""
    known = len(found.calls) - new
    came = _n("{count:,} call came in.", "{count:,} calls came in.", new)
    there = _n("{count:,} was here already.", "{count:,} were here already.", known)
    running = _n(
        "{count:,} was still in progress when the file was saved, and is left out.",
        "{count:,} were still in progress when the file was saved, and are left out.",
        found.running,
    )
    lost = _n("{count:,} row can't be read.", "{count:,} rows can't be read.", found.unreadable)
    made_up = _n(
        "{count:,} made-up call of the sample is left out.",
        "{count:,} made-up calls of the sample are left out.",
        found.made_up,
    )
    rest = ((made_up, found.made_up), (there, known), (running, found.running), (lost, found.unreadable))
    return [came.format(count=new), *(words.format(count=count) for words, count in rest if count)]
