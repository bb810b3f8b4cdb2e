"""How much the running server grows over a long chat with an image, its page open in Chromium.

    python -m bench.page_memory [--turns 300] [--image-pixels 1030]

The app runs as `make run` starts it, the upstream and the browser in processes of their own. Every turn is typed into
the page, and over when the page is at rest. Printed is the resident memory of the app's processes after so many turns.
"""

import argparse
import io
import secrets
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

import psutil
from PIL import Image
from playwright.sync_api import Page, expect

from bench.apps import SECONDS, chromium, opened
from bench.sweep import asked, upstream
from tests.app_server import app_server

MODEL = "fast"
LOOKED_AT = 50
REST = """() => new Promise(resolve => {
    let timer = setTimeout(resolve, 250);
    new MutationObserver(() => { clearTimeout(timer); timer = setTimeout(resolve, 250); })
        .observe(document.body, {subtree: true, childList: true, characterData: true});
})"""
"""Resolves when nothing on the page has changed for a quarter of a second."""


def noise(pixels: int) -> bytes:
    """A square PNG that no compression makes smaller: about three bytes for each pixel."""
    file = io.BytesIO()
    Image.frombytes("RGB", (pixels, pixels), secrets.token_bytes(3 * pixels * pixels)).save(file, "PNG")
    return file.getvalue()


def resident_mb(pid: int) -> float:
    """The memory that a process and its children really take, in MB."""
    process = psutil.Process(pid)
    return float(sum(one.memory_info().rss for one in (process, *process.children(recursive=True)))) / 2**20


def attach(page: Page, image: bytes) -> None:
    """Put an image beside the next message."""
    field = page.get_by_test_id("stChatInput").locator("input[type=file]")
    field.set_input_files({"name": "noise.png", "mimeType": "image/png", "buffer": image})
    expect(page.get_by_text("noise.png").first).to_be_visible(timeout=SECONDS)
    page.evaluate(REST)


def ask(page: Page, base_url: str, turn: int) -> None:
    """Type a message; back when it was answered and the page is at rest."""
    composer = page.get_by_test_id("stChatInputTextArea")
    composer.fill(f"And now, in turn {turn}?")
    composer.press("Enter")
    expect(page.get_by_text(f"And now, in turn {turn}?", exact=True).first).to_be_visible(timeout=SECONDS)
    while len([one for one in asked(base_url, "/__log") if one["finished"]]) < turn:
        time.sleep(0.05)
    page.evaluate(REST)


def main() -> None:
    """Measure, and print a line every 50 turns."""
    options = argparse.ArgumentParser(description="Measure the running server's memory over a long chat.")
    options.add_argument("--turns", type=int, default=300)
    options.add_argument("--image-pixels", type=int, default=1030)
    chosen = options.parse_args()
    seen: dict[int, float] = {}
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        base_url = stack.enter_context(upstream())
        settings = {"TEMPERA_BASE_URL": base_url, "TEMPERA_API_KEY": "sk-bench", "TEMPERA_LOCAL_MODEL": "false"}
        app = stack.enter_context(app_server(folder / "data", 0, **settings))
        page = opened(stack.enter_context(chromium()).new_context(), f"{app.url}/?model={MODEL}")
        attach(page, noise(chosen.image_pixels))
        began = time.monotonic()
        for turn in range(1, chosen.turns + 1):
            ask(page, base_url, turn)
            if turn % LOOKED_AT == 0 or turn == 1:
                seen[turn] = resident_mb(app.process.pid)
                print(f"turn {turn}: {seen[turn]:.1f} MB, {time.monotonic() - began:.0f} s", flush=True)
        page.close()
    if {LOOKED_AT, chosen.turns} <= seen.keys():
        print(f"growth from turn {LOOKED_AT} to {chosen.turns}: {seen[chosen.turns] - seen[LOOKED_AT]:.1f} MB")


if __name__ == "__main__":
    main()
