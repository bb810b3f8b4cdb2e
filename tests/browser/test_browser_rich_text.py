"""What is shown is what was written: samples of foreign Markdown as answers, as one's own messages and in a sweep's
cells, in a real browser with our policy on; hostile ones too."""

import json
import time
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect

from tests.app_server import AppServer
from tests.browsing import CLIPBOARD_BECOMES, key, link, open_at, open_page
from tests.case_files import cases
from tests.fake_api import FakeApi
from tests.pages import host

SECONDS = 10.0
PAIRS = 12
"""Questions with answers in a chat: the page draws the last 30 messages."""
LOOK = """place => {
    const all = selector => [...place.querySelectorAll(selector)];
    return {
        text: place.innerText.replaceAll("\\u00a0", " "),
        bold: all("strong, b").map(one => one.innerText),
        struck: all("s, del").map(one => one.innerText),
        code: all("code").map(one => one.textContent),
        links: all("a").map(one => one.getAttribute("href")),
        opens: all("a").map(one => one.rel + " " + one.target),
        formulas: all(".katex").length,
        broken: all(".katex-error").length,
        images: all("img").length,
        loaded: all("img").every(one => one.complete && one.naturalWidth > 0),
        rtl: all("*").some(one => getComputedStyle(one).direction === "rtl"),
        foreign: all("script, style, iframe, form, object, embed, link, meta, base, input, video, audio").length,
    };
}"""
HOSTILE = [
    "<script>alert(1)</script><img src=x onerror=alert(1)><iframe src=//evil.example></iframe>",
    "![x](https://evil.example/beacon.png) [y](javascript:alert(1)) [z](data:text/html,<script>alert(1)</script>)",
    "<style>body{display:none}</style><form action=//evil.example><input></form>",
    "$\\href{javascript:alert(1)}{x}$ $\\includegraphics{https://evil.example/a.png}$ \\(\\htmlData{a=b}{c}\\)",
    "```mermaid\ngraph TD; A[<img src=x onerror=alert(1)>]-->B\n```",
    ":material/delete: :red[x] :smile: &lt;img src=x&gt; [link][1]\n\n[1]: vbscript:x",
]


def wrong(case: dict[str, Any], seen: dict[str, Any]) -> list[Any]:
    """What of a sample is not seen as it has to be."""
    found: list[Any] = [("shows", one) for one in case.get("shows", ()) if one not in seen["text"]]
    found += [("hides", one) for one in case.get("hides", ()) if one in seen["text"]]
    for name in ("bold", "code"):
        found += [(name, one) for one in case.get(name, ()) if not any(one in part for part in seen[name])]
    found += [("struck", seen["struck"])] * ("struck" in case and case["struck"] != seen["struck"])
    found += [("links", seen["links"])] * ("links" in case and sorted(case["links"]) != sorted(seen["links"]))
    for name in ("formulas", "images"):
        found += [(name, seen[name])] * (name in case and case[name] != seen[name])
    found += [("right to left",)] * bool(case.get("rtl") and not seen["rtl"])
    safe = all(opens == "noopener noreferrer nofollow _blank" for opens in seen["opens"])
    return found + [("safe", seen)] * (not safe or seen["broken"] > 0 or not seen["loaded"] or seen["foreign"] > 0)


def finally_wrong(case: dict[str, Any], place: Locator) -> list[Any]:
    """`wrong`, once code boxes and formulas are drawn: Streamlit loads what draws them when they are first needed."""
    end = time.monotonic() + SECONDS
    while (found := wrong(case, look(place))) and time.monotonic() < end:
        place.page.wait_for_timeout(50)  # nothing tells when it is drawn; this only paces the asking
    return found


def look(place: Locator) -> dict[str, Any]:
    seen: dict[str, Any] = place.evaluate(LOOK)
    return seen


def typed(text: str) -> list[str]:
    """The lines of a text; one without letters has another height from right to left."""
    shown = text.replace("\r\n", "\n").replace("\0", "\ufffd").replace("\u00a0", " ")
    return [line for line in shown.split("\n") if line.strip()]


def bring_in(page: Page, texts: list[str], folder: Path) -> None:
    """Bring in a chat in which each text was asked and answered."""
    messages = [{"role": role, "content": text} for text in texts for role in ("user", "assistant")]
    file = folder / "chat.json"
    file.write_text(json.dumps({"tempera": 1, "title": texts[0], "messages": messages}), "utf-8")
    key(page, "chat_bring_in").locator("summary").click()
    page.locator("input[type=file][accept*=json]").first.set_input_files(file)
    expect(key(page, f"answer_{len(texts) - 1}")).to_be_visible()
    expect(key(page, f"edit_{2 * len(texts) - 2}")).to_be_visible()


def listening(context: BrowserContext, app: AppServer) -> tuple[Page, list[str]]:
    """A page, and what it does that it must not: requests elsewhere, dialogs."""
    page = open_page(context, link(app, "echo"))
    heard: list[str] = []
    own = (app.url, app.url.replace("http", "ws", 1), "data:", "blob:")
    page.on("request", lambda request: None if request.url.startswith(own) else heard.append(request.url))
    page.on("dialog", lambda dialog: (heard.append(dialog.message), dialog.dismiss()))
    return page, heard


def test_samples_are_seen_as_answers_and_as_typed(
    subtests: pytest.Subtests, app: AppServer, context: BrowserContext, tmp_path: Path
) -> None:
    samples = cases("rich_text")
    for start in range(0, len(samples), PAIRS):
        some = samples[start : start + PAIRS]
        page, heard = listening(context, app)
        bring_in(page, [case["text"] for case in some], tmp_path)
        for index, case in enumerate(some):
            with subtests.test(name=case["name"]):
                assert finally_wrong(case, key(page, f"answer_{index}")) == []
                question = page.get_by_test_id("stChatMessage").nth(2 * index).get_by_test_id("stMarkdown").first
                assert typed(look(question)["text"]) == typed(case["text"])
        assert heard == []
        page.close()


def test_samples_are_seen_in_a_sweeps_cells(
    subtests: pytest.Subtests, app: AppServer, api: FakeApi, context: BrowserContext
) -> None:
    samples = cases("rich_text")[:24]
    for case in samples:
        answer = {"choices": [{"message": {"content": case["text"]}, "finish_reason": "stop"}]}
        api.script(f"sample-{case['name']}", json.dumps(answer).encode())
    models = ",".join(f"{host(api)}/sample-{case['name']}" for case in samples)
    page = open_at(context, f"{app.url}/sweep?models={models}&temperatures=0&repeats=1&prompt=Show", "sweep_run")
    key(page, "sweep_run").get_by_role("button").click()
    expect(key(page, "sweep_progress")).to_contain_text("24 done")
    expect(key(page, "sweep_csv")).to_be_visible()
    for row, case in enumerate(samples):
        with subtests.test(name=case["name"]):
            assert finally_wrong(case, key(page, f"cell_{row}_0_0")) == []


@pytest.mark.row("T8", "T9")
def test_hostile_texts_do_nothing(app: AppServer, context: BrowserContext, tmp_path: Path) -> None:
    page, heard = listening(context, app)
    bring_in(page, HOSTILE, tmp_path)
    for index in range(len(HOSTILE)):
        seen = look(key(page, f"answer_{index}"))
        assert (seen["foreign"], seen["images"], heard) == (0, 0, [])
        assert all(href.startswith("https://evil.example/") for href in seen["links"])


def test_ones_own_message_can_be_seen_as_markdown(app: AppServer, context: BrowserContext, tmp_path: Path) -> None:
    page, _ = listening(context, app)
    bring_in(page, ["# run\n\n**bold** and\n    __init__"], tmp_path)
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
def test_a_table_is_copied_as_tab_separated_text(app: AppServer, context: BrowserContext, tmp_path: Path) -> None:
    page, _ = listening(context, app)
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    bring_in(page, ["| name | price |\n|---|--:|\n| **tea** | $5 |\n| a `b` | 6<br>7 |"], tmp_path)
    key(page, "copy_0").get_by_role("button").click()
    box = key(page, "panel_0").get_by_test_id("stCode").nth(1)
    expect(box).to_contain_text("tea")
    box.hover()
    box.get_by_role("button").click()

    assert page.evaluate(CLIPBOARD_BECOMES, "name\tprice\ntea\t$5\na b\t6 7")
