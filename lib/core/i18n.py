"""Marks English sentences that live outside the page, so that the catalogues find them."""


def N_(text: str) -> str:
    """Return `text` unchanged; the page translates it when it is shown (gettext's deferred form)."""
    return text
