"""The bytes of an answer, unpacked a little at a time where a service packs it though it was asked not to.

httpx unpacks all that has come at once, and as often as the answer's head says: a hundred kilobytes, packed twice, are
a hundred gigabytes.
"""

import zlib
from collections.abc import AsyncGenerator
from typing import cast

import httpx

MOST_AT_ONCE = 2**16
"""Bytes that are unpacked before whoever reads can say that it is enough."""
_PACKED = {"gzip", "deflate"}
_EITHER = zlib.MAX_WBITS | 32
"""zlib tells gzip and its own format apart by how they begin."""


def left_packed(response: httpx.Response) -> str:
    """How a body is packed that `chunks` leaves as it is; mostly ""."""
    packing = response.headers.get("content-encoding", "").strip().lower()
    return "" if packing in _PACKED or packing == "identity" else packing[:40]


def chunks(response: httpx.Response) -> AsyncGenerator[bytes, None]:
    """The body as it comes, in pieces that are not empty. What is packed in another way, or twice, stays as it is.
    Raises what httpx raises; whoever reads closes the response."""
    if response.headers.get("content-encoding", "").strip().lower() in _PACKED:
        return _unpacked(response)
    # Mostly nothing is packed: httpx's and ours would be two generators more for each piece.
    return cast(AsyncGenerator[bytes, None], aiter(cast(httpx.AsyncByteStream, response.stream)))


async def _unpacked(response: httpx.Response) -> AsyncGenerator[bytes, None]:
    unpack = zlib.decompressobj(_EITHER)
    async for chunk in response.aiter_raw():
        while not unpack.eof:  # nothing that comes behind the end is kept
            try:
                piece = unpack.decompress(chunk, MOST_AT_ONCE)
            except zlib.error as broken:
                raise httpx.DecodingError(str(broken)) from broken
            if piece:
                yield piece
            chunk = unpack.unconsumed_tail
            if not chunk and len(piece) < MOST_AT_ONCE:
                break
