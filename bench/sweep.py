"""A sweep of 200 calls, 16 at a time: Tempera beside bare httpx beside the ideal, in one run.

    python -m bench.sweep [--runs 3] [--stream] [--history] [--large] [--vary] [--rate 1] [--once 0.1] [--told seconds]

The peers take turns, each time in a new process; the table shows medians. The makespan is from the first arrival to
the last finish in the upstream's own log; the ideal is max(total / 16, longest), and behind a rate also what each
model's bucket allows. The pause is from one call's end to the arrival of the next one in its place, on average. With a
rate or `--once` only Tempera runs, as bare httpx loses what is refused. `--large` is a sweep of 2,000 calls, 64 at a
time. See `bench.upstream` for what is refused and told.
"""

import argparse
import json
import subprocess
import sys
import urllib.request
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import fmean, median
from typing import Any

from bench.peers import CONCURRENCY, LARGE, PEERS, PROMPT, plan
from bench.upstream import ideal, numbered, timing

ROOT = Path(__file__).parents[1]
COLUMNS = ("makespan / ideal", "pause ms", "CPU s", "CPU ms per call", "peak MB", "lost", "refused")


@contextmanager
def upstream(*options: str) -> Iterator[str]:
    """The service in a process of its own; its base URL."""
    command = [sys.executable, "-m", "bench.upstream", *options]
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


def measured(peer: str, base_url: str, chosen: argparse.Namespace) -> dict[str, float]:
    """One run of one peer, by column."""
    asked(base_url, "/__reset")
    flags = [f"--{name}" for name in ("stream", "large", "history") if getattr(chosen, name)]
    command = [sys.executable, "-m", "bench.peers", peer, base_url, *flags]
    said = json.loads(subprocess.run(command, cwd=ROOT, check=True, capture_output=True).stdout)
    log = asked(base_url, "/__log")
    makespan = max(one["finished"] or 0 for one in log) - min(one["arrived"] for one in log)
    calls = len(list(plan(chosen.large)))
    figures = (
        makespan / least(chosen),
        1000 * pause(log, LARGE["concurrency"] if chosen.large else CONCURRENCY),
        said["cpu_all"],
        1000 * said["cpu_plan"] / calls,
        said["peak_mb"],
        calls - said["done"],
        sum(one["refused"] for one in log),
    )
    return dict(zip(COLUMNS, figures, strict=True))


def pause(log: list[dict[str, Any]], concurrency: int) -> float:
    """Seconds from a call's end until the next one arrives in its place, on average."""
    taken = [one for one in log if not one["refused"]]
    ends, begins = (sorted(one[name] for one in taken) for name in ("finished", "arrived"))
    return fmean(begin - end for end, begin in zip(ends, begins[concurrency:], strict=False))


def least(chosen: argparse.Namespace) -> float:
    """The ideal makespan in seconds."""
    times: dict[str, list[float]] = defaultdict(list)
    numbers: Counter[tuple[str, float]] = Counter()
    for model, temperature in plan(chosen.large):
        numbers[model, temperature] += 1
        prompt = numbered(PROMPT, numbers[model, temperature]) if chosen.vary else PROMPT
        times[model].append(timing(model, temperature, prompt).total)
    every = [seconds for some in times.values() for seconds in some]
    best = ideal(every, LARGE["concurrency"] if chosen.large else CONCURRENCY)
    if not chosen.rate:
        return best
    # The longest first, each as soon as the bucket has one for it.
    size = max(1.0, chosen.rate)
    held = [
        max(0.0, (number + 1 - size) / chosen.rate) + seconds
        for some in times.values()
        for number, seconds in enumerate(sorted(some, reverse=True))
    ]
    return float(max(best, *held))


def table(runs: dict[str, list[dict[str, float]]]) -> Iterator[str]:
    """The medians, as Markdown."""
    yield "| peer | " + " | ".join(COLUMNS) + " |"
    yield "|---" * (len(COLUMNS) + 1) + "|"
    for peer, figures in runs.items():
        middle = [median(one[column] for one in figures) for column in COLUMNS]
        few = " | ".join(f"{one:.0f}" for one in middle[4:])
        yield f"| {peer} | {middle[0]:.3f} | {middle[1]:.1f} | {middle[2]:.2f} | {middle[3]:.2f} | {few} |"


def main() -> None:
    """Measure, and print the table."""
    options = argparse.ArgumentParser(description="Compare a sweep with bare httpx.")
    options.add_argument("--runs", type=int, default=3)
    for flag in ("--stream", "--large", "--history", "--vary"):
        options.add_argument(flag, action="store_true")
    options.add_argument("--rate", type=float, default=0.0)
    options.add_argument("--once", type=float, default=0.0)
    options.add_argument("--told", choices=("seconds", "exactly", "nothing"), default="seconds")
    chosen = options.parse_args()
    peers = ["tempera"] if chosen.rate or chosen.once else list(PEERS)
    runs: dict[str, list[dict[str, float]]] = {peer: [] for peer in peers}
    print(f"ideal {least(chosen):.2f} s, {vars(chosen)}", flush=True)
    manner = ["--vary"] if chosen.vary else []
    with upstream(f"--rate={chosen.rate}", f"--once={chosen.once}", f"--told={chosen.told}", *manner) as base_url:
        for _ in range(chosen.runs):
            for peer in peers:
                runs[peer].append(measured(peer, base_url, chosen))
    print(*table(runs), sep="\n")


if __name__ == "__main__":
    main()
