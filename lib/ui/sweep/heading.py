"""What the open sweep is called, and the line that the set-up folds to: what it compares."""

from collections.abc import Sequence

from lib.core.i18n import listed
from lib.core.rich_text import literal
from lib.services import Services
from lib.sweep import repository as sweeps
from lib.sweep.number_list import number_label
from lib.sweep.plan import Plan
from lib.ui.shared.figures import money
from lib.ui.shared.state import state
from lib.ui.shared.texts import _, _n
from lib.ui.shared.visitor import Visitor
from lib.ui.sweep.hidden_names import hidden
from lib.ui.sweep.slice_picker import variant_labels

MOST_NAMED = 6


def title(services: Services, visitor: Visitor) -> str:
    """The title of the open sweep, as Markdown; empty where there is none."""
    sweep_id = state.sweep_id
    return literal(services.store.read(lambda db: sweeps.named(db, visitor.owner, sweep_id))[0]) if sweep_id else ""


def heading(services: Services, visitor: Visitor) -> str:
    """The heading of the set-up, with what the open sweep compares where there is one."""
    sweep_id = state.sweep_id
    plan = services.store.read(lambda db: sweeps.plan_of(db, visitor.owner, sweep_id)) if sweep_id else None
    if plan is None:
        return _("Set-up")
    came_in = services.store.read(lambda db: sweeps.came_in(db, visitor.owner, str(sweep_id)))
    came = [_("opened from a file")] if came_in else []
    return " · ".join([_("Set-up"), *compared(plan), *bounds(plan), *came])


def compared(plan: Plan) -> list[str]:
    """What a plan compares, as Markdown: models, temperatures, and what else there is more than one of."""
    count, (inputs, _variants) = len(plan.models), plan.slices
    model = (
        _("Model {letter}").format(letter="A")
        if hidden()
        else literal(plan.models[0].partition("/")[2] or plan.models[0])
    )
    parts = [model if count == 1 else _n("{count} model", "{count} models", count).format(count=count)]
    temperatures = [number_label(value) for value in plan.ascending if value is not None]
    if temperatures:
        parts.append(_("temperature {values}").format(values=_few(temperatures)))
    if plan.inputs:
        parts.append(_n("{count} input", "{count} inputs", inputs).format(count=inputs))
    parts += varied(plan)
    if plan.repeats > 1:
        parts.append(_n("{count} answer each", "{count} answers each", plan.repeats).format(count=plan.repeats))
    return parts


def varied(plan: Plan) -> list[str]:
    """The one further thing that a plan varies, as Markdown, where there is one; system prompts are only counted."""
    if plan.axis is None:
        return []
    if plan.axis.of_system:
        count = len(plan.axis.values)
        return [_n("{count} system prompt", "{count} system prompts", count).format(count=count)]
    return [f"{_(plan.axis.title)} {_few(variant_labels(plan))}"]


def bounds(plan: Plan) -> list[str]:
    """What holds a plan back, as Markdown: how fast it is sent and for how much, where that is set."""
    parts = []
    if plan.per_minute is not None:
        words = _n("at most {count:,} request a minute", "at most {count:,} requests a minute", plan.per_minute)
        parts.append(words.format(count=plan.per_minute))
    if plan.cap is not None:
        parts.append(_("stops at {cost}").format(cost=literal(money(plan.cap))))
    return parts


def _few(values: Sequence[str]) -> str:
    return literal(listed([*values[:MOST_NAMED], *["…"] * (len(values) > MOST_NAMED)], _))
