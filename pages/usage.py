"""Usage: tokens, times and costs of all calls."""

import streamlit as st

from lib.ui.shared import resources
from lib.ui.shared.frame import notices
from lib.ui.shared.visitor import visitor
from lib.ui.usage.charts import tokens_chart
from lib.ui.usage.scope import chosen_scope, nothing_yet, viewer_zone
from lib.ui.usage.tables import call_table, csv_button, model_table
from lib.ui.usage.tiles import coverage, sentence, tiles
from lib.usage import queries
from lib.usage.totals import MOST_ROWS, total

services, who, zone = resources.services(), visitor(), viewer_zone()
with st.container(key="usage_top", horizontal=True, vertical_alignment="center"):
    scope = chosen_scope(who)
    models = services.store.read(lambda db: queries.by_model(db, scope))
    st.space("stretch")
    csv_button(services, scope, disabled=not models)
notices()
if not models:
    nothing_yet(services, who, scope)
    st.stop()

totals = total(models)
newest = services.store.read(lambda db: queries.newest(db, scope, MOST_ROWS))
sentence(totals, models, newest)
tiles(totals)
coverage(totals, newest)
tokens_chart(services, scope, totals, models, newest, zone)
model_table(models)
call_table(newest, totals.calls, zone)
