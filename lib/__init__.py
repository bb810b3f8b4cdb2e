"""Tempera: talk to chat models, sweep one prompt across them, and see what it all used.

From the ground up; each line imports only from those above it, and what stands on one line does not know its
neighbours (`lint-imports` holds that, see pyproject.toml):

    core  streamlit_{internals,drawing}      values and rules without I/O; undocumented details of Streamlit
    background                               jobs on one event loop
    gateway  store                           everything that speaks HTTP; the database
    practice                                 the model on this computer
    calls  visitor  settings                 one call and its record; what a visitor keeps; the operator's settings
    access  chat  sweep  usage               who may come in where many share it; the three domains
    erasing  recovery                        what is removed for good; what a start does for the past
    workers                                  sweeps on as many processes as there are
    services  warmup  web_server             all of it opened once per process; what surrounds the pages
    ui                                       everything that knows Streamlit: shared, then chat, sweep, usage

Where something new goes:

    a parameter of the API         core/parameters.py, ui/shared/controls.py
    a gateway's quirk              gateway/dialects.py, thinking.py, usage_report.py, error_bodies.py
    an error                       core/errors.py, and in a few words ui/usage/failures.py
    a limit where many share it    core/limits.py, calls/caps.py for hours and days, access/ for who comes in
    something to do with an answer ui/chat/message_menu.py and model_actions.py, ui/sweep/cell_dialog.py
    a further axis of a sweep      sweep/plan.py
    a form to save something in    chat/export.py, sweep/export/, usage/call_files.py
    a column of the usage table    usage/queries.py, usage/totals.py, ui/usage/tables.py
"""
