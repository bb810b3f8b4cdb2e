"""A look at the bill: prices, the same work on another model, and the services' counts counted again."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pandas as pd
import streamlit as st
from sqlalchemy import Connection

from lib.calls import records
from lib.core.i18n import joined
from lib.core.prices import list_price
from lib.core.rich_text import literal
from lib.services import Services
from lib.ui.shared.choices import choice_key
from lib.ui.shared.figures import money
from lib.ui.shared.texts import _, _n
from lib.ui.shared.written_table import MISSING, Form, written
from lib.ui.usage.model_column import model_column, with_dark_names
from lib.ui.usage.price_table import price_table
from lib.ui.usage.terms import terms
from lib.usage import audit, queries, what_if
from lib.usage.audit import ModelAudit
from lib.usage.scope import Scope
from lib.usage.totals import ModelTotals
from lib.usage.what_if import Work

SAMPLE = 100
"""So many answers are counted again, the newest ones."""
AMONG = 10_000
"""They are looked for among so many of the newest calls."""
ENOUGH_WORDS = 50
COUNTS = ("calls", "prompt_reported", "prompt_counted", "completion_reported", "completion_counted")
FORMS: Mapping[str, Form] = {**dict.fromkeys(COUNTS, ",.0f"), "per_word": ".2f", "thousand": money}


def bill(services: Services, scope: Scope, models: Sequence[ModelTotals]) -> None:
    """The three looks, one below the other."""
    with st.container(key="usage_bill"):
        _what_if(services, scope, models)
        price_table(services, scope.owner, models)
        terms(services, scope.owner, models)
        _counted_again(services, scope, models)


def _what_if(services: Services, scope: Scope, models: Sequence[ModelTotals]) -> None:
    st.markdown(f"**{_('The same work on another model')}**")
    done = services.store.read(lambda db: what_if.work(db, scope, models))
    known = what_if.comparable(models, done)
    chosen = st.selectbox(
        _("Model"),
        known,
        index=what_if.worth_a_look(known, models),
        format_func=_with_price,
        key=choice_key("usage_what_if"),
        width=480,
        persist_state="session",
    )
    cost = what_if.at_price_of(chosen, done) if chosen else None
    if cost is None or not done.calls:
        st.caption(_("No tokens are known yet."))
        return
    _compared(chosen, cost, done, sum(one.calls for one in models))


def _compared(model: str, cost: float, done: Work, count: int) -> None:
    """What it would have cost, beside what it did; and of how many of the `count` calls that is told."""
    words = _("On {model} the same tokens would cost about {cost} at list prices; they cost {now}.")
    counted = _(
        "Both amounts are of the same {calls:,} of {all:,} calls: those that have tokens and a price. Another model "
        "would count and write differently."
    )
    if done.cost is None:
        words = _("On {model} the same tokens would cost about {cost} at list prices.")
        counted = _(
            "This compares {calls:,} of {all:,} calls: those whose tokens are known. Another model would count and "
            "write differently."
        )
    now = _("nothing") if done.cost == 0 else literal(money(done.cost))
    st.markdown(words.format(model=literal(model), cost=literal(money(cost)), now=now))
    st.caption(counted.format(calls=done.calls, all=count))


def _with_price(model: str) -> str:
    """A model and what it costs, for the list."""
    price = list_price(model)
    if price is None:
        return model
    prompt, completion = map(money, price)
    words = _("{prompt} in, {completion} out per million").format(prompt=prompt, completion=completion)
    return f"{model} · {words}"


def _counted_again(services: Services, scope: Scope, models: Sequence[ModelTotals]) -> None:
    st.markdown(f"**{_('Tokens counted again')}**")
    rows = _sample(services, scope)
    if not rows:
        words = _("No answer whose tokens a service counted and whose text is kept is among these calls.")
        if sum(one.calls for one in models) > AMONG:
            words = _("No answer whose tokens a service counted and whose text is kept is among the newest {count:,}.")
        st.caption(words.format(count=AMONG))
        return
    costs = {one.model: one.cost / one.completion_tokens for one in models if one.cost and one.completion_tokens}
    frame = pd.DataFrame(
        {
            "model": [row.model for row in rows],
            "calls": [row.calls for row in rows],
            "prompt_reported": [row.prompt_reported for row in rows],
            "prompt_counted": [row.prompt_counted for row in rows],
            "completion_reported": [row.completion_reported for row in rows],
            "completion_counted": [row.completion_counted for row in rows],
            "per_word": [_per_word(row) for row in rows],
            "thousand": [_thousand_words(row, costs.get(row.model)) for row in rows],
            "exact": [_("exact") if row.exact else _("can't be checked exactly") for row in rows],
        }
    )
    shown = with_dark_names(written(frame, FORMS))
    st.dataframe(shown, hide_index=True, placeholder=MISSING, column_config=_columns(frame["model"]))
    _judged(rows)


def _sample(services: Services, scope: Scope) -> list[ModelAudit]:
    def read(db: Connection) -> list[ModelAudit]:
        calls = queries.reported(db, scope, SAMPLE, AMONG)
        pairs = ((call, records.messages_of(db, scope.owner, call.id)) for call in calls)
        return audit.by_model(one for pair in pairs if (one := audit.counted(*pair)) is not None)

    return services.store.read(read)


def _judged(rows: Sequence[ModelAudit]) -> None:
    for row in rows:
        if row.drifts:
            words = _(
                "{model}: over {calls:,} calls the two counts are more than a tenth apart. Services may add words of "
                "their own; if it stays so, ask yours."
            )
            st.warning(words.format(model=literal(row.model), calls=row.calls), icon=":material/balance:")
    count = sum(row.calls for row in rows)
    looked = _n("The newest {count} answer was counted.", "The newest {count} answers were counted.", count)
    how = _(
        "Our count uses OpenAI's vocabulary (o200k_base): exact for their newer models, for all others only a "
        "comparison. Thinking is left out, as its words mostly don't come; services may add words of their own to "
        "a prompt."
    )
    st.caption(joined([looked.format(count=count), how], _))


def _per_word(row: ModelAudit) -> float | None:
    return row.completion_reported / row.words if row.words >= ENOUGH_WORDS else None


def _thousand_words(row: ModelAudit, cost_per_token: float | None) -> float | None:
    per_word = _per_word(row)
    return None if per_word is None or cost_per_token is None else per_word * cost_per_token * 1_000


def _columns(names: Iterable[str]) -> dict[str, Any]:
    number, text = st.column_config.NumberColumn, st.column_config.TextColumn
    return {
        "model": model_column(names),
        "calls": number(_("Calls")),
        "prompt_reported": number(_("Input, theirs")),
        "prompt_counted": number(_("Input, ours")),
        "completion_reported": number(_("Output, theirs")),
        "completion_counted": number(_("Output, ours")),
        "per_word": number(_("Tokens per word"), help=_("A Chinese character counts as a word.")),
        "thousand": number(_("1,000 words cost"), help=_("What was paid for input is part of it.")),
        "exact": text(_("Check")),
    }
