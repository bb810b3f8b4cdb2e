"""Every word a person reads is in the catalogues, in every language."""

import ast
import re
import string
from functools import cache
from itertools import pairwise
from pathlib import Path

import pytest
from babel.messages.pofile import read_po
from streamlit.testing.v1 import AppTest

from lib.core.errors import TemperaError
from lib.core.i18n import in_brackets, joined, listed
from lib.sweep.ratings import Rating, rate
from lib.sweep.repository import results
from lib.ui.shared import resources
from lib.ui.shared.texts import LANGUAGE_KEY, LANGUAGES, LOCALES, catalogue
from lib.visitor import LOCAL_OWNER
from tests.fake_api import FakeApi
from tests.made_sweeps import make_sweep
from tests.pages import ask, new_tab, shown, tab_of

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


ODD = re.compile(
    r"[，。；：！？）、] +\S|\S +[，。；：！？）（、]"  # a gap beside a sign that is as wide as a character
    r"|[\u4e00-\u9fff] ?[;,?!()]|[\u4e00-\u9fff]:(?!\w)|[(;,!?] ?[\u4e00-\u9fff]"  # a sign of English in Chinese
)
OTHER_WORDS = ("您", "token", "聊天", "未评级", "设定价格", "没有价格", "服务返回")
"""What Chinese says in another way everywhere: 你, Token, 对话, 未评分, 设置价格, 价格未知, 服务商返回."""


VIEWS, SECTIONS = ("", "charts", "rules", "report"), ("chart", "bill", "budget", "speed")


def in_chinese(page: str = "chat", usage_more: str = "chart", **query: str) -> AppTest:
    """A page in its first run: AppTest finds a choice by its words, and knows them in English alone."""
    app = tab_of("")
    app.session_state[LANGUAGE_KEY], app.session_state["usage_more"] = "zh_Hans", usage_more
    app.switch_page(str(ROOT / "pages" / f"{page}.py"))
    app.query_params.update(query)
    return app.run()


def odd_chinese(text: str) -> list[str]:
    """What a Chinese text has that no Chinese writes; names of fields and code are left out."""
    return ODD.findall(re.sub(r"`[^`]*`|max_tokens", "x", text))


def test_chinese_has_its_own_signs_and_one_word_for_each_thing(subtests: pytest.Subtests) -> None:
    for text, chinese in translations("zh_Hans").items():
        plain = re.sub(r"\{+[^{}]*\}+|`[^`]*`|max_tokens", "x", chinese)
        with subtests.test(text):
            assert odd_chinese(plain) == []
            assert [word for word in OTHER_WORDS if word in plain] == []


def test_sentences_names_and_brackets_stand_beside_each_other_as_the_language_writes() -> None:
    chinese = catalogue("zh_Hans").gettext

    assert (joined(["One.", "", "Two."]), listed(["a", "b"]), in_brackets("1", "2")) == ("One. Two.", "a, b", "1 (2)")
    assert joined(["甲。", "乙。"], chinese) == "甲。乙。"
    assert (listed(["a", "b"], chinese), in_brackets("1", "2", chinese)) == ("a、b", "1（2）")
    error = TemperaError()
    assert "。" in error.sentence(chinese) and not odd_chinese(error.sentence(chinese))


@pytest.mark.row("X7")
def test_the_pages_put_chinese_together_without_gaps(service: FakeApi, subtests: pytest.Subtests) -> None:
    store = resources.services().store
    sweep = make_sweep(store, ("dear", "cheap"), (0.0, 0.7), 2)
    first = next(iter(store.read(lambda db: results(db, LOCAL_OWNER, sweep)).values()))
    store.write(lambda db: rate(db, LOCAL_OWNER, first.id, Rating(4))).result()
    ask(new_tab(), "Hello", model="echo")
    read = {"chat": shown(in_chinese()), "form": shown(in_chinese("sweep"))}
    read |= {f"sweep {view}": shown(in_chinese("sweep", sweep=sweep, sweep_view=view)) for view in VIEWS}
    read |= {f"usage {section}": shown(in_chinese("usage", usage_more=section)) for section in SECTIONS}

    for name, text in read.items():
        with subtests.test(name):
            assert re.search(r"[\u4e00-\u9fff]", text)
            ours = [line for line in text.splitlines() if "thermos" not in line]  # not the answers, which are mixed
            assert [line for line in ours if odd_chinese(line)] == []
    assert "4.0 星（2 条回答评了 1 条）。2 个模型中还有 1 个没有评分。" in read["sweep "], read["sweep "]


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


JOINTS = (" ", ", ", "; ", ": ", ". ")
NOT_OF_TEXTS = {
    "chat/attachments.py": "names of files",
    "sweep/charts.py": "coordinates",
    "sweep/export/opening.py": "elements of HTML",
    "sweep/export/wording.py": "stars and a thumb",
    "ui/shared/page_style.py": "variables of CSS",
    "ui/sweep/axis_picker.py": "what is typed",
    "ui/sweep/temperatures.py": "what is typed",
    "ui/usage/charts.py": "a date and a time",
}


def joints_of_english(source: str) -> list[str]:
    """Where code puts texts together with signs of English: `" ".join(...)`, `+ " "`, and a sentence in an f-string."""
    found = []
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Call(func=ast.Attribute(ast.Constant(value), "join"), args=[what]):
                cut = isinstance(what, ast.Call) and isinstance(what.func, ast.Attribute) and what.func.attr == "split"
                is_joint = value in JOINTS and not cut
            case ast.BinOp(op=ast.Add(), left=left, right=right):
                is_joint = any(isinstance(side, ast.Constant) and side.value in JOINTS for side in (left, right))
            case ast.JoinedStr(values=values):
                pairs = list(pairwise(values))
                is_joint = any(is_text(one) and is_joint_of_english(other) for one, other in pairs)
                is_joint |= any(is_joint_of_english(one) and is_text(other) for one, other in pairs)
                is_joint |= any(is_sentence(one) or is_sentence(other) for one, other in pairs)
                is_joint &= not str(getattr(values[0], "value", "")).startswith(":material/")
            case _:
                is_joint = False
        found += [ast.unparse(node)] * is_joint
    return found


def is_text(part: ast.expr) -> bool:
    """Whether a part of an f-string is a marked text."""
    call = part.value if isinstance(part, ast.FormattedValue) else None
    return isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in MARKS


def is_sentence(part: ast.expr) -> bool:
    return is_text(part) and ".'" in ast.unparse(part)


def is_joint_of_english(part: ast.expr) -> bool:
    return isinstance(part, ast.Constant) and str(part.value).startswith((*JOINTS[1:], " (", ":"))


def test_what_stands_between_texts_is_in_the_catalogues(subtests: pytest.Subtests) -> None:
    for path in sorted(ROOT.glob("lib/**/*.py")):
        source, name = path.read_text(encoding="utf-8"), path.relative_to(ROOT / "lib").as_posix()
        if re.search(r"import .*\b(_|Texts|N_)\b", source) and name not in NOT_OF_TEXTS:
            with subtests.test(name):
                assert joints_of_english(source) == []


def test_the_search_for_joints_finds_each_kind() -> None:
    for source in ('" ".join(words)', 'words + " "', "f\"{_('Done')}: {count}\"", "f\"{one}, {_('two')}\""):
        assert joints_of_english(source) != [], source
    assert joints_of_english('" ".join(text.split())') == []
