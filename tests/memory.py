"""How much memory a piece of work takes at its peak, in a process of its own."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
_MEASURE = """
import resource, sys
from pathlib import Path
{imports}
def work(data):
    try:
        {work}
    except Exception as error:
        return type(error).__name__
    return "fine"
work({warm!r})
data = Path(sys.argv[1]).read_bytes()
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(work(data), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


def growth(path: Path, data: bytes, imports: str, work: str, warm: bytes = b"") -> tuple[str, float]:
    """How `work`, a statement about `data`, ended ("fine" or its error's name), and the megabytes that it took beyond
    `data` themselves; `warm` goes through it first. `path` is where the data may be put meanwhile."""
    path.write_bytes(data)
    code = _MEASURE.format(imports=imports, work=work, warm=warm)
    ended = subprocess.run(
        [sys.executable, "-c", code, str(path)], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    )
    how, kilobytes = ended.stdout.split()
    return how, int(kilobytes) / 1024
