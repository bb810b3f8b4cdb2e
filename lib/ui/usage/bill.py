"""A look at the bill: prices, the same work on another model, and the services' counts counted again."""

from collections.abc import Sequence
from typing import Any

import pandas as pd
import streamlit as st
from sqlalchemy import Connection

from lib.calls import records
from lib.core.rich_text import literal
from lib.services import Services
from lib.ui.shared.figures import money
from lib.ui.shared.texts import _, _n
from lib.ui.usage.price_table import price_table
from lib.ui.usage.tables import MODEL_WIDTH
from lib.ui.usage.terms import terms
from lib.usage import audit, queries, what_if
from lib.usage.audit import ModelAudit
from lib.usage.scope import Scope
from lib.usage.totals import ModelTotals, total

SAMPLE = 100
"""So many answers are counted again, the newest ones."""
ENOUGH_WORDS = 50


def bill(services: Services, scope: Scope, models: Sequence[ModelTotals]) -> None:
    """The three looks, one below the other."""
    with st.container(key="usage_bill"):
        price_table(services, scope.owner, models)
        terms(services, scope.owner, models)
        _what_if(models)
        _counted_again(services, scope, models)


def _what_if(models: Sequence[ModelTotals]) -> None:
    st.markdown(f"**{_('The same work on another model')}**")
    known = what_if.comparable([one.model for one in models])
    chosen = st.selectbox(_("Model"), known, key="usage_what_if", width=320, persist_state="session")
    found = what_if.at_price_of(chosen, models) if chosen else None
    if found is None:
        st.caption(_("No tokens are known yet."))
        return
    cost, now = literal(money(found.cost)), total(models).cost
    words = _("On {model} the same tokens would cost about {cost} at list prices; they cost {now}.")
    if now is None:
        words = _("On {model} the same tokens would cost about {cost} at list prices.")
    st.markdown(words.format(model=literal(chosen), cost=cost, now=_("nothing") if now == 0 else literal(money(now))))
    told = _("Told of {calls:,} of {all:,} calls. Another model counts and answers otherwise.")
    st.caption(told.format(calls=found.calls, all=found.all_calls))


def _counted_again(services: Services, scope: Scope, models: Sequence[ModelTotals]) -> None:
    st.markdown(f"**{_('Tokens counted again')}**")
    rows = _sample(services, scope)
    if not rows:
        st.caption(_("No answer whose tokens a service counted and whose text is kept is among these calls."))
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
            "exact": [_("yes") if row.exact else _("can't be checked exactly") for row in rows],
        }
    )
    st.dataframe(frame, hide_index=True, placeholder="–", column_config=_columns())
    _judged(rows)


def _sample(services: Services, scope: Scope) -> list[ModelAudit]:
    def read(db: Connection) -> list[ModelAudit]:
        calls = queries.reported(db, scope, SAMPLE)
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
    st.caption(
        looked.format(count=count)
        + " "
        + _(
            "Our count uses OpenAI's vocabulary (o200k_base): exact for their newer models, for all others only a "
            "comparison. Thinking is left out, as its words mostly don't come; services may add words of their own to "
            "a prompt."
        )
    )


def _per_word(row: ModelAudit) -> float | None:
    return row.completion_reported / row.words if row.words >= ENOUGH_WORDS else None


def _thousand_words(row: ModelAudit, cost_per_token: float | None) -> str:
    per_word = _per_word(row)
    return "–" if per_word is None or cost_per_token is None else money(per_word * cost_per_token * 1_000)


def _columns() -> dict[str, Any]:
    number, text = st.column_config.NumberColumn, st.column_config.TextColumn
    return {
        "model": text(_("Model"), width=MODEL_WIDTH, pinned=True),
        "calls": number(_("Calls"), format="localized"),
        "prompt_reported": number(_("Input, theirs"), format="localized"),
        "prompt_counted": number(_("Input, ours"), format="localized"),
        "completion_reported": number(_("Output, theirs"), format="localized"),
        "completion_counted": number(_("Output, ours"), format="localized"),
        "per_word": number(_("Tokens per word"), format="%.2f", help=_("A Chinese character counts as a word.")),
        "thousand": text(_("1,000 words cost"), help=_("What was paid for input is part of it.")),
        "exact": text(_("Exact?")),
    }
