"""Where the time of a call went: a bar for each attempt, of the parts between its steps."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import streamlit as st

from lib.core.i18n import N_
from lib.ui.shared.texts import _

PARTS = (
    ("queued", "admitted", N_("waited for its turn")),
    ("admitted", "connected", N_("connecting")),
    ("connected", "sent", N_("sending")),
    ("sent", "first_word", N_("until the first word")),
    ("first_word", "end", N_("writing")),
)
"""From one step of an attempt to another, and what that is called."""
STEPS = ("queued", "admitted", "connected", "sent", "first_word", "end")
ROW_HEIGHT, FRAME_HEIGHT = 34, 100


def waterfall(attempts: Sequence[Mapping[str, Any]]) -> None:
    """The bars, the first attempt above, on one scale of seconds since the call began."""
    names = [_("Attempt {number}").format(number=number + 1) for number in range(len(attempts))]
    spans = [parts_of(one) for one in attempts]
    before = [one.get("queued", 0.0) for one in attempts]
    # What stands before an attempt is drawn as nothing.
    series = [_series("", before, {"color": "transparent", "decal": {"symbol": "none"}}, silent=True)]
    parts = [(begin, _(words)) for begin, _end, words in PARTS if any(one[begin] for one in spans)]
    if all(one.get("error") and one.get("first_word") is None for one in attempts):
        parts = [(begin, _("until it failed") if begin == "sent" else words) for begin, words in parts]
    series += [_series(words, [one[begin] for one in spans], {}) for begin, words in parts]
    spec = {
        "animation": False,
        "aria": {"enabled": True, "label": {"enabled": False}, "decal": {"show": True}},
        "grid": {"left": 8, "right": 32, "top": 56, "bottom": 8, "containLabel": True},
        "legend": {"top": 0, "left": 0, "data": [words for _begin, words in parts]},
        "tooltip": {"trigger": "item", "renderMode": "richText", "confine": True, "valueFormatter": "%.2f s"},
        "xAxis": {"type": "value", "axisLabel": {"formatter": "{value} s"}},
        "yAxis": {"type": "category", "inverse": True, "data": names},
        "series": series,
    }
    alt = _("Where the time of each attempt went; the table below has the numbers.")
    height = FRAME_HEIGHT + ROW_HEIGHT * len(attempts)
    st.echarts_chart(spec, height=height, renderer="svg", alt=alt, key="usage_waterfall")


def parts_of(attempt: Mapping[str, Any]) -> dict[str, float]:
    """How many seconds each part of an attempt took, by the step that it begins with. A step that was never noted, or
    never reached, leaves its time to the part before it."""
    known = [(step, float(attempt[step])) for step in STEPS if attempt.get(step) is not None]
    took = dict.fromkeys(STEPS, 0.0)
    for (step, began), (_next, ended) in pairwise(known):
        took[step] = max(0.0, ended - began)
    return took


def _series(name: str, seconds: Sequence[float], style: dict[str, Any], silent: bool = False) -> dict[str, Any]:
    data = [round(value, 4) for value in seconds]
    return {"type": "bar", "stack": "time", "name": name, "data": data, "itemStyle": style, "silent": silent}
