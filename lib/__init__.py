"""Tempera's rooms, from the ground up; each imports only from those above it.

Values and rules (no network, no database, no Streamlit, no environment)
    words       marks sentences for translation
    errors      what can go wrong, each fit to be shown
    models      the contract: messages, parameters and their ranges, requests, answers, usage
    further     fields that the contract does not name, typed as JSON
    images      which images can go with a message
    form        what the chat page is set to
    sheet       tables as CSV that no spreadsheet runs
    tokens      counts with tiktoken, from a vocabulary that needs no network
    prices      what a call costs at list prices, or "no price"
    context     how full a model's context gets, and what would have to stay behind
    catalogue   services and their models; vendors tells who made a model
    sweep       a plan of calls: models x temperatures x repeats
    chat_file   a chat as Markdown and JSON, and back
    variety     how different several answers are
    usage       calls -> totals, tables, CSV
    code_samples  programs that make the same call

Services
    settings    the operator's settings, keys masked
    client      the only user of httpx: one request, its answer as it comes; wire/ is all it needs for that
    local_model the practice model; local_keeper keeps its process, local_server is that process
    store       one writer thread, many readers; engines (SQLite or PostgreSQL), process (who is alive), migrations
    tables      what the store keeps
    calls  chats branches kept_images  sweeps  tallies  preferences  favourites  shelf presets templates  learned
                the product's queries, each row with its owner
    jobs        coroutines on one background loop
    connections who may use which service; model_lists asks them for their models
    runner      one call: record, ask, count, record
    house       all of these, opened once per process; rehearsal makes its first turn as quick as the others
    talks       a conversation: a place in the tree, recorded calls, running answers; room says what still fits
    inspection  what a call sends and what came for it; raw_answers keeps the last ones in memory
    sweeper     a whole plan, so many calls at a time; sweep_report is what came of it
    web         headers, cookies and health, around the pages

Pages
    ui/         everything that knows Streamlit; ui/main.py is the script that runs
"""
