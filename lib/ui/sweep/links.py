"""Links that fill the sweep's form: `/sweep?models=a,b&temperatures=0,0.7&prompt=..&repeats=2&concurrency=8`.

`inputs` are rows as JSON, `[{"name": "value"}]`; `vary` names the further axis and `values` its values, a JSON list;
`max_tokens=off` sets no limit.
"""

import json
from typing import Any
from urllib.parse import quote, unquote, urlencode

import streamlit as st

from lib.core.errors import InvalidInput
from lib.core.i18n import N_
from lib.sweep import setup_file
from lib.sweep.number_list import number_label
from lib.sweep.plan import MAX_CONCURRENCY, MAX_REPEATS, Plan, unique
from lib.ui.shared import links
from lib.ui.shared.refusals import refusals_told
from lib.ui.shared.state import state
from lib.ui.shared.texts import _
from lib.ui.sweep import axis_picker, form, input_table

FIELDS = {"prompt", "models", "temperatures", "repeats", "concurrency", "inputs", "vary", "values", *form.FIELDS}
OFF = "off"
LONGEST = 6_000
"""Characters of a link: browsers and chat programs take more, servers on the way not always."""


def apply_link() -> None:
    """Fill the form from the address, once; what can't be used is said.

    A comma inside a model's id is percent-encoded twice, as the browser takes the first encoding off.
    """
    query = st.query_params
    if not set(query) & FIELDS:
        return
    if "prompt" in query:
        _begin_with(query["prompt"][: links.MAX_TEXT])
    for field in form.SWITCHED:
        if query.get(field) == OFF:
            st.session_state[f"sweep_{field}_on"] = False
            del query[field]
    links.fill_controls("sweep", form.FIELDS)
    _apply_lists()
    if query.get("models"):
        st.session_state["sweep_models"] = list(unique([unquote(part.strip()) for part in query["models"].split(",")]))
    if query.get("temperatures"):
        _apply_temperatures(query["temperatures"])
    st.session_state["sweep_repeats"] = links.whole("repeats", MAX_REPEATS) or 1
    concurrency = links.whole("concurrency", MAX_CONCURRENCY)
    if concurrency is not None:
        st.session_state["sweep_concurrency"] = concurrency
    state.sweep_id = None
    query.clear()


def _begin_with(prompt: str) -> None:
    """Let the form ask this prompt and nothing beside it: what the visitor had there, a system prompt say, is not part
    of somebody else's set-up. It comes back with New sweep."""
    if st.session_state.get("sweep_prompt"):
        form.put_aside()
    form.ask_nothing()
    st.session_state["sweep_prompt"] = prompt


def sweep_link(plan: Plan, page: str) -> str:
    """The address that fills the form of the app at `page` with `plan`; never a key. Raises InvalidInput for a plan
    that no address has room for."""
    if plan.history:
        raise InvalidInput(N_("A set-up with a conversation is too long for a link."))
    fields: dict[str, Any] = {
        "prompt": plan.prompt,
        "models": ",".join(quote(model, safe="/:") for model in plan.models),
        "temperatures": ",".join(number_label(value) for value in plan.ascending if value is not None),
        "repeats": plan.repeats,
        "concurrency": plan.concurrency,
        "system": plan.system,
        **{field: _written(plan, field) for field in form.SWITCHED},
    }
    if plan.inputs:
        fields["inputs"] = json.dumps([dict(row) for row in plan.inputs], ensure_ascii=False)
    if plan.axis:
        fields |= {"vary": plan.axis.field, "values": json.dumps(plan.axis.values, ensure_ascii=False)}
    query = urlencode({name: value for name, value in fields.items() if value != ""}, quote_via=quote)
    link = f"{page.partition('?')[0]}?{query}"
    if len(link) > LONGEST or len(plan.prompt) > links.MAX_TEXT:
        raise InvalidInput(N_("This set-up is too long for a link."))
    return link


def _written(plan: Plan, field: str) -> Any:
    """A control's value for the address; what the form has on at first is said to be off."""
    value, on_at_first = getattr(plan.params, field), form.START.get(f"sweep_{field}_on")
    return value if value is not None else OFF if on_at_first else ""


def _apply_lists() -> None:
    """The inputs and the further axis, read as a file with a set-up is read."""
    query = st.query_params
    if not {"inputs", "vary"} & set(query):
        return
    try:
        lists: dict[str, Any] = {"inputs": json.loads(query.get("inputs") or "[]")}
        if query.get("vary"):
            lists["axis"] = {"field": query["vary"], "values": json.loads(query.get("values") or "[]")}
        plan = setup_file.read(json.dumps({"tempera_sweep": 1, "prompt": "", **lists}).encode())
    except (ValueError, RecursionError, InvalidInput):
        state.notices.append(_("The inputs or the further values in this link can't be read; the rest is there."))
        return
    input_table.fill(plan.inputs)
    axis_picker.fill(plan.axis)


def _apply_temperatures(text: str) -> None:
    with refusals_told():
        values = [links.number("temperatures", part, "temperature") for part in text.split(",")]
        st.session_state["sweep_temperatures"] = list(unique(values))
