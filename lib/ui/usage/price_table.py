"""The prices of the models that were used: list prices, and the visitor's own on top, set in the table itself."""

from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import version
from typing import Any

import pandas as pd
import streamlit as st
from sqlalchemy import Connection

from lib.calls import repricing
from lib.core import prices
from lib.core.i18n import joined
from lib.core.prices import Price
from lib.gateway.pricing import seller
from lib.services import Services
from lib.ui.shared.dates import day
from lib.ui.shared.figures import dollar_sign, money
from lib.ui.shared.state import state
from lib.ui.shared.texts import _, _n
from lib.ui.shared.written_table import MISSING
from lib.ui.usage.model_column import model_column
from lib.ui.usage.sample import is_sample
from lib.usage.paid import Named
from lib.usage.totals import ModelTotals, named
from lib.visitor import own_prices

KEY = "usage_prices"
SIDES = ("prompt", "completion", "cached")


def price_table(services: Services, owner: str, models: Sequence[ModelTotals]) -> None:
    """A row for each model that is not free where it runs; what is typed into it is kept at once. Those that were asked
    for by name come first."""
    st.markdown(f"**{_('Prices')}**")
    own = services.store.read(lambda db: own_prices.of_services(db, owner))
    # What cost nothing where it was asked, on this computer say, has no price to set.
    used = [(one.endpoint, one.model) for one in models if one.cost != 0]
    kept = [(endpoint, model) for endpoint, some in own.items() for model in some]
    names = list(dict.fromkeys([*state.to_price, *used, *kept]))
    if not names:
        st.caption(_("Models stand here once they were asked."))
        return
    frame = _frame(names, own)
    st.data_editor(
        frame,
        key=KEY,
        hide_index=True,
        placeholder=MISSING,
        disabled=services.shared or is_sample(owner) or ["model", "whose", "tiers"],
        column_config=_columns(frame["model"]),
        on_change=_keep,
        args=(services, owner, names, own),
    )
    if services.shared:
        st.caption(_("Dollars for a million tokens."))
        return
    words = _(
        "Dollars for a million tokens. What you set here counts from now on, before the list price; an emptied row has "
        "the list price again."
    )
    st.caption(joined([words, _source()], _))
    _offer_repricing(services, owner, [(name, price) for name in names if (price := _own(own, name))])


def _source() -> str:
    """Whose list it is, and of when."""
    released, number = prices.released(), version("genai-prices")
    if released is None:
        return _("List prices: genai-prices {version}.").format(version=number)
    return _("List prices: genai-prices {version}, of {day}.").format(version=number, day=day(released))


def _frame(names: Sequence[Named], own: Mapping[str, Mapping[str, Price]]) -> pd.DataFrame:
    listed = [prices.listed(model, seller(endpoint)) for endpoint, model in names]
    shown = [_own(own, name) or price for name, price in zip(names, listed, strict=True)]
    whose = [
        _("yours") if _own(own, name) else _("list price") if price else _("no price")
        for name, price in zip(names, listed, strict=True)
    ]
    sides = {side: [getattr(price, side) if price else None for price in shown] for side in SIDES}
    longer = [None if _own(own, name) else _tiers(name) for name in names]
    return pd.DataFrame(
        {
            "model": named(names),
            **{side: pd.Series(values, dtype="Float64") for side, values in sides.items()},
            "whose": whose,
            **({"tiers": longer} if any(longer) else {}),
        }
    )


def _tiers(name: Named) -> str | None:
    """What longer prompts cost."""
    words = _("from {start:,} input tokens: {prompt} / {completion}")
    found = [
        words.format(start=start, prompt=money(price.prompt), completion=money(price.completion))
        for start, price in prices.tiers(name[1], seller(name[0]))
    ]
    return _("; ").join(found) or None


def _own(own: Mapping[str, Mapping[str, Price]], name: Named) -> Price | None:
    return own.get(name[0], {}).get(name[1])


def _columns(names: Iterable[str]) -> dict[str, Any]:
    number, text = st.column_config.NumberColumn, st.column_config.TextColumn
    bounds: Any = {"min_value": 0.0, "max_value": own_prices.HIGHEST, "format": f"{dollar_sign()}%.3f"}
    return {
        "model": model_column(names),
        "prompt": number(_("Input"), help=_("Input tokens (prompt)"), **bounds),
        "completion": number(_("Output"), help=_("Output tokens (completion)"), **bounds),
        "cached": number(_("Cached"), help=_("Input tokens that the service had in its cache"), **bounds),
        "whose": text(_("Whose price")),
        "tiers": text(_("Longer prompts")),
    }


def _keep(services: Services, owner: str, names: Sequence[Named], own: Mapping[str, Mapping[str, Price]]) -> None:
    """Keep what was typed; a row with one of its two numbers waits for the other."""
    if services.shared:
        return  # also where a browser tells it although nothing can be typed
    frame = _frame(names, own)
    for row, typed in st.session_state[KEY]["edited_rows"].items():
        shown = {name: None if pd.isna(value) else value for name, value in frame.loc[int(row)].items()} | typed
        price = own_prices.as_price(shown["prompt"], shown["completion"], shown["cached"])
        if price is not None or shown["prompt"] is shown["completion"] is None:
            _put(services, owner, names[int(row)], price)


def _put(services: Services, owner: str, name: Named, price: Price | None) -> None:
    services.store.write(lambda db: own_prices.put(db, owner, *name, price)).result()
    services.registry.set_prices(owner, services.store.read(lambda db: own_prices.of_services(db, owner)))


def _offer_repricing(services: Services, owner: str, own: Sequence[tuple[Named, Price]]) -> None:
    """What was asked before keeps its price, unless this is pressed."""

    def count(db: Connection) -> int:
        return sum(repricing.count_other(db, owner, *name, price) for name, price in own)

    def reprice() -> None:
        services.store.write(lambda db: [repricing.reprice(db, owner, *name, price) for name, price in own]).result()
        services.budgets.forget_sums(owner)

    others = services.store.read(count)
    if others:
        words = _n(
            "Use your prices for {count:,} earlier call too", "Use your prices for {count:,} earlier calls too", others
        )
        st.button(
            words.format(count=others),
            key="usage_reprice",
            icon=":material/history:",
            on_click=reprice,
        )
