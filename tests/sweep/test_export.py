"""What is told of a sweep: the report and the other forms have every text and number, and harm nobody."""

import base64
import csv
import hashlib
import io
import itertools
import json
import re
import zipfile
from dataclasses import asdict, replace
from html import unescape
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.calls.records import CallRecord
from lib.core.csv_table import FORMULA_STARTS
from lib.core.excel import MOST_CHARACTERS
from lib.core.i18n import Texts
from lib.core.markdown_text import boxed
from lib.core.parameters import Params
from lib.core.request import Message
from lib.core.rich_text import to_html, typeset
from lib.core.titles import title_of
from lib.store.schema import clean
from lib.sweep import charts, report, setup_file
from lib.sweep.axis import Axis
from lib.sweep.decision import ReportOptions
from lib.sweep.export import answers
from lib.sweep.export.document import STYLES
from lib.sweep.export.document import report as document
from lib.sweep.export.json_file import json_file
from lib.sweep.export.markdown import markdown
from lib.sweep.export.summary import summary
from lib.sweep.export.wording import Subject
from lib.sweep.export.workbook import workbook
from lib.sweep.measures import MEASURES, THOUSAND
from lib.sweep.plan import Cell, Plan
from lib.sweep.ratings import Rating
from lib.sweep.rules import Rule
from lib.sweep.study import Study
from lib.sweep.verdict import sentence, verdict
from lib.ui.shared.texts import catalogue
from tests import seen
from tests.case_files import cases
from tests.examples import examples
from tests.studies import ENGLISH, PLAN, a_study, an_answer

FULL = ReportOptions(depth="full")
HOSTILE = (
    '<script>alert(1)</script><img src=x onerror="alert(1)"><style>*{display:none}</style>',
    "![x](https://elsewhere.example/x.png) [link](javascript:alert(1)) <iframe src='https://elsewhere.example'>",
    '=HYPERLINK("https://elsewhere.example","x")',
    "+1+cmd|' /C calc'!A0",
    "@SUM(1)",
    "-2+3",
    "\u202egnp.exe \u2066 \x1b[31mred\x07 \x00\x08",
    "שלום עולם, this is mixed",
    "</style></body></html><b>after</b>",
    "```\n" + "x" * 5_000 + "\n```",
    "| a | b |\n|---|---|\n| 1 | 2 |",
    "W" * 200_000,
    "```````\nfences\n~~~~~",
)


def hostile_study() -> Study:
    """A sweep in which everything foreign is hostile: texts, models, prompt, notes."""
    texts = iter([clean(text) for text in HOSTILE] * 3)
    models = tuple(f"svc/{text[:80]}" for text in HOSTILE[:4])
    plan = Plan(HOSTILE[0], models, (0.0, 1.0), system=HOSTILE[1], repeats=2)
    study = a_study(plan, lambda cell: an_answer(cell, next(texts), model_answered=HOSTILE[2]), lambda cell: 4, (1, 1))
    noted = {call_id: replace(rating, note=HOSTILE[0]) for call_id, rating in study.ratings.items()}
    return replace(study, title=HOSTILE[0], ratings=noted)


def html(study: Study, options: ReportOptions = FULL) -> str:
    return document(study, options, ENGLISH).decode()


@pytest.mark.row("S27")
def test_the_report_has_every_text_and_number_of_the_sweep(subtests: pytest.Subtests) -> None:
    samples = [case["text"] for case in cases("rich_text")][:120]
    samples[-1] = "lorem ipsum " * 5_000 + "the end"
    texts = iter(samples)
    plan = replace(PLAN, models=tuple(f"svc/m{at}" for at in range(30)))
    study = a_study(
        plan,
        lambda cell: an_answer(cell, next(texts), cost=0.001 * (cell.row + 1), seconds=1 + cell.row / 7),
        lambda cell: 1 + cell.row % 5,
    )
    page = html(study)
    read = seen.text(page)
    for text in samples:
        with subtests.test(text=text[:40]):
            assert typeset(to_html(text)) in page, "as it is shown on the page"
    for setting in study.settings:
        for measure in MEASURES:
            with subtests.test(setting=setting.model, measure=measure.name):
                found = setting.measure(measure.name)
                assert found and measure.written(found.mean, ENGLISH) in read
    for call in study.results.values():
        assert f"{call.usage.completion_tokens:,} tokens" in read and f"{call.seconds:.1f} s" in read
    assert "Tokens of 120 answers: 120 counted by services, 0 estimated, 0 not known." in read
    assert "Run on 2025-11-28 with Tempera." in read and "genai-prices" in read


@pytest.mark.row("S27", "T8", "T9")
def test_whatever_stands_in_a_report_it_runs_nothing_and_asks_nobody(subtests: pytest.Subtests) -> None:
    for depth in ("director", "full"):
        page = html(hostile_study(), ReportOptions(HOSTILE[0], HOSTILE[0], HOSTILE[1], depth=depth))  # type: ignore[arg-type]
        with subtests.test(depth=depth):
            policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', page)
            digest = base64.b64encode(hashlib.sha256(STYLES.encode()).digest()).decode()
            assert policy and policy[1].startswith("default-src 'none'; img-src data:; style-src-elem 'sha256-")
            assert digest in policy[1] and f"<style>{STYLES}</style>" in page
            assert page.index("Content-Security-Policy") < page.index("<title>"), "before anything foreign"
            body = page.partition("</style>")[2]
            assert not re.search(r"<(script|iframe|img|style|form|object|embed|base|meta|link|input)\b", body)
            # What looks like one inside a text is text: its angle bracket is written as an entity.
            assert not re.search(r"<[^>]*\s(on\w+|src|srcset|action|formaction|background)=", body)
            assert "javascript:" not in "".join(re.findall(r'href="([^"]*)"', body))
            assert page.count("</html>") == 1 and page.endswith("</html>")


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=8, max_size=8))
@settings(max_examples=examples(40))
def test_no_text_breaks_the_document(texts: list[str]) -> None:
    words = iter([clean(text) for text in texts])
    study = a_study(answer=lambda cell: an_answer(cell, next(words)))
    page = html(study)

    for call in study.results.values():
        assert typeset(to_html(call.choices[0].text)) in page
    assert page.count("<article>") == page.count("</article>") == 8
    ElementTree.fromstring(charts.picture(study, MEASURES[1], ENGLISH) or "<svg/>")


@pytest.mark.row("S27")
def test_prompt_and_costs_can_be_hidden_and_the_depth_chosen(subtests: pytest.Subtests) -> None:
    study = a_study(stars=lambda cell: 4, pick=(0, 1), rules=[Rule("contains", "tea")])
    for depth in ("director", "full"):
        hidden = html(study, ReportOptions(depth=depth, prompt=False, cost=False))
        shown = html(study, ReportOptions(depth=depth, title="Ours", author="Ann", recommendation="Take **dear**."))
        with subtests.test(depth=depth):
            assert "Praise a thermos." in shown and "Praise a thermos." not in hidden
            assert "Be brief." in shown and "Be brief." not in hidden
            assert "$" in seen.text(shown) and "$" not in seen.text(hidden.partition("</style>")[2])
            assert '<h1 dir="auto">Ours</h1>' in shown and "Ann · 2025-11-28" in shown
            assert "Take <strong>dear</strong>." in shown
            assert ("All answers" in shown) == ("ROUGE-L" in shown) == (depth == "full")
            assert "Rules that answers pass" in shown
            assert shown.index("dear at temperature 0.7") < shown.index("At a glance"), "the verdict first"


@pytest.mark.row("S15", "S26", "S27")
def test_a_temperature_that_was_added_later_stands_among_the_others_in_every_file(subtests: pytest.Subtests) -> None:
    plan = replace(PLAN, temperatures=(0.11, 0.77, 1.22, 0.33))
    study = a_study(
        plan, lambda cell: an_answer(cell, f"Tea {cell.id[:8]}."), lambda cell: 3, rules=[Rule("words", "6")]
    )
    given = {call.id: Rating(4) for call in study.results.values()}
    study = replace(study, judged={"svc/judge": given})
    assert [cell.column for cell in study.settings[1].cells] == [3, 3], "and the cells keep their places"
    many = replace(study, plan=replace(plan, temperatures=(*plan.temperatures, 1.99)))
    subject = Subject(study, FULL, ENGLISH)
    with zipfile.ZipFile(io.BytesIO(workbook(subject))) as book:
        words, answers_sheet = (book.read(f"xl/{name}.xml").decode() for name in ("sharedStrings", "worksheets/sheet3"))
    told = {
        "short report": html(study, ReportOptions()),
        "full report": html(study),
        "compared": compared(many),
        "markdown": markdown(subject),
        "mail": summary(study, FULL, ENGLISH),
        "numbers of the workbook": words,
        "answers of the workbook": answers_sheet,
        "csv": report.csv(study.cells, study.results).decode(),
        "overview": report.overview(study.cells, study.results).to_string(),
        "best": sentence(verdict(a_study(plan, stars=lambda cell: 4 - cell.row)), ENGLISH),
    }
    for form, text in told.items():
        with subtests.test(form=form):
            found = re.findall(r"0\.11|0\.33|0\.77|1\.22", text.replace("\\", "").partition("</style>")[2] or text)
            assert set(found) == {"0.11", "0.33", "0.77", "1.22"} or form == "compared"
            falls = [pair for pair in itertools.pairwise(found) if pair[0] > pair[1] and pair[1] != "0.11"]
            assert not falls, "each list goes up, and only the next one begins anew"


@pytest.mark.row("S20", "S27")
def test_wherever_the_pick_is_told_its_rules_are_and_without_rules_there_is_no_word_of_them(
    subtests: pytest.Subtests,
) -> None:
    def texts(study: Study) -> dict[str, str]:
        subject = Subject(study, FULL, ENGLISH)
        with zipfile.ZipFile(io.BytesIO(workbook(subject))) as book:
            sheets = "".join(book.read(name).decode() for name in book.namelist() if name.endswith(".xml"))
        return {
            "director": unescape(html(study, ReportOptions())).partition("</style>")[2],
            "full": unescape(html(study)).partition("</style>")[2],
            "markdown": re.sub(r"\\(\W)", r"\1", markdown(subject)),
            "summary": summary(study, FULL, ENGLISH),
            "workbook": unescape(sheets),
        }

    plan = replace(PLAN, prompt="Sell {{product}}.", inputs=({"product": "a barrel"}, {"product": "a lamp"}))
    long = [cell.id for cell in plan.cells("sweep") if (cell.row, cell.column, cell.repeat) == (0, 1, 1)]
    said = "Keeps a barrel and a lamp."

    def answer(cell: Cell) -> CallRecord:
        return an_answer(cell, "A lamp, for all those who like it." if cell.id in long else said)

    rules = [Rule("words", "6"), Rule("contains", "{{product}}")]
    kept = "2 of its 4 answers keep all rules (over 6 words: 2, no mention of its “product”: 1)"
    other = "every answer of dear at 0, and of 2 other settings, keeps them"
    for form, text in texts(a_study(plan, answer, pick=(0, 1), rules=rules)).items():
        with subtests.test(form=form):
            assert kept in text and other in text
            answers = text.count("over 6 words") - 1
            assert (answers, text.count("lacks “a barrel”")) == ((2, 1) if form in ("full", "markdown") else (0, 0))
    for form, text in texts(a_study(plan, answer, pick=(0, 1))).items():
        with subtests.test("without rules", form=form):
            assert "rule" not in text.lower()
    hidden = unescape(html(a_study(plan, answer, pick=(0, 1), rules=rules), replace(FULL, prompt=False)))
    assert "lacks “a" not in hidden and hidden.count("no mention of its “product”") == 2, "as the inputs are hidden"
    written = json.loads(json_file(a_study(plan, answer, pick=(0, 1), rules=rules)))
    broken = [cell["breaks"] for cell in written["cells"] if cell["breaks"]]
    assert broken == [[asdict(rules[0]), asdict(rules[1])], [asdict(rules[0])]]


@pytest.mark.row("S27")
def test_what_few_stars_tell_is_told_in_no_large_letters() -> None:
    def card(study: Study) -> str:
        return html(study).partition('<section class="verdict">')[2].partition("</section>")[0]

    six = replace(PLAN, repeats=6)
    few = a_study(six, stars=lambda cell: 3 if cell.id == next(iter(six.cells("sweep"))).id else None)
    [words] = re.findall(r'<p class="pick thin">(.*?)</p>', card(few))
    assert "only dear at 0 is rated: 3.0 stars, only 1 of 6 answers rated. 1 of 2 models has no rated answer." in words
    picked = a_study(six, stars=lambda cell: 3 if not (cell.repeat or cell.row) else None, pick=(0, 0))
    assert 'class="pick thin"' in card(picked) and "only 1 of 6 answers rated" in card(picked)
    half = a_study(six, stars=lambda cell: 5 - cell.row - cell.column if cell.repeat < 3 else None)
    assert 'class="pick"' in card(half) and 'class="pick"' in card(a_study(six, pick=(0, 0)))


@pytest.mark.row("S27")
def test_lines_stay_lines_and_values_are_written_as_they_are_sent() -> None:
    params = Params(stream=True, stop=("END", "\n"), top_p=0.5, extra_fields={"seed": 7, "strict": True})
    plan = replace(PLAN, prompt="{{x}}", params=params, inputs=({"x": "one\n  two"},))
    study = a_study(plan, lambda cell: an_answer(cell, "Roses,\nviolets\n\n- tea\n- milk\n\n|a|b|\n|-|-|\n|c|d|"))
    page = html(replace(study, ratings={call.id: Rating(4, note="so\nso") for call in study.results.values()}))

    assert '<div class="typed" dir="auto">one\n  two</div>' in page and "Note: so\nso" in page
    settings = re.findall(r"<dt>(.*?)</dt><dd>(.*?)</dd>", page)
    assert settings[-4:] == [
        ("Range of words, from 0 to 1", "0.5 <small>top_p</small>"),
        ("Ends at these words", "[&quot;END&quot;, &quot;\\n&quot;] <small>stop</small>"),
        ("seed", "7"),
        ("strict", "true"),
    ]


@pytest.mark.row("S27")
def test_a_hidden_prompt_stands_nowhere_in_what_is_told(subtests: pytest.Subtests) -> None:
    history = (Message(role="user", content="GAMMA"),)
    further: dict[str, Any] = {"inputs": ({"x": "DELTA"},), "axis": Axis("system", ("EPSILON", "ZETA"))}
    study = a_study(replace(PLAN, prompt="ALPHA {{x}}", system="BETA", history=history, **further), pick=(0, 0))
    study = replace(study, title=title_of(study.plan.prompt))
    words = ("ALPHA", "BETA", "GAMMA", "DELTA", "EPSILON", "ZETA")
    for depth in ("director", "full"):
        for shown in (True, False):
            options = ReportOptions(depth=depth, prompt=shown)  # type: ignore[arg-type]
            subject = Subject(study, options, ENGLISH)
            told = {"report": html(study, options), "lines": summary(*subject), "markdown": markdown(subject)}
            with subtests.test(depth=depth, shown=shown):
                found = {form: [word for word in words if word in text] for form, text in told.items()}
                assert found["report"] == (list(words) if shown else [])
                assert shown == any(found.values())
                assert all(("A comparison of models" in text) != shown for text in told.values())


@pytest.mark.row("S27")
def test_where_a_table_has_no_room_for_its_heads_each_cell_names_its_own() -> None:
    page = html(a_study(stars=lambda cell: 4, rules=[Rule("contains", "a & b")]))
    tables = re.findall(r'<table class="stack[^"]*">.*?</table>', page, flags=re.DOTALL)

    assert len(tables) == 4
    for table in tables:
        heads = [seen.text(head) for head in re.findall(r'<th scope="col">(.*?)</th>', table)]
        names = [unescape(name) for name in re.findall(r'<td data-name="([^"]*)"', table)]
        assert names == heads[1:] * table.count('<th scope="row">')
    assert 'data-name="Temperature 0.7"' in page


@pytest.mark.row("S27")
def test_a_report_has_a_language_of_its_own() -> None:
    chinese = catalogue("zh_Hans")
    texts = Texts(chinese.gettext, chinese.ngettext)
    page = document(a_study(pick=(0, 0)), ReportOptions(language="zh_Hans", depth="full"), texts).decode()
    words = seen.text(re.sub(r"<(title|style|svg)\b.*?</\1>", "", page, flags=re.DOTALL))

    assert '<html lang="zh-Hans">' in page and "结论" in words
    ours = r"Thermos|Praise a thermos\.|Be brief\.|Keeps tea hot\.|apiyi|dear|cheap|Tempera|genai-prices|Token|ROUGE-L"
    rest = re.sub(ours, "", words)
    assert re.findall(r"[A-Za-z]{3,}", rest) == []


@pytest.mark.row("S27", "S20")
def test_what_models_and_people_said_of_answers_stands_in_the_report() -> None:
    study = a_study(stars=lambda cell: 2 + cell.column)
    first = study.results[study.cells[0].id].id
    noted = {**study.ratings, first: Rating(1, -1, "too <loud>")}
    study = replace(study, ratings=noted, judged={"svc/judge": {first: Rating(4, None, "warm")}}, judging_cost=0.0123)
    read = seen.text(html(study))

    assert "★☆☆☆☆ 👎" in read and "Note: too <loud>" in read
    assert "too <loud>" not in seen.text(html(study, ReportOptions())), "a note is no word to those who decide"
    assert "Stars by models that judged" in read and "4.0 (1)" in read
    assert re.search(r"Setting\s+Given by hand\s+svc/judge\s+dear at 0\s+[12]\.[05] \(2\)\s+4\.0 \(1\)", read), (
        "side by side"
    )
    assert "$0.012 more for models that judged them" in read
    [said] = [cell["judged"] for cell in json.loads(json_file(study))["cells"] if cell["judged"]]
    assert said == {"svc/judge": {"stars": 4, "thumb": None, "note": "warm"}}


def compared(study: Study) -> str:
    """What stands in the place of the answers where they are too many for tables of whole texts."""
    return answers.compared(Subject(study, ReportOptions(), ENGLISH), verdict(study))


def beside_each_other(page: str) -> dict[str, list[str]]:
    """The sections of a report whose answers stand beside each other: of each the names of its answers."""
    sections = re.findall(
        r'<section><h2>([^<]*)</h2>(?:<p class="note">[^<]*</p>)?<div class="three">(.*?)</div></section>',
        page,
        flags=re.DOTALL,
    )
    return {
        unescape(title): re.findall(r'<p class="meta"><b><bdi>(.*?)</bdi></b>', inside) for title, inside in sections
    }


@pytest.mark.row("S27")
def test_whoever_decides_reads_what_each_thing_that_was_varied_does(subtests: pytest.Subtests) -> None:
    heat, models = "What the temperature changes in the answers of cheap", "Answers to compare"
    five = replace(PLAN, temperatures=(2.0, 0.0, 0.5, 1.0, 1.5))
    axis = replace(PLAN, axis=Axis("top_p", (0.1, 0.5, 0.9)), temperatures=(0.0,))
    cases = {
        "two temperatures": (
            PLAN,
            (1, 1),
            {heat: ["cheap at 0", "cheap at 0.7"], models: ["cheap at 0.7", "dear at 0.7"]},
        ),
        "five": (
            five,
            (1, 3),
            {heat: ["cheap at 0", "cheap at 1", "cheap at 2"], models: ["cheap at 1", "dear at 1"]},
        ),
        "the pick is the lowest": (five, (1, 1), {heat: ["cheap at 0", "cheap at 1", "cheap at 2"]}),
        "one model": (
            replace(PLAN, models=("apiyi/cheap",)),
            (0, 0),
            {heat: ["cheap at 0", "cheap at 0.7"], models: None},
        ),
        "a further axis": (
            axis,
            (1, 0),
            {
                "What top_p changes in the answers of cheap": [
                    f"cheap at 0 (top_p {value})" for value in (0.1, 0.5, 0.9)
                ],
                heat: None,
            },
        ),
        "nothing varied": (
            replace(PLAN, temperatures=(0.0,)),
            (1, 0),
            {heat: None, models: ["cheap at 0", "dear at 0"]},
        ),
    }
    for name, (plan, pick, expected) in cases.items():
        with subtests.test(name):
            found = beside_each_other(compared(a_study(plan, pick=pick)))
            assert {title: found.get(title) for title in expected} == expected


@pytest.mark.row("S27")
def test_answers_beside_each_other_are_to_one_question() -> None:
    plan = replace(PLAN, prompt="{{x}}", models=("apiyi/cheap",), inputs=({"x": "one"}, {"x": "two"}))
    study = a_study(
        plan,
        lambda cell: an_answer(cell, f"to {cell.input}"),
        lambda cell: 5 if (cell.column, cell.input) in ((0, 1), (1, 0)) else None,
        pick=(0, 0),
    )
    page = compared(study)

    assert page.count("to 1") == 2 and "to 0" not in page and "The answers to: two" in page


PRODUCTS = replace(
    PLAN,
    prompt="Sell a {{product}} in {{words}} words.",
    params=Params(stream=True, max_tokens=300),
    repeats=1,
    inputs=({"product": "rain barrel", "words": "60"}, {"product": "bike helmet", "words": "40"}),
)


@pytest.mark.row("S27")
def test_the_file_for_those_who_decide_has_each_product_with_all_its_answers_in_full() -> None:
    long = "Word " * 900 + "end."
    study = a_study(
        PRODUCTS,
        lambda cell: an_answer(cell, f"{cell.input} {cell.model} {cell.temperature} {long}"),
        pick=(1, 1),
        rules=[Rule("contains", "{{product}}")],
    )
    page = html(study, ReportOptions(recommendation="Since it sells."))
    read = seen.text(page.partition("</style>")[2])

    for cell in study.cells:
        assert f"{cell.input} {cell.model} {cell.temperature} {long}" in read, "whole texts"
    assert [seen.text(name) for name in re.findall("<summary>(.*?)</summary>", page)] == [
        "More answers, by model and temperature",
        "rain barrel · 60",
        "bike helmet · 40",
    ]
    assert "2 inputs: rain barrel · 60, bike helmet · 40" in read and "$0.025 for all answers" in read
    assert "12 s of answering in all, 1.5 s for an answer" in read
    assert "{{" not in read and "Sell a <mark>product</mark> in <mark>words</mark> words." in page
    assert "mentions its “product”" in read and "0/2" in read
    assert "Longest answer, in tokens" in read and page.count("max_tokens") == page.count("<small>max_tokens</small>")
    places = ["Since it sells.", "not rated · 1,000", "At a glance", "The answers", "Rules that", "What was asked"]
    found = [page.index(words) for words in places]
    assert found == sorted(found), "the reason first"
    full = html(study)
    assert full.index("All answers") < full.index("<svg"), "charts after the answers"


@pytest.mark.row("S27")
def test_of_the_answers_at_most_three_are_open_for_those_who_decide(subtests: pytest.Subtests) -> None:
    many = replace(PRODUCTS, inputs=tuple({"product": f"lamp {at}", "words": "9"} for at in range(1, 7)), repeats=2)
    wide = replace(many, temperatures=(0.0, 0.2, 0.4, 0.6, 0.8))
    first = "To the first 3 of 6 inputs."
    for name, plan, pick, expected, said in [
        ("six inputs", many, (1, 1), ["lamp 1 · 9", "lamp 2 · 9", "lamp 3 · 9"], f"What cheap at 0.7 answers{first}"),
        (
            "too many for tables",
            wide,
            (1, 1),
            ["lamp 1 · 9", "lamp 2 · 9", "lamp 3 · 9"],
            f"cheap at 0.2 answers{first}",
        ),
        ("two inputs", PRODUCTS, (1, 1), ["rain barrel · 60", "bike helmet · 40"], "What cheap at 0.7 answers"),
        ("nothing picked", many, None, ["dear at 0", "cheap at 0", "dear at 0.7"], "Answers to compare"),
        ("no inputs", PLAN, (1, 1), ["cheap at 0.7", "dear at 0.7", "dear at 0"], "Answers to compare"),
        ("three settings", replace(PLAN, temperatures=(0.5,)), (1, 0), ["", ""], "The answers"),
    ]:
        study = a_study(plan, lambda cell: an_answer(cell, f"{cell.input} of {cell.model}"), pick=pick)
        shown, _folded, rest = html(study, ReportOptions()).partition("</style>")[2].partition('<details class="rest">')
        with subtests.test(name):
            metas = re.findall(r'<p class="meta">(?:<b><bdi>(.*?)</bdi></b>)?', shown)
            assert metas == expected and said in re.sub("<[^>]*>", "", shown)
            assert (
                not pick or plan is PLAN or all(f"{at} of apiyi/cheap" in shown for at in range(len(plan.inputs[:3])))
            )
            in_tables = len(study.settings) * max(1, len(plan.inputs))
            folded = {"too many for tables": 5, "three settings": 0}.get(name, in_tables)
            assert rest.count("<article>") == folded, "all others"


@pytest.mark.row("S20", "S27")
def test_of_answers_with_as_many_stars_one_that_keeps_the_rules_stands_for_the_setting(
    subtests: pytest.Subtests,
) -> None:
    def answer(cell: Cell) -> CallRecord:
        return an_answer(cell, "Hot tea." if cell.repeat == 1 else "Hot tea for all of you.")

    three = replace(PLAN, repeats=3)
    for name, stars, expected in [
        ("as many stars", lambda cell: 4, 1),
        ("without stars", lambda cell: None, 1),
        ("more stars", lambda cell: 5 if cell.repeat == 2 else 4, 2),
    ]:
        study = a_study(three, answer, stars, (0, 0), [Rule("words", "3")])
        with subtests.test(name):
            best = answers.best_cell(study, study.settings[0])
            assert best is not None and best.repeat == expected
            open_ones = html(study, ReportOptions()).partition("Answers to compare")[2].partition("<details")[0]
            assert ("Hot tea for all" in open_ones) == (expected == 2) == ("over 3 words" in open_ones)


@pytest.mark.row("S27")
def test_inputs_are_named_by_their_words_unless_these_are_hidden(subtests: pytest.Subtests) -> None:
    study = a_study(PRODUCTS)
    for depth in ("director", "full"):
        for prompt in (True, False):
            with subtests.test(depth=depth, prompt=prompt):
                read = seen.text(html(study, ReportOptions(depth=depth, prompt=prompt)))  # type: ignore[arg-type]
                assert ("rain barrel" in read) == prompt == ("input 1" not in read)


@pytest.mark.row("S27")
def test_what_is_too_much_for_tables_is_compared_or_begins_at_whole_words(subtests: pytest.Subtests) -> None:
    many = replace(PRODUCTS, temperatures=(0.0, 0.2, 0.4, 0.6, 0.8))
    study = a_study(many, lambda cell: an_answer(cell, "marvellous " * 100))
    short, full = html(study, ReportOptions()), html(study)
    excerpts = re.findall(r'<a href="#answers-[^>]*><span dir="auto">(.*?)</span>', full)

    assert "Answers to compare" in short and "The answers to: rain barrel · 60" in short
    assert len(excerpts) == 10 and all(re.fullmatch("(marvellous ?)+…", one) for one in excerpts)
    assert "rain barrel · 60" in full.partition("All answers")[2] and full.count("marvellous " * 99) == 20


@pytest.mark.row("S27")
def test_a_report_is_called_by_its_prompt_in_quotation_marks_only(subtests: pytest.Subtests) -> None:
    study = a_study()
    asked = replace(study, title=title_of(study.plan.prompt))
    cases = [
        (study, ReportOptions(), "Thermos"),
        (asked, ReportOptions(), "“Praise a thermos.”"),
        (asked, ReportOptions(title="Ours"), "Ours"),
        (asked, ReportOptions(prompt=False), "A comparison of models"),
        (
            replace(a_study(PRODUCTS), title=title_of(PRODUCTS.prompt)),
            ReportOptions(),
            "“Sell a [product] in [words] words.”",
        ),
    ]
    for one, options, called in cases:
        with subtests.test(called):
            assert f'<h1 dir="auto">{called}</h1>' in html(one, options)


@pytest.mark.row("S27", "S22")
def test_a_charts_grey_lines_are_explained_and_its_formula_is_for_those_who_want_to_see() -> None:
    study = a_study()
    director, full = html(study, ReportOptions()), html(study, FULL)

    assert charts.OTHERS in director and "ROUGE-L" not in director and "ROUGE-L" in full
    alone = a_study(replace(PLAN, models=("apiyi/cheap",)))
    assert charts.OTHERS not in html(alone, ReportOptions()), "where there are none"


@pytest.mark.row("S22", "S27")
def test_how_chinese_is_counted_is_said_where_there_is_any() -> None:
    for text in ("Keeps tea hot.", "热茶保温杯"):
        study = a_study(answer=lambda cell, text=text: an_answer(cell, text))  # type: ignore[misc]
        assert ("Chinese words are" in html(study)) == (text != "Keeps tea hot.")
        assert ("5 characters" if text == "热茶保温杯" else "3 words") in html(study), (
            "of an answer, as its readers count"
        )


@pytest.mark.row("S27")
def test_the_report_says_how_many_models_are_not_rated() -> None:
    for stars, said in [(lambda cell: 4, False), (lambda cell: None if cell.row else 4, True)]:
        words = seen.text(html(a_study(stars=stars)))
        assert ("1 of 2 models has no rated answer." in words) == said


@pytest.mark.row("S27")
def test_what_is_missing_is_said_and_the_rest_is_there(subtests: pytest.Subtests) -> None:
    said = {"what": "It was refused.", "do": "The service's own words are below."}

    def failed(cell: Cell) -> CallRecord:
        return an_answer(
            cell, state="error", error_kind="x", error_text="<b>busy</b>", error_record=said, choices=(), cost=None
        )

    for name, study, words in [
        ("only failures", a_study(answer=failed), ["failed", "Nothing is picked yet."]),
        ("nothing sent", a_study(answer=lambda cell: None), ["not sent", "0/2"]),
        ("blank", a_study(answer=lambda cell: an_answer(cell, " \n")), ["An empty answer."]),
        ("all equal", a_study(), ["0%"]),
        ("one repeat", a_study(replace(PLAN, repeats=1)), ["dear at 0.7"]),
        ("no temperature", a_study(replace(PLAN, temperatures=(None,))), ["dear"]),
        ("cut off", a_study(answer=lambda cell: an_answer(cell, finish_reason="length")), ["cut off"]),
        ("no price", a_study(answer=lambda cell: an_answer(cell, cost=None)), ["no price"]),
    ]:
        for depth in ("director", "full"):
            with subtests.test(case=name, depth=depth):
                read = html(study, ReportOptions(depth=depth))
                assert depth == "director" or all(word in seen.text(read) for word in words)
                assert "<b>busy" not in read and "are below" not in read, "no report has the words"
        with subtests.test(case=name, form="others"):
            subject = Subject(study, FULL, ENGLISH)
            assert workbook(subject) and markdown(subject) and json_file(study) and summary(study, FULL, ENGLISH)


def texts_of(book: zipfile.ZipFile) -> dict[str, bool]:
    """All texts in the cells of a workbook, and whether Excel is told that each is one and no formula."""
    space = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
    items = ElementTree.fromstring(book.read("xl/sharedStrings.xml").decode())
    strings = [re.sub("_x([0-9A-F]{4})_", lambda sign: chr(int(sign[1], 16)), "".join(it.itertext())) for it in items]
    styles = ElementTree.fromstring(book.read("xl/styles.xml").decode()).find(f"{space}cellXfs")
    assert styles is not None
    told = [style.get("quotePrefix") == "1" for style in styles]
    sheets = [ElementTree.fromstring(book.read(name).decode()) for name in book.namelist() if "/worksheets/" in name]
    cells = [cell for sheet in sheets for cell in sheet.iter(f"{space}c") if cell.get("t") == "s"]
    return {strings[int("".join(cell.itertext()))]: told[int(cell.get("s", "0"))] for cell in cells}


@pytest.mark.row("S26", "T10")
def test_no_file_has_a_cell_that_a_spreadsheet_runs() -> None:
    study = hostile_study()
    file = report.csv(study.cells, study.results, study.ratings)
    before = csv.field_size_limit(10**6)
    rows = list(csv.reader(io.StringIO(file.decode("utf-8-sig"), newline="")))
    csv.field_size_limit(before)
    assert file.startswith(b"\xef\xbb\xbf")
    assert [cell for row in rows for cell in row if cell.startswith(FORMULA_STARTS)] == []
    with zipfile.ZipFile(io.BytesIO(workbook(Subject(study, FULL, ENGLISH)))) as book:
        parts = {name: book.read(name).decode() for name in book.namelist()}
        strings = texts_of(book)
    assert strings.keys() >= {text for call in study.results.values() if len(text := call.choices[0].text) < 30_000}
    assert [told for text, told in strings.items() if text.startswith(FORMULA_STARTS)].count(True) > 1
    assert all(told for text, told in strings.items() if text.startswith(FORMULA_STARTS))
    assert max(len(text.encode("utf-16-le")) // 2 for text in strings) == MOST_CHARACTERS, "200,000 signs are cut"
    assert not any("<f>" in part or "<hyperlink" in part for part in parts.values())


@pytest.mark.row("S26")
def test_the_workbook_has_numbers_as_numbers_and_stars() -> None:
    study = a_study(stars=lambda cell: 3, pick=(0, 0))
    with zipfile.ZipFile(io.BytesIO(workbook(Subject(study, FULL, ENGLISH)))) as book:
        names = re.findall(r'<sheet name="([^"]*)"', book.read("xl/workbook.xml").decode())
        answers = book.read("xl/worksheets/sheet3.xml").decode()
    assert names == ["Verdict", "Numbers", "Answers"]
    assert answers.count("<v>0.0031</v>") == 8 and answers.count("<v>3</v>") >= 8


@pytest.mark.row("S26")
def test_json_and_markdown_have_every_text_to_the_letter() -> None:
    study = hostile_study()
    read: dict[str, Any] = json.loads(json_file(study))
    assert setup_file.read(json_file(study)) == study.plan, "it opens as a set-up"
    for cell, written in zip(study.cells, read["cells"], strict=True):
        call = study.results[cell.id]
        assert written["answer"]["choices"][0]["text"] == call.choices[0].text
        assert (written["answer"]["cost"], written["rating"]) == (call.cost, asdict(study.ratings[call.id]))
    document = markdown(Subject(study, FULL, ENGLISH))
    for call in study.results.values():
        assert boxed(call.choices[0].text) in document


@given(st.text("`~a\n", max_size=60))
def test_nothing_in_a_text_closes_its_box(text: str) -> None:
    first, _, rest = boxed(text).partition("\n")
    body, _, last = rest.rpartition("\n")

    assert body == text and first == last
    assert not re.search(rf"^ {{0,3}}{first}`*\s*$", text, re.MULTILINE)


@pytest.mark.row("S27")
def test_the_summary_is_six_lines() -> None:
    study = a_study(
        answer=lambda cell: an_answer(cell, f"tea {cell.repeat * cell.column}"), stars=lambda cell: 4, pick=(0, 1)
    )
    words = summary(study, ReportOptions(title="Ours", recommendation="Take\nit."), ENGLISH)
    assert words.splitlines() == [
        "Ours (2025-11-28)",
        "Verdict: dear at 0.7, 4.0 stars, 2 of 2 answers rated; 1,000 such answers cost about $3.10.",
        "Recommendation: Take it.",
        "Asked: Praise a thermos.",
        "8 of 8 answers; models: dear, cheap; temperatures: 0, 0.7",
        "How different the answers are, by temperature: 0% (0), 50% (0.7)",
    ]


@pytest.mark.row("S22", "S27")
def test_the_numbers_beside_a_chart_have_their_room_on_a_projector_too() -> None:
    study = a_study(answer=lambda cell: an_answer(cell, cost=0.00012 * (1 + cell.repeat)))
    words = catalogue("zh_Hans")
    chinese, wide = Texts(words.gettext, words.ngettext), []
    for measure in (*MEASURES, THOUSAND):
        for texts in (ENGLISH, chinese):
            for panel in charts.panels(study, measure, texts, size=charts.LARGE):
                for text in ElementTree.fromstring(panel).iter("{http://www.w3.org/2000/svg}text"):
                    if text.get("text-anchor") == "end":
                        wide.append(len(text.text or ""))
                        assert float(text.get("x") or 0) >= wide[-1] * charts.LARGE * 0.58, text.text
    assert max(wide) >= len("US$0.24")


@pytest.mark.row("S22")
def test_a_chart_has_a_panel_for_each_model_with_its_values_in_words(subtests: pytest.Subtests) -> None:
    for models in (1, 12):
        plan = replace(PLAN, models=tuple(f"svc/m{at}" for at in range(models)))
        study = a_study(plan, lambda cell: an_answer(cell, cost=None if cell.row == 5 else 0.001 * (1 + cell.repeat)))
        with subtests.test(models=models):
            for measure in MEASURES:
                drawn = ElementTree.fromstring(charts.picture(study, measure, ENGLISH))
                titles = [title.text or "" for title in drawn.iter("{http://www.w3.org/2000/svg}title")]
                missing = charts.without_values(study, measure, ENGLISH)
                assert len(titles) + len(missing) == models
                areas = [area.get("points", "").split() for area in drawn.iter("{http://www.w3.org/2000/svg}polygon")]
                assert len(areas) == len(titles), "from the lowest to the highest"
                if measure.name == "cost":
                    assert all(len({point.partition(",")[2] for point in area}) > 1 for area in areas)
                assert missing == (["m5"] if measure.name == "cost" and models > 5 else [])
                lines = [line for line in study.lines.values() if line[0].measure(measure.name)]
                for line, title in zip(lines, titles, strict=True):
                    assert title.startswith(f"{line[0].model.partition('/')[2]}: 0: ")
                    found = line[1].measure(measure.name)
                    assert found and measure.written(found.mean, ENGLISH) in title
