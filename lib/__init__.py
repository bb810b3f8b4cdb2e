"""Tempera: talk to chat models, sweep one prompt across them, and see what it all used.

From the ground up; each line imports only from those above it, and what stands on one line does not know its
neighbours (`lint-imports` holds that, see pyproject.toml):

    core  streamlit_internals                values and rules without I/O; undocumented details of Streamlit
    background                               jobs on one event loop
    gateway  store                           everything that speaks HTTP; the database
    practice                                 the model on this computer
    calls  visitor  settings                 one call and its record; what a visitor keeps; the operator's settings
    access  chat  sweep  usage               who may come in where many share it; the three domains
    erasing  recovery                        what is removed for good; what a start does for the past
    workers                                  sweeps on as many processes as there are
    services  warmup  web_server             all of it opened once per process; what surrounds the pages
    ui                                       everything that knows Streamlit: shared, then chat, sweep, usage

A new parameter: core/parameters.py, ui/shared/controls.py. A gateway's quirk: gateway/dialects.py, usage_report.py or
error_bodies.py. A column of the usage table: usage/queries.py, usage/totals.py, ui/usage/tables.py. Something to do
with an answer: ui/chat/message_menu.py, ui/chat/model_actions.py. A sweep's axis: sweep/plan.py, ui/sweep/form.py.
"""
