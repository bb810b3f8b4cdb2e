"""Numbers and amounts of money as the reader's own country writes them: `1,234.5`, `1.234,5`, `1,50 $`.

Everything that a sentence is filled with comes by here; files for programs and spreadsheets keep a computer's form.
"""

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from babel import Locale
from babel.numbers import format_currency, format_decimal, format_percent

from lib.core.budget import DOLLARS
from lib.core.money import Dollars

FORM = re.compile(r"(?P<grouped>,)?(?:\.(?P<digits>\d+))?(?P<kind>[fdg%])?")
"""The forms of Python's format that a reader's number can have: `{count:,}`, `{seconds:.1f}`, `{share:.0%}`. Any other
is a computer's: `{temperature:g}` is a value as it is sent, `{number}` one that is counted up."""


class Sentence(str):
    """A sentence that writes the numbers it is filled with in the reader's way."""

    __slots__ = ("locale",)
    locale: Locale

    def __new__(cls, text: str, locale: Locale) -> "Sentence":
        """`text` for a reader whose numbers are those of `locale`."""
        sentence = super().__new__(cls, text)
        sentence.locale = locale
        return sentence

    def __reduce__(self) -> tuple[type[str], tuple[str]]:
        """A copy is a plain text: pandas and Streamlit copy what heads a column."""
        return str, (str(self),)

    def format(self, *places: object, **facts: object) -> str:
        """As `str.format`."""
        return self.format_map(facts) if not places else super().format(*places, **facts)

    def format_map(self, facts: Mapping[str, Any]) -> str:  # type: ignore[override]
        """As `str.format_map`: what `facts` has not is what it says of it."""
        return super().format_map(_Written(facts, self.locale))


class _Written(dict[str, Any]):
    """Facts, the numbers among them as the reader writes them."""

    def __init__(self, facts: Mapping[str, Any], locale: Locale) -> None:
        super().__init__()
        self._facts, self._locale = facts, locale

    def __missing__(self, name: str) -> Any:
        fact = self._facts[name]
        if isinstance(fact, Dollars):
            return in_currency(float(fact), DOLLARS, self._locale)
        is_number = isinstance(fact, int | float) and not isinstance(fact, bool)
        return _Number(fact, self._locale) if is_number else fact


class _Number:
    def __init__(self, value: float, locale: Locale) -> None:
        self._value, self._locale = value, locale

    def __format__(self, form: str) -> str:
        return written(self._value, form, self._locale)


def written(value: float, form: str, locale: Locale) -> str:
    """A number in one of the forms of FORM."""
    found = FORM.fullmatch(form)
    if form in ("", "g") or found is None or value != value or value in (float("inf"), float("-inf")):
        return format(value, form)
    text = format(value, form.replace(",", ""))
    if "e" in text:
        return text.replace(".", decimal_point(locale))
    if found["kind"] == "%":
        share = Decimal(text.removesuffix("%")) / 100
        return str(format_percent(share, _pattern(locale.percent_formats[None].pattern, text[:-1]), locale))
    pattern = _pattern(locale.decimal_formats[None].pattern.partition(".")[0], text)
    return str(format_decimal(Decimal(text), pattern, locale, group_separator=bool(found["grouped"])))


def _pattern(pattern: str, text: str) -> str:
    """A locale's pattern of whole numbers, with as many places behind the point as `text` has."""
    places = len(text.partition(".")[2])
    return pattern.replace("0", "0." + "0" * places, 1) if places else pattern


def decimal_point(locale: Locale) -> str:
    """What stands between whole numbers and their parts."""
    return str(locale.number_symbols["latn"]["decimal"])


def in_currency(amount: float, currency: str, locale: Locale) -> str:
    """An amount of a currency, by its code (ISO 4217); small ones keep two digits that count."""
    if amount == 0 or round(amount, 2) >= 0.1:
        return str(format_currency(amount, currency, locale=locale))
    digits = f"{amount:.2g}" if amount >= 0.0001 else f"{amount:.6f}"
    return str(format_currency(Decimal(digits), currency, locale=locale, decimal_quantization=False))
