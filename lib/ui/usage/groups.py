"""The totals by model, by page, or by chat and sweep; one of them can be shown alone."""

from collections.abc import Mapping, Sequence
from zoneinfo import ZoneInfo

import pandas as pd
import streamlit as st

from lib.core.clock import as_datetime
from lib.core.i18n import N_
from lib.services import Services
from lib.ui.shared.dates import day
from lib.ui.shared.texts import _
from lib.ui.usage import filters
from lib.ui.usage.tables import group_table, model_table
from lib.usage import places, queries, totals
from lib.usage.paid import Amounts, Named
from lib.usage.scope import Scope
from lib.usage.totals import ModelTotals

KEY = "usage_by"
BY = {"model": N_("Models"), "page": N_("Pages"), "place": N_("Chats and sweeps")}
MOST = 200


def groups(
    services: Services,
    scope: Scope,
    models: Sequence[ModelTotals],
    paid: Mapping[Named, Amounts],
    zone: ZoneInfo,
) -> None:
    """A table, and the choice of what its rows are."""
    with st.container(key="usage_models"):
        chosen = st.segmented_control(
            _("Totals by"),
            list(BY),
            default="model",
            format_func=lambda name: _(BY[name]),
            key=KEY,
            required=True,
            label_visibility="collapsed",
            persist_state="session",
        )
        if chosen == "page":
            _pages(services, scope)
        elif chosen == "place":
            _places(services, scope, zone)
        else:
            model_table(models, paid)


def _pages(services: Services, scope: Scope) -> None:
    rows = totals.ordered(services.store.read(lambda db: queries.by_page(db, scope)))
    names = [filters.named("pages", one.page) for one in rows]
    frame = pd.DataFrame({"group": names, **totals.figures(rows)})
    group_table(frame, rows, lambda row: filters.show_only(pages=(rows[row].page,)), "usage_page_table")


def _places(services: Services, scope: Scope, zone: ZoneInfo) -> None:
    rows, count = services.store.read(lambda db: queries.by_place(db, scope, MOST))
    titles = services.store.read(lambda db: places.titles(db, scope.owner, [one.place for one in rows]))
    kinds = {place: _(filters.PAGES[kind]) for place, (kind, _title) in titles.items()}
    frame = pd.DataFrame(
        {
            "group": [filters.place_name(one.place, titles) for one in rows],
            "page": [kinds.get(one.place) for one in rows],
            # Two of the same name are told apart by it.
            "day": [day(as_datetime(one.last_at, zone).date()) if one.last_at is not None else None for one in rows],
            "tokens": pd.Series([one.tokens for one in rows], dtype="Int64"),
            **totals.figures(rows),
        }
    )
    group_table(frame, rows, lambda row: filters.show_only(places=(rows[row].place,)), "usage_place_table")
    if count > MOST:
        words = _("The {shown} with the most tokens of {count:,} chats and sweeps.")
        st.caption(words.format(shown=MOST, count=count))
