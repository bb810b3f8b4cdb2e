"""A sweep of 200 calls, 16 at a time: Tempera beside bare httpx beside the ideal, in one run.

    python -m bench.sweep [--runs 3] [--stream]

The peers take turns, each time in a new process; the table shows medians. The makespan is from the first arrival to
the last finish in the upstream's own log; the ideal is max(total / 16, longest).
"""

import argparse
import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

from bench.peers import CONCURRENCY, PEERS, PROMPT, plan
from bench.upstream import ideal, timing

ROOT = Path(__file__).parents[1]
COLUMNS = ("makespan / ideal", "CPU s", "CPU ms per call", "peak MB", "lost")


@contextmanager
def upstream() -> Iterator[str]:
    """The service in a process of its own; its base URL."""
    command = [sys.executable, "-m", "bench.upstream"]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        try:
            yield process.stdout.readline().strip()
        finally:
            process.kill()


def asked(base_url: str, path: str) -> Any:
    """The JSON at one of the upstream's own paths."""
    with urllib.request.urlopen(base_url.removesuffix("/v1") + path) as answer:
        return json.load(answer)


def measured(peer: str, base_url: str, stream: bool) -> dict[str, float]:
    """One run of one peer, by column."""
    asked(base_url, "/__reset")
    command = [sys.executable, "-m", "bench.peers", peer, base_url, *(["--stream"] if stream else [])]
    said = json.loads(subprocess.run(command, cwd=ROOT, check=True, capture_output=True).stdout)
    log = asked(base_url, "/__log")
    makespan = max(one["finished"] or 0 for one in log) - min(one["arrived"] for one in log)
    calls = len(list(plan()))
    figures = (
        makespan / least(),
        said["cpu_all"],
        1000 * said["cpu_plan"] / calls,
        said["peak_mb"],
        calls - said["done"],
    )
    return dict(zip(COLUMNS, figures, strict=True))


def least() -> float:
    """The ideal makespan in seconds."""
    return ideal([timing(*one, PROMPT).total for one in plan()], CONCURRENCY)


def table(runs: dict[str, list[dict[str, float]]]) -> Iterator[str]:
    """The medians, as Markdown."""
    yield "| peer | " + " | ".join(COLUMNS) + " |"
    yield "|---" * (len(COLUMNS) + 1) + "|"
    for peer, figures in runs.items():
        middle = [median(one[column] for one in figures) for column in COLUMNS]
        yield f"| {peer} | {middle[0]:.3f} | {middle[1]:.2f} | {middle[2]:.2f} | {middle[3]:.0f} | {middle[4]:.0f} |"


def main() -> None:
    """Measure, and print the table."""
    options = argparse.ArgumentParser(description="Compare a sweep with bare httpx.")
    options.add_argument("--runs", type=int, default=3)
    options.add_argument("--stream", action="store_true")
    chosen = options.parse_args()
    runs: dict[str, list[dict[str, float]]] = {peer: [] for peer in PEERS}
    print(f"ideal {least():.2f} s, {chosen.runs} runs, {'streamed' if chosen.stream else 'not streamed'}", flush=True)
    with upstream() as base_url:
        for _ in range(chosen.runs):
            for peer in PEERS:
                runs[peer].append(measured(peer, base_url, chosen.stream))
    print(*table(runs), sep="\n")


if __name__ == "__main__":
    main()
