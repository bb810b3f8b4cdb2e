"""The tables of the usage page and their columns."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
import streamlit as st

from lib.calls.records import IMPORTED, CallRecord
from lib.core.i18n import N_
from lib.ui.shared.figures import COSTS, SOURCES, amount, ending
from lib.ui.shared.set_price import set_price_button
from lib.ui.shared.texts import _
from lib.ui.usage import filters
from lib.ui.usage.call_dialog import open_call
from lib.ui.usage.failures import reason
from lib.ui.usage.terms import amounts
from lib.usage import totals
from lib.usage.paid import Amounts, Named
from lib.usage.totals import ModelTotals

MISSING = "–"
TIMES = "YYYY-MM-DD HH:mm:ss"
MODEL_WIDTH, NUMBER_WIDTH, OPEN_WIDTH = 150, 82, 80
ORDER = (
    *("time", "model", "prompt", "completion", "cost", "cost_source", "seconds", "ending", "answered"),
    *("page", "endpoint", "source", "first_token_seconds"),
)
RUNNING = N_("in progress")


def model_table(models: Sequence[ModelTotals], paid: Mapping[Named, Amounts]) -> None:
    """What each model used, the most tokens first, and what was paid for it; one of them can be shown alone."""
    ordered = totals.ordered(models)
    with st.container(key="usage_models"):
        frame = totals.by_model(models)
        frame["cost"] = [amount(None if pd.isna(cost) else cost) for cost in frame["cost"]]
        if paid:
            frame["paid"] = [amounts(paid.get((one.endpoint, one.model), {})) or None for one in ordered]
        cost = st.column_config.TextColumn(_("Cost"), width=NUMBER_WIDTH, alignment="right")
        opens = partial(_show_model, ordered)
        table(frame, opens=(_("Only this"), opens), name="usage_model_table", cost=cost)
        set_price_button([(one.endpoint, one.model) for one in ordered if one.unpriced], "usage_models")


def call_table(newest: Sequence[CallRecord], count: int, zone: ZoneInfo) -> None:
    """The calls one by one, newest first."""
    with st.container(key="usage_calls"):
        frame = totals.call_table(newest, zone)
        frame["page"] = [_page(row) for row in newest]
        frame["source"] = [_(SOURCES.get(source, source)) for source in frame["source"]]
        frame["cost_source"] = [_(COSTS[row.cost_source]) if row.cost_source in COSTS else None for row in newest]
        frame["ending"] = [_ending(row) for row in newest]
        frame["answered"] = [row.model_answered or None for row in newest]
        opens = (_("Open"), lambda row: open_call(newest[row].id))
        table(frame[[*ORDER]], zone, opens=opens, name="usage_call_table")
        if frame[["prompt", "completion", "cost"]].isna().any(axis=None):
            st.caption(_("“–” means not known; under Cost it means no list price."))
        if count > len(newest):
            words = _("The newest {shown:,} of {count:,} calls; the download has all of them.")
            st.caption(words.format(shown=len(newest), count=count))


def table(
    frame: pd.DataFrame,
    zone: ZoneInfo | None = None,
    opens: tuple[str, Callable[[int], None]] | None = None,
    name: str = "",
    **columns: Any,
) -> None:
    """A table with its columns named for people; what is not known is a dash. `columns` replace the usual ones.
    `opens` gives each row a button, with this label, which hands over the row's place; `name` is its key."""
    named = {**_columns(zone), **columns}
    if opens is not None:
        label, opened = opens
        frame = frame.assign(open=label)[["open", *frame]]
        named["open"] = _open_column(name, opened)
    config = {name: column for name, column in named.items() if name in frame}
    st.dataframe(frame, hide_index=True, placeholder=MISSING, column_config=config)


def _open_column(name: str, opens: Callable[[int], None]) -> Any:
    def clicked() -> None:
        opens(st.session_state[name].row)

    return st.column_config.ButtonColumn(
        "", type="tertiary", key=name, on_click=clicked, width=OPEN_WIDTH, alignment="left", pinned=True
    )


def named_with_endpoint(names: Sequence[tuple[str, str]]) -> list[str]:
    """Models by their ids; one that several services have is named with its service. `names` are both."""
    ids = [model for _endpoint, model in names]
    return [f"{endpoint}/{model}" if ids.count(model) > 1 else model for endpoint, model in names]


def _show_model(ordered: Sequence[ModelTotals], row: int) -> None:
    one = ordered[row]
    filters.show_only(endpoints=(one.endpoint,), models=(one.model,))


def _columns(zone: ZoneInfo | None) -> dict[str, Any]:
    number, text = st.column_config.NumberColumn, st.column_config.TextColumn
    return {
        "time": st.column_config.DatetimeColumn(_("Time"), format=TIMES, timezone=zone.key if zone else None),
        "page": text(_("Page")),
        "model": text(_("Model"), width=MODEL_WIDTH, pinned=True),
        "endpoint": text(_("Service")),
        "calls": number(_("Calls"), format="localized"),
        "prompt": number(_("Input"), width=NUMBER_WIDTH, format="localized", help=_("Input tokens (prompt)")),
        "completion": number(_("Output"), width=NUMBER_WIDTH, format="localized", help=_("Output tokens (completion)")),
        "source": text(_("Tokens are")),
        "seconds": number(_("Seconds"), format="%.1f"),
        "first_token_seconds": number(_("First word after"), format="%.2f s"),
        "ending": text(_("Ended because")),
        "cost": number(_("Cost"), width=NUMBER_WIDTH, format="$%.6f"),
        "paid": text(_("You pay"), alignment="right"),
        "cost_source": text(_("Cost is")),
        "answered": text(_("Answered by"), width=MODEL_WIDTH),
    }


def _page(row: CallRecord) -> str:
    name = _(filters.PAGES.get(row.page, row.page))
    return _("{page}, from a file").format(page=name) if row.session == IMPORTED else name


def _ending(row: CallRecord) -> str:
    if row.state == "started":
        return _(RUNNING)
    words = ending(row)
    return _("{ending}: {reason}").format(ending=words, reason=reason(row.error_kind)) if row.error_kind else words
