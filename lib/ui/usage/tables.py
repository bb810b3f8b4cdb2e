"""The tables of the usage page and their columns."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
import streamlit as st

from lib.calls.records import IMPORTED, CallRecord
from lib.core.endings import REASONS
from lib.core.i18n import N_
from lib.services import Services
from lib.ui.shared.figures import COSTS, SOURCES, amount, cost_nothing, ending, known_cost, precise_seconds
from lib.ui.shared.set_price import set_price_button
from lib.ui.shared.texts import _
from lib.ui.shared.written_table import MISSING, Form, written
from lib.ui.usage import filters
from lib.ui.usage.call_dialog import open_call
from lib.ui.usage.failures import reason
from lib.ui.usage.model_column import model_column, with_dark_names
from lib.ui.usage.terms import amounts
from lib.usage import queries, totals
from lib.usage.paid import Amounts, Named
from lib.usage.scope import Scope
from lib.usage.totals import ModelTotals, Totals

TIMES = "YYYY-MM-DD HH:mm:ss"
NUMBER_WIDTH, OPEN_WIDTH, GROUP_WIDTH, ANSWERED_WIDTH = 82, 78, 290, 134
"""Pixels."""
TOKENS = ["prompt", "completion"]
COUNT: Form = ",.0f"
RUNNING, NO_COST = N_("in progress"), N_("no cost")


@dataclass(frozen=True, slots=True)
class Column:
    """A column of these tables: its heading, and how its numbers are written, where it has numbers. The tables of calls
    have those `of_call`."""

    title: str
    form: Form | None = None
    help: str = ""
    width: int | None = None
    of_call: bool = True

    def config(self) -> Any:
        """What Streamlit is to know of it."""
        kind = st.column_config.NumberColumn if self.form else st.column_config.TextColumn
        return kind(_(self.title), width=self.width, help=_(self.help) if self.help else None)


COLUMNS: Mapping[str, Column] = {
    "day": Column(N_("Last call"), of_call=False),
    "group": Column(N_("Where"), width=GROUP_WIDTH, of_call=False),
    "calls": Column(N_("Calls"), COUNT, of_call=False),
    "tokens": Column(N_("Tokens"), COUNT, N_("Input and output together"), NUMBER_WIDTH, of_call=False),
    "paid": Column(N_("You pay"), of_call=False),
    "time": Column(N_("Time")),
    "model": Column(N_("Model")),
    "prompt": Column(N_("Input"), COUNT, N_("Input tokens (prompt)"), NUMBER_WIDTH),
    "completion": Column(N_("Output"), COUNT, N_("Output tokens (completion)"), NUMBER_WIDTH),
    "cost": Column(N_("Cost"), amount, width=NUMBER_WIDTH),
    "cost_source": Column(N_("Cost is")),
    "seconds": Column(N_("Seconds"), ",.1f"),
    "ending": Column(N_("Ended because")),
    "answered": Column(N_("Answered by"), width=ANSWERED_WIDTH),
    "page": Column(N_("Page")),
    "endpoint": Column(N_("Service")),
    "cached": Column(N_("From the cache"), COUNT, N_("Part of the input: what the service had in its cache")),
    "reasoning": Column(N_("For thinking"), COUNT, N_("Part of the output: what the model thought")),
    "source": Column(N_("Tokens are")),
    "first_token_seconds": Column(N_("First word after"), precise_seconds),
}
"""Every column; those of a call in their order."""
ORDER = [name for name, column in COLUMNS.items() if column.of_call]


def model_table(models: Sequence[ModelTotals], paid: Mapping[Named, Amounts]) -> None:
    """What each model used, the most tokens first, and what was paid for it; one of them can be shown alone."""
    ordered = totals.ordered(models)
    frame = totals.by_model(models)
    if paid:
        frame["paid"] = [amounts(paid.get((one.endpoint, one.model), {})) or None for one in ordered]

    def show(row: int) -> None:
        filters.show_only(endpoints=(ordered[row].endpoint,), models=(ordered[row].model,))

    group_table(frame, ordered, show, "usage_model_table")
    set_price_button([(one.endpoint, one.model) for one in ordered if one.unpriced], "usage_models")


def group_table(frame: pd.DataFrame, groups: Sequence[Totals], show: Callable[[int], None], name: str) -> None:
    """What each of the groups used; `show` shows one of them alone."""
    nothing = [used_nothing(one) for one in groups]
    frame["cost"] = [known_cost(one.cost, one.unpriced) for one in groups]
    table(frame, opens=(_("Only this"), show), name=name, nothing=nothing)
    if any(one.unpriced and known_cost(one.cost, one.unpriced) is None for one in groups):
        st.caption(_("“–” under Cost: no price is known."))


def call_table(services: Services, scope: Scope, count: int, zone: ZoneInfo) -> None:
    """The calls one by one, newest first."""
    newest = services.store.read(lambda db: queries.newest(db, scope, totals.MOST_ROWS))
    with st.container(key="usage_calls"):
        frame = totals.call_frame(newest, zone)
        frame["page"] = [_page(row) for row in newest]
        frame["source"] = [_(SOURCES.get(row.usage.source, row.usage.source)) for row in newest]
        frame["cost_source"] = [_cost_source(row) for row in newest]
        frame["ending"] = [_ending(row) for row in newest]
        frame["answered"] = [row.model_answered or None for row in newest]
        opens = (_("Open"), lambda row: open_call(newest[row].id))
        nothing = [cost_nothing(row) for row in newest]
        table(frame[ORDER], zone, opens=opens, name="usage_call_table", nothing=nothing)
        if frame.loc[[not one for one in nothing], TOKENS].isna().any(axis=None):
            st.caption(_("“–” means not known."))
        if count > len(newest):
            words = _("The newest {shown:,} of {count:,} calls; the download has all of them.")
            st.caption(words.format(shown=len(newest), count=count))


def table(
    frame: pd.DataFrame,
    zone: ZoneInfo | None = None,
    opens: tuple[str, Callable[[int], None]] | None = None,
    name: str = "",
    nothing: Sequence[bool] = (),
) -> None:
    """A table with its columns named for people; what is not known is a dash. `opens` gives each row a button, with
    this label, which hands over the row's place; `name` is its key. `nothing` are the rows of which it is known that
    nothing was used: they took 0 tokens, and cost nothing without being free."""
    named = _columns(zone)
    if "model" in frame:
        named["model"] = model_column(frame["model"])
    rows = [place for place, one in enumerate(nothing) if one]
    if rows:
        figures = [*TOKENS, "cost"]
        # A browser draws what is written only where there is a number.
        frame.loc[rows, figures] = frame.loc[rows, figures].fillna(0)
    if opens is not None:
        label, opened = opens
        frame = frame.assign(open=label)[["open", *frame]]
        named["open"] = _open_column(name, opened)
    config = {name: column for name, column in named.items() if name in frame}
    shown = written(frame, {name: column.form for name, column in COLUMNS.items() if column.form})
    if "model" in frame:
        shown = with_dark_names(shown)
    if rows:
        shown = shown.format(lambda _cost: _(NO_COST), subset=(rows, ["cost"]))
    st.dataframe(shown, hide_index=True, placeholder=MISSING, column_config=config)


def cost_of(one: Totals) -> str:
    """What calls cost; those that used nothing have no cost, which is no price of 0, and none that is missing."""
    return _(NO_COST) if used_nothing(one) else amount(known_cost(one.cost, one.unpriced))


def used_nothing(one: Totals) -> bool:
    """Whether it is known that none of the calls took anything."""
    return one.calls > 0 and one.unbilled == one.calls


def _cost_source(row: CallRecord) -> str | None:
    """Whose word a cost is; why there is none."""
    if row.cost is not None:
        return _(COSTS.get(row.cost_source, COSTS["list"]))
    if row.state == "started" or cost_nothing(row):
        return None
    unknown = row.usage.prompt_tokens is None or row.usage.completion_tokens is None
    return _("not known") if unknown else _("no price")


def _open_column(name: str, opens: Callable[[int], None]) -> Any:
    def clicked() -> None:
        opens(st.session_state[name].row)

    return st.column_config.ButtonColumn(
        "", type="tertiary", key=name, on_click=clicked, width=OPEN_WIDTH, alignment="left", pinned=True
    )


def _columns(zone: ZoneInfo | None) -> dict[str, Any]:
    time = st.column_config.DatetimeColumn(_(COLUMNS["time"].title), format=TIMES, timezone=zone.key if zone else None)
    paid = st.column_config.TextColumn(_(COLUMNS["paid"].title), alignment="right")
    return {name: column.config() for name, column in COLUMNS.items()} | {"time": time, "paid": paid}


def _page(row: CallRecord) -> str:
    name = _(filters.PAGES.get(row.page, row.page))
    return _("{page}, from a file").format(page=name) if row.session == IMPORTED else name


def _ending(row: CallRecord) -> str:
    if row.state == "started":
        return _(RUNNING)
    # In a few words: the whole sentence stands in the opened call.
    words = _(REASONS[row.finish_reason]) if row.state == "ok" and row.finish_reason in REASONS else ending(row)
    return _("{ending}: {reason}").format(ending=words, reason=reason(row.error_kind)) if row.error_kind else words
