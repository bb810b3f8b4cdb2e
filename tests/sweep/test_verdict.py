"""The verdict: the pick, its stars, what a thousand such answers cost, and what is cheaper."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from html import unescape

import pytest

from lib.calls.records import CallRecord
from lib.sweep.axis import Axis
from lib.sweep.decision import ReportOptions
from lib.sweep.export.document import report
from lib.sweep.plan import Cell, Plan
from lib.sweep.ratings import Rating
from lib.sweep.rules import Rule
from lib.sweep.study import Study
from lib.sweep.verdict import sentence, told, verdict
from tests.studies import ENGLISH, PLAN, a_study, an_answer


def html(study: Study) -> str:
    """The report for those who decide."""
    return unescape(report(study, ReportOptions(), ENGLISH).decode())


def priced(cell: Cell) -> CallRecord:
    return an_answer(cell, cost=0.0031 if cell.row == 0 else 0.00012)


def starred(cell: Cell) -> int | None:
    """The dear one has 5 and 4 at 0.7, the cheap one 4; one answer of the dear one at 0 has none."""
    if cell.row == 1:
        return 4
    return 5 - cell.repeat if cell.column == 1 else (3 if cell.repeat else None)


@pytest.mark.row("S20")
def test_the_verdict_is_a_sentence(subtests: pytest.Subtests) -> None:
    for name, study, expected in [
        (
            "picked",
            a_study(answer=priced, stars=starred, pick=(0, 1)),
            "dear at 0.7, 4.5 stars, 2 of 2 answers rated; 1,000 such answers cost about $3.10; "
            "cheap at 0 and 0.7 has 4.0 stars at about $0.12.",
        ),
        ("nothing picked, on a tie", a_study(answer=priced, stars=lambda cell: 4), "Nothing is picked yet."),
        (
            "nothing picked, one is best",
            a_study(answer=priced, stars=starred),
            "Nothing is picked yet; dear at 0.7 has the most stars: 4.5 stars, 2 of 2 answers rated.",
        ),
        (
            "no price",
            a_study(answer=lambda cell: an_answer(cell, cost=None), pick=(0, 0)),
            "dear at 0, not rated; no price is known for it.",
        ),
        (
            "the others have no price",
            a_study(
                answer=lambda cell: an_answer(cell, cost=0.001 if cell.row == 0 else None), stars=starred, pick=(0, 1)
            ),
            "dear at 0.7, 4.5 stars, 2 of 2 answers rated; 1,000 such answers cost about $1.00; "
            "what 2 other rated settings cost is not known.",
        ),
        (
            "free",
            a_study(answer=lambda cell: an_answer(cell, cost=0.0), pick=(1, 1)),
            "cheap at 0.7, not rated; it is free.",
        ),
        (
            "two services, and one thing further varied",
            a_study(Plan("p", ("a/x", "b/x"), (None,), axis=Axis("top_p", (0.5, 1.0))), pick=(1, 0)),
            "b/x (top_p 0.5), not rated; 1,000 such answers cost about $3.10.",
        ),
        (
            "cheaper by so little that nobody would change for it",
            a_study(
                answer=lambda cell: an_answer(cell, cost=0.00311 - cell.row * 0.0006), stars=lambda cell: 4, pick=(0, 0)
            ),
            "dear at 0, 4.0 stars, 2 of 2 answers rated; 1,000 such answers cost about $3.11.",
        ),
        (
            "nothing picked, one model is best at two temperatures",
            a_study(stars=lambda cell: 5 - cell.row),
            "Nothing is picked yet; dear at 0 and 0.7 has the most stars: 5.0 stars, 2 of 2 answers rated.",
        ),
        (
            "something else is rated higher, and no cheaper",
            a_study(stars=lambda cell: 5 - cell.row, pick=(1, 0)),
            "cheap at 0, 4.0 stars, 2 of 2 answers rated; dear at 0 and 0.7 has more: 5.0 stars, 2 of 2 answers rated; "
            "1,000 such answers cost about $3.10.",
        ),
        (
            "something else is rated higher, and cheaper",
            a_study(answer=priced, stars=lambda cell: 4 + cell.row, pick=(0, 0)),
            "dear at 0, 4.0 stars, 2 of 2 answers rated; 1,000 such answers cost about $3.10; "
            "cheap at 0 and 0.7 has 5.0 stars at about $0.12.",
        ),
        (
            "what is cheaper is as good at two temperatures, and costs about the same",
            a_study(
                answer=lambda cell: an_answer(cell, cost=0.003 if cell.row == 0 else 0.00100 - cell.column * 0.00004),
                stars=lambda cell: 4,
                pick=(0, 0),
            ),
            "dear at 0, 4.0 stars, 2 of 2 answers rated; 1,000 such answers cost about $3.00; "
            "cheap at 0 and 0.7 has 4.0 stars at about $1.00.",
        ),
        ("only a model has judged", judged_by_a_model(), "Nothing is picked yet."),
        ("only failures", a_study(answer=failed, pick=(0, 0)), "dear at 0, not rated; no price is known for it."),
        ("nothing sent", a_study(answer=lambda cell: None), "Nothing is picked yet."),
    ]:
        with subtests.test(case=name):
            assert sentence(verdict(study), ENGLISH) == expected


@pytest.mark.row("S20")
def test_the_verdict_says_how_the_pick_keeps_the_rules_and_what_keeps_all_of_them(subtests: pytest.Subtests) -> None:
    def said(cell: Cell, too_long: Callable[[Cell], bool]) -> CallRecord:
        return an_answer(cell, "hot tea for two" if too_long(cell) else "hot tea", cost=None)

    short, tea, language = Rule("words", "3"), Rule("contains", "tea"), Rule("language", "en")
    plan = replace(PLAN, repeats=6)
    first = {"pick": (0, 0)}
    for name, rules, too_long, decided, expected in [
        ("no rules", [], lambda cell: True, first, "dear at 0, not rated; no price is known for it."),
        ("all kept", [short, tea], lambda cell: cell.row == 1, first, "each of its 6 answers keeps all rules;"),
        (
            "one is broken, and others keep all",
            [short, tea],
            lambda cell: (cell.row, cell.column) == (0, 0) and cell.repeat == 3,
            first,
            "5 of its 6 answers keep all rules (over 3 words: 1); "
            "every answer of dear at 0.7, and of 2 other settings, keeps them;",
        ),
        (
            "nobody keeps all",
            [short, Rule("lacks", "TEA")],
            lambda cell: cell.repeat == 3,
            first,
            "none of its 6 answers keeps all rules (over 3 words: 1, contains “TEA”: 6); no price",
        ),
        (
            "it can't be told",
            [language],
            lambda cell: False,
            first,
            "whether its answers keep the rules can't be told;",
        ),
        (
            "nothing is picked: of what has the most stars",
            [short],
            lambda cell: cell.row == 1,
            {"stars": lambda cell: 3 if cell.row == 1 and cell.column == 0 and not cell.repeat else None},
            "Nothing is picked yet, and only cheap at 0 is rated: 3.0 stars, only 1 of 6 answers rated; "
            "none of its 6 answers keeps all rules (over 3 words: 6); every answer of dear at 0 and 0.7 keeps them.",
        ),
    ]:
        study = a_study(plan, partial(said, too_long=too_long), rules=rules, **decided)  # type: ignore[arg-type]
        with subtests.test(case=name):
            assert expected in sentence(verdict(study), ENGLISH)
    with subtests.test("one answer"):
        one = a_study(replace(PLAN, repeats=1), lambda cell: an_answer(cell, "tea for two"), pick=(0, 0), rules=[short])
        assert "its answer keeps all rules;" in sentence(verdict(one), ENGLISH)
    with subtests.test("what failed, or is not there, keeps nothing"):
        half = a_study(
            answer=lambda cell: said(cell, lambda cell: cell.row == 0) if not cell.repeat else failed(cell),
            rules=[short],
            **first,  # type: ignore[arg-type]
        )
        assert "its answer breaks a rule (over 3 words); no price" in sentence(verdict(half), ENGLISH)


@pytest.mark.row("S20")
def test_what_a_judge_says_of_the_pick_is_told_beside_a_persons_stars(subtests: pytest.Subtests) -> None:
    def judged(study: Study, given: Callable[[Cell], int | None]) -> Study:
        said = {study.results[cell.id].id: Rating(stars) for cell in study.cells if (stars := given(cell))}
        return replace(study, judged={"apiyi/critic": said})

    picked, nothing = a_study(stars=lambda cell: 4, pick=(0, 1)), a_study()
    for name, study, expected in [
        (
            "another is better to it",
            judged(picked, lambda cell: 3 if cell.row == 0 else 4 + cell.column),
            "The judge critic gives it 3.0 stars, and cheap at 0.7 the most: 5.0.",
        ),
        (
            "it agrees",
            judged(picked, lambda cell: 3 + cell.column - cell.row),
            "The judge critic gives it 4.0 stars, and nothing more than that.",
        ),
        (
            "several others are better",
            judged(picked, lambda cell: 3 if (cell.row, cell.column) == (0, 1) else 5),
            "The judge critic gives it 3.0 stars, and others up to 5.0.",
        ),
        (
            "nothing is picked",
            judged(nothing, lambda cell: 3 + cell.row),
            "Nothing is picked yet. The judge critic gives cheap at 0 and 0.7 the most stars: 4.0.",
        ),
        (
            "nothing is picked, and it sees no difference",
            judged(nothing, lambda cell: 3),
            "Nothing is picked yet.",
        ),
        (
            "the pick it has not judged",
            judged(picked, lambda cell: 3 + cell.column if cell.row else None),
            "The judge critic gives cheap at 0.7 the most stars: 4.0.",
        ),
    ]:
        with subtests.test(case=name):
            assert told(study, ENGLISH).endswith(expected)
            card = html(study).partition('<section class="verdict">')[2].partition("</section>")[0]
            assert expected in card, "the short report has it with the verdict"


def judged_by_a_model() -> Study:
    """One answer has five stars, from a model that was asked."""
    study = a_study()
    return replace(study, judged={"svc/judge": {study.results[study.cells[0].id].id: Rating(5)}})


def failed(cell: Cell) -> CallRecord:
    return an_answer(cell, state="error", error_kind="rate_limit", choices=(), cost=None)


def test_without_costs_nothing_is_said_of_them() -> None:
    study = a_study(answer=priced, stars=starred, pick=(0, 1))

    assert sentence(verdict(study), ENGLISH, cost=False) == "dear at 0.7, 4.5 stars, 2 of 2 answers rated."


def test_a_setting_is_measured_on_its_whole_answers_and_compared_within_an_input() -> None:
    plan = Plan("Praise {{what}}.", ("a/x",), (0.7,), repeats=2, inputs=({"what": "tea"}, {"what": "ice"}))
    texts = iter(["hot tea", "hot tea", "cold ice", "cold snow"])
    [setting] = a_study(plan, lambda cell: an_answer(cell, next(texts))).settings
    difference, length, speed = (setting.measure(name) for name in ("difference", "length", "speed"))
    assert difference and length and speed

    assert (difference.mean, difference.low, difference.high, difference.known) == (0.25, 0.0, 0.5, 2)
    assert length.mean == 2
    assert speed.mean == 12

    halves = a_study(PLAN, lambda cell: an_answer(cell, state="partial" if cell.repeat else "ok", seconds=cell.repeat))
    assert [len(setting.answers) for setting in halves.settings] == [1] * 4
    assert [spread and spread.mean for spread in (one.measure("seconds") for one in halves.settings)] == [0] * 4
