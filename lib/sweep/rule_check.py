"""What the rules of a sweep say of its answers: which an answer breaks, and how well the answers of a setting keep
them. All that tells of it, on the page and in every file, asks here."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from lib.calls.records import CallRecord
from lib.sweep.findings import text_of
from lib.sweep.plan import Cell, Plan
from lib.sweep.rules import Passed, Rule

KEEPS, BREAKS = "keeps", "breaks"
"""What an answer does with all rules together; with one of them alone it does what that rule is named."""
Known = dict[Rule, dict[str, Passed]]
"""Whether answers pass a rule, by the ids of their calls."""


class Tally(NamedTuple):
    """How many answers pass a rule, of how many that could be told."""

    passed: int
    told: int


@dataclass(frozen=True, slots=True)
class Keeping:
    """How well some answers keep all rules: how many do, of how many that could be told, how many answers there are,
    and by rule how many break it."""

    kept: int
    told: int
    answers: int
    broken: Mapping[Rule, int]

    @property
    def all_kept(self) -> bool:
        """Whether every answer is known to keep every rule."""
        return 0 < self.answers == self.kept


@dataclass(frozen=True)
class RuleCheck:
    """The rules, and for each of them whether an answer passes, by the ids of the calls."""

    rules: tuple[Rule, ...] = ()
    passed: Sequence[Mapping[str, Passed]] = field(default_factory=tuple)

    @property
    def names(self) -> tuple[str, ...]:
        """All that may be said of an answer; nothing without rules."""
        return (KEEPS, BREAKS, *(rule.name for rule in self.rules)) if self.rules else ()

    def broken(self, call_id: str) -> tuple[Rule, ...]:
        """The rules that an answer breaks."""
        return tuple(rule for rule, passed in zip(self.rules, self.passed, strict=True) if passed.get(call_id) is False)

    def keeps(self, call_id: str) -> Passed:
        """Whether an answer keeps all rules; None where it breaks none that could be told, and one could not."""
        said = [passed.get(call_id) for passed in self.passed]
        return False if False in said else None if None in said else True

    def says(self, call_id: str) -> frozenset[str]:
        """What is said of an answer: that it keeps all rules, or breaks any, and the names of those."""
        if broken := self.broken(call_id):
            return frozenset({BREAKS, *(rule.name for rule in broken)})
        return frozenset({KEEPS}) if self.keeps(call_id) else frozenset()

    def tally(self, rule: int, answers: Iterable[CallRecord]) -> Tally:
        """How many of some answers pass a rule, which is named by its number."""
        told = [passed for call in answers if (passed := self.passed[rule].get(call.id)) is not None]
        return Tally(sum(told), len(told))

    def keeping(self, answers: Sequence[CallRecord]) -> Keeping | None:
        """How well some answers keep the rules; None without rules."""
        if not self.rules:
            return None
        said = [self.keeps(call.id) for call in answers]
        broken = Counter(rule for call in answers for rule in self.broken(call.id))
        in_order = {rule: broken[rule] for rule in self.rules if broken[rule]}
        return Keeping(said.count(True), len(said) - said.count(None), len(answers), in_order)


NO_RULES = RuleCheck()


def check(
    rules: tuple[Rule, ...],
    plan: Plan,
    cells: Iterable[Cell],
    results: Mapping[str, CallRecord],
    known: Known | None = None,
) -> RuleCheck:
    """Check the whole answers of some cells. `known` is what an earlier check has found, and grows: of 2,000 answers
    few are new at each."""
    if not rules:
        return NO_RULES
    known = {} if known is None else known
    answers = [
        (call, plan.inputs[cell.input] if plan.inputs else {})
        for cell in cells
        if (call := results.get(cell.id)) is not None and call.state == "ok"
    ]
    return RuleCheck(rules, [_passed(rule, answers, known.setdefault(rule, {})) for rule in rules])


def _passed(
    rule: Rule, answers: Iterable[tuple[CallRecord, Mapping[str, str]]], known: dict[str, Passed]
) -> Mapping[str, Passed]:
    # Together, where it is the same for all inputs: a pattern has a time limit for all texts.
    unknown: dict[Rule, list[CallRecord]] = {}
    for call, input in answers:
        if call.id not in known:
            unknown.setdefault(rule.for_input(input), []).append(call)
    for one, calls in unknown.items():
        passed = one.passes([text_of(call) for call in calls])
        known.update((call.id, found) for call, found in zip(calls, passed, strict=True))
    return known
