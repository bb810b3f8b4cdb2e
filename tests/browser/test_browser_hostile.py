"""Hostile text in every place where a page shows foreign words, in a real browser with our policy on and taken out: the
escaping alone has to hold."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex
from typing import Any
from urllib.parse import quote

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.app_server import AppServer, forked_app
from tests.browsing import (
    at_rest,
    bring_in,
    cell,
    composer,
    ended,
    go,
    heard_elsewhere,
    key,
    leave_tab,
    link,
    new_chat,
    new_tab,
    press_until,
    send,
)
from tests.fake_api import FakeApi
from tests.pages import KEY
from tests.proxy import Proxy
from tests.tabs import open_tab

EVIL = (
    "[Sign in again](https://evil.example/a) ![x](https://evil.example/b.png) https://evil.example/c "
    "<img id=evil src=https://evil.example/d onerror=alert(1)> <script id=evil>alert(2)</script> :red[x] :smile: "
    "<style id=evil>body{display:none}</style> $\\href{javascript:alert(3)}{x}$ :material/delete: "
    "[y](javascript:alert(4))"
)
NAME = (
    "[Sign in](https://evil.example/m) ![x](https://evil.example/n.png) https://evil.example/o "
    "<img id=evil src=https://evil.example/p onerror=alert(5)> <script id=evil>alert(6)</script> :red[x] $x^2$"
)
"""The same in the 300 characters that a model's id may have."""
SERVICE = (
    "[Sign in](javascript:alert(7)) ![x](www.evil.example) www.evil.example <img id=evil src=evil onerror=alert(8)> "
    "<script id=evil> :red[x] $x^2$ `y`"
)
"""The same as an operator may name a service: without a slash."""
TEXTS = [
    EVIL,
    f"| {EVIL} | b |\n|---|---|\n| `{EVIL}` | {EVIL} |\n\n- {EVIL}\n\n> # {EVIL}\n\n```{EVIL}\n{EVIL}\n```",
    "<script>alert(1)</script><img src=x onerror=alert(1)><iframe src=//evil.example></iframe>",
    "![x](https://evil.example/beacon.png) [y](javascript:alert(1)) [z](data:text/html,<script>alert(1)</script>)",
    "<style>@import '//evil.example/x.css'</style><form action=//evil.example><input></form><base href=//evil.example>",
    "$\\href{javascript:alert(1)}{x}$ $\\includegraphics{https://evil.example/a.png}$ \\(\\htmlData{a=b}{c}\\)",
    "```mermaid\ngraph TD; A[<img src=x onerror=alert(1)>]-->B\n```",
    ":material/delete: :red[x] :smile: &lt;img src=x&gt; [link][1]\n\n[1]: vbscript:x",
]
FOREIGN = """() => {
    const inside = [...document.querySelectorAll("*")].map(one => one.shadowRoot).filter(Boolean);
    const all = selector => [document, ...inside].flatMap(root => [...root.querySelectorAll(selector)]);
    const marks = "#evil, [onerror], [onload], [onclick], iframe, form:not(.vega-bindings), object, embed, base, "
        + "[src*=evil], [style*=evil], link[href*=evil], a[href^=javascript], a[href^=data], a[href^=vbscript], "
        + ".stMarkdownColoredText";
    const ours = "[data-testid=stAlert], [data-testid=stCaptionContainer], button, summary, [role=dialog], "
        + "[data-testid=stSidebar]";
    const theirs = "[class*=st-key-answer_], .answers .text";
    return [
        ...all(marks).map(one => one.outerHTML.slice(0, 300)),
        ...all("a[href*=evil]").filter(one => one.closest(ours) || !one.closest(theirs)).map(one => one.outerHTML),
    ];
}"""
POLICY_HOLDS = """() => {
    const script = document.createElement("script");
    script.textContent = "window.ran = true";
    document.head.append(script);
    return !window.ran;
}"""


def refusals() -> dict[str, tuple[int, dict[str, Any], dict[str, str]]]:
    """Status, body and headers by the beginning of the model's id."""
    error = {"message": EVIL, "param": EVIL, "code": EVIL, "type": EVIL}
    moved = {"location": "https://evil.example/" + EVIL, "content-length": "0"}
    return {
        "param": (400, {"error": error}, {}),
        "detail": (422, {"detail": [{"loc": ["body", EVIL], "msg": EVIL, "type": EVIL}]}, {}),
        "missing": (404, {"error": {**error, "code": "model_not_found"}}, {}),
        "moved": (302, {}, moved),
        "busy": (500, {"error": EVIL}, {}),
    }


def answer() -> bytes:
    """A stream with hostile thoughts, words, model and reason to end."""
    deltas: list[tuple[dict[str, str], str | None]] = [
        ({"reasoning_content": f"{EVIL}\n\n"}, None),
        ({"content": TEXTS[1]}, None),
        ({}, EVIL),
    ]
    events = [
        {"id": EVIL, "model": EVIL, "choices": [{"index": 0, "delta": delta, "finish_reason": reason}]}
        for delta, reason in deltas
    ]
    return b"".join(b"data: " + json.dumps(event).encode() + b"\n\n" for event in events) + b"data: [DONE]\n\n"


@pytest.fixture(scope="module")
def hostile() -> Iterator[FakeApi]:
    """A service whose models' names are hostile, and what they say."""
    with FakeApi(models=[f"{name} {NAME}" for name in ("answer", *refusals())]) as api:
        api.script(f"answer {NAME}", answer(), headers={"content-type": "text/event-stream"})
        for name, (status, body, headers) in refusals().items():
            steps = [] if name == "moved" else [json.dumps(body).encode()]
            api.script(f"{name} {NAME}", *steps, status=status, headers=headers)
        yield api


@pytest.fixture(scope="module")
def running_app(hostile: FakeApi, tmp_path_factory: pytest.TempPathFactory) -> Iterator[AppServer]:
    """The app with the hostile service, at its own address."""
    services = json.dumps({SERVICE: {"base_url": hostile.base_url, "api_key": KEY}})
    settings = {"TEMPERA_ENDPOINTS": services, "TEMPERA_LOCAL_MODEL": "false"}
    with forked_app(tmp_path_factory.mktemp("hostile") / "data", **settings) as app:
        yield app


@dataclass(frozen=True, slots=True)
class Visitor:
    """A browser's page, whether our Content-Security-Policy holds in it, and what was heard in it."""

    page: Page
    policy: bool
    heard: list[str]

    def found(self) -> tuple[list[str], list[str]]:
        """What of a hostile text took effect: elements, requests and dialogs."""
        return self.page.evaluate(FOREIGN), self.heard


# Without the policy nothing stands behind our escaping: what holds there holds with it, which `make soak` tries too.
@pytest.fixture(scope="module", params=[pytest.param("with our policy", marks=pytest.mark.soak), "without it"])
def visitor(
    request: pytest.FixtureRequest, one_browser: BrowserContext, running_app: AppServer, front: Proxy
) -> Iterator[Visitor]:
    """A visitor whose page goes on from test to test."""
    off = request.param == "without it"
    app = front.lead_to(running_app)
    page = new_tab(one_browser)
    chromium = one_browser.new_cdp_session(page)
    chromium.send("Page.setBypassCSP", {"enabled": off})
    page.goto(app.url)
    expect(composer(page)).to_be_visible()
    at_rest(page)
    assert page.evaluate(POLICY_HOLDS) == (not off)
    yield Visitor(page, not off, heard_elsewhere(page, app))
    chromium.detach()
    leave_tab(page)


def be_refused(page: Page, app: AppServer) -> None:
    """Ask in one chat all models that refuse: the last one here, those before it in a tab without a browser, as each
    takes several runs of the page."""
    *before, last = refusals()
    with open_tab(app) as tab:
        for name in before:
            tab.query = f"model={quote(f'{name} {NAME}')}"
            tab.run()
            tab.run(text=f"{name} {EVIL}")
            while "chat_regenerate" not in tab.drawn:
                tab.read_run()
        go(page, f"{app.url}/?{tab.query}", f"figures_{len(before) - 1}")
    go(page, link(app, quote(f"{last} {NAME}")))
    send(page, f"{last} {EVIL}")
    for number in range(len(refusals())):
        page.get_by_role("group", name="Answer").nth(number).get_by_test_id("stAlert").first.wait_for()
        key(page, f"figures_{number}").wait_for()
    ended(page)


@pytest.mark.row("T8", "T9")
def test_hostile_texts_do_nothing_in_a_chat(app: AppServer, visitor: Visitor, tmp_path: Path) -> None:
    page, found = visitor.page, visitor.found
    if not visitor.policy:  # a sweep shows them with our policy too
        be_refused(page, app)
        assert found() == ([], [])
    new_chat(page, app, quote(f"answer {NAME}"))

    bring_in(page, [(text, text) for text in TEXTS], tmp_path, title=EVIL)
    assert found() == ([], [])
    at_rest(page)
    send(page, EVIL)
    key(page, f"figures_{len(TEXTS)}").get_by_role("button").click()
    key(page, f"inspect_{len(TEXTS)}").get_by_role("button").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    assert found() == ([], [])
    press_until(page, "Control+k", key(page, "connection_save"))
    expect(key(page, "connection_open").get_by_role("button")).to_contain_text(SERVICE)
    assert found() == ([], [])
    at_rest(page)  # pressed a second time, its keys open the dialog again behind Escape
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    at_rest(page)
    # Playwright scrolls the page before it presses what stands in its fixed head, and an open list closes then.
    # The field of a long name is wider than what is seen of it: it is the place around it that is pressed.
    key(page, "chat_model").hover()
    page.mouse.down()
    page.mouse.up()
    expect(page.get_by_role("option").first).to_contain_text(SERVICE)
    assert found() == ([], [])
    page.keyboard.press("Escape")
    key(page, "frame").get_by_role("link", name="Usage").click()
    expect(key(page, "usage_models")).to_be_visible()
    assert found() == ([], [])


@pytest.mark.row("T8", "T9")
def test_hostile_texts_do_nothing_in_a_sweep(app: AppServer, visitor: Visitor) -> None:
    page, found = visitor.page, visitor.found
    models = ",".join(quote(f"{SERVICE}/{name} {NAME}") for name in ("answer", *refusals()))
    # Else the second visit is asked whether to run again what was asked before.
    go(page, f"{app.url}/sweep?models={models}&temperatures=0&repeats=2&prompt={quote(EVIL + token_hex(4))}")

    key(page, "sweep_run").get_by_role("button").click()
    expect(key(page, "sweep_csv")).to_be_visible()
    expect(key(page, "sweep_progress")).to_contain_text("2 of 12 answers · 10 failed")
    # A place shows what came last in it.
    shown = key(page, "sweep_grid").locator("[data-cell^='0_0_']:visible").first
    place = str(shown.get_attribute("data-cell"))
    expect(shown.locator("strong, h1, a, p").first).to_be_visible()
    assert found() == ([], [])
    shown.click(position={"x": 5, "y": 5})
    expect(cell(page, place).locator("table")).to_be_visible()
    assert found() == ([], [])
