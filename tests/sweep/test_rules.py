"""Rules that an answer has to pass: what they find, and that none of them holds anything up."""

import resource
import time
from dataclasses import replace

import pytest

from lib.core.errors import InvalidInput
from lib.sweep.rule_words import rule_words
from lib.sweep.rules import KINDS, LONGEST_VALUE, Rule
from tests.studies import ENGLISH, PLAN, a_study, an_answer

LONG = "a" * 200_000


@pytest.mark.row("S20")
def test_each_rule_tells_what_passes(subtests: pytest.Subtests) -> None:
    for rule, passing, failing in [
        (Rule("contains", "Steel"), ["a steel cup", "STEEL"], ["a cup", ""]),
        (Rule("lacks", "best"), ["a good cup"], ["the BEST cup"]),
        (Rule("pattern", r"^\d+ ml$"), ["500 ml"], ["500 ml of tea", "five"]),
        (Rule("pattern", r"保温(杯|瓶)"), ["这个保温杯"], ["这个杯"]),
        (Rule("json"), ["{}", "[1]", '"x"'], ["", "{", "NaN", "```json\n{}\n```", "[" * 200_000]),
        (Rule("words", "3"), ["one two three", "热茶保温杯"], ["one two three four", LONG + " b c d"]),
        (Rule("least_words", "3"), ["one two three", "今天天气很好，我们喝茶"], ["one two", "", "..."]),
        (Rule("least_characters", "5"), ["12345"], ["1234", " 1234\n", ""]),
        (Rule("characters", "5"), ["12345", " 12345\n"], ["123456", LONG]),
        (Rule("language", "zh"), ["今天天气很好，我们去喝茶吧。"], ["The weather is fine, let us have tea."]),
        (Rule("language", "en"), ["The weather is fine, let us have tea."], ["Das Wetter ist schön, trinken wir Tee."]),
    ]:
        with subtests.test(rule=rule):
            assert rule.checked().passes([*passing, *failing]) == [True] * len(passing) + [False] * len(failing)


def test_what_most_people_write_is_offered_before_what_programmers_do() -> None:
    kinds = list(KINDS)
    assert kinds[:3] == ["contains", "lacks", "words"] and kinds[-2:] == ["json", "pattern"]


def test_what_can_not_be_told_is_not_held_against_an_answer() -> None:
    assert Rule("language", "en").passes(["OK", "", "12"]) == [None] * 3


def test_what_is_no_rule_is_a_sentence(subtests: pytest.Subtests) -> None:
    for rule, words in [
        (Rule("contains", " "), "Say what the rule is to look for."),
        (Rule("contains", "x" * (LONGEST_VALUE + 1)), "at most 500 characters"),
        (Rule("words", "many"), "“many” is no whole number above 0."),
        (Rule("least_words", "x"), "no whole number above 0"),
        (Rule("characters", "0"), "no whole number above 0"),
        (Rule("language", "xx"), "none of the languages"),
        (Rule("pattern", "(a"), "“(a” is no regular expression: missing )"),
        (Rule("pattern", "(" * 400), "is no regular expression"),
        (Rule("pattern", "((((a{1000}){1000}){1000}){1000}){1000}"), "too much is repeated"),
        (Rule("pattern", "a{99999999999999999999}"), "too much is repeated"),
    ]:
        with subtests.test(rule=rule.value[:40]), pytest.raises(InvalidInput) as refused:
            rule.checked()
        assert words in str(refused.value)


def test_a_pattern_that_never_ends_is_ended_and_counts_for_nothing(subtests: pytest.Subtests) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for pattern, text in ((r"(a|aa)+$", LONG), (r"(\w+\s?)+$", "word " * 40_000 + "!")):
        with subtests.test(pattern=pattern):
            started = time.thread_time()
            rule = Rule("pattern", pattern).checked()
            assert rule.passes([f"{text}{number}!" for number in range(40)]).count(None) > 30
            assert time.thread_time() - started < 10, "of 40 that would each take for ever"
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 400_000, "kilobytes"


@pytest.mark.row("S20")
def test_a_variable_in_a_rule_stands_for_what_each_input_has_there() -> None:
    plan = replace(PLAN, prompt="Sell {{x}}.", inputs=({"x": "Tea"}, {"x": "{{y}} milk"}, {"x": ""}))
    said = ("tea for two", "{{Y}} Milk, no {{y}} milk", "nothing")
    rules = (
        Rule("contains", "{{x}}"),
        Rule("lacks", "no {{x}}"),
        Rule("pattern", "^tea"),
        Rule("contains", " {{ x }}!"),
    )
    study = a_study(plan, lambda cell: an_answer(cell, said[cell.input]), rules=rules)
    first = study.settings[0]

    assert [study.tally(at, first) for at in range(4)] == [(4, 4), (4, 6), (2, 6), (0, 6)]
    words = ["mentions its “x”", "does not contain “no {{x}}”, filled in for each input"]
    assert [rule_words(rule, plan, ENGLISH) for rule in rules[:2]] == words
    as_it_stands = replace(plan, inputs=())
    assert rule_words(rules[0], as_it_stands, ENGLISH) == "contains “{{x}}”"
    told = a_study(as_it_stands, lambda cell: an_answer(cell, "a {{x}}"), rules=rules[:1])
    assert told.tally(0, told.settings[0]) == (2, 2)


def test_a_pass_rate_counts_whole_answers_and_leaves_out_what_could_not_be_told() -> None:
    texts = iter(["OK", "Steam rises from the cup.", "Dampf steigt aus der Tasse.", "x", *["Hello there, friend."] * 4])
    states = iter(["ok", "ok", "ok", "error", *["ok"] * 4])
    rules = (Rule("language", "en"), Rule("contains", "cup"))
    study = a_study(answer=lambda cell: an_answer(cell, next(texts), state=next(states)), rules=rules)

    assert [study.tally(0, setting) for setting in study.settings] == [(1, 1), (0, 1), (2, 2), (2, 2)]
    assert [study.tally(1, setting) for setting in study.settings] == [(1, 2), (0, 1), (0, 2), (0, 2)]
