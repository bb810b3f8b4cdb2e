"""Make the password of a shared Tempera: `python scripts/password.py` asks for it and prints the setting."""

import getpass
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))  # the modules below are found by it

from lib.access.password import LEAST_CHARACTERS, MOST_CHARACTERS, hashed


def asked() -> str:
    """The password, typed twice where somebody types; ends with a sentence where it can't be used."""
    if not sys.stdin.isatty():
        typed = again = sys.stdin.readline().rstrip("\n")
    else:
        typed, again = getpass.getpass("Password: "), getpass.getpass("Once more: ")
    if typed != again:
        sys.exit("These are two different passwords.")
    if not LEAST_CHARACTERS <= len(typed) <= MOST_CHARACTERS:
        sys.exit(f"Take at least {LEAST_CHARACTERS} characters: four words that have nothing to do with each other.")
    return typed


if __name__ == "__main__":
    # In single quotes: a shell, and a file that one reads, would take “$” for a variable.
    print(f"TEMPERA_PASSWORD_HASH='{hashed(asked())}'")
