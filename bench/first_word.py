"""The first word on screen: Tempera beside a bare Streamlit app, in the same Chromium, in the same run.

    python -m bench.first_word [--turns 7]

What is measured is what the app adds: from Enter until the first word is painted, less the upstream's own time. The
apps take turns; each app's first turn only warms it up.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from statistics import median

from playwright.sync_api import BrowserContext, Page, expect, sync_playwright

from bench.sweep import upstream
from bench.upstream import WORDS, timing
from tests.app_server import PASSED_ON, AppServer, app_server, free_port
from tests.browser_path import chromium_path

MODEL = "steady-60-100"
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

WATCH = """word => {
    const count = () => document.body.textContent.split(word).length;
    const before = count();
    window.took = new Promise(resolve => {
        let entered;
        document.addEventListener("keydown", () => { entered = performance.now(); }, {capture: true, once: true});
        const observer = new MutationObserver(() => {
            if (entered === undefined || count() <= before) return;
            observer.disconnect();
            requestAnimationFrame(() => setTimeout(() => resolve(performance.now() - entered)));
        });
        observer.observe(document.body, {subtree: true, childList: true, characterData: true});
    });
}"""

QUIET = """() => new Promise(resolve => {
    let timer = setTimeout(resolve, 1000);
    new MutationObserver(() => { clearTimeout(timer); timer = setTimeout(resolve, 1000); })
        .observe(document.body, {subtree: true, childList: true, characterData: true});
})"""


def tempera(folder: Path, base_url: str) -> AbstractContextManager[AppServer]:
    """Our app as `make run` starts it."""
    settings = {"TEMPERA_BASE_URL": base_url, "TEMPERA_API_KEY": "sk-bench"}
    return app_server(folder / "data", 0, TEMPERA_LOCAL_MODEL="false", **settings)


@contextmanager
def bare_streamlit(folder: Path, base_url: str) -> Iterator[str]:
    """The shortest chat app that Streamlit's documentation would have one write; its address."""
    script, port = folder / "bare.py", free_port()
    script.write_text(f"MODEL, URL = {MODEL!r}, {base_url!r}\n{BARE}")
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


def opened(context: BrowserContext, url: str) -> Page:
    """The app in a tab of its own, ready for a message."""
    page = context.new_page()
    page.goto(url)
    expect(page.get_by_test_id("stChatInputTextArea")).to_be_visible(timeout=SECONDS)
    page.evaluate(QUIET)
    return page


def added(page: Page, prompt: str) -> float:
    """Milliseconds that the app adds to the first word of one turn; returns when the page has come to rest."""
    page.bring_to_front()
    composer = page.get_by_test_id("stChatInputTextArea")
    composer.fill(prompt)
    page.evaluate(WATCH, WORDS[0])
    composer.press("Enter")
    took = float(page.evaluate("() => window.took"))
    page.evaluate(QUIET)
    return took - 1000 * timing(MODEL, None, prompt).first


def measured(turns: int) -> dict[str, list[float]]:
    """Milliseconds added, turn by turn, for each app."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        base_url = stack.enter_context(upstream())
        ours = stack.enter_context(tempera(folder, base_url)).url
        bare = stack.enter_context(bare_streamlit(folder, base_url))
        chromium = stack.enter_context(sync_playwright()).chromium
        context = chromium.launch(executable_path=chromium_path(), args=["--no-sandbox"]).new_context()
        pages = {"Tempera": opened(context, f"{ours}/?model={MODEL}"), "bare Streamlit": opened(context, bare)}
        took: dict[str, list[float]] = {name: [] for name in pages}
        for turn in range(turns + 1):
            for name, page in pages.items():
                took[name].append(added(page, f"Tell me about the sea, part {turn}."))
        return {name: figures[1:] for name, figures in took.items()}


def main() -> None:
    """Measure, and print the table."""
    options = argparse.ArgumentParser(description="Compare the first word on screen with a bare Streamlit app.")
    options.add_argument("--turns", type=int, default=7)
    print("| app | added to the first word: median | least | most |", "|---|---|---|---|", sep="\n")
    for name, figures in measured(options.parse_args().turns).items():
        print(f"| {name} | {median(figures):.0f} ms | {min(figures):.0f} ms | {max(figures):.0f} ms |")


if __name__ == "__main__":
    main()
