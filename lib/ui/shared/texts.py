"""Translates every sentence into the visitor's language: gettext catalogues in locales/, English as the source."""

import gettext
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache, lru_cache
from io import BytesIO
from pathlib import Path
from typing import ParamSpec

import streamlit as st
from babel import Locale, UnknownLocaleError
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from lib.core.errors import TemperaError
from lib.core.i18n import is_ours
from lib.core.request import Role
from lib.core.rich_text import literal
from lib.ui.shared.numbers import Sentence

LANGUAGES = {"en": "English", "zh_Hans": "简体中文"}
LOCALES = Path(__file__).parents[1] / "locales"
LANGUAGE_KEY = "language"
P = ParamSpec("P")


@dataclass(frozen=True, slots=True)
class Reader:
    """Who reads a page: the `language` of its sentences, and the `country` as whose its numbers are written."""

    language: str
    country: Locale


_settled: ContextVar[Reader | None] = ContextVar("reader", default=None)
"""The reader of the run that this thread is at."""


def settle_reader() -> None:
    """Look the reader up, once for all sentences of a run: each look into session state takes a while, and a page has
    150 of them. Callbacks come before, and have the reader of the run before theirs, or look."""
    _settled.set(_looked_up())


def _reader() -> Reader:
    return _settled.get() or _looked_up()


def _looked_up() -> Reader:
    browsers, chosen = str(st.context.locale or ""), st.session_state.get(LANGUAGE_KEY)
    if chosen not in LANGUAGES:
        chosen = browser_language(browsers)
    return Reader(chosen, _locale(browsers, chosen))


def language() -> str:
    """The visitor's language: chosen in the menu, else the browser's."""
    return _reader().language


def browser_language(accepted: str) -> str:
    """The language for a browser that no page has told us of, by its header Accept-Language."""
    return "zh_Hans" if accepted.lower().startswith("zh") else "en"


def page_language() -> str:
    """The visitor's language as HTML names it: `en`, `zh-Hans`."""
    return language().replace("_", "-")


def country() -> Locale:
    """Whose numbers and amounts the visitor reads: as the browser says, whatever the language of the sentences is."""
    return _reader().country


def country_of_words() -> Locale:
    """The visitor's language as it is written in the browser's country: `Nov 3`, `3 Nov`, `11月3日`."""
    return _locale(f"{language()}_{country().territory}", language())


@lru_cache(maxsize=200)  # what a browser calls itself can be anything
def _locale(name: str, otherwise: str) -> Locale:
    """The locale of this name; of `otherwise` where there is none."""
    try:
        return Locale.parse(name.replace("-", "_"))
    except (ValueError, UnknownLocaleError):
        return Locale.parse(otherwise)


def _(text: str) -> str:
    """`text` in the visitor's language, and what it is filled with as the visitor writes numbers."""
    reader = _reader()
    return Sentence(catalogue(reader.language).gettext(text), reader.country)


def _n(one: str, many: str, count: int) -> str:
    """`one` or `many`, as the visitor's language says `count` things; the facts are still to be filled in."""
    reader = _reader()
    return Sentence(catalogue(reader.language).ngettext(one, many, count), reader.country)


def error_sentence(error: TemperaError) -> str:
    """What happened and what to do, in the visitor's language, as Markdown; what services and links put into it stands
    there to the letter."""
    return _escaped(error, hint=True)


def error_message(error: TemperaError) -> str:
    """Only what happened, as Markdown; foreign facts to the letter."""
    return _escaped(error, hint=False)


def _escaped(error: TemperaError, hint: bool) -> str:
    if is_ours(error.message) and is_ours(error.hint):
        return error.sentence(_, escape=literal, hint=hint)
    return literal(error.sentence(_, hint=hint))  # of another version, or of a backup that somebody else has made


def for_this_reader(write: Callable[P, str]) -> Callable[P, str]:
    """`write`, for where there is no session: it writes for who is the reader now."""
    reader = _reader()

    def written(*args: P.args, **facts: P.kwargs) -> str:
        before = _settled.set(reader)
        try:
            return str(write(*args, **facts))
        finally:
            _settled.reset(before)

    return written


def role_names() -> dict[Role, str]:
    """Who says a message, by its role."""
    return {"user": _("You"), "assistant": _("Model"), "system": _("System prompt")}


@cache
def catalogue(name: str) -> gettext.NullTranslations:
    """One language's texts, compiled in memory from its .po file."""
    source = LOCALES / name / "tempera.po"
    if not source.exists():
        return gettext.NullTranslations()
    compiled = BytesIO()
    with source.open("rb") as file:
        write_mo(compiled, read_po(file, locale=name))
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)
