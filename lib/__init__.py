"""All of Tempera, with a map of it in lib/__init__.py: who may import whom, and where something new goes.

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
    a gateway's own field names    gateway/dialects.py, token counts in usage_report.py, thoughts in thinking.py
    a quirk of its streams         gateway/answer_stream.py; of the lines they come in, sse.py
    a refusal, with status 200 too gateway/error_mapping.py says which error it is, error_bodies.py finds its words
    a header about limits          gateway/retry.py
    an error                       core/errors.py, and in a few words ui/usage/failures.py
    a limit where many share it    core/limits.py, calls/caps.py for hours and days, access/ for who comes in
    something to do with a message ui/chat/message_menu.py, which has its menu; model_actions.py, if a model is asked
    something to do with a cell    ui/sweep/cell_dialog.py
    a further axis of a sweep      sweep/plan.py
    what is told before Run        sweep/estimate.py, ui/sweep/launch.py
    a form to save something in    chat/export.py, sweep/export/, usage/call_files.py
    a column of the usage table    ui/usage/tables.py; its values in usage/totals.py, those of sums in usage/queries.py
    what a visitor saves by name   visitor/saved_items.py; any other preference visitor/preferences.py
    a table or column to store     store/schema.py, and a step in store/migrations/versions/
    a word in Chinese              ui/locales/zh_Hans/tempera.po
    a colour                       .streamlit/config.toml; of a sweep's answers ui/assets/answers/answers.css
"""
