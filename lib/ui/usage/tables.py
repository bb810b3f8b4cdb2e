"""The tables of the usage page, their columns, and the CSV download."""

from collections.abc import Sequence
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
import streamlit as st

from lib.calls.records import CallRecord
from lib.core.i18n import N_
from lib.services import Services
from lib.ui.shared.figures import COSTS, SOURCES, amount, ending
from lib.ui.shared.texts import _
from lib.usage import queries, totals
from lib.usage.scope import Scope
from lib.usage.totals import ModelTotals

MISSING = "–"
TIMES = "YYYY-MM-DD HH:mm:ss"
MODEL_WIDTH, NUMBER_WIDTH = 150, 82
ORDER = (
    *("time", "model", "prompt", "completion", "cost", "cost_source", "seconds", "ending", "answered"),
    *("page", "endpoint", "source", "first_token_seconds", "error"),
)
PAGES = {"chat": N_("Chat"), "sweep": N_("Sweep")}
RUNNING = N_("in progress")


def csv_button(services: Services, scope: Scope, disabled: bool) -> None:
    """Every call of the scope as a file, made when it is asked for."""
    st.download_button(
        _("CSV"),
        lambda: services.store.read(lambda db: totals.to_csv(queries.every(db, scope))),
        file_name="tempera-usage.csv",
        mime="text/csv",
        key="usage_csv",
        icon=":material/download:",
        on_click="ignore",
        disabled=disabled,
    )


def model_table(models: Sequence[ModelTotals]) -> None:
    """What each model used, the most tokens first."""
    with st.container(key="usage_models"):
        frame = totals.by_model(models)
        frame["cost"] = [amount(None if pd.isna(cost) else cost) for cost in frame["cost"]]
        table(frame, cost=st.column_config.TextColumn(_("Cost"), width=NUMBER_WIDTH, alignment="right"))


def call_table(newest: Sequence[CallRecord], count: int, zone: ZoneInfo) -> None:
    """The calls one by one, newest first."""
    with st.container(key="usage_calls"):
        st.markdown(f"**{_('All calls')}**")
        frame = totals.call_table(newest, zone)
        frame["page"] = [_(PAGES.get(page, page)) for page in frame["page"]]
        frame["source"] = [_(SOURCES.get(source, source)) for source in frame["source"]]
        frame["cost_source"] = [_(COSTS[row.cost_source]) if row.cost_source in COSTS else None for row in newest]
        frame["ending"] = [_ending(row) for row in newest]
        frame["answered"] = [row.model_answered or None for row in newest]
        table(frame[[*ORDER]], zone)
        if frame[["prompt", "completion", "cost"]].isna().any(axis=None):
            st.caption(_("“–” means not known; under Cost it means no list price."))
        if count > len(newest):
            words = _("The newest {shown:,} of {count:,} calls; the download has all of them.")
            st.caption(words.format(shown=len(newest), count=count))


def table(frame: pd.DataFrame, zone: ZoneInfo | None = None, **columns: Any) -> None:
    """A table with its columns named for people; what is not known is a dash. `columns` replace the usual ones."""
    named = {**_columns(zone), **columns}
    config = {name: column for name, column in named.items() if name in frame}
    st.dataframe(frame, hide_index=True, placeholder=MISSING, column_config=config)


def _columns(zone: ZoneInfo | None) -> dict[str, Any]:
    number, text = st.column_config.NumberColumn, st.column_config.TextColumn
    return {
        "time": st.column_config.DatetimeColumn(_("Time"), format=TIMES, timezone=zone.key if zone else None),
        "page": text(_("Page")),
        "model": text(_("Model"), width=MODEL_WIDTH),
        "endpoint": text(_("Service")),
        "calls": number(_("Calls"), format="localized"),
        "prompt": number(_("Input"), width=NUMBER_WIDTH, format="localized", help=_("Input tokens (prompt)")),
        "completion": number(_("Output"), width=NUMBER_WIDTH, format="localized", help=_("Output tokens (completion)")),
        "source": text(_("Tokens are")),
        "seconds": number(_("Seconds"), format="%.1f"),
        "first_token_seconds": number(_("First word after"), format="%.2f s"),
        "ending": text(_("Ended because")),
        "cost": number(_("Cost"), width=NUMBER_WIDTH, format="$%.6f"),
        "cost_source": text(_("Cost is")),
        "answered": text(_("Answered by"), width=MODEL_WIDTH),
        "error": text(_("Error")),
    }


def _ending(row: CallRecord) -> str:
    if row.state == "started":
        return _(RUNNING)
    return ending(row)
