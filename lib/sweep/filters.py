"""Which answers of a sweep are looked at: those that hold a text, are of some kind, of some models, temperatures."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from lib.calls.records import CallRecord
from lib.core.errors import TemperaError
from lib.sweep.findings import Findings, text_of
from lib.sweep.plan import Cell
from lib.sweep.ratings import Rating

Kind = Literal["failed", "flagged", "different", "rated"]
KINDS: tuple[Kind, ...] = ("failed", "flagged", "different", "rated")


@dataclass(frozen=True, slots=True)
class Filter:
    """Empty: all. An answer is kept that holds `text` (capitals don't count), and is of any of `kinds`, `models` and
    `temperatures`."""

    text: str = ""
    kinds: tuple[Kind, ...] = ()
    models: tuple[str, ...] = ()
    temperatures: tuple[float | None, ...] = ()

    @property
    def on(self) -> bool:
        """Whether anything may be left out."""
        return self != Filter()

    def place_kept(self, cell: Cell) -> bool:
        """Whether a cell's model and temperature are looked at."""
        return (not self.models or cell.model in self.models) and (
            not self.temperatures or cell.temperature in self.temperatures
        )

    def kept(
        self,
        cells: Iterable[Cell],
        results: Mapping[str, CallRecord],
        findings: Findings,
        ratings: Mapping[str, Rating],
        unsent: Mapping[str, TemperaError],
    ) -> list[Cell]:
        """The cells that are looked at; `ratings` by call id, `unsent` are the cells that could not be sent."""
        kept = [cell for cell in cells if self.place_kept(cell)]
        if self.text:
            term = self.text.casefold()
            kept = [cell for cell in kept if cell.id in results and term in text_of(results[cell.id]).casefold()]
        if self.kinds:
            has = {
                "failed": lambda id: id in unsent or (id in results and results[id].state == "error"),
                "flagged": lambda id: bool(findings.marks.get(id)),
                "different": lambda id: id in findings.different,
                "rated": lambda id: id in results and results[id].id in ratings,
            }
            kept = [cell for cell in kept if any(has[kind](cell.id) for kind in self.kinds)]
        return kept
