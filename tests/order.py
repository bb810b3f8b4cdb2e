"""In which order tests run, where several workers share them."""

from pytest import Item

BROWSERS = 2
"""So many workers start a browser: in one, its tests alone take longer than all others take in the other workers."""


def longest_first(items: list[Item], workers: int) -> list[Item]:
    """The tests of the browser before the others, and half of them first in the share of another worker.

    pytest-xdist's `worksteal` gives each worker a share of the list, one after another and as long as the others; who
    has none left takes from the end of another's."""
    in_browser = [item for item in items if "browser" in item.path.parts]
    others = [item for item in items if "browser" not in item.path.parts]
    half = len(in_browser) // min(BROWSERS, workers)
    before = max(0, len(items) // workers - half)
    return in_browser[:half] + others[:before] + in_browser[half:] + others[before:]
