"""What is found about the answers of a sweep by looking at all of them: marks for what is odd, and badges."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from lib.calls import unsupported_params
from lib.calls.records import CallRecord
from lib.core import parts
from lib.core.segmentation import word_count
from lib.sweep.plan import Cell

Mark = Literal["cut", "blank", "duplicate", "refused", "filtered", "fixed"]
"""Cut off before its end; without a word; word for word an earlier answer of the same model; declined by the model;
stopped by the service's content rules; at the model's own temperature, because it takes none."""
Badge = Literal["fastest", "cheapest", "shortest"]
CUT_ENDS = ("partial", "cancelled", "interrupted")


@dataclass(frozen=True, slots=True)
class Findings:
    """By cell id: `marks`, `badges`, how many `words` a whole answer has, the earlier cell that an answer is the `same`
    as; and the ids of the answers that are `different` from that at the lowest temperature."""

    marks: Mapping[str, tuple[Mark, ...]]
    badges: Mapping[str, tuple[Badge, ...]]
    words: Mapping[str, int]
    same: Mapping[str, Cell] = field(default_factory=dict)
    different: frozenset[str] = frozenset()


def find(cells: Sequence[Cell], results: Mapping[str, CallRecord]) -> Findings:
    """Look at all answers that have ended."""
    ended = [(cell, results[cell.id]) for cell in cells if cell.id in results and results[cell.id].state != "started"]
    words = {cell.id: word_count(text_of(call)) for cell, call in ended if call.state != "error"}
    same = _same(ended)
    marks = {cell.id: tuple(_marks(call, cell.id in same)) for cell, call in ended}
    return Findings(marks, _badges(ended, words), words, same, _different(ended))


def text_of(call: CallRecord) -> str:
    """The text of a cell's answer."""
    return call.choices[0].text if call.choices else ""


def fixed_temperature(call: CallRecord) -> bool:
    """Whether the model was asked without the temperature that was wanted, because it takes none."""
    return "temperature" in unsupported_params.left_out(call.params_asked, call.params_sent)


def _marks(call: CallRecord, duplicate: bool) -> Iterable[Mark]:
    beside = call.choices[0].parts if call.choices else ()
    if call.state in CUT_ENDS or call.finish_reason == "length":
        yield "cut"
    if call.state == "ok" and not text_of(call).strip() and not beside:
        yield "blank"
    if duplicate:
        yield "duplicate"
    if parts.of(beside, "refusal"):
        yield "refused"
    if call.finish_reason == "content_filter":
        yield "filtered"
    if fixed_temperature(call):
        yield "fixed"


def _same(ended: Sequence[tuple[Cell, CallRecord]]) -> dict[str, Cell]:
    """By cell id: the earlier cell of the same model with the same answer."""
    first: dict[tuple[int, str], Cell] = {}
    found = {}
    for cell, call in ended:
        text = _bare(call)
        if text and call.state == "ok":
            earlier = first.setdefault((cell.row, text), cell)
            if earlier is not cell:
                found[cell.id] = earlier
    return found


def _different(ended: Sequence[tuple[Cell, CallRecord]]) -> frozenset[str]:
    lowest: dict[tuple[int, int], tuple[Cell, CallRecord]] = {}
    for cell, call in ended:
        place, known = (cell.row, cell.repeat), lowest.get((cell.row, cell.repeat))
        if known is None or _warmth(cell) < _warmth(known[0]):
            lowest[place] = (cell, call)
    return frozenset(
        cell.id for cell, call in ended if _bare(call) and _bare(call) != _bare(lowest[cell.row, cell.repeat][1])
    )


def _warmth(cell: Cell) -> float:
    return -1.0 if cell.temperature is None else cell.temperature


def _bare(call: CallRecord) -> str:
    return " ".join(text_of(call).split())


def _badges(ended: Sequence[tuple[Cell, CallRecord]], words: Mapping[str, int]) -> dict[str, tuple[Badge, ...]]:
    good = [(cell, call) for cell, call in ended if call.state == "ok" and call.finish_reason != "length"]
    crowns: list[tuple[Badge, Callable[[Cell, CallRecord], float | None]]] = [
        # As exact as it is shown: who is a hundredth of a second ahead is not faster.
        ("fastest", lambda _, call: None if call.seconds is None else round(call.seconds, 1)),
        ("cheapest", lambda _, call: None if call.cost is None else float(f"{call.cost:.2g}")),
        ("shortest", lambda cell, _: words[cell.id] or None),
    ]
    won: dict[str, list[Badge]] = {}
    for badge, figure in crowns:
        known = [(value, cell.id) for cell, call in good if (value := figure(cell, call)) is not None]
        least = min((value for value, _id in known), default=None)
        winners = [id for value, id in known if value == least]
        # No crown on a tie, and none without a race.
        if len(winners) == 1 and len(known) > 1:
            won.setdefault(winners[0], []).append(badge)
    return {id: tuple(all_of_it) for id, all_of_it in won.items()}
