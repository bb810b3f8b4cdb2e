"""Which answers of a sweep are looked at: those that hold a text, are of some kind, of some models, temperatures, that
keep or break some rules."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from lib.calls.records import CallRecord
from lib.sweep.findings import Findings, Mark, text_of
from lib.sweep.plan import Cell
from lib.sweep.ratings import Rating
from lib.sweep.rule_check import NO_RULES, RuleCheck

Kind = Literal["failed", "cut", "odd", "same", "different", "rated"]
KINDS: tuple[Kind, ...] = ("failed", "cut", "odd", "same", "different", "rated")
FORMER: Mapping[str, tuple[Kind, ...]] = {"flagged": ("cut", "odd", "same")}
"""What addresses of before name a kind that is several by now."""
ODD: frozenset[Mark] = frozenset(("blank", "refused", "filtered"))


@dataclass(frozen=True, slots=True)
class Filter:
    """Empty: all. An answer is kept that holds `text` (capitals don't count), is of any of `kinds`, `models` and
    `temperatures`, and of which any of `rules` is said, see `RuleCheck.says`."""

    text: str = ""
    kinds: tuple[Kind, ...] = ()
    models: tuple[str, ...] = ()
    temperatures: tuple[float | None, ...] = ()
    rules: tuple[str, ...] = ()

    @property
    def on(self) -> bool:
        """Whether anything may be left out."""
        return self != Filter()

    def place_kept(self, cell: Cell) -> bool:
        """Whether a cell's model and temperature are looked at."""
        return (not self.models or cell.model in self.models) and (
            not self.temperatures or cell.temperature in self.temperatures
        )

    def kind_kept(self, kinds: Iterable[Kind]) -> bool:
        """Whether an answer of these kinds is looked at."""
        return not self.kinds or not set(self.kinds).isdisjoint(kinds)

    def among(
        self, cells: Iterable[Cell], results: Mapping[str, CallRecord], found: RuleCheck = NO_RULES
    ) -> list[Cell]:
        """The cells that are looked at if answers of every kind are."""
        among = [cell for cell in cells if self.place_kept(cell)] if self.models or self.temperatures else list(cells)
        if self.text:
            term = self.text.casefold()
            among = [cell for cell in among if cell.id in results and term in text_of(results[cell.id]).casefold()]
        if self.rules:
            wanted = set(self.rules)
            among = [cell for cell in among if cell.id in results and wanted & found.says(results[cell.id].id)]
        return among


def kinds_of(
    id: str,
    results: Mapping[str, CallRecord],
    findings: Findings,
    ratings: Mapping[str, Rating],
    failed: Collection[str],
) -> tuple[Kind, ...]:
    """Of which kinds the answer of a cell is; `ratings` by call id, `failed` are the ids of the cells that count as
    failed, sent or not."""
    call, marks = results.get(id), findings.marks.get(id, ())
    kinds: list[Kind] = []
    if id in failed:
        kinds.append("failed")
    if "cut" in marks:
        kinds.append("cut")
    if not ODD.isdisjoint(marks):
        kinds.append("odd")
    if id in findings.equal:
        kinds.append("same")
    if id in findings.different:
        kinds.append("different")
    if call is not None and call.id in ratings:
        kinds.append("rated")
    return tuple(kinds)
