"""Finds out which cells of a sweep are of no use to send: a key that is refused, a model that is not there.

Told by the answers alone, so that it is the same in every tab and after a restart.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from lib.calls import unsupported_params
from lib.calls.records import CallRecord
from lib.core.errors import BadKey, BadParameter, ModelNotFound, NoBalance, NoChats, NoKey
from lib.sweep.plan import Cell

OF_A_SERVICE = (BadKey.kind, NoKey.kind, NoBalance.kind)
"""Errors after which nothing more is sent to a service, until somebody has seen to it."""
OF_A_MODEL = (ModelNotFound.kind, NoChats.kind)
"""Errors after which nothing more is sent to a model: all its calls would end the same."""


@dataclass(frozen=True, slots=True)
class Stops:
    """`services` are paused, by name, with the refusal that did it; `rows` have a model that is not there; in the rows
    of `fixed` one column stands for all, as the model takes no temperature."""

    services: Mapping[str, CallRecord] = field(default_factory=dict)
    rows: Mapping[int, CallRecord] = field(default_factory=dict)
    fixed: Mapping[int, int] = field(default_factory=dict)

    def spares(self, cell: Cell, result: CallRecord | None) -> bool:
        """Whether another column stands for this cell, which has no answer of its own."""
        if self.fixed.get(cell.row, cell.column) == cell.column:
            return False
        return result is None or result.state in ("cancelled", "interrupted") or _is_refused_setting(result)

    def stops(self, cell: Cell, result: CallRecord | None) -> bool:
        """Whether this cell was not sent because its model is not there."""
        return cell.row in self.rows and (result is None or result.state == "cancelled")


def of(cells: Sequence[Cell], results: Mapping[str, CallRecord]) -> Stops:
    """What the newest attempts at the cells tell."""
    services: dict[str, CallRecord] = {}
    rows: dict[int, CallRecord] = {}
    fixed: dict[int, int] = {}
    for cell in cells:
        result = results.get(cell.id)
        if result is None:
            continue
        if result.error_kind in OF_A_SERVICE:
            services[result.endpoint] = result
        elif result.error_kind in OF_A_MODEL:
            rows[cell.row] = result
        left_out = unsupported_params.is_left_out("temperature", result.params_asked, result.params_sent)
        if left_out and not _is_refused_setting(result):
            fixed[cell.row] = min(cell.column, fixed.get(cell.row, cell.column))
    return Stops(services, rows, fixed)


def _is_refused_setting(result: CallRecord) -> bool:
    return result.state == "error" and result.error_kind == BadParameter.kind
