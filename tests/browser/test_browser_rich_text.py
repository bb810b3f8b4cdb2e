"""What is shown is what was written: samples of foreign Markdown as answers, as one's own messages and in a sweep's
cells, in a real browser with our policy on."""

import json
import re
import time
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Locator, expect

from lib.core.rich_text import render
from lib.ui.sweep.answer_data import HEAD
from tests.app_server import AppServer
from tests.browsing import CLIPBOARD_BECOMES, NewChat, at_rest, bring_in, cell, heard_elsewhere, key, open_at
from tests.case_files import cases
from tests.fake_api import FakeApi
from tests.pages import host

SECONDS = 10.0
SEPARATOR = "⁂"
TOGETHER = 40
"""Samples in one answer."""
LOOK = """places => places.map(elements => {
    const all = selector => elements.flatMap(one =>
        [...(one.matches(selector) ? [one] : []), ...one.querySelectorAll(selector)]);
    return {
        text: elements.map(one => one.innerText).join("\\n").replaceAll("\\u00a0", " "),
        bold: all("strong, b").map(one => one.innerText),
        struck: all("s, del").map(one => one.innerText),
        code: all("code").map(one => one.textContent),
        links: all("a").map(one => one.getAttribute("href")),
        opens: all("a").map(one => one.rel + " " + one.target),
        formulas: all(".katex, math:not(.katex math)").length,
        numbers: all("li[value]").map(one => one.value),
        broken: all(".katex-error").length,
        images: all("img").length,
        loaded: all("img").every(one => one.complete && one.naturalWidth > 0),
        rtl: all("*").some(one => getComputedStyle(one).direction === "rtl"),
        foreign: all("script, style, iframe, form, object, embed, link, meta, base, input, video, audio").length,
    };
})"""
LOOK_AT_ONE = f"place => ({LOOK})([[place]])[0]"
LOOK_AT_PARTS = f"""(place, separator) => {{
    const parts = [[]];
    for (const box of place.querySelectorAll('[data-testid="stMarkdownContainer"]'))
        for (const one of box.children) one.innerText === separator ? parts.push([]) : parts.at(-1).push(one);
    return ({LOOK})(parts);
}}"""


def wrong(case: dict[str, Any], seen: dict[str, Any]) -> list[Any]:
    """What of a sample is not seen as it has to be."""
    found: list[Any] = [("shows", one) for one in case.get("shows", ()) if one not in seen["text"]]
    found += [("hides", one) for one in case.get("hides", ()) if one in seen["text"]]
    for name in ("bold", "code"):
        found += [(name, one) for one in case.get(name, ()) if not any(one in part for part in seen[name])]
    found += [("struck", seen["struck"])] * ("struck" in case and case["struck"] != seen["struck"])
    found += [("links", seen["links"])] * ("links" in case and sorted(case["links"]) != sorted(seen["links"]))
    for name in ("formulas", "images", "numbers"):
        found += [(name, seen[name])] * (name in case and case[name] != seen[name])
    found += [("right to left",)] * bool(case.get("rtl") and not seen["rtl"])
    safe = all(opens == "noopener noreferrer nofollow _blank" for opens in seen["opens"])
    return found + [("safe", seen)] * (not safe or seen["broken"] > 0 or not seen["loaded"] or seen["foreign"] > 0)


def finally_wrong(some: list[dict[str, Any]], answer: Locator) -> dict[str, list[Any]]:
    """What is wrong, sample by sample, once code boxes and formulas are drawn: Streamlit loads what draws them when
    they are first needed. `answer` shows the samples, a separator between each two."""
    end = time.monotonic() + SECONDS
    while True:
        parts = answer.evaluate(LOOK_AT_PARTS, SEPARATOR)
        found = {case["name"]: wrong(case, seen) for case, seen in zip(some, parts, strict=False)}
        if (len(parts) == len(some) and not any(found.values())) or time.monotonic() > end:
            assert len(parts) == len(some)
            return found
        answer.page.wait_for_timeout(50)  # nothing tells when it is drawn; this only paces the asking


def look(place: Locator) -> dict[str, Any]:
    seen: dict[str, Any] = place.evaluate(LOOK_AT_ONE)
    return seen


def together(samples: list[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    """The samples in groups that can share an answer. What defines something, or is still open at its end, would
    reach into its neighbours, and has an answer of its own."""
    between = render(SEPARATOR)
    shared: list[dict[str, Any]] = []
    alone: list[dict[str, Any]] = []
    for case in samples:
        beside = render(f"{SEPARATOR}\n\n{case['text']}\n\n{SEPARATOR}")
        own = "]:" in case["text"] or beside != [*between, *render(case["text"]), *between]
        (alone if own else shared).append(case)
    return [shared[at : at + TOGETHER] for at in range(0, len(shared), TOGETHER)] + [[case] for case in alone]


def joined(texts: list[str]) -> str:
    return f"\n\n{SEPARATOR}\n\n".join(texts)


def typed(text: str) -> list[str]:
    """The lines of a text; one without letters has another height from right to left."""
    shown = text.replace("\r\n", "\n").replace("\0", "\ufffd").replace("\u00a0", " ")
    return [line for line in shown.split("\n") if line.strip()]


@pytest.mark.parametrize("every", [16, pytest.param(1, marks=pytest.mark.soak)], ids=["some", "all"])
def test_samples_are_seen_as_answers_and_as_typed(
    subtests: pytest.Subtests, app: AppServer, chat: NewChat, tmp_path: Path, every: int
) -> None:
    groups = together(cases("rich_text")[::every])
    page = chat("echo")
    heard = heard_elsewhere(page, app)
    bring_in(
        page,
        [("\n".join(case["text"] for case in some), joined([case["text"] for case in some])) for some in groups],
        tmp_path,
    )
    for index, some in enumerate(groups):
        for name, found in finally_wrong(some, key(page, f"answer_{index}")).items():
            with subtests.test(name=name):
                assert found == []
        question = page.get_by_test_id("stChatMessage").nth(2 * index).get_by_test_id("stMarkdown").first
        assert typed(look(question)["text"]) == [line for case in some for line in typed(case["text"])]
    assert heard == []


@pytest.mark.soak
def test_samples_are_seen_in_a_sweeps_cells(
    subtests: pytest.Subtests, app: AppServer, api: FakeApi, context: BrowserContext
) -> None:
    samples = [case for case in cases("rich_text") if len(case["text"]) < HEAD][:60]
    for case in samples:
        answer = {"choices": [{"message": {"content": case["text"]}, "finish_reason": "stop"}]}
        api.script(f"sample-{case['name']}", json.dumps(answer).encode())
    models = ",".join(f"{host(api)}/sample-{case['name']}" for case in samples)
    page = open_at(context, f"{app.url}/sweep?models={models}&temperatures=0&repeats=1&prompt=Show", "sweep_run")
    key(page, "sweep_run").get_by_role("button").click()
    expect(key(page, "sweep_progress")).to_contain_text(re.compile(f"(?<!of ){len(samples)} answers"))
    expect(key(page, "sweep_csv")).to_be_visible()
    for row, case in enumerate(samples):
        with subtests.test(name=case["name"]):
            text = cell(page, f"{row}_0_0").locator(".text")
            without_formulas = {
                name: value for name, value in case.items() if name != "hides" or not case.get("formulas")
            }
            assert wrong(without_formulas, look(text)) == []


@pytest.mark.soak
def test_ones_own_message_can_be_seen_as_markdown(chat: NewChat, tmp_path: Path) -> None:
    page = chat("echo")
    bring_in(page, [("# run\n\n**bold** and\n    __init__", "Yes.")], tmp_path)
    question = page.get_by_test_id("stChatMessage").first
    expect(question).to_contain_text("**bold** and")
    assert "**bold** and\n    __init__" in question.inner_text()

    key(page, "more_question_0").get_by_role("button").click()
    page.get_by_role("menuitem", name="Show as Markdown").click()

    expect(question.locator("h1")).to_have_text("run")
    expect(question.locator("strong").first).to_have_text("bold")
    key(page, "more_question_0").get_by_role("button").click()
    page.get_by_role("menuitem", name="Show as typed").click()
    expect(question).to_contain_text("**bold** and")


@pytest.mark.row("C17")
@pytest.mark.soak
def test_a_table_is_copied_as_tab_separated_text(chat: NewChat, tmp_path: Path) -> None:
    page = chat("echo")
    bring_in(page, [("A table?", "| name | price |\n|---|--:|\n| **tea** | $5 |\n| a `b` | 6<br>7 |")], tmp_path)
    key(page, "copy_0").get_by_role("button").click()
    box = key(page, "panel_0").get_by_test_id("stCode").nth(1)
    expect(box).to_contain_text("tea")
    # To be pointed at it is scrolled into view, and what is still drawn then moves it away from under the pointer.
    for step in range(20):
        box.hover(position={"x": 9 + step, "y": 9})
        at_rest(page)
        if box.get_by_role("button").is_visible():
            break
    box.get_by_role("button").click()

    assert page.evaluate(CLIPBOARD_BECOMES, "name\tprice\ntea\t$5\na b\t6 7")
