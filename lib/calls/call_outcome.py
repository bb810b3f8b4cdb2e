"""How a call went, in one word, for the database: what calls can be filtered by, and what their sums are kept by."""

from sqlalchemy import case

from lib.store.schema import calls

outcome = case(
    (calls.c.state == "started", "running"),
    (calls.c.state == "error", "failed"),
    (calls.c.state == "cancelled", "stopped"),
    (calls.c.state != "ok", "cut"),
    (calls.c.finish_reason == "content_filter", "filtered"),
    (calls.c.finish_reason == "length", "cut"),
    else_="ok",
).label("outcome")
"""Exactly one of the words of `lib.usage.scope.Outcome`, so that problems add up."""
