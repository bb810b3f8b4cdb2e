"""Usage: what it all used."""

import streamlit as st

from lib import tallies, usage
from lib.ui import resources
from lib.ui.frame import menu, notices
from lib.ui.usage_charts import tokens_chart
from lib.ui.usage_scope import chosen_scope, nothing_yet, viewer_zone
from lib.ui.usage_tables import call_table, csv_button, model_table
from lib.ui.usage_tiles import coverage, sentence, tiles
from lib.ui.visitor import visitor

st.set_page_config(layout="wide")
house, who, zone = resources.house(), visitor(), viewer_zone()
with st.container(key="usage_top", horizontal=True, vertical_alignment="center"):
    scope = chosen_scope(who)
    models = house.store.read(lambda db: tallies.by_model(db, scope))
    st.space("stretch")
    csv_button(house, scope, disabled=not models)
    menu(house)
notices()
if not models:
    nothing_yet(house, who, scope)
    st.stop()

totals = usage.total(models)
newest = house.store.read(lambda db: tallies.newest(db, scope, usage.MOST_ROWS))
sentence(totals, models)
tiles(totals)
coverage(totals)
tokens_chart(house, scope, totals, models, newest, zone)
model_table(models)
call_table(newest, totals.calls, zone)
