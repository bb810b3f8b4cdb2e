"""Images that go with a message: which ones can, and how they are sent."""

from base64 import b64encode
from collections.abc import Iterable

from lib.errors import InvalidInput
from lib.words import N_

MAX_BYTES = 5_000_000
MAX_IMAGES = 8
"""In one message; services differ, this is what all the large ones take."""
ENDINGS = ("png", "jpg", "jpeg", "webp", "gif")


def data_urls(files: Iterable[bytes]) -> list[str]:
    """Files as data URLs; raises InvalidInput unless all of them can go with one message."""
    found = [data_url(file) for file in files]
    if len(found) > MAX_IMAGES:
        raise InvalidInput(N_("At most {most} images can go with one message."), most=MAX_IMAGES)
    return found


def data_url(file: bytes) -> str:
    """`file` as a data URL; raises InvalidInput unless it is an image that services take. Its first bytes tell, not its
    name."""
    if len(file) > MAX_BYTES:
        raise InvalidInput(N_("The image is larger than {most} MB."), most=MAX_BYTES // 1_000_000)
    kind = _kind(file)
    if kind is None:
        raise InvalidInput(N_("This file is not an image of a kind that can be sent: PNG, JPEG, WebP or GIF."))
    return f"data:image/{kind};base64,{b64encode(file).decode()}"


def _kind(file: bytes) -> str | None:
    if file.startswith(b"\x89PNG\r\n\x1a\n"):
        return "png"
    if file.startswith(b"\xff\xd8\xff"):
        return "jpeg"
    if file.startswith((b"GIF87a", b"GIF89a")):
        return "gif"
    return "webp" if file[:4] == b"RIFF" and file[8:12] == b"WEBP" else None
