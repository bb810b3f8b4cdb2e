"""In which order tests run, where several workers share them."""

from pytest import Item


def longest_first(items: list[Item]) -> list[Item]:
    """The tests of the browser before the others: in one worker, as each that has some starts a browser.

    pytest-xdist's `worksteal` gives each worker a share of the list, one after another and as long as the others; who
    has none left takes from the end of another's."""
    return sorted(items, key=lambda item: "browser" not in item.path.parts)
