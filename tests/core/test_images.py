"""Images that can go with a message: what is one, and what only looks like one."""

from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from lib.core import images
from lib.core.errors import InvalidInput


def image(kind: str, width: int = 2, height: int = 2) -> bytes:
    file = BytesIO()
    Image.new("1" if width > 1_000 else "RGB", (width, height)).save(file, kind)
    return file.getvalue()


def test_an_image_is_sent_as_what_it_is(subtests: pytest.Subtests) -> None:
    for kind in ["png", "jpeg", "webp", "gif"]:
        with subtests.test(kind=kind):
            assert images.data_url(image(kind)).startswith(f"data:image/{kind};base64,")
            assert images.checked(images.data_url(image(kind))) == images.data_url(image(kind))


@pytest.mark.row("T23")
def test_what_only_looks_like_an_image_is_refused(subtests: pytest.Subtests) -> None:
    for file in [
        b"",
        b"\x89PNG\r\n\x1a\n",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"GIF89a<script>alert(1)</script>",
        image("bmp"),
        image("png")[:20],
        image("png", 9_000, 6_000),  # fewer than Pillow itself refuses
        image("png") + bytes(images.MAX_BYTES),
    ]:
        with subtests.test(file=file[:40]), pytest.raises(InvalidInput):
            images.data_url(file)


@pytest.mark.row("T23")
@given(
    st.binary(max_size=100), st.sampled_from([b"", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF89a", b"RIFF0000WEBP"])
)
def test_any_bytes_are_an_image_or_refused(rest: bytes, head: bytes) -> None:
    try:
        assert images.data_url(head + rest).startswith("data:image/")
    except InvalidInput:
        return
