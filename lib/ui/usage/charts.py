"""The chart of prompt and completion tokens: by call, by time, by model. Output is hatched, so that colour is not
needed."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
import streamlit as st
from babel.dates import format_skeleton

from lib.core.i18n import N_
from lib.services import Services
from lib.ui.shared.state import state
from lib.ui.shared.texts import _, language
from lib.ui.usage import filters, stretch
from lib.ui.usage.call_dialog import open_call
from lib.ui.usage.tables import table, used_nothing
from lib.usage import queries
from lib.usage.scope import Scope
from lib.usage.totals import (
    STEPS,
    ModelTotals,
    Totals,
    bucket_for,
    by_call,
    by_model,
    by_time,
    ordered,
    parted_days,
    stretch_of,
)

CALLS, MODELS = 200, 12
CLICKS = "usage_chart_clicks"
HEIGHT, ROW_HEIGHT, FRAME_HEIGHT = 300, 34, 90
VIEWS = {"call": N_("By call"), "time": N_("By time"), "model": N_("By model")}
DATES = {"1D": ("MMMd",), "W": ("MMMd",), "M": ("yMMM",)}
PLAIN = {"symbol": "none"}
HATCHED = {"symbol": "rect", "dashArrayX": [1, 0], "dashArrayY": [2, 4], "rotation": -0.8, "color": "#ffffff99"}


@dataclass(frozen=True, slots=True)
class Bars:
    """What a chart shows: `frame` holds a row per bar with `prompt` and `completion`, `labels` their names; `opens`
    shows the calls behind one."""

    frame: pd.DataFrame
    labels: Sequence[str]
    opens: Callable[[int], None]
    lying: bool = False
    note: str = ""


def tokens_chart(
    services: Services,
    scope: Scope,
    totals: Totals,
    models: Sequence[ModelTotals],
    zone: ZoneInfo,
) -> None:
    """The chart and the switch between its views; the same numbers as a table on demand."""
    with st.container(key="usage_tokens"):
        with st.container(horizontal=True, vertical_alignment="center"):
            view = _view("time" if totals.calls > CALLS else "call")
            as_table = st.toggle(_("As a table"), key="usage_as_table", persist_state="session")
        if view == "time":
            bars = _by_time(services, scope, totals, zone)
        else:
            bars = _by_model(models) if view == "model" else _by_call(services, scope, totals.calls, zone)
        if as_table:
            table(bars.frame)
        elif bars.frame[["prompt", "completion"]].isna().all(axis=None):
            nothing = _("These calls took no tokens: they failed before.")
            st.caption(nothing if used_nothing(totals) else _("How many tokens these calls took is not known."))
        else:
            _draw(bars, _(VIEWS[view]))
        if bars.note:
            st.caption(bars.note)


def _view(first: str) -> str:
    st.session_state.setdefault("usage_view", first)
    chosen = st.segmented_control(
        _("Tokens"),
        list(VIEWS),
        format_func=lambda name: _(VIEWS[name]),
        key="usage_view",
        required=True,
        label_visibility="collapsed",
        persist_state="session",
    )
    return chosen or first


def _by_call(services: Services, scope: Scope, count: int, zone: ZoneInfo) -> Bars:
    newest = services.store.read(lambda db: queries.newest(db, scope, CALLS))
    frame = by_call(newest, zone)
    days = frame["time"].dt.date.nunique()
    labels = [_time(at, ("MMMd", "Hm") if days > 1 else ("Hms",)) for at in frame["time"]]
    note = _("The last {shown:,} of {count:,} calls.").format(shown=CALLS, count=count) if count > CALLS else ""
    drawn = newest[::-1]
    return Bars(frame, labels, lambda bar: open_call(drawn[bar].id), note=note)


def _by_time(services: Services, scope: Scope, totals: Totals, zone: ZoneInfo) -> Bars:
    bucket = bucket_for(totals)
    parted = partial(parted_days, bucket, zone)
    if bucket.unit in STEPS:
        slices = services.store.read(lambda db: queries.by_day(db, scope, parted))
    else:
        slices = services.store.read(lambda db: queries.by_slice(db, scope, bucket.slice_seconds))
    frame = by_time(slices, bucket, zone)
    days = frame["time"].dt.date.nunique()
    parts = DATES.get(bucket.unit, ("MMMd", "Hm") if days > 1 else ("Hm",))

    def show(bar: int) -> None:
        stretch.choose(*stretch_of(frame["time"].iloc[bar], bucket, zone))
        state.usage_section = "calls"

    return Bars(frame, [_time(at, parts) for at in frame["time"]], show)


def _by_model(models: Sequence[ModelTotals]) -> Bars:
    frame = by_model(models)
    drawn = frame.head(MODELS)
    note = _("The {shown} models with the most tokens of {count}.").format(shown=MODELS, count=len(frame))
    shown = ordered(models)

    def show(bar: int) -> None:
        filters.show_only(endpoints=(shown[bar].endpoint,), models=(shown[bar].model,))
        state.usage_section = "calls"

    return Bars(drawn, list(drawn["model"]), show, lying=True, note=note if len(frame) > MODELS else "")


def _time(at: pd.Timestamp, parts: tuple[str, ...]) -> str:
    clock = at.tz_localize(None).to_pydatetime()
    return " ".join(format_skeleton(part, clock, locale=language()) for part in parts)


def _draw(bars: Bars, view: str) -> None:
    names: dict[str, Any] = {"type": "category", "data": list(bars.labels), "axisLabel": {"hideOverlap": True}}
    counts = {"type": "value", "minInterval": 1, "splitNumber": 4}
    if bars.lying:
        names |= {"inverse": True, "axisLabel": {"width": 130, "overflow": "truncate"}}
    spec = {
        "animation": False,
        "aria": {"enabled": True, "label": {"enabled": False}, "decal": {"show": True}},
        "grid": {"left": 8, "right": 32, "top": 40, "bottom": 8, "containLabel": True},
        "legend": {"top": 0, "left": 0},
        # Rich text, not HTML: a model's name comes from outside.
        "tooltip": {"trigger": "axis", "axisPointer": {"type": "shadow"}, "renderMode": "richText", "confine": True},
        "xAxis": counts if bars.lying else names,
        "yAxis": names if bars.lying else counts,
        "series": [
            _series(_("Input tokens (prompt)"), bars.frame["prompt"], PLAIN),
            _series(_("Output tokens (completion)"), bars.frame["completion"], HATCHED),
        ],
    }
    height = FRAME_HEIGHT + ROW_HEIGHT * len(bars.labels) if bars.lying else HEIGHT
    alt = _("Bars of input and output tokens, {view}; “As a table” shows the numbers.").format(view=view)
    # Another key once a bar was clicked: it would stay chosen, and a second click on it say nothing.
    key = f"usage_chart_{st.session_state.get(CLICKS, 0)}"

    def clicked() -> None:
        bar = _clicked_bar(st.session_state[key])
        if bar is not None and bar < len(bars.labels):
            st.session_state[CLICKS] = st.session_state.get(CLICKS, 0) + 1
            bars.opens(bar)

    with st.container(key="usage_chart"):
        st.echarts_chart(spec, height=height, renderer="svg", alt=alt, key=key, on_select=clicked)
    st.caption(_("Click a bar to see the calls behind it."))


def _clicked_bar(chosen: Any) -> int | None:
    """The place of the bar that was clicked, of whichever series."""
    places = [place for one in chosen["selection"]["selected"] for place in one["data_indices"]]
    return int(places[0]) if places else None


def _series(name: str, values: "pd.Series[Any]", decal: dict[str, Any]) -> dict[str, Any]:
    data = [None if pd.isna(value) else int(value) for value in values]
    style = {"itemStyle": {"decal": decal}, "barMaxWidth": 40}
    style |= {"selectedMode": "single", "cursor": "pointer"}
    return {"type": "bar", "stack": "tokens", "name": name, "data": data, **style}
