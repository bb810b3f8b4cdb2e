"""What a run will have cost when it ends: from what it cost so far, and from what its models' answers cost; of a model
without one yet, from what its answers mostly cost."""

from statistics import fmean

from lib.sweep.progress import Progress
from lib.sweep.run import SweepRun


def expected_cost(progress: Progress, run: SweepRun) -> float | None:
    """US dollars for the whole sweep, as far as prices are known; None where none is."""
    costs: dict[str, list[float]] = {}
    for cell in progress.cells:
        call = progress.results.get(cell.id)
        if call is not None and call.state == "ok" and call.cost is not None:
            costs.setdefault(cell.model, []).append(call.cost)
    open_calls = [call for call in progress.results.values() if call.state == "started"]
    open_cells = {call.cell_id for call in open_calls} | {cell.id for cell in progress.left}
    expected, known = progress.spent, bool(costs)
    for cell in progress.cells:
        if cell.id not in open_cells:
            continue
        known_costs = costs.get(cell.model)
        mean = fmean(known_costs) if known_costs else run.usual.get(cell.model)
        if mean is not None:
            expected, known = expected + mean, True
    return expected if known else None
