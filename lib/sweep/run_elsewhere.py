"""A sweep that other processes run, as a page sees it."""

from dataclasses import asdict
from typing import Any

from lib.sweep import shared_runs
from lib.sweep.plan import Plan
from lib.sweep.run import Limit, Outlook, SweepRun
from lib.sweep.shared_runs import SharedRun


class RunElsewhere(SweepRun):
    """What the store knows of it; its answers so far are in the store as well."""

    def __init__(self, shared: SharedRun, plan: Plan) -> None:
        super().__init__(shared.sweep_id, shared.owner, shared.session, plan, ())
        self.finished = shared.ended
        self.trouble = shared_runs.trouble_of(shared.trouble)
        self.outlook = outlook_of(shared.outlook)


def told_outlook(outlook: Outlook) -> dict[str, Any]:
    """An outlook as JSON values; `outlook_of` reads it."""
    return {"seconds": outlook.seconds, "limits": [asdict(limit) for limit in outlook.limits]}


def outlook_of(told: Any) -> Outlook:
    """The outlook that a worker told."""
    if not told:
        return Outlook()
    return Outlook(told["seconds"], tuple(Limit(**limit) for limit in told["limits"]))
