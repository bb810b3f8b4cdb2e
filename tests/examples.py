"""How many examples a property is tried with: a twentieth of them with every change, other ones each time; all by
`make soak`."""

import os

ALL = "TEMPERA_TEST_ALL_EXAMPLES"
FEWEST = 5


def examples(full: int) -> int:
    """So many of `full` examples as this run takes."""
    return full if os.environ.get(ALL) else min(full, max(FEWEST, full // 20))
