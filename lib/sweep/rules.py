"""Rules that an answer has to pass, which anyone can add: contains, does not contain, a length, a language, JSON, a
pattern."""

import json
import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, Literal

import regex

from lib.core.errors import InvalidInput
from lib.core.i18n import N_
from lib.core.segmentation import word_count
from lib.core.variables import filled

Kind = Literal[
    "contains", "lacks", "pattern", "json", "words", "least_words", "characters", "least_characters", "language"
]
Takes = Literal["words", "pattern", "number", "language", "nothing"]
LANGUAGES = {
    "en": "English", "zh": "中文", "ja": "日本語", "ko": "한국어", "de": "Deutsch", "fr": "Français", "es": "Español",
    "it": "Italiano", "pt": "Português", "nl": "Nederlands", "pl": "Polski", "ru": "Русский", "uk": "Українська",
    "tr": "Türkçe", "ar": "العربية", "hi": "हिन्दी", "th": "ไทย", "vi": "Tiếng Việt", "id": "Bahasa Indonesia",
}  # fmt: skip
"""The languages that are told apart, as they call themselves."""
LONGEST_VALUE = 500
MOST_RULES = 20
MATCH_SECONDS = 0.2
ALL_SECONDS = 1.0
"""How long a pattern may take with one answer, and with all: some patterns would never end."""
MOST_REPEATS = 10_000
_COUNT = regex.compile(r"(?<=\{[^{}]*)\d{1,9}(?=[^{}]*\})")
SURE = 0.5
LONG_ENOUGH = 4_000
"""Characters of an answer that tell its language."""
Passed = bool | None
"""Whether an answer passes; None: it could not be told, in the time there is or from so short a text."""


@dataclass(frozen=True, slots=True)
class RuleKind:
    """One kind of rules: what they ask of an answer, in English; which of some texts pass with a rule's value; and what
    that value is. In words `{{variables}}` may stand."""

    says: str
    passing: Callable[[str, Sequence[str]], Sequence[Passed]]
    takes: Takes


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule; `value` is what its kind takes, a language by its code, "" for nothing."""

    kind: Kind
    value: str = ""

    @property
    def name(self) -> str:
        """What it is called where it is one of several: it does not depend on the language, nor on its place."""
        return f"{self.kind}:{self.value}"

    @property
    def takes(self) -> Takes:
        """What its value is."""
        return KINDS[self.kind].takes

    def checked(self) -> "Rule":
        """The rule itself; raises InvalidInput with a sentence for what is none."""
        if self.takes != "nothing" and not self.value.strip():
            raise InvalidInput(N_("Say what the rule is to look for."))
        if len(self.value) > LONGEST_VALUE:
            raise InvalidInput(N_("A rule has at most {most} characters."), most=LONGEST_VALUE)
        if self.takes == "number" and not (self.value.isdecimal() and int(self.value) > 0):
            raise InvalidInput(N_("“{value}” is no whole number above 0."), value=self.value)
        if self.takes == "language" and self.value not in LANGUAGES:
            raise InvalidInput(N_("“{value}” is none of the languages that can be told apart."), value=self.value)
        if self.takes == "pattern":
            _compiled(self.value)
        return self

    def for_input(self, values: Mapping[str, str]) -> "Rule":
        """The rule for the answers to one input: words that it looks for have the input's `values` for variables."""
        return replace(self, value=filled(self.value, values)) if self.takes == "words" else self

    def passes(self, texts: Sequence[str]) -> list[Passed]:
        """Whether each of `texts` passes."""
        if self.takes == "words" and not self.value.strip():
            return [None] * len(texts)  # the input has nothing there
        return list(KINDS[self.kind].passing(self.value, texts))


def _each(passes: Callable[[str, str], Passed]) -> Callable[[str, Sequence[str]], Sequence[Passed]]:
    """What passes of several texts, by what `passes` says of a value and one text."""
    return lambda value, texts: [passes(value, text) for text in texts]


def _matches(pattern: str, texts: Sequence[str]) -> list[Passed]:
    compiled = _compiled(pattern)
    end = time.monotonic() + ALL_SECONDS
    found: list[Passed] = []
    for text in texts:
        left = min(MATCH_SECONDS, end - time.monotonic())
        try:
            found.append(compiled.search(text, timeout=left) is not None if left > 0 else None)
        except TimeoutError:
            found.append(None)
    return found


def _compiled(pattern: str) -> "regex.Pattern[str]":
    # regex writes out what is to be repeated so many times, and repeats within repeats take gigabytes before it runs.
    if math.prod(max(1, int(count)) for count in _COUNT.findall(pattern)) > MOST_REPEATS:
        raise InvalidInput(
            N_("In “{value}” too much is repeated: at most {most:,} times."), value=pattern, most=MOST_REPEATS
        )
    try:
        return regex.compile(pattern)
    except (regex.error, OverflowError, RecursionError, ValueError) as wrong:
        raise InvalidInput(
            N_("“{value}” is no regular expression: {reason}."), value=pattern, reason=str(wrong)
        ) from None


def _is_json(_value: str, text: str) -> bool:
    try:
        json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        return False
    return True


def _no_constant(name: str) -> Any:
    raise ValueError(name)  # NaN and Infinity are Python's, not JSON's


def _in_language(code: str, text: str) -> Passed:
    found, sure = _identifier().classify(text[:LONG_ENOUGH])
    return bool(found == code) if sure >= SURE else None


@cache
def _identifier() -> Any:
    # Only here: 80 MB and half a second that nobody needs who asks for no language.
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    identifier.set_languages(list(LANGUAGES))
    return identifier


_contains = _each(lambda value, text: value.casefold() in text.casefold())
_lacks = _each(lambda value, text: value.casefold() not in text.casefold())
_most_words = _each(lambda value, text: word_count(text) <= int(value))
_least_words = _each(lambda value, text: word_count(text) >= int(value))
_most_characters = _each(lambda value, text: len(text.strip()) <= int(value))
_least_characters = _each(lambda value, text: len(text.strip()) >= int(value))

KINDS: dict[Kind, RuleKind] = {
    "contains": RuleKind(N_("contains"), _contains, "words"),
    "lacks": RuleKind(N_("does not contain"), _lacks, "words"),
    "words": RuleKind(N_("has at most so many words"), _most_words, "number"),
    "least_words": RuleKind(N_("has at least so many words"), _least_words, "number"),
    "characters": RuleKind(N_("has at most so many characters"), _most_characters, "number"),
    "least_characters": RuleKind(N_("has at least so many characters"), _least_characters, "number"),
    "language": RuleKind(N_("is written in"), _each(_in_language), "language"),
    "json": RuleKind(N_("is valid JSON"), _each(_is_json), "nothing"),
    "pattern": RuleKind(N_("matches the regular expression"), _matches, "pattern"),
}
"""All kinds, in the order in which they are offered: first what most people write."""
