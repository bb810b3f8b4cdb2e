"""The clients that the sweep bench compares, each in a process of its own.

    python -m bench.peers NAME BASE_URL [--stream] [--large] [--history]

Imports stand inside the peers, so that none pays for another's.
"""

import argparse
import asyncio
import gc
import json
import resource
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

MODELS = tuple(f"model-{number}" for number in range(10))
TEMPERATURES = (0.0, 0.5, 1.0, 1.5, 2.0)
REPEATS = 4
CONCURRENCY = 16
LARGE = {"repeats": 40, "concurrency": 64}
"""2,000 calls, 64 at a time."""
PROMPT = "Tell me about the sea."


def plan(large: bool = False) -> Iterator[tuple[str, float]]:
    """Model and temperature of every call, in the order of the grid."""
    for model in MODELS:
        for temperature in TEMPERATURES:
            yield from [(model, temperature)] * (LARGE["repeats"] if large else REPEATS)


def tempera(base_url: str, stream: bool, large: bool = False, history: bool = False) -> tuple[int, float]:
    """The app's own way, as its Sweep page goes it: every call is recorded, on disk, as it starts and as it ends. With
    `history` the same sweep was run before, and only the second run is measured."""
    from pydantic import SecretStr

    from lib.core.parameters import Params
    from lib.gateway.endpoints import name_of
    from lib.services import Services
    from lib.settings import Settings
    from lib.sweep.plan import Plan
    from lib.sweep.run import SweepRun

    repeats, places = (LARGE["repeats"], LARGE["concurrency"]) if large else (REPEATS, CONCURRENCY)
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(
            base_url=base_url, api_key=SecretStr("sk-bench"), data_dir=Path(folder), local_model=False, endpoints={}
        )
        services = Services.open(settings)
        models = tuple(f"{name_of(base_url)}/{model}" for model in MODELS)
        asked = Plan(PROMPT, models, TEMPERATURES, "", repeats, places, Params(stream=stream))
        # The app does the same at its start: the garbage collector leaves alone what is there by then.
        gc.collect()
        gc.freeze()
        # What is slow only once, the app does at its start: statements are compiled, the tokens' vocabulary is read.
        first = Plan("Ready?", (f"{name_of(base_url)}/fast",), (0.0,), "", 4, 1, Params(stream=stream))
        for before in (first, asked) if history else (first,):
            run = SweepRun(f"before-{before.size}", "bench", "bench", before, before.cells("before"))
            services.sweeps.start(run)
            run.wait_until_finished(900)
        urllib.request.urlopen(base_url.removesuffix("/v1") + "/__reset").close()
        began = time.process_time()
        run = SweepRun("bench", "bench", "bench", asked, list(asked.cells("bench")))
        services.sweeps.start(run)
        run.wait_until_finished(900)
        spent = time.process_time() - began
        query = "SELECT count(*) FROM calls WHERE state = 'ok' AND sweep_id = 'bench'"
        done = int(services.store.read(lambda db: db.exec_driver_sql(query).scalar()) or 0)
        services.close()
    return done, spent


def bare_httpx(base_url: str, stream: bool, large: bool = False, history: bool = False) -> tuple[int, float]:
    """The least that does the work: one AsyncClient, a semaphore, nothing recorded; what is refused is lost."""
    import httpx

    async def ask(client: httpx.AsyncClient, gate: asyncio.Semaphore, model: str, temperature: float) -> bool:
        messages = [{"role": "user", "content": PROMPT}]
        body: dict[str, Any] = {"model": model, "messages": messages, "temperature": temperature, "stream": stream}
        async with gate, client.stream("POST", f"{base_url}/chat/completions", json=body) as response:
            if not stream:
                return bool(json.loads(await response.aread()).get("choices"))
            pieces = [line[6:] async for line in response.aiter_lines() if line.startswith("data: {")]
            return bool("".join(json.loads(piece)["choices"][0]["delta"].get("content", "") for piece in pieces))

    async def run() -> tuple[int, float]:
        gate = asyncio.Semaphore(LARGE["concurrency"] if large else CONCURRENCY)
        async with httpx.AsyncClient(timeout=None, trust_env=False) as client:
            began = time.process_time()
            answers = await asyncio.gather(*(ask(client, gate, *one) for one in plan(large)))
            return sum(answers), time.process_time() - began

    return asyncio.run(run())


PEERS = {"tempera": tempera, "httpx": bare_httpx}


def main() -> None:
    """Run one peer and print its figures: calls done, CPU seconds in the plan and in all, and the peak in MB."""
    options = argparse.ArgumentParser(description="Run the plan once.")
    options.add_argument("peer", choices=PEERS)
    options.add_argument("base_url")
    options.add_argument("--stream", action="store_true")
    options.add_argument("--large", action="store_true")
    options.add_argument("--history", action="store_true")
    chosen = options.parse_args()
    done, spent = PEERS[chosen.peer](chosen.base_url, chosen.stream, chosen.large, chosen.history)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024**2 if sys.platform == "darwin" else 1024)
    print(json.dumps({"done": done, "cpu_plan": spent, "cpu_all": time.process_time(), "peak_mb": peak}))


if __name__ == "__main__":
    main()
