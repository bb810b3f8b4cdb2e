"""A sweep with its answers by setting (one model at one temperature), their measures, and what was said of them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import groupby

from sqlalchemy import Connection

from lib.calls.records import CallRecord
from lib.store.database import Store
from lib.sweep import decision, ratings
from lib.sweep import repository as sweeps
from lib.sweep.decision import NOTHING_DECIDED, Decision
from lib.sweep.findings import text_of
from lib.sweep.measures import Name, Spread, measured, spread
from lib.sweep.plan import Cell, Plan, warmth
from lib.sweep.progress import ProgressReader
from lib.sweep.ratings import PERSON, Rating
from lib.sweep.rule_check import Keeping, Known, RuleCheck, Tally, check

CHINESE = re.compile("[\u4e00-\u9fff]")


@dataclass(frozen=True)
class Setting:
    """One model at one temperature, with one value of the further axis, asked with all inputs. `calls` are the newest
    attempts at its cells by cell id, `ratings` those of one rater by the calls' ids."""

    model: str
    temperature: float | None
    cells: tuple[Cell, ...]
    calls: Mapping[str, CallRecord]
    ratings: Mapping[str, Rating]

    @property
    def row(self) -> int:
        """Which model of the grid it is, from 0."""
        return self.cells[0].row

    @property
    def column(self) -> int:
        """Which temperature of the grid it is, from 0."""
        return self.cells[0].column

    @property
    def variant(self) -> int:
        """Which value of the further axis it has, from 0."""
        return self.cells[0].variant

    @cached_property
    def answers(self) -> tuple[CallRecord, ...]:
        """Its whole answers: half of one is neither as long nor as dear as the model makes them."""
        return tuple(call for cell in self.cells if (call := self._whole(cell)))

    @property
    def failed(self) -> int:
        """How many of its answers failed."""
        return sum(call.state == "error" for call in self.calls.values())

    @cached_property
    def stars(self) -> Spread | None:
        """The stars of its answers; None where none has any."""
        return spread(rating.stars for rating in self.ratings.values())

    @cached_property
    def _measured(self) -> dict[Name, Spread | None]:
        return {}

    def measure(self, name: Name) -> Spread | None:
        """One of its measures; None where it is not known of any answer. Measured once."""
        if name not in self._measured:
            asked = groupby(self.cells, key=lambda cell: cell.input)
            answers = [[call for cell in cells if (call := self._whole(cell))] for _input, cells in asked]
            self._measured[name] = measured(name, answers)
        return self._measured[name]

    @property
    def per_thousand(self) -> float | None:
        """US dollars for a thousand such answers: their tokens at the list price, or what the service reports; None
        where no answer has a price."""
        cost = self.measure("cost")
        return None if cost is None else 1_000 * cost.mean

    def _whole(self, cell: Cell) -> CallRecord | None:
        call = self.calls.get(cell.id)
        return call if call is not None and call.state == "ok" else None


@dataclass(frozen=True)
class Study:
    """A sweep with its answers and all that was said of them. `created_at` is in microseconds since 1970 (UTC)."""

    title: str
    created_at: int
    plan: Plan
    cells: tuple[Cell, ...]
    results: Mapping[str, CallRecord]
    ratings: Mapping[str, Rating] = field(default_factory=dict)
    decision: Decision = NOTHING_DECIDED
    judged: Mapping[str, Mapping[str, Rating]] = field(default_factory=dict)
    """What models that were asked say, by model and by the calls' ids; `ratings` are a person's."""
    checked: Known = field(default_factory=dict, compare=False, repr=False)
    """What was found by rules before, see `rule_check.check`."""
    judging_cost: float = 0.0
    """US dollars that the models cost that were asked to judge, as far as they have a price."""

    @cached_property
    def settings(self) -> tuple[Setting, ...]:
        """Model by model, of each model one value of the further axis after the other, and of each the
        temperatures from the lowest to the highest."""
        # Sorting leaves the cells of one setting in their order.
        ordered = sorted(self.cells, key=_place)
        return tuple(self._setting(tuple(cells)) for _where, cells in groupby(ordered, key=_place))

    @cached_property
    def has_chinese(self) -> bool:
        """Whether there is Chinese among the texts of its answers."""
        return any(CHINESE.search(text_of(call)) for call in self.results.values())

    @property
    def lines(self) -> Mapping[tuple[int, int], tuple[Setting, ...]]:
        """The settings of each model and variant, by both, from the lowest temperature to the highest."""
        grouped = groupby(self.settings, key=lambda setting: (setting.row, setting.variant))
        return {place: tuple(settings) for place, settings in grouped}

    @property
    def temperatures(self) -> tuple[float | None, ...]:
        """The temperatures from the lowest to the highest."""
        return tuple(sorted({setting.temperature for setting in self.settings}, key=warmth))

    @cached_property
    def rule_check(self) -> RuleCheck:
        """What its rules say of its answers."""
        return check(self.decision.rules, self.plan, self.cells, self.results, self.checked)

    def tally(self, rule: int, setting: Setting) -> Tally:
        """How many answers of a setting pass a rule, which is named by its number."""
        return self.rule_check.tally(rule, setting.answers)

    def keeping(self, *settings: Setting) -> Keeping | None:
        """How well the answers of some settings keep the rules; None without rules."""
        return self.rule_check.keeping([call for one in settings for call in one.answers])

    def stars_of(self, judge: str, setting: Setting) -> Spread | None:
        """The stars that a judge gives a setting's answers; None where it gives none."""
        said = self.judged.get(judge, {})
        return spread(said[call.id].stars for call in setting.answers if call.id in said)

    def _setting(self, cells: tuple[Cell, ...]) -> Setting:
        calls = {cell.id: self.results[cell.id] for cell in cells if cell.id in self.results}
        ratings = {call.id: self.ratings[call.id] for call in calls.values() if call.id in self.ratings}
        return Setting(cells[0].model, cells[0].temperature, cells, calls, ratings)


def _place(cell: Cell) -> tuple[int, int, float]:
    return cell.row, cell.variant, warmth(cell.temperature)


def read_study(store: Store, reader: ProgressReader, owner: str, sweep_id: str) -> Study | None:
    """An owner's sweep as it stands; None where this owner has none of that id."""
    progress = reader.of(owner, sweep_id)

    def read(db: Connection) -> tuple[Plan | None, tuple[str, int], dict[tuple[str, str], Rating], Decision]:
        said = ratings.all_of_sweep(db, owner, sweep_id), decision.of_sweep(db, owner, sweep_id)
        return sweeps.plan_of(db, owner, sweep_id), sweeps.named(db, owner, sweep_id), *said

    plan, (title, created_at), said, decided = store.read(read)
    if plan is None or not progress.cells:
        return None
    by_rater: dict[str, dict[str, Rating]] = {}
    for (call_id, rater), rating in said.items():
        by_rater.setdefault(rater, {})[call_id] = rating
    mine = by_rater.pop(PERSON, {})
    # Asked for only where one has judged: it looks at every call since the sweep.
    on_judges = store.read(lambda db: sweeps.spent_on_judges(db, owner, sweep_id)) if by_rater else 0.0
    said_by = (mine, decided, by_rater, progress.checked, on_judges)
    return Study(title, created_at, plan, progress.cells, progress.results, *said_by)
