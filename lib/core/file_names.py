"""Makes a file's name out of any text, one that Windows, macOS and Linux all take."""

import re
from unicodedata import category, normalize

MOST_BYTES = 120
"""Of a name without its ending: file systems take 255, and people put their own beside it."""
_FORBIDDEN = re.compile(r'[<>:"/\\|?*]')
_DEVICES = re.compile(r"(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(\..*)?", re.IGNORECASE)
"""What Windows takes for a device, whatever its ending."""


def file_name(text: str, ending: str, otherwise: str) -> str:
    """`text` as the name of a file that ends in `.ending`; `otherwise` where nothing of it can be used."""
    shown = "".join(" " if category(sign)[0] in "CZ" else sign for sign in normalize("NFC", text))
    name = " ".join(_FORBIDDEN.sub(" ", shown).split())
    # Cut between characters; Windows takes no dot or blank at the end, and a dot at the beginning hides a file.
    name = name.encode()[:MOST_BYTES].decode("utf-8", "ignore").strip(". ")
    if _DEVICES.fullmatch(name):
        name = f"_{name}"
    return f"{name or otherwise}.{ending}"
