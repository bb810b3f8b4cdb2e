"""Usage: tokens, times and costs of all calls."""

import streamlit as st

from lib.core import periods
from lib.ui.shared import resources
from lib.ui.shared.dates import viewer_zone
from lib.ui.shared.frame import notices, upgrade_notice
from lib.ui.usage import filters, sample
from lib.ui.usage.call_dialog import call_dialog
from lib.ui.usage.downloads import downloads
from lib.ui.usage.everybody import everybody
from lib.ui.usage.reading_help import reading_help
from lib.ui.usage.scope import chosen_scope, nothing_yet, when
from lib.ui.usage.sections import sections, without_calls
from lib.ui.usage.terms import load as load_terms
from lib.ui.usage.tiles import coverage, on_this_computer, sentence, tiles
from lib.usage import paid, queries
from lib.usage.totals import total

zone = viewer_zone()
services, who = sample.source(str(periods.today(zone)))
reading_help()
sample.banner()
with st.container(key="usage_top", horizontal=True, vertical_alignment="center"):
    scope = chosen_scope(services, who, zone)
    models = services.store.read(lambda db: queries.by_model(db, scope))
    st.space("stretch")
    downloads(services, scope, sum(one.calls for one in models))
filters.chips(services, who.owner)
notices()
upgrade_notice(resources.services())
everybody(services, who.owner, zone)
if not models:
    nothing_yet(services, who, scope)
    without_calls(services, scope, zone)
    st.stop()

totals = total(models)
terms = load_terms(services, who.owner)
by_model = services.store.read(lambda db: paid.by_model(db, scope, terms)) if terms else {}
sentence(totals, models, when(), sample.who())
tiles(totals, paid.total(by_model.values()))
coverage(totals, on_this_computer(services, who.owner, models))
sections(services, scope, totals, models, by_model, zone)
call_dialog(services, who.owner, terms, zone)
