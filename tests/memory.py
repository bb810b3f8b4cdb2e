"""How much memory a piece of work takes at its peak, in a process of its own."""

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parents[1]
_MEASURE = """
import json, resource, sys
from pathlib import Path
{imports}
def work(data):
    try:
        {work}
    except Exception as error:
        return type(error).__name__
    return "fine"
work({warm!r})
def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
before = peak()
for path in map(Path, sys.argv[1:]):
    data = path.read_bytes()
    print(json.dumps([work(data), peak() - before - len(data) // 1024]))
    del data
"""


def growth(path: Path, data: bytes, imports: str, work: str, warm: bytes = b"") -> tuple[str, float]:
    """How `work`, a statement about `data`, ended ("fine" or its error's name), and the megabytes that it took beyond
    `data` themselves; `warm` goes through it first. `path` is where the data may be put meanwhile."""
    path.write_bytes(data)
    return growths([path], imports, work, warm)[0]


def growths(files: Sequence[Path], imports: str, work: str, warm: bytes = b"") -> list[tuple[str, float]]:
    """`growth` for each of the files, in one process; each figure is at least its own and at most the largest so far.
    Give them in the order of their size, the smallest first, as a peak is that of all before, too."""
    code = _MEASURE.format(imports=imports, work=work, warm=warm)
    command = [sys.executable, "-c", code, *map(str, files)]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=600)
    said = [json.loads(line) for line in ended.stdout.splitlines()]
    return [(how, kilobytes / 1024) for how, kilobytes in said]
