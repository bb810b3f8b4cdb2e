"""Samples of foreign Markdown, each with what has to be seen of it: in HTML, as typed, and while it grows."""

import html as entities
import json
import re
from pathlib import Path
from typing import Any

import pytest

from lib.core.rich_text import Growing, as_typed, beginning_to_html, render, to_html
from tests.seen import Words, seen, text

CASES = Path(__file__).parents[2] / "cases" / "rich_text.jsonl"
SAMPLES: list[dict[str, Any]] = [json.loads(line) for line in CASES.read_text(encoding="utf-8").splitlines()]
FORMULA = re.compile(r'<span class="formula[^>]*>.*?</span>', re.DOTALL)
CURSOR = "▌"


def marked(html: str, mark: str) -> list[str]:
    """What carries a mark, whole: also where only a part of it is emphasised or a link."""
    parts = [""]
    for word in (one for one in seen(html) if isinstance(one, Words)):
        parts[-1] += word.text if mark in word.marks else ""
        parts += [""] * (mark not in word.marks)
    return [part for part in parts if part]


def problems(sample: dict[str, Any], html: str) -> list[str]:
    """What is not as the sample says."""
    plain = FORMULA.sub("", html)
    said = text(plain).replace("\u00a0", " ")
    found = [f"shows {part!r}: {said!r}" for part in sample.get("shows", []) if part not in said]
    found += [f"hides {part!r}: {said!r}" for part in sample.get("hides", []) if part in said]
    for key, mark in (("bold", "strong"), ("code", "code")):
        there = marked(plain, mark)
        found += [f"{key} {part!r}: {there}" for part in sample.get(key, []) if not any(part in it for it in there)]
    whole = {
        "struck": sorted(marked(plain, "s")),
        "links": sorted(entities.unescape(href) for href in re.findall(r'<a href="([^"]*)"', html)),
        "formulas": len(FORMULA.findall(html)),
        "images": html.count("<img "),
        "numbers": [int(number) for number in re.findall(r'<li value="(\d+)"', html)],
        "rtl": 'dir="auto"' in html,
    }
    expected = {key: sorted(value) if key in ("struck", "links") else value for key, value in sample.items()}
    return found + [f"{key}: {there}" for key, there in whole.items() if key in sample and there != expected[key]]


def test_each_sample_is_seen_as_it_was_written(subtests: pytest.Subtests) -> None:
    for sample in SAMPLES:
        with subtests.test(sample["name"]):
            assert problems(sample, to_html(sample["text"])) == []


@pytest.mark.parametrize(("step", "every"), [(3, 5), pytest.param(1, 2, marks=pytest.mark.soak)], ids=["some", "more"])
def test_while_a_sample_grows_its_pieces_are_those_of_the_text_so_far(step: int, every: int) -> None:
    for number, sample in enumerate(SAMPLES):
        whole = sample["text"]
        growing, shown = Growing(), Growing()
        # In each sample other ends: to render all of them anew takes most of the time.
        for place, end in enumerate(range(number % step, len(whole) + 1, step), number):
            pieces = growing.pieces(whole[:end])
            assert place % every or pieces == render(whole[:end]), (sample["name"], end)
            assert place % every or CURSOR in shown.pieces(whole[:end], CURSOR)[-1]
        assert shown.pieces(whole) == render(whole), sample["name"]


@pytest.mark.parametrize("step", [431, pytest.param(53, marks=pytest.mark.soak)], ids=["some", "more"])
def test_all_samples_in_one_text_grow_to_what_they_are_at_once_and_settled_pieces_stay(step: int) -> None:
    apart = [sample["text"] for sample in SAMPLES if "[^" not in sample["text"] and "]:" not in sample["text"]]
    whole = "\n\n".join(apart)
    at_once, growing = render(whole), Growing()
    for end in range(0, len(whole), step):
        pieces = growing.pieces(whole[:end], CURSOR)
        assert pieces[:-2] == at_once[: max(0, len(pieces) - 2)]

    assert growing.pieces(whole) == at_once


def test_a_formula_that_ends_late_takes_in_the_blocks_that_were_drawn_meanwhile() -> None:
    for before in ("Then\n", "> q\n", "- i\n\n"):
        whole = f"{before}$$\na\n\n- b^2\n- c\n\nd = e\nf\ng\n\n$$\n\nend\n\nof it\n"
        growing = Growing()
        for end in range(len(whole) + 1):
            assert growing.pieces(whole[:end]) == render(whole[:end]), whole[:end]


def test_a_definition_and_a_footnote_reach_the_pieces_before_them() -> None:
    growing = Growing()
    first = growing.pieces("See [docs][1] and this.[^n]\n\nMore.\n\nAnd more.\n\n")
    last = growing.pieces("See [docs][1] and this.[^n]\n\nMore.\n\nAnd more.\n\n[1]: https://example.com\n[^n]: Note.")

    assert "[docs][1]" in first[0]
    assert '<a href="https://example.com"' in last[0] and "<sup>1</sup>" in last[0]
    assert first[1:] == last[1:3]


def test_ones_own_words_are_shown_as_typed() -> None:
    for sample in SAMPLES:
        typed = sample["text"].replace("\r\n", "\n").replace("\x00", "\ufffd")
        lines = as_typed(sample["text"]).replace('</div><div dir="auto">', "\n")
        assert "\n\n" not in lines
        assert entities.unescape(re.sub("<[^>]*>", "", lines)) == typed, sample["name"]


def test_the_pages_typesetter_is_given_no_command_that_it_does_not_know() -> None:
    for source, written in {
        r"$\ce{H2O}$": r"${\mathrm{H}_{2}\mathrm{O}}$",
        r"$\mbox{if } x \label{a}$": r"$\text{if } x$",
        r"\begin{eqnarray*}a&=&b\end{eqnarray*}": r"\begin{array}{rcl}a&=&b\end{array}",
        r"$\text{total_cost} = \abs{x_1}$": r"$\text{total\_cost} = \left|x_1\right|$",
        r"$x \\abs{x} \abs y$": r"$x \\abs{x} \abs y$",
    }.items():
        assert written in "".join(render(source)), source


def test_an_item_has_the_number_that_was_written() -> None:
    """A browser counts on from the item before, so that only what does not go on needs its number."""
    for source, numbers in {
        "1. a\n2. b\n3. c": [],
        "7. a\n8. b": [],
        "1. a\n1. b\n1. c": [],
        "3. c\n2. b\n1. a": ["2", "1"],
        "1. a\n3. c\n4. d": ["3"],
        "1. a\n2. b\n2. b\n3. c": ["2"],
        "5) e\n4) d": ["4"],
        "2. a\n   - x\n   - y\n\n     9. n\n     8. m\n1. b $x^2$": ["8", "1"],
    }.items():
        assert re.findall(r'<li value="(\d+)">', to_html(source)) == numbers, source
        assert re.findall(r'<li value="(\d+)">', "".join(render(source))) == numbers, source


def test_a_full_stop_stays_on_the_line_of_a_short_formula() -> None:
    together = re.compile(r'<span style="white-space:nowrap">(.*?)</span>')
    assert [entities.unescape(part) for part in together.findall(render("So $x^2$, then $y^2$ and $z^2$。")[0])] == [
        "$x^2$<!---->,",
        "$z^2$<!---->。",
    ]
    assert not together.search(render(f"So ${'x + ' * 20}x$.")[0])


@pytest.mark.row("S15")
def test_of_a_text_that_is_cut_anywhere_no_half_mark_is_seen(subtests: pytest.Subtests) -> None:
    for whole, half in [
        ("hot for **twelve hours** and more", "*"),
        ("a __bold__ word", "_"),
        ("a ~~struck~~ word", "~"),
        ("call `print(1)` here", "`"),
        ("see [the docs](https://example.com/a) there", "[]("),
        ("Here:\n\n```py\nprint(1)\n```\n\nDone", "`"),
        ("1. one\n2. **two** is `more`", "*`"),
    ]:
        for end in range(1, len(whole) + 1):
            with subtests.test(cut=whole[:end]):
                said = text(beginning_to_html(whole[:end], "…"))
                assert said.rstrip().endswith("…") and not set(half) & set(said.replace("print(1", ""))


def test_what_is_cut_inside_a_code_box_stays_code() -> None:
    assert beginning_to_html("```py\na **b", "…") == '<pre><code class="language-py">a **b…</code></pre>'
    assert beginning_to_html("**", "…") == "<p>**…</p>", "no text is emptied"
