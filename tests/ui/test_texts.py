"""Every word a person reads is in the catalogues, in every language."""

import ast
import re
import string
from functools import cache
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

from lib.core.errors import TemperaError
from lib.ui.shared.texts import LANGUAGES, LOCALES, catalogue

ROOT = Path(__file__).parents[2]
UI_FILES = [*ROOT.glob("lib/ui/**/*.py"), *ROOT.glob("pages/*.py")]
TRANSLATED = [name for name in LANGUAGES if name != "en"]

SHOWN_BY = {
    "button", "caption", "checkbox", "chat_input", "dialog", "download_button", "error", "expander", "header", "info",
    "markdown", "metric", "multiselect", "number_input", "popover", "radio", "segmented_control", "selectbox",
    "slider", "spinner", "subheader", "success", "tabs", "text", "text_area", "text_input", "title", "toast", "toggle",
    "warning", "write",
}  # fmt: skip
SHOWN_ARGUMENTS = {"label", "help", "placeholder", "title"}
MARKS = {"_": 1, "N_": 1, "_n": 2}
"""The functions that mark texts, and how many of their arguments are texts."""
FIELD_NAMES = {"stop", "user", "max_tokens"}


@cache
def texts_in_code() -> set[str]:
    """All marked texts of the code: what stands in `_(...)`, `N_(...)` and `_n(one, many, ...)`, in f-strings too."""
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in ROOT.glob("lib/**/*.py")]
    trees += [ast.parse(path.read_text(encoding="utf-8")) for path in ROOT.glob("pages/*.py")]
    calls = [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Call) and node.args]
    named = [(call.func.id, call.args) for call in calls if isinstance(call.func, ast.Name)]
    marked = [text for name, texts in named if name in MARKS for text in texts[: MARKS[name]]]
    return {text.value for text in marked if isinstance(text, ast.Constant) and isinstance(text.value, str)}


@cache
def translations(language: str) -> dict[str, str]:
    with (LOCALES / language / "tempera.po").open("rb") as file:
        entries = [entry for entry in read_po(file) if entry.id and not entry.fuzzy]
    pairs = [(entry.id, entry.string) if entry.pluralizable else ((entry.id,), (entry.string,)) for entry in entries]
    # Chinese has one form for any number: it stands for both of English.
    return {str(text): str(strings[0]) for texts, strings in pairs for text in texts}


def names_in(text: str) -> set[str]:
    return {name for _literal, name, _spec, _conversion in string.Formatter().parse(text) if name}


def test_the_code_marks_texts_at_all() -> None:
    assert len(texts_in_code()) > 100


@pytest.mark.parametrize("language", TRANSLATED)
def test_every_text_is_translated_and_no_translation_is_left_over(language: str) -> None:
    translated = translations(language)

    assert texts_in_code() - translated.keys() == set()
    assert translated.keys() - texts_in_code() == set()
    assert [text for text, translation in translated.items() if not translation] == []


@pytest.mark.parametrize("language", TRANSLATED)
def test_no_text_is_translated_twice(language: str) -> None:
    """Only the first one would be read, wherever the text stands: what means two things are two texts in English."""
    texts = re.findall(r'^msgid (?:".*"\n)+', (LOCALES / language / "tempera.po").read_text("utf-8"), re.MULTILINE)
    assert len(texts) > 100 and sorted({text for text in texts if texts.count(text) > 1}) == []


@pytest.mark.parametrize("language", TRANSLATED)
def test_translations_keep_the_facts_of_their_text(language: str) -> None:
    assert {
        text for text, translation in translations(language).items() if names_in(text) != names_in(translation)
    } == set()


def test_chinese_reaches_the_reader() -> None:
    translated = catalogue("zh_Hans").gettext(TemperaError.message)

    assert re.search(r"[\u4e00-\u9fff]", translated)


def test_a_number_chooses_its_form() -> None:
    one, many = "Run {count} answer", "Run {count} answers"

    assert [catalogue("en").ngettext(one, many, count) for count in (1, 2)] == [one, many]
    assert {catalogue("zh_Hans").ngettext(one, many, count) for count in (1, 2)} == {"生成 {count} 条"}


def hard_coded(path: Path) -> list[str]:
    """String literals with words in them that are handed to a Streamlit call as they are."""
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and is_shown(node.func):
            shown = [*node.args[:1], *(word.value for word in node.keywords if word.arg in SHOWN_ARGUMENTS)]
            found += [f"{path.name}:{node.lineno} {text}" for text in map(literal_text, shown) if speaks(text)]
    return found


def is_shown(function: ast.expr) -> bool:
    """Whether a call's function is one of Streamlit's that show text; a log is none of them."""
    if not isinstance(function, ast.Attribute) or function.attr not in SHOWN_BY:
        return False
    return not (isinstance(function.value, ast.Name) and function.value.id == "log")


def literal_text(node: ast.expr) -> str:
    """The letters that stand in an expression itself, outside any call."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return " ".join(literal_text(part) for part in node.values if isinstance(part, ast.Constant))
    return ""


def speaks(text: str) -> bool:
    return bool(re.search(r"[A-Za-z\u4e00-\u9fff]{3,}", text)) and text not in FIELD_NAMES and "://" not in text


def test_no_text_is_hard_coded(subtests: pytest.Subtests) -> None:
    for path in UI_FILES:
        with subtests.test(path.name):
            assert hard_coded(path) == []


def test_the_search_for_hard_coded_text_finds_some(tmp_path: Path) -> None:
    page = tmp_path / "page.py"
    page.write_text('st.button("Press me", key="a")\nst.info(f"Hello {name}")\nst.button(_("Fine"))\n')

    assert len(hard_coded(page)) == 2
