"""What is measured of a sweep's answers, and how each measure is spread over the answers of one setting."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from statistics import fmean
from typing import Literal, NamedTuple

from lib.calls.records import CallRecord
from lib.core.i18n import N_, Texts
from lib.core.segmentation import word_count
from lib.sweep.diversity import differences
from lib.sweep.findings import text_of

Name = Literal["difference", "length", "tokens", "seconds", "first_word", "speed", "cost"]


class Spread(NamedTuple):
    """Mean, lowest and highest of the values that are known, and how many those are."""

    mean: float
    low: float
    high: float
    known: int


@dataclass(frozen=True, slots=True)
class Measure:
    """A measure: its English name and explanation, the form of its values (without one they are US dollars), and what
    the field calls it. It is written `times` as large as it is measured."""

    name: Name
    label: str
    help: str
    form: str = ""
    technical: str = ""
    times: int = 1

    def written(self, value: float, texts: Texts) -> str:
        """A value of it, for the reader of `texts`."""
        value *= self.times
        return texts.one(self.form).format(value=value) if self.form else texts.dollars(value)


MEASURES = (
    Measure(
        "difference",
        N_("How different the answers are"),
        N_(
            "Each two answers of a setting are compared: 0 % the same words in the same order, 100 % no word in common."
        ),
        "{value:.0%}",
        N_("The mean of all pairs of 1 − ROUGE-L: one minus the F-measure of the longest common subsequence of words."),
    ),
    Measure("length", N_("Length in words"), N_("Chinese words are those of a dictionary."), "{value:,.0f}"),
    Measure("tokens", N_("Output tokens"), N_("What the model wrote, thinking included."), "{value:,.0f}"),
    Measure("seconds", N_("Seconds"), N_("From sending to the last word."), "{value:,.1f}\u00a0s"),
    Measure(
        "first_word",
        N_("First word after"),
        N_("From sending to the first word."),
        "{value:,.2f}\u00a0s",
    ),
    Measure("speed", N_("Tokens per second"), N_("From the first word to the last."), "{value:,.0f}"),
    Measure("cost", N_("Cost of one answer"), N_("US dollars: as reported, or at list prices.")),
)
BY_NAME = {measure.name: measure for measure in MEASURES}
THOUSAND = replace(BY_NAME["cost"], label=N_("Cost of 1,000 answers"), times=1_000)
"""The cost beside sentences that tell of a thousand answers."""


def measured(name: Name, asked: Sequence[Sequence[CallRecord]]) -> Spread | None:
    """A measure of a setting's whole answers, those to one question together; None where it is not known of any. Only
    answers to the same question are compared with each other."""
    if name == "difference":
        return spread(part for calls in asked for part in differences([text_of(call) for call in calls]))
    return spread(_VALUES[name](call) for calls in asked for call in calls)


def spread(values: Iterable[float | None]) -> Spread | None:
    """The spread of the values that are known; None where none is."""
    known = [value for value in values if value is not None]
    return Spread(fmean(known), min(known), max(known), len(known)) if known else None


_VALUES: dict[Name, Callable[[CallRecord], float | None]] = {
    "length": lambda call: word_count(text_of(call)),
    "tokens": lambda call: call.usage.completion_tokens,
    "seconds": lambda call: call.seconds,
    "first_word": lambda call: call.first_token_seconds,
    "speed": lambda call: call.speed,
    "cost": lambda call: call.cost,
}
