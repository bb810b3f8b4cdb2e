"""What the cookies of a shared Tempera are signed with. It has to be the same after a restart: who signed in before
is known by it, and with it the chats."""

import os
import secrets
from contextlib import suppress
from pathlib import Path

from lib.core.errors import SettingsError
from lib.core.i18n import N_

FILE = "cookie-secret"
LEAST_CHARACTERS = 32


def cookie_secret(given: str, folder: Path) -> str:
    """The operator's, else the one that the first start has put into the data folder. Raises SettingsError for one that
    can be guessed, and where the file can't be kept."""
    if given and len(given) < LEAST_CHARACTERS:
        raise SettingsError(
            N_("TEMPERA_COOKIE_SECRET is shorter than {least} characters."),
            N_("Leave it out, or set a long random text, the same for every process."),
            least=LEAST_CHARACTERS,
        )
    return given or _kept(folder / FILE)


def _kept(file: Path) -> str:
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with suppress(FileExistsError):
            _write(file)
        secret = file.read_text("ascii").strip()
    except (OSError, UnicodeDecodeError):
        secret = ""
    if len(secret) < LEAST_CHARACTERS:
        raise SettingsError(
            N_("The secret that cookies are signed with can't be kept in the data folder."),
            N_("Make the folder writable, or set TEMPERA_COOKIE_SECRET to a long random text."),
        )
    return secret


def _write(file: Path) -> None:
    """The file whole or not at all, for its owner alone: of two processes that start at once, the first one's counts;
    raises FileExistsError for the second."""
    draft = file.with_name(f"{FILE}-{secrets.token_hex(8)}")
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
            out.write(secrets.token_urlsafe(48))
        os.link(draft, file)
    finally:
        draft.unlink(missing_ok=True)
