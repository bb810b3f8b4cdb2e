"""How many answers a second the practice model gives, with as many requests at once as a sweep has.

    python -m bench.practice [--answers 12] [--tokens 60] [--at-once 4]

One answer warms up; then each temperature in turn. CPU seconds are the model's own process.
"""

import argparse
import asyncio
import time

import psutil

from lib.core.parameters import Params
from lib.core.request import ChatRequest, Message
from lib.gateway.client import Client
from lib.practice.endpoint import LocalModel
from lib.practice.server import MODEL

PROMPT = "Name a new flavour of ice cream and praise it in one sentence."


async def _ask(client: Client, model: LocalModel, temperature: float, tokens: int) -> int:
    """One answer; its tokens."""
    params = Params(temperature=temperature, max_tokens=tokens, stream=True)
    written = 0
    async for delta in client.ask(model, ChatRequest(MODEL, (Message(role="user", content=PROMPT),), params)):
        written = (delta.usage and delta.usage.completion_tokens) or written
    return written


async def _measure(client: Client, model: LocalModel, temperature: float, chosen: argparse.Namespace) -> str:
    """A row of the table."""
    assert model.supervisor.child
    process = psutil.Process(model.supervisor.child.process.pid)
    waiting, written = iter(range(chosen.answers)), []

    async def some() -> None:
        for _ in waiting:
            written.append(await _ask(client, model, temperature, chosen.tokens))

    began, used = time.monotonic(), sum(process.cpu_times()[:2])
    await asyncio.gather(*(some() for _ in range(chosen.at_once)))
    seconds, cpu = time.monotonic() - began, sum(process.cpu_times()[:2]) - used
    figures = (chosen.answers / seconds, sum(written) / seconds, cpu / chosen.answers)
    return f"| {temperature} | {chosen.answers} | {figures[0]:.2f} | {figures[1]:.0f} | {figures[2]:.2f} |"


async def _run(chosen: argparse.Namespace) -> None:
    client, model = Client(), LocalModel()
    try:
        await _ask(client, model, 1, chosen.tokens)
        print("| temperature | answers | answers/s | tokens/s | CPU s per answer |\n|---|---|---|---|---|", flush=True)
        for temperature in (0, 1):
            print(await _measure(client, model, temperature, chosen), flush=True)
    finally:
        await client.aclose()
        model.close()


def main() -> None:
    """Measure, and print the table."""
    options = argparse.ArgumentParser(description="Measure the practice model.")
    options.add_argument("--answers", type=int, default=12)
    options.add_argument("--tokens", type=int, default=60)
    options.add_argument("--at-once", type=int, default=4)
    asyncio.run(_run(options.parse_args()))


if __name__ == "__main__":
    main()
