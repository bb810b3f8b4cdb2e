"""Tempera's rooms, from the ground up; each imports only from those above it.

Values and rules (no network, no database, no Streamlit, no environment)
    words       marks sentences for translation
    errors      what can go wrong, each fit to be shown
    models      the contract: messages, parameters and their ranges, requests, answers, usage
    tokens      counts with tiktoken, from a vocabulary that needs no network
    prices      what a call costs at list prices, or "no price"
    catalogue   services and their models
    sweep       a plan of calls: models x temperatures x repeats
    usage       calls -> totals, tables, CSV

Services
    settings    the operator's settings, keys masked
    client      the only user of httpx: one request, its answer as it comes
    local_model the practice model as a child process
    store       one writer thread, many readers; SQLite or PostgreSQL
    tables      what the store keeps
    calls  chats  sweeps    the product's queries, each row with its owner
    jobs        coroutines on one background loop
    runner      one call: record, ask, count, record
    sweeper     a whole plan, so many calls at a time
    web         headers, cookies and health, around the pages

Pages
    ui/         everything that knows Streamlit; ui/main.py is the script that runs
"""
