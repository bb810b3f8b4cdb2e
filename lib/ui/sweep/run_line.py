"""What a run costs and how long it takes, what holds it back, and what can be done with what it left."""

import math
from functools import partial

import streamlit as st

from lib.core.errors import BadKey, CapReached, NoKey, recorded
from lib.core.rich_text import literal
from lib.sweep import repository as sweeps
from lib.sweep.estimate import expected_cost
from lib.sweep.progress import Progress
from lib.sweep.run import Limit, SweepRun
from lib.ui.shared import resources
from lib.ui.shared.figures import money, sum_of_costs
from lib.ui.shared.state import state
from lib.ui.shared.texts import _, _n
from lib.ui.shared.visitor import visitor
from lib.ui.sweep import actions, large_run, view_state
from lib.ui.sweep.answers import model_names
from lib.ui.sweep.hidden_names import unnamed

RAISED_CAP = "sweep_raised_cap"


def run_figures(progress: Progress, run: SweepRun | None) -> list[str]:
    """While it runs: what it cost so far, about what it will have cost, and how long it goes on. After it: its cost."""
    if run is None or run.finished:
        spent = sum_of_costs(progress.results.values())
        foreseen = progress.estimate.get("typical")
        if spent and foreseen and not progress.left:
            return [spent, _("about {cost} was foreseen").format(cost=money(foreseen)), *_judging()]
        return [*([spent] if spent else []), *_judging()]
    words = []
    total = expected_cost(progress, run)
    if total:
        so_far = _("{spent} so far, about {total} at the end")
        words.append(so_far.format(spent=money(progress.spent), total=money(total)))
    if run.outlook.seconds is not None:
        words.append(_("{time} left").format(time=duration(run.outlook.seconds)))
    return words + _judging()


def _judging() -> list[str]:
    """What models cost that judged, beside what the answers did; nothing where that is nothing."""
    owner, sweep_id = visitor().owner, str(state.sweep_id)
    cost = resources.services().store.read(lambda db: sweeps.spent_on_judges(db, owner, sweep_id))
    return [_("judging {cost}").format(cost=money(cost))] if cost else []


def duration(seconds: float) -> str:
    """A time to wait, in its largest unit."""
    if seconds < 100:
        whole = max(1, math.ceil(seconds))
        return _n("{count} s", "{count} s", whole).format(count=whole)
    return _("{count} min").format(count=math.ceil(seconds / 60))


def held_back(progress: Progress, run: SweepRun | None) -> None:
    """The models that wait for their services, and the services that wait for a person."""
    going_on = run is not None and not run.finished
    if run is not None and going_on:
        for limit in run.outlook.limits:
            st.caption(_limit(limit, progress))
    for name, call in progress.stops.services.items():
        cells = progress.of_service(name)
        done = sum(progress.results[cell.id].state == "ok" for cell in cells if cell.id in progress.results)
        with st.container(border=True, key=f"sweep_paused_{name}"):
            paused = _("{service} is paused at {done} of {total}.")
            st.markdown(f"**{paused.format(service=literal(name), done=done, total=len(cells))}**")
            refused = recorded(call.error_record, call.error_text, call.error_kind)
            st.caption(literal(unnamed(refused.sentence(_), progress)))
            _ways_on(name, refused.kind)


def _ways_on(service: str, kind: str) -> None:
    """What can be done where a service is paused. A key of one's own is changed in place, then it goes on."""
    registry, owner = resources.services().registry, visitor().owner
    own_key = registry.own_services != "none" and not registry.has_operators_key(owner, service)
    with st.container(horizontal=True):
        st.button(
            _("Continue sending"),
            key=f"sweep_continue_{service}",
            type="primary",
            icon=":material/resume:",
            on_click=actions.go_on,
            args=(service,),
        )
        if kind in (BadKey.kind, NoKey.kind) and own_key:
            st.button(
                _("Change the key"),
                key=f"sweep_key_{service}",
                icon=":material/key:",
                on_click=actions.change_key,
                args=(service,),
            )


def what_is_left(progress: Progress, run: SweepRun | None) -> None:
    """Buttons for the missing and the failed; the press on one is the consent to what it says."""
    if run is not None and not run.finished:
        return
    paused = {cell.id for name in progress.stops.services for cell in progress.paused(name)}
    missing = [cell for cell in progress.left if cell.id not in paused]
    failed = [cell for cell in progress.failed if cell.id not in paused]
    label = _("Retry the {count} failed").format(count=len(failed))
    if failed and large_run.TO_RETRY.stands((state.sweep_id, len(progress.failed))):
        large_run.TO_RETRY.draw(label, partial(actions.retry_failed, True))
        failed = []
    if missing or failed:
        with st.container(horizontal=True, vertical_alignment="center", width="content"):
            if missing:
                if run is not None and isinstance(run.trouble, CapReached):
                    _raise_cap(run)
                _finish(progress, len(missing))
            if failed:
                st.button(label, key="sweep_retry", icon=":material/replay:", on_click=actions.retry_failed)
                show = partial(view_state.show_only, "failed")
                st.button(_("Show the failed"), key="sweep_show_failed", type="tertiary", on_click=show)


def _raise_cap(run: SweepRun) -> None:
    """The limit, to be raised before the rest is sent."""
    cap = run.plan.cap or 0.0
    st.session_state.setdefault(RAISED_CAP, round(2 * cap, 2) or 1.0)
    st.number_input(_("New limit (US dollars)"), min_value=0.0, step=0.1, format="%.2f", key=RAISED_CAP, width=160)


def _finish(progress: Progress, missing: int) -> None:
    label = _("Finish the missing {count}").format(count=missing)
    st.button(label, key="sweep_resume", type="primary", icon=":material/resume:", on_click=actions.resume)
    if progress.may_be_billed_twice:
        twice = _n(
            "{count} of them was cut or stopped and may be billed twice.",
            "{count} of them were cut or stopped and may be billed twice.",
            progress.may_be_billed_twice,
        )
        st.caption(twice.format(count=progress.may_be_billed_twice))


def _limit(limit: Limit, progress: Progress) -> str:
    words = _n(
        "{model}: {count} request waits in line, about {time} to go.",
        "{model}: {count} requests wait in line, about {time} to go.",
        limit.waiting,
    )
    if limit.rate is not None:
        words = _n(
            "{model} takes about {rate:.2g} requests a second: {count} waits in line, about {time} to go.",
            "{model} takes about {rate:.2g} requests a second: {count} wait in line, about {time} to go.",
            limit.waiting,
        )
    rate, time = limit.rate or 0.0, duration(limit.seconds)
    row = next((row for row, model in progress.models.items() if model == limit.model), None)
    name = limit.model if row is None else model_names(progress)[row]
    return words.format(model=literal(name), rate=rate, count=limit.waiting, time=time)
