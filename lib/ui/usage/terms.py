"""What a dollar at each service costs the visitor: a factor and a currency, and what was paid at that."""

from collections.abc import Sequence

import streamlit as st

from lib.core.clock import now
from lib.core.money import CURRENCIES
from lib.core.rich_text import literal
from lib.services import Services
from lib.ui.shared.figures import currency_amount
from lib.ui.shared.refusals import stored
from lib.ui.shared.texts import _
from lib.ui.usage.sample import is_sample
from lib.usage.paid import Amounts
from lib.usage.totals import ModelTotals
from lib.visitor import service_terms
from lib.visitor.service_terms import Term, Terms

WIDTH = 180


def load(services: Services, owner: str) -> Terms:
    """The visitor's terms."""
    return services.store.read(lambda db: service_terms.load(db, owner))


def amounts(paid: Amounts) -> str:
    """Amounts of several currencies, beside each other."""
    return " + ".join(currency_amount(amount, currency) for currency, amount in sorted(paid.items()))


def terms(services: Services, owner: str, models: Sequence[ModelTotals]) -> None:
    """A row for each service that was asked, or can be, and that is not on this computer."""
    st.markdown(f"**{_('What you really pay')}**")
    st.caption(
        _(
            "Costs are US dollars at list prices. Where a dollar costs you more or less, by a discount or in another "
            "currency, enter it here: it counts from now on."
        )
    )
    known = load(services, owner)
    asked = [one.endpoint for one in models if one.cost != 0]
    connected = [one.name for one in services.registry.endpoints(owner) if not one.on_this_computer]
    for service in sorted({*asked, *connected}):
        with st.container(key=f"usage_terms_{service}"):
            _row(owner, service, known.get(service, ()))


def _row(owner: str, service: str, some: Sequence[Term]) -> None:
    newest = some[-1] if some and some[-1].factor is not None else None
    factor_key, currency_key = f"usage_factor_{service}", f"usage_currency_{service}"
    st.session_state[factor_key] = newest.factor if newest else None
    st.session_state.setdefault(currency_key, newest.currency if newest else CURRENCIES[0])
    fixed = is_sample(owner)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.number_input(
            literal(_("A dollar at {service} costs").format(service=service)),
            min_value=0.0,
            max_value=service_terms.HIGHEST,
            step=0.1,
            format="%.4g",
            key=factor_key,
            placeholder=_("not set"),
            width=WIDTH,
            disabled=fixed,
            on_change=_keep,
            args=(service,),
        )
        st.selectbox(_("in"), CURRENCIES, key=currency_key, width=120, disabled=fixed, on_change=_keep, args=(service,))
        if newest is not None and (len(some) > 1 or newest.since > 0):
            st.button(
                _("Use it for earlier calls too"),
                key=f"usage_terms_all_{service}",
                icon=":material/history:",
                on_click=_use_for_all,
                args=(service,),
            )


def _keep(service: str) -> None:
    factor, currency = st.session_state[f"usage_factor_{service}"], st.session_state[f"usage_currency_{service}"]
    term = Term(now(), factor if service_terms.usable(factor) else None, currency)
    stored(lambda db, owner: service_terms.put(db, owner, service, term))


def _use_for_all(service: str) -> None:
    stored(lambda db, owner: service_terms.use_for_all(db, owner, service))
