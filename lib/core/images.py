"""Checks which images can go with a message, and encodes them as data URLs."""

import re
from base64 import b64decode, b64encode
from collections.abc import Sequence
from io import BytesIO

from PIL import Image

from lib.core.errors import InvalidInput
from lib.core.i18n import N_

MAX_BYTES = 5_000_000
MAX_IMAGES = 8
"""In one message; services differ, this is what all the large ones take."""
MAX_PIXELS = 50_000_000
KINDS = ("PNG", "JPEG", "WEBP", "GIF")
ENDINGS = ("png", "jpg", "jpeg", "webp", "gif")


_IN_TEXT = re.compile(r"data:image/[\w.+-]+;base64,[\w+/=]+")


def without_data(text: str) -> str:
    """A text with the word “image” where it has an image as data: a megabyte of it would be counted, and sent back, as
    words."""
    return _IN_TEXT.sub("image", text) if "data:image/" in text else text


def is_image(name: str, file: bytes) -> bool:
    """Whether a file is an image, or is called one."""
    return name.rpartition(".")[2].lower() in ENDINGS or _kind(file) is not None


def few_enough(urls: Sequence[str]) -> tuple[str, ...]:
    """`urls`; raises InvalidInput when they are too many for one message."""
    if len(urls) > MAX_IMAGES:
        raise InvalidInput(N_("At most {most} images can go with one message."), most=MAX_IMAGES)
    return tuple(urls)


def checked(url: str) -> str:
    """A data URL that came from elsewhere, written anew from the image in it; raises InvalidInput for any other URL."""
    head, _, encoded = url.partition(";base64,")
    if not head.startswith("data:image/"):
        raise InvalidInput(N_("An image has to be in the file itself, as a data URL: addresses are not fetched."))
    try:
        # Written anew: what else stood in the URL goes nowhere.
        return data_url(b64decode(encoded, validate=True))
    except ValueError:
        return data_url(b"")


def data_url(file: bytes) -> str:
    """`file` as a data URL; raises InvalidInput unless it is an image that services take. Its contents tell, not its
    name."""
    if len(file) > MAX_BYTES:
        raise InvalidInput(N_("The image is larger than {most} MB."), most=MAX_BYTES // 1_000_000)
    kind = _kind(file)
    if kind is None:
        raise InvalidInput(N_("This file is not an image of a kind that can be sent: PNG, JPEG, WebP or GIF."))
    return f"data:image/{kind};base64,{b64encode(file).decode()}"


def _kind(file: bytes) -> str | None:
    """What kind of image `file` is; None for what can't be sent. Only its head is read, so
    that a decompression bomb is never unpacked."""
    try:
        # Only these: Pillow has readers for dozens of kinds, and each is code that a hostile file reaches.
        with Image.open(BytesIO(file), formats=KINDS) as image:
            return str(image.format).lower() if image.width * image.height <= MAX_PIXELS else None
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None
