"""Everything of a sweep as JSON: the plan, each cell with its answer to the letter, and what was said of it."""

import json
from dataclasses import asdict
from typing import Any

from lib.calls.records import CallRecord
from lib.sweep.plan import Cell
from lib.sweep.study import Study

VERSION = 1


def json_file(study: Study) -> bytes:
    """The file; costs are in US dollars, times in seconds, `created_at` and `started_at` in microseconds since 1970."""
    written = {
        "tempera_sweep": VERSION,
        # As in a set-up's file, so that this one opens as a set-up too.
        **study.plan.to_json(),
        "title": study.title,
        "created_at": study.created_at,
        "decision": asdict(study.decision),
        "cells": [_cell(study, cell) for cell in study.cells],
    }
    return json.dumps(written, ensure_ascii=False, indent=1).encode("utf-8", "replace")


def _cell(study: Study, cell: Cell) -> dict[str, Any]:
    call = study.results.get(cell.id)
    rating = study.ratings.get(call.id) if call is not None else None
    return {
        **asdict(cell),
        "answer": None if call is None else _answer(call),
        "rating": None if rating is None else asdict(rating),
        "breaks": [asdict(rule) for rule in study.rule_check.broken(call.id)] if call is not None else [],
        "judged": {name: asdict(said[call.id]) for name, said in study.judged.items() if call and call.id in said},
    }


def _answer(call: CallRecord) -> dict[str, Any]:
    facts = {
        name: getattr(call, name)
        for name in (
            *("id", "state", "endpoint", "model", "model_answered", "attempt", "started_at", "seconds", "cost"),
            *("first_token_seconds", "finish_reason", "cost_source", "error_kind", "error_text"),
        )
    }
    usage = call.usage
    tokens = {name: getattr(usage, f"{name}_tokens") for name in ("prompt", "completion", "reasoning", "cached")}
    choices = [
        {"text": one.text, "reasoning": one.reasoning, "finish_reason": one.finish_reason, "parts": list(one.parts)}
        for one in call.choices
    ]
    sent = {"params_asked": dict(call.params_asked), "params_sent": dict(call.params_sent)}
    return {**facts, **sent, "tokens": {**tokens, "source": usage.source}, "choices": choices}
