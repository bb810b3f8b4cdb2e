"""Marks English sentences outside the pages for translation."""


def N_(text: str) -> str:
    """Return `text` unchanged; the page translates it when it is shown (gettext's deferred form)."""
    return text
