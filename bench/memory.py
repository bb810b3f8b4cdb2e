"""How much the server grows over a long chat with an image: its resident memory after so many turns.

    python -m bench.memory [--turns 300] [--image-bytes 3200000]

The services answer as in the app, without pages; the upstream runs in a process of its own.
"""

import argparse
import gc
import secrets
import tempfile
import time
from base64 import b64encode
from pathlib import Path

import psutil
from pydantic import SecretStr

from bench.sweep import upstream
from lib.calls.runner import Answer
from lib.chat.form import Form
from lib.core.contract import Params
from lib.services import Services
from lib.settings import Settings

MODEL = "fast"


def resident_mb() -> float:
    """The memory that this process really takes, in MB."""
    gc.collect()
    return float(psutil.Process().memory_info().rss) / 2**20


def one_turn(services: Services, chat_id: str | None, form: Form, images: list[str]) -> str:
    """Ask and wait for the whole answer; the chat's id."""
    chat_id = services.conversation("ann", "bench", chat_id).say("And now?", form, images)
    for job in services.dispatcher.jobs.running():
        assert job.wait_until_finished(60) and isinstance(job, Answer) and job.outcome and job.outcome.state == "ok"
    return chat_id


def main() -> None:
    """Measure, and print a line every 25 turns."""
    options = argparse.ArgumentParser(description="Measure memory over a long chat.")
    options.add_argument("--turns", type=int, default=300)
    options.add_argument("--image-bytes", type=int, default=3_200_000)
    chosen = options.parse_args()
    image = "data:image/png;base64," + b64encode(secrets.token_bytes(chosen.image_bytes)).decode()
    seen: dict[int, float] = {}
    with upstream() as base_url, tempfile.TemporaryDirectory() as folder:
        key = SecretStr("sk-test-key-0001")
        services = Services.open(Settings(data_dir=Path(folder), base_url=base_url, api_key=key, local_model=False))
        name = services.registry.endpoints("ann")[0].name
        form, chat_id = Form(model=f"{name}/{MODEL}", system="", params=Params(stream=True), others=()), None
        began = time.monotonic()
        for turn in range(1, chosen.turns + 1):
            chat_id = one_turn(services, chat_id, form, [image] if turn == 1 else [])
            if turn % 25 == 0:
                seen[turn] = resident_mb()
                print(f"turn {turn}: {seen[turn]:.0f} MB, {time.monotonic() - began:.0f} s", flush=True)
        services.close()
    if {50, chosen.turns} <= seen.keys():
        print(f"growth from turn 50 to {chosen.turns}: {seen[chosen.turns] - seen[50]:.1f} MB")


if __name__ == "__main__":
    main()
