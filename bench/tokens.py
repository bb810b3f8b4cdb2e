"""What one streamed token costs: our client beside openai-python, in one run.

    python -m bench.tokens [--runs 3] [--model steady-20000-1000]

Each peer reads the same answer in a process of its own; CPU is that of the reading alone, memory is what it added.
"""

import argparse
import asyncio
import json
import resource
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

from bench.sweep import upstream

ROOT = Path(__file__).parents[1]


async def tempera(base_url: str, model: str) -> int:
    """The characters of the answer, read as the app reads it."""
    from lib.core.parameters import Params
    from lib.core.reply import Reply
    from lib.core.request import ChatRequest, Message
    from lib.gateway.client import Client
    from lib.gateway.endpoints import Endpoint

    request = ChatRequest(model, (Message(role="user", content="hi"),), Params(stream=True))
    client, reply = Client(), Reply()
    async for delta in client.ask(Endpoint("bench", base_url), request):
        reply.add(delta)
    await client.aclose()
    return len(reply.choices[0].text)


async def openai(base_url: str, model: str) -> int:
    """The same with the official SDK."""
    from openai import AsyncOpenAI

    client = AsyncOpenAI(base_url=base_url, api_key="sk-bench")
    pieces = []
    messages = [{"role": "user", "content": "hi"}]
    async for chunk in await client.chat.completions.create(model=model, messages=messages, stream=True):  # type: ignore[arg-type, union-attr]
        if chunk.choices and chunk.choices[0].delta.content:
            pieces.append(chunk.choices[0].delta.content)
    return len("".join(pieces))


PEERS = {"Tempera": tempera, "openai-python": openai}


async def one(peer: str, base_url: str, model: str) -> dict[str, float]:
    """A short answer first, so that imports and connections are not counted."""
    await PEERS[peer](base_url, "steady-50-1000")
    before, began = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
    characters = await PEERS[peer](base_url, model)
    spent = time.process_time() - began
    added = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    return {"cpu": spent, "added": added, "characters": characters}


def measured(peer: str, base_url: str, model: str) -> dict[str, float]:
    """One run in a process of its own."""
    command = [sys.executable, "-m", "bench.tokens", "--peer", peer, "--url", base_url, "--model", model]
    said: dict[str, float] = json.loads(subprocess.run(command, cwd=ROOT, check=True, capture_output=True).stdout)
    return said


def main() -> None:
    """Measure in turns, and print the table."""
    options = argparse.ArgumentParser(description="CPU and memory for each token of a stream.")
    options.add_argument("--runs", type=int, default=3)
    options.add_argument("--model", default="steady-20000-1000")
    options.add_argument("--peer", choices=PEERS, help=argparse.SUPPRESS)
    options.add_argument("--url", help=argparse.SUPPRESS)
    given = options.parse_args()
    if given.peer:
        print(json.dumps(asyncio.run(one(given.peer, given.url, given.model))))
        return
    tokens = int(given.model.split("-")[1])
    took: dict[str, list[dict[str, float]]] = {peer: [] for peer in PEERS}
    with upstream() as base_url:
        for _ in range(given.runs):
            for peer in PEERS:
                took[peer].append(measured(peer, base_url, given.model))
    print("| client | CPU microseconds per token | memory added, MB | characters |", "|---|---|---|---|", sep="\n")
    for peer, runs in took.items():
        cpu, added = median(run["cpu"] for run in runs), median(run["added"] for run in runs)
        print(f"| {peer} | {cpu / tokens * 1e6:.0f} | {added:.1f} | {runs[0]['characters']:.0f} |")


if __name__ == "__main__":
    main()
