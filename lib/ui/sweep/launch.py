"""The line above Run, Run itself, and what it asks first: whether a large sweep is meant, whether stored answers do."""

from collections.abc import Sequence
from functools import partial

import streamlit as st

from lib.core.errors import BudgetReached, CapOfTheOperator, InvalidInput, NoPrompt, NotAllowed
from lib.core.i18n import in_brackets, joined
from lib.core.rich_text import literal
from lib.services import Services
from lib.sweep import decision
from lib.sweep.estimate import PlanEstimate, estimate, unpriced, worst_of_all
from lib.sweep.plan import Cell, Plan
from lib.ui.shared import budgets, resources
from lib.ui.shared.dates import short_date
from lib.ui.shared.figures import money
from lib.ui.shared.refusals import refusals_told, stored
from lib.ui.shared.set_price import set_price_button
from lib.ui.shared.state import state
from lib.ui.shared.texts import _, _n, error_message, error_sentence
from lib.ui.shared.visitor import Visitor, visitor
from lib.ui.sweep import form, large_run
from lib.ui.sweep.heading import bounds, varied
from lib.ui.sweep.run_line import duration
from lib.ui.sweep.sweep_state import sweep_state
from lib.ui.sweep.view_state import begin_anew

ASKED = "sweep_asked"
"""The form as it stood when Run had something to ask: while it stands so, the question is shown."""
IN_VAIN = "sweep_pressed_in_vain"
"""The form as it stood when Run was pressed and something was missing."""


def plan_line(services: Services, visitor: Visitor) -> None:
    """How many answers, how many input tokens, and about what cost; or what is missing."""
    in_vain = _pressed_in_vain()
    try:
        plan = form.read_plan()
    except InvalidInput as missing:
        st.caption(_missing(missing, in_vain))
        return
    endpoints = services.registry.endpoints(visitor.owner)
    whole = _estimate(services, visitor, plan)
    added = _added(services, visitor, plan)
    found = _estimate(services, visitor, *added) if added else whole
    parts = [_counts(found, bool(added)), *_cost(found), *_time(found), _limit(plan), *varied(plan), *bounds(plan)]
    st.caption(" · ".join([*parts, *(_anew(whole) if added else [])]))
    if unpriced(plan, endpoints) and (words := budgets.says_of_unpriced(services, visitor)):
        st.caption(words)
    if plan.cap is not None and found.unpriced_answers:
        st.caption(_uncounted(found.unpriced_answers))


def _counts(found: PlanEstimate, added: bool) -> str:
    words = _n(
        "{answers} answer, about {tokens:,} input tokens",
        "{answers} answers, about {tokens:,} input tokens",
        found.answers,
    )
    more = _n(
        "{answers} new answer, about {tokens:,} input tokens",
        "{answers} new answers, about {tokens:,} input tokens",
        found.answers,
    )
    return (more if added else words).format(answers=found.answers, tokens=found.prompt_tokens)


def _anew(whole: PlanEstimate) -> list[str]:
    """What Run takes beside the button that adds the new answers only."""
    if not whole.typical:
        return []
    words = _("all {count} once more: about {cost}")
    return [words.format(count=whole.answers, cost=literal(money(whole.typical)))]


def _pressed_in_vain() -> bool:
    """Whether Run was pressed on the form as it stands; once that has changed, it was not."""
    if st.session_state.get(IN_VAIN) != form.snapshot():
        st.session_state.pop(IN_VAIN, None)
    return IN_VAIN in st.session_state


def _missing(missing: InvalidInput, in_vain: bool) -> str:
    """What is missing, as Markdown. Once Run was pressed it stands out, on this very line: at the top of the page it
    would move the form under the pointer."""
    if in_vain:
        return f":red[:material/error: {error_sentence(missing)}]"
    # What is being typed is known here only a moment later: said of it in the meantime, it would be untrue.
    if isinstance(missing, NoPrompt):
        words = _("Run sends the prompt to each model at each temperature.")
        how = _("Write {{name}} where a word changes, as in “a slogan for {{product}}”: a list for its values opens.")
        return joined([words, how], _)
    return error_message(missing)


def price_button(services: Services, visitor: Visitor) -> None:
    """Beside Run, where it moves nothing: the way to the prices that are not known."""
    try:
        plan = form.read_plan()
    except InvalidInput:
        return
    set_price_button(unpriced(plan, services.registry.endpoints(visitor.owner)), "sweep")


def _uncounted(answers: int) -> str:
    """What the cap leaves out."""
    words = _n(
        "The limit in dollars can't count {count:,} of these answers: its model has no price.",
        "The limit in dollars can't count {count:,} of these answers: their models have no price.",
        answers,
    )
    return words.format(count=answers)


def _estimate(services: Services, visitor: Visitor, plan: Plan, cells: Sequence[Cell] | None = None) -> PlanEstimate:
    return estimate(plan, services.registry.endpoints(visitor.owner), services.sweeps.usual(visitor.owner), cells)


def _time(found: PlanEstimate) -> list[str]:
    """How long it takes, where that is known of a model at least, and of how many models it is a guess."""
    if found.seconds is None:
        return []
    words = _("about {time}").format(time=duration(found.seconds))
    guess = _n("a guess for {count} model", "a guess for {count} models", found.untimed).format(count=found.untimed)
    return [in_brackets(words, guess, _) if found.untimed else words]


def _limit(plan: Plan) -> str:
    """What ends an answer before the model does."""
    limits = {plan.params_of(None, variant).max_tokens for variant in range(plan.slices[1])}
    known = [limit for limit in limits if limit is not None]
    if len(known) < len(limits):
        return _("no limit to their length")
    if len(known) > 1:
        return _("cut off after {least:,} to {most:,} tokens (max_tokens)").format(least=min(known), most=max(known))
    return _("cut off after {most:,} tokens (max_tokens)").format(most=known[0])


def run_button(services: Services, visitor: Visitor) -> bool:
    """Run, with how many answers it makes; or what Run has to ask. Whether it asks something: nothing else has room
    beside that."""
    try:
        plan = form.read_plan()
    except InvalidInput:
        st.button(_("Run"), key="sweep_run", type="primary", icon=":material/play_arrow:", on_click=run)
        return False
    if st.session_state.get(ASKED) == form.snapshot():
        _question(services, visitor, plan)
        return True
    new = _growth(services, visitor, plan)
    label = _n("Add {count} answer", "Add {count} answers", new).format(count=new)
    if new and large_run.TO_GROW.stands(form.snapshot()):
        large_run.TO_GROW.draw(label, partial(grow, True))
        return True
    if new:
        st.button(label, key="sweep_grow", type="primary", icon=":material/add:", on_click=grow)
        st.caption(_("{new} new, {kept} kept").format(new=new, kept=plan.size - new), width="content")
    st.button(
        _run_label(plan),
        key="sweep_run",
        type="secondary" if new or (state.sweep_id and form.is_untouched()) else "primary",
        icon=":material/play_arrow:",
        on_click=run,
    )
    return False


def _run_label(plan: Plan) -> str:
    return _n("Run {count} answer", "Run {count} answers", plan.size).format(count=plan.size)


def _question(services: Services, visitor: Visitor, plan: Plan) -> None:
    """What Run asks, and the ways on."""
    stored = services.sweeps.same(visitor.owner, plan)
    found = _estimate(services, visitor, plan)
    with st.container(key="sweep_question", width=large_run.WIDTH):
        if stored:
            st.info(_("The same was asked before, {when}. Its answers are stored.").format(when=short_date(stored[1])))
        if large_run.limits().asks(found):
            st.warning(large_run.question(found))
        over = _over_budget(services, visitor, plan)
        if over is not None:
            paused = _("The sweep pauses there, and you can go on.")
            st.warning(joined([budgets.reached_sentence(over), paused], _))
        with st.container(horizontal=True, vertical_alignment="center"):
            if stored:
                st.button(
                    _("Open the stored answers"),
                    key="sweep_run_stored",
                    type="primary",
                    icon=":material/history:",
                    on_click=_open_stored,
                    args=(stored[0],),
                )
            # Another key than Run's: whoever presses twice has not read the question.
            st.button(
                _run_label(plan),
                key="sweep_run_anyway",
                type="secondary" if stored else "primary",
                icon=":material/play_arrow:",
                on_click=run,
                args=(True,),
            )
            st.button(_("Not yet"), key="sweep_not_yet", type="tertiary", on_click=_let_go)


def run(confirmed: bool = False) -> None:
    """Store the plan and begin; when it can't be run, say why. What there is to ask is asked, unless `confirmed`."""
    who, services = visitor(), resources.services()
    try:
        plan = form.read_plan()
    except InvalidInput:
        st.session_state[IN_VAIN] = form.snapshot()
        return
    with refusals_told(partial(run, confirmed), though_over=partial(run, True)):
        services.sweeps.check_budgets(who.owner, who.session, plan)
        found = _estimate(services, who, plan)
        large = large_run.limits().asks(found) or _over_budget(services, who, plan) is not None
        if not confirmed and (large or services.sweeps.same(who.owner, plan)):
            st.session_state[ASKED] = form.snapshot()
            return
        before = state.sweep_id or sweep_state.used_again
        state.sweep_id = services.sweeps.launch(who.owner, who.session, plan, found.to_json())
        form.untouched()
        if before is not None:
            _take_rules(before, state.sweep_id)
        sweep_state.used_again = None
    _let_go()
    begin_anew()


def _take_rules(before: str, sweep_id: str) -> None:
    """The rules of the sweep that was open, or is used again, are those of the new one, where they fit."""
    stored(lambda db, owner: decision.take_rules(db, owner, before, sweep_id))


def _over_budget(services: Services, visitor: Visitor, plan: Plan) -> BudgetReached | None:
    """What a plan may take of a budget at worst, where that is more than is left."""
    if not services.budgets.of(visitor.owner):
        return None
    worst = worst_of_all(services.sweeps.bounded(plan), services.registry.endpoints(visitor.owner))
    try:
        services.budgets.check(visitor.owner, visitor.session, worst)
    except BudgetReached as reached:
        return reached
    except (CapOfTheOperator, NotAllowed):
        pass  # nothing to be asked: where it can't begin launching says so, and else it stops there
    return None


def grow(confirmed: bool = False) -> None:
    """Add to the open sweep what the form asks beyond it; the press on the button, which says how many, is the
    consent, unless they are many. The set-up folds, as it does with Run."""
    who, services = visitor(), resources.services()
    with refusals_told(partial(grow, True)):
        if state.sweep_id is None:
            return
        wanted = form.read_plan()
        found = services.sweeps.grown(who.owner, state.sweep_id, wanted)
        takes = _estimate(services, who, *found) if found else None
        if takes is not None and not confirmed and large_run.TO_GROW.has_to_be_asked(form.snapshot(), takes):
            return
        services.sweeps.grow(who.owner, who.session, state.sweep_id, wanted, takes.to_json() if takes else None)
        form.untouched()
        form.fold(state.sweep_id)


def _added(services: Services, visitor: Visitor, plan: Plan) -> tuple[Plan, list[Cell]] | None:
    """The open sweep with what the form asks beyond it, and the cells that are new, where there are any."""
    if state.sweep_id is None or not _growth(services, visitor, plan):
        return None
    return services.sweeps.grown(visitor.owner, state.sweep_id, plan)


def _growth(services: Services, visitor: Visitor, plan: Plan) -> int:
    """How many answers the form asks beyond those of the open sweep; 0 where it asks something else, or nothing more,
    or the sweep still runs."""
    if state.sweep_id is None or services.sweeps.is_running(visitor.owner, state.sweep_id):
        return 0
    return services.sweeps.growth(visitor.owner, state.sweep_id, plan)


def _open_stored(sweep_id: str) -> None:
    state.sweep_id = sweep_id
    form.untouched()
    _let_go()
    begin_anew()


def _let_go() -> None:
    st.session_state.pop(ASKED, None)


def _cost(found: PlanEstimate) -> list[str]:
    """The cost in words, as Markdown; answers without a price are left out, and that is said."""
    if not found.typical:
        if not found.unpriced:
            return [] if found.typical is None else [_("free")]
        if not found.free_answers:
            return [_("no price known")]
        words = _("{free:,} free, {unpriced:,} with no price known")
        return [words.format(free=found.free_answers, unpriced=found.unpriced_answers)]
    parts = [_("about {cost} at list prices").format(cost=literal(money(found.typical)))]
    if found.highest is not None:
        most = _("at most {cost}").format(cost=literal(money(found.highest)))
        parts[0] = in_brackets(parts[0], most, _)
    if found.unpriced:
        parts.append(_("{count:,} with no price known").format(count=found.unpriced_answers))
    return parts
