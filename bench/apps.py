"""The chat apps that are measured, in one Chromium: Tempera as `make run` starts it, and the shortest Streamlit app."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from statistics import median

from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.app_server import PASSED_ON, app_server, free_port
from tests.browser_path import chromium_path

SECONDS = 60_000
BARE = """
import json
import httpx
import streamlit as st

@st.cache_resource
def client():
    return httpx.Client(timeout=None, trust_env=False)

def words(prompt):
    body = {"model": MODEL, "messages": [{"role": "user", "content": prompt}], "stream": True}
    with client().stream("POST", URL + "/chat/completions", json=body) as response:
        for line in response.iter_lines():
            if line.startswith("data: {"):
                yield json.loads(line[6:])["choices"][0]["delta"].get("content", "")

turns = st.session_state.setdefault("turns", [])
for role, text in turns:
    st.chat_message(role).write(text)
if prompt := st.chat_input("Type a message"):
    st.chat_message("user").write(prompt)
    answer = st.chat_message("assistant").write_stream(words(prompt))
    turns += [("user", prompt), ("assistant", answer)]
"""

# Counts what is shown, not what is sent; the answer's words are few, so that each comes again and again.
WATCH = """([word, times]) => {
    const count = () => document.body.textContent.split(word).length - 1;
    const enough = count() + times;
    window.painted = new Promise(resolve => {
        let entered;
        document.addEventListener("keydown", () => { entered = performance.now(); }, {capture: true, once: true});
        const observer = new MutationObserver(() => {
            if (entered === undefined || count() < enough) return;
            observer.disconnect();
            const said = () => resolve([performance.now() - entered, Date.now()]);
            requestAnimationFrame(() => setTimeout(said));
        });
        observer.observe(document.body, {subtree: true, childList: true, characterData: true});
    });
}"""

QUIET = """() => new Promise(resolve => {
    let timer = setTimeout(resolve, 1000);
    new MutationObserver(() => { clearTimeout(timer); timer = setTimeout(resolve, 1000); })
        .observe(document.body, {subtree: true, childList: true, characterData: true});
})"""


@contextmanager
def tempera(folder: Path, base_url: str, model: str) -> Iterator[str]:
    """Our app, its data in a new folder below `folder`; the address of a chat with `model`."""
    settings = {"TEMPERA_BASE_URL": base_url, "TEMPERA_API_KEY": "sk-bench", "TEMPERA_LOCAL_MODEL": "false"}
    with app_server(folder / "data", 0, **settings) as app:
        yield f"{app.url}/?model={model}"


@contextmanager
def bare_streamlit(folder: Path, base_url: str, model: str) -> Iterator[str]:
    """The shortest chat app that Streamlit's documentation would have one write; its address."""
    script, port = folder / "bare.py", free_port()
    script.write_text(f"MODEL, URL = {model!r}, {base_url!r}\n{BARE}")
    options = ["--server.port", str(port), "--server.address", "127.0.0.1", "--server.headless", "true"]
    command = [sys.executable, "-m", "streamlit", "run", str(script), *options, "--browser.gatherUsageStats", "false"]
    environment = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    with subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            next(line for line in process.stdout if str(port) in line)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.kill()  # SIGTERM would wait for the open page


APPS: Mapping[str, Callable[[Path, str, str], AbstractContextManager[str]]] = {
    "Tempera": tempera,
    "bare Streamlit": bare_streamlit,
}


@contextmanager
def chromium() -> Iterator[Browser]:
    """One browser for all that is compared."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path(), args=["--no-sandbox"])
        yield browser
        browser.close()


def opened(context: BrowserContext, url: str) -> Page:
    """The app in a tab of its own, at rest and ready for a message."""
    page = context.new_page()
    page.goto(url)
    expect(page.get_by_test_id("stChatInputTextArea")).to_be_visible(timeout=SECONDS)
    page.evaluate(QUIET)
    return page


def painted(page: Page, prompt: str, word: str, times: int = 1) -> tuple[float, float]:
    """Send `prompt`; when `word` has been painted so many times more than before: (milliseconds since Enter, epoch
    seconds). Returns when the page has come to rest."""
    page.bring_to_front()
    composer = page.get_by_test_id("stChatInputTextArea")
    composer.fill(prompt)
    page.evaluate(WATCH, [word, times])
    composer.press("Enter")
    since_enter, at = page.evaluate("() => window.painted")
    page.evaluate(QUIET)
    return float(since_enter), float(at) / 1000


def spread(figures: Sequence[float], form: str = ".0f") -> str:
    """Cells of a table: median, least and most."""
    return " | ".join(f"{figure:{form}}" for figure in (median(figures), min(figures), max(figures)))
