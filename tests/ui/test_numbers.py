"""Numbers, amounts and dates stand on every page as the reader's own country writes them."""

import ast
import re
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest
from babel import Locale
from babel.numbers import parse_decimal
from hypothesis import given
from hypothesis import strategies as st
from streamlit.runtime.context import ContextProxy

from lib.core.errors import CapReached
from lib.sweep.measures import BY_NAME
from lib.ui.shared import dates
from lib.ui.shared.numbers import FORM, Sentence, in_currency
from lib.ui.shared.texts import error_sentence
from lib.ui.sweep.open_study import PAGE
from lib.ui.usage import price_table
from tests.fake_api import FakeApi
from tests.pages import ROOT, ask, figures, host, new_tab, run_sweep, shown, switch_page

pytestmark = pytest.mark.usefixtures("settings_open")

SENTENCE = "{calls:,} calls, {seconds:.1f} s, {share:.0%}, {rate:.2g}/s at {temperature:g}, number {number} of {name}"
FACTS = {"calls": 12345, "seconds": 1234.5, "share": 0.256, "rate": 0.125}
FACTS |= {"temperature": 0.7, "number": 1000}
OF_US = "12,345 calls, 1234.5 s, 26%, 0.12/s at 0.7, number 1000 of us"
WRITTEN = {
    "en_US": (OF_US, "$1,234.50", "$0.0021"),
    "de_DE": ("12.345 calls, 1234,5 s, 26 %, 0,12/s at 0.7, number 1000 of us", "1.234,50 $", "0,0021 $"),
    "fr_FR": ("12 345 calls, 1234,5 s, 26 %, 0,12/s at 0.7, number 1000 of us", "1 234,50 $US", "0,0021 $US"),
    "en_IN": (OF_US, "$1,234.50", "$0.0021"),
    "zh_Hans_CN": (OF_US, "US$1,234.50", "US$0.0021"),
}
"""Spaces that break no line are written as plain ones."""
OURS_ALONE = {"lib/ui/shared/numbers.py", "lib/sweep/charts.py", "lib/sweep/findings.py"}
"""Where the reader's form is made, and where numbers are a picture's coordinates or are compared."""
ISO = "%Y-%m-%d"
"""The one form of a date that is the same everywhere: of files, and of what goes to somebody else."""
SPEAKS_ENGLISH = re.compile(r"\d\.\d+ s\b|\d,\d{3}\b|\$\d")


def of(monkeypatch: pytest.MonkeyPatch, locale: str) -> None:
    """Let the visitor's browser be one of that country."""
    monkeypatch.setattr(ContextProxy, "locale", property(lambda _self: locale))


def test_each_country_has_its_own_way(subtests: pytest.Subtests) -> None:
    for name, (sentence, much, little) in WRITTEN.items():
        with subtests.test(name):
            locale = Locale.parse(name)
            said = (
                Sentence(SENTENCE, locale).format(**FACTS, name="us"),
                in_currency(1234.5, "USD", locale),
                in_currency(0.0021, "USD", locale),
            )
            assert tuple(re.sub(r"\s", " ", one) for one in said) == (sentence, much, little)


@given(st.floats(-1e9, 1e9), st.sampled_from([",", ",.0f", ".1f", ",.2f"]), st.sampled_from(list(WRITTEN)))
def test_any_number_means_the_same_in_every_country(value: float, form: str, name: str) -> None:
    number: Any = round(value) if form == "," else value
    written = Sentence(f"{{value:{form}}}", Locale.parse(name)).format(value=number)

    assert parse_decimal(written, locale=Locale.parse(name)) == Decimal(format(number, form.replace(",", "")))


@pytest.mark.row("X7")
@pytest.mark.parametrize(
    ("locale", "seconds"), [("de-DE", r"\d,\d s"), pytest.param("zh-CN", r"\d\.\d 秒", marks=pytest.mark.soak)]
)
def test_every_page_writes_numbers_as_the_visitors_country_does(
    service: FakeApi, monkeypatch: pytest.MonkeyPatch, locale: str, seconds: str, subtests: pytest.Subtests
) -> None:
    """A German reads English sentences with German numbers; a Chinese reads Chinese ones."""
    of(monkeypatch, locale)
    app = new_tab()
    ask(app, "word " * 1500, model="echo")
    pages = {"chat": figures(app)}
    tab = new_tab("sweep", models=f"{host(service)}/echo", prompt="Praise tea.", temperatures="0,1")
    pages["sweep"] = shown(run_sweep(tab))
    pages["usage"] = shown(switch_page(app, "usage")) + " ".join(str(one.value) for one in app.metric)

    for name, text in pages.items():
        with subtests.test(name):
            found = SPEAKS_ENGLISH.findall(text) if locale == "de-DE" else []
            assert found == []
            assert name == "usage" or re.search(seconds, text)
    assert ("1.50" in pages["usage"], "1,50" in pages["usage"]) == (locale == "de-DE", locale == "zh-CN")


@pytest.mark.row("X7")
def test_an_error_writes_dollars_as_the_page_does(monkeypatch: pytest.MonkeyPatch) -> None:
    reached = CapReached(cap=0.5, spent=0.0021)
    for locale, words in (("en-US", "$0.0021 of $0.50"), ("zh-CN", "上限 US$0.50，已花费 US$0.0021")):
        of(monkeypatch, locale)
        assert words in error_sentence(reached).replace("\\", "") and "\\$" in error_sentence(reached)
        typed = price_table._columns(["gpt-4o"])["prompt"]["type_config"]["format"]
        assert typed == ("US$%.3f" if locale == "zh-CN" else "$%.3f"), "and where a price is typed"
    assert "$0.0021 of $0.50" in str(reached)


def test_dates_are_those_of_the_country_in_the_language_that_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    day, moment = date(2026, 11, 3), datetime(2026, 11, 3, 14, 5)
    said = {}
    for locale in ("en-US", "en-GB", "de-DE", "zh-CN", "", "no such country"):
        of(monkeypatch, locale)
        said[locale] = (dates.short_day(day), dates.time_of_day(moment), BY_NAME["seconds"].written(1.5, PAGE))

    assert said["en-US"] == ("Nov 3", "2:05\u202fPM", "1.5\xa0s") == said[""] == said["no such country"]
    assert said["en-GB"] == ("3 Nov", "14:05", "1.5\xa0s")
    assert said["de-DE"] == ("3 Nov", "14:05", "1,5\xa0s")
    assert said["zh-CN"] == ("11月3日", "14:05", "1.5\xa0s")


def own_forms(source: str) -> list[str]:
    """Numbers that a text of the pages gets without the reader's form: filled into an f-string, or by a plain text's
    `format`."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FormattedValue) and isinstance(node.format_spec, ast.JoinedStr):
            found += [ast.unparse(node)] if _is_for_people(ast.unparse(node.format_spec)) else []
        elif isinstance(node, ast.Attribute) and node.attr == "format" and isinstance(node.value, ast.Constant):
            found += [ast.unparse(node)] if re.search(r":[^}]*[,%]|:\.\d", str(node.value.value)) else []
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "strftime":
            found += [ast.unparse(node)] if ISO not in ast.unparse(node) else []
    return found


def _is_for_people(spec: str) -> bool:
    form = spec.removeprefix("f").strip("'\"")
    matched = FORM.fullmatch(form)
    return bool(matched and (matched["grouped"] or matched["digits"])) or "%" in form.replace(ISO, "")


def test_no_page_writes_a_number_or_a_date_its_own_way(subtests: pytest.Subtests) -> None:
    files = [*(ROOT / "lib" / "ui").rglob("*.py"), *(ROOT / "lib" / "sweep").rglob("*.py"), *ROOT.glob("pages/*.py")]
    for file in files:
        name = file.relative_to(ROOT).as_posix()
        with subtests.test(name):
            assert name in OURS_ALONE or own_forms(file.read_text(encoding="utf-8")) == []


def test_the_search_for_such_finds_some() -> None:
    source = """
a = f"{count:,} calls {x:.1f}", "{:,}".format(1), f"{now:%H:%M}", now.strftime(x)
b = f"{t:g} {name}", f"{now:%Y-%m-%d}", now.strftime("%Y-%m-%d"), _("{count:,} calls").format(count=1)
"""

    assert len(own_forms(source)) == 5
