"""Records a run's calls as they begin, each in one transaction of the store, which says whether it may leave yet and
for which cell it is made, and sets aside what it may take.
"""

from dataclasses import dataclass, replace

from sqlalchemy import Connection

from lib.calls import records, unsupported_params
from lib.calls.dispatcher import Dispatcher
from lib.core.budget import Use
from lib.core.errors import NotConnected
from lib.core.request import Call, ChatRequest
from lib.gateway import endpoints
from lib.gateway.endpoint_registry import EndpointRegistry
from lib.gateway.endpoints import Endpoint
from lib.sweep import shared_gates
from lib.sweep.claims import Claims
from lib.sweep.plan import Cell
from lib.sweep.run import SweepRun
from lib.sweep.shared_gates import GateAnswer, GateQuery
from lib.sweep.waiting_calls import Lane

TEMPERATURE = frozenset({"temperature"})


@dataclass(frozen=True, slots=True)
class UnrecordedCall:
    """A call as its turn would make it, put together on the loop: the store's thread, which records it, looks at no
    turn and no lane, as these go on meanwhile."""

    cell: Cell
    call: Call
    endpoint: Endpoint
    model: str
    ask: GateQuery | None


class Recorder:
    """Puts calls together on the loop, and records them in the store's thread."""

    def __init__(self, dispatcher: Dispatcher, registry: EndpointRegistry, run: SweepRun, claims: Claims) -> None:
        self._dispatcher, self._registry, self._run, self._claims = dispatcher, registry, run, claims

    @property
    def must_record_first(self) -> bool:
        """Whether a call may be sent only once the store has it: it tells the others that the cell is taken, or what is
        left of a budget."""
        return self._claims.shared or self._dispatcher.budgets.count_in_store(self._run.owner)

    def to_record(self, call_id: str, cell: Cell, lane: Lane) -> UnrecordedCall:
        """The call for a cell. Raises NotConnected, and NotAllowed."""
        run, connected = self._run, self._registry.endpoints(self._run.owner)
        # Asked at the last moment: a prompt goes to the service that it was planned for, or nowhere.
        if cell.model.partition("/")[0] not in {one.name for one in connected}:
            raise NotConnected(service=cell.model.partition("/")[0])
        endpoint, model = endpoints.find(cell.model, connected)
        asked = self._asked(endpoint, model, cell)
        call = Call(call_id, run.owner, run.session, "sweep", endpoint.name, asked, cell.id, sweep_id=run.id)
        return UnrecordedCall(cell, call, endpoint, model, self.ask(lane))

    def ask(self, lane: Lane) -> GateQuery | None:
        """What the store has to be asked before a call of a lane leaves; None where this process alone knows."""
        address = self._run.addresses.get(lane.service.name)
        if self._claims.gates is None or address is None:
            return None
        return shared_gates.query_of(lane, address, self._run.paces)

    def record(
        self, unrecorded: UnrecordedCall, db: Connection
    ) -> tuple[Call, Cell, GateAnswer | None] | GateAnswer | None:
        """Record a call that begins: as it is sent, for the cell that was free, with what the store says of its gate.
        What the store says alone where it has to wait; None where others have taken it."""
        told = self._ask_gate(db, unrecorded.ask)
        if told is not None and told.until is not None:
            return told
        cell, endpoint, asked = unrecorded.cell, unrecorded.endpoint, unrecorded.call.request
        request = unsupported_params.adapted(db, self._run.owner, endpoint.base_url, asked)
        left_out = request.unsupported and TEMPERATURE & request.unsupported & asked.params.to_send().keys()
        if left_out and not self._run.is_the_one(cell):
            return None
        taken = self._claims.take(db, cell, unrecorded.call.id, cell.column if left_out else None)
        if taken is None:
            return None
        if taken.cell != cell:
            others = self._asked(endpoint, unrecorded.model, taken.cell)
            request = unsupported_params.adapted(db, self._run.owner, endpoint.base_url, others)
        call = unrecorded.call
        if request is not asked or taken.cell != cell:
            call = replace(call, request=request, cell_id=taken.cell.id)
        if not taken.recorded:
            self._set_aside(db, call.id, self._run.worst_of(cell))
            records.start_call(db, call, self._dispatcher.process, attempt=taken.before + 1)
            told = self._note_sent(db, unrecorded.ask, told)
        return call, taken.cell, told

    def record_again(self, call_id: str, cell: Cell, ask: GateQuery | None, db: Connection) -> GateAnswer | None:
        """What the store says of a recorded call's gate, where it was refused and is to leave once more."""
        told = self._ask_gate(db, ask)
        if told is not None and told.until is not None:
            return told
        self._set_aside(db, call_id, self._run.worst_of(cell))
        return self._note_sent(db, ask, told)

    def _asked(self, endpoint: Endpoint, model: str, cell: Cell) -> ChatRequest:
        """What a cell asks, as the operator allows it."""
        wanted = self._run.plan.request(model, cell.temperature, cell.input, cell.variant)
        return self._dispatcher.allowed(endpoint, wanted)

    def _set_aside(self, db: Connection, call_id: str, worst: Use) -> None:
        """Let the store count what a call may take; raises BudgetReached, CapReached or CapOfTheOperator where other
        processes have what was left."""
        run, limited = self._run, self._run.plan.cap is not None
        self._claims.check_cap(db, worst)
        self._dispatcher.budgets.reserve_in(
            db, run.owner, run.session, {call_id: worst}, run.over_budget, run.id if limited else None
        )

    def _ask_gate(self, db: Connection, ask: GateQuery | None) -> GateAnswer | None:
        return None if self._claims.gates is None or ask is None else self._claims.gates.look(db, ask)

    def _note_sent(self, db: Connection, ask: GateQuery | None, told: GateAnswer | None) -> GateAnswer | None:
        if self._claims.gates is None or ask is None or told is None:
            return told
        return self._claims.gates.note_sent(db, ask, told)
