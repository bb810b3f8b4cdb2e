"""What is found about the answers of a sweep by looking at all of them: marks for what is odd, and badges."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from lib.calls import unsupported_params
from lib.calls.records import CallRecord
from lib.core import parts
from lib.core.segmentation import Length, length
from lib.sweep.plan import Cell, warmth

Mark = Literal["cut", "blank", "duplicate", "refused", "filtered", "fixed"]
"""Cut off before its end; without a word; word for word an earlier answer of the same model; declined by the model;
stopped by the service's content rules; at the model's own temperature, because it takes none."""
Badge = Literal["fastest", "cheapest", "shortest"]
MARKS: tuple[Mark, ...] = ("cut", "blank", "duplicate", "refused", "filtered", "fixed")
BADGES: tuple[Badge, ...] = ("fastest", "cheapest", "shortest")
"""In the order in which they are shown."""
CUT_ENDS = ("partial", "cancelled", "interrupted")


@dataclass(frozen=True, slots=True)
class Findings:
    """By cell id: `marks`, `badges`, how long the answers are, the earlier cell that an answer is the `same` as; and
    the ids of the answers that have an `equal` one, the first of them too, and of those that are `different` from that
    at the lowest temperature."""

    marks: Mapping[str, tuple[Mark, ...]]
    badges: Mapping[str, tuple[Badge, ...]]
    lengths: Mapping[str, Length]
    same: Mapping[str, Cell] = field(default_factory=dict)
    equal: frozenset[str] = frozenset()
    different: frozenset[str] = frozenset()

    def alike(self, id: str) -> tuple[str, ...]:
        """The other cells of a model with the very answer of this one."""
        first = self.same[id].id if id in self.same else id
        group = (first, *(other for other, earlier in self.same.items() if earlier.id == first))
        return tuple(other for other in group if other != id)


@dataclass(frozen=True, slots=True)
class Looked:
    """What one answer that has ended tells without the others: its text without needless spaces, how long it is (None:
    it failed), its marks, and the figures that win badges."""

    call: CallRecord
    bare: str
    length: Length | None
    marks: tuple[Mark, ...]
    figures: Mapping[Badge, float | None]


def find(cells: Sequence[Cell], results: Mapping[str, CallRecord], known: dict[str, Looked] | None = None) -> Findings:
    """Look at all answers that have ended. `known` is what an earlier look has found, by call id, and grows: of 2,000
    answers few are new at each."""
    known = {} if known is None else known
    calls = [(cell, results[cell.id]) for cell in cells if cell.id in results]
    ended = [(cell, _looked(call, known)) for cell, call in calls if call.state != "started"]
    lengths = {cell.id: one.length for cell, one in ended if one.length is not None}
    same = _same(ended)
    marks = {cell.id: _with_duplicate(one.marks) if cell.id in same else one.marks for cell, one in ended}
    equal = frozenset({*same, *(first.id for first in same.values())})
    return Findings(marks, _badges(ended), lengths, same, equal, _different(ended))


def _looked(call: CallRecord, known: dict[str, Looked]) -> Looked:
    found = known.get(call.id)
    if found is None or found.call is not call:
        found = known[call.id] = _look(call)
    return found


def _look(call: CallRecord) -> Looked:
    found = None if call.state == "error" else length(text_of(call))
    good = call.state == "ok" and call.finish_reason != "length"
    figures: dict[Badge, float | None] = {
        # As exact as it is shown: who is a hundredth of a second ahead is not faster.
        "fastest": None if call.seconds is None else round(call.seconds, 1),
        "cheapest": None if call.cost is None else float(f"{call.cost:.2g}"),
        "shortest": found.count or None if found else None,
    }
    return Looked(call, " ".join(text_of(call).split()), found, tuple(_marks(call)), figures if good else {})


def text_of(call: CallRecord) -> str:
    """The text of a cell's answer."""
    return call.choice().text


def has_words(call: CallRecord) -> bool:
    """Whether there is an answer to be judged: one that failed, or was stopped before its first word, is none; an empty
    one is."""
    return call.state == "ok" or bool(text_of(call).strip())


def fixed_temperature(call: CallRecord) -> bool:
    """Whether the model was asked without the temperature that was wanted, because it takes none."""
    return unsupported_params.is_left_out("temperature", call.params_asked, call.params_sent)


def _marks(call: CallRecord) -> Iterable[Mark]:
    beside = call.choice().parts
    if call.state in CUT_ENDS or call.finish_reason == "length":
        yield "cut"
    if call.state == "ok" and not text_of(call).strip() and not beside:
        yield "blank"
    if parts.of(beside, "refusal"):
        yield "refused"
    if call.finish_reason == "content_filter":
        yield "filtered"
    if fixed_temperature(call):
        yield "fixed"


def _with_duplicate(marks: tuple[Mark, ...]) -> tuple[Mark, ...]:
    return tuple(sorted((*marks, "duplicate"), key=MARKS.index))


def _same(ended: Sequence[tuple[Cell, Looked]]) -> dict[str, Cell]:
    """By cell id: the earlier cell of the same model with the same answer."""
    first: dict[tuple[int, str], Cell] = {}
    found = {}
    for cell, one in ended:
        if one.bare and one.call.state == "ok":
            earlier = first.setdefault((cell.row, one.bare), cell)
            if earlier is not cell:
                found[cell.id] = earlier
    return found


def _different(ended: Sequence[tuple[Cell, Looked]]) -> frozenset[str]:
    lowest: dict[tuple[int, int], tuple[Cell, Looked]] = {}
    for cell, one in ended:
        place, known = (cell.row, cell.repeat), lowest.get((cell.row, cell.repeat))
        if known is None or warmth(cell.temperature) < warmth(known[0].temperature):
            lowest[place] = (cell, one)
    return frozenset(cell.id for cell, one in ended if one.bare and one.bare != lowest[cell.row, cell.repeat][1].bare)


def _badges(ended: Sequence[tuple[Cell, Looked]]) -> dict[str, tuple[Badge, ...]]:
    won: dict[str, list[Badge]] = {}
    units = {one.length.unit for _cell, one in ended if one.length and one.figures.get("shortest")}
    # Words and characters can't be compared.
    for badge in [one for one in BADGES if one != "shortest" or len(units) == 1]:
        known = [(value, cell.id) for cell, one in ended if (value := one.figures.get(badge)) is not None]
        least = min((value for value, _id in known), default=None)
        winners = [id for value, id in known if value == least]
        # No badge for two that are equal, nor where only one value is known.
        if len(winners) == 1 and len(known) > 1:
            won.setdefault(winners[0], []).append(badge)
    return {id: tuple(all_of_it) for id, all_of_it in won.items()}
