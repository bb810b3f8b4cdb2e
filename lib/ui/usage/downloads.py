"""The calls that are shown, as files: exactly those of the chosen time and filters."""

from collections.abc import Callable, Iterable
from functools import partial

import streamlit as st

from lib.calls.records import CallRecord
from lib.services import Services
from lib.ui.shared.texts import _
from lib.ui.usage.sample import is_sample
from lib.usage import queries, totals
from lib.usage.scope import Scope

FORMS: dict[str, tuple[str, str, Callable[[Iterable[CallRecord]], bytes]]] = {
    "csv": ("CSV", "text/csv", totals.to_csv),
    "xlsx": ("Excel", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", totals.to_excel),
    "json": ("JSON", "application/json", totals.to_json),
}


def downloads(services: Services, scope: Scope, count: int) -> None:
    """Every call of the scope as a file, made when it is asked for."""
    name = "tempera-usage-SAMPLE-DATA" if is_sample(scope.owner) else "tempera-usage"
    with st.popover(_("Download"), icon=":material/download:", key="usage_download", disabled=not count):
        for ending, (title, mime, made) in FORMS.items():
            st.download_button(
                title,
                partial(_file, services, scope, made),
                file_name=f"{name}.{ending}",
                mime=mime,
                key=f"usage_{ending}",
                on_click="ignore",
                width="stretch",
            )
        st.caption(_("Every call that is shown here, with its numbers and without any text."))
        if count > totals.MOST_EXCEL_ROWS:
            words = _("Excel: the newest {count:,} calls; CSV and JSON have all of them.")
            st.caption(words.format(count=totals.MOST_EXCEL_ROWS))


def _file(services: Services, scope: Scope, made: Callable[[Iterable[CallRecord]], bytes]) -> bytes:
    return services.store.read(lambda db: made(queries.every(db, scope)))
