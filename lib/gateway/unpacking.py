"""The bytes of an answer, unpacked a little at a time where a service packs it though it was asked not to.

httpx unpacks all that has come at once, and as often as the answer's head says: a hundred kilobytes, packed twice, are
a hundred gigabytes.
"""

import zlib
from collections.abc import AsyncGenerator

import httpx

MOST_AT_ONCE = 2**16
"""Bytes that are unpacked before whoever reads can say that it is enough."""
_PACKED = {"gzip", "deflate"}
_EITHER = zlib.MAX_WBITS | 32
"""zlib tells gzip and its own format apart by how they begin."""


async def chunks(response: httpx.Response) -> AsyncGenerator[bytes, None]:
    """The body as it comes, in pieces that are not empty. What is packed in another way, or twice, stays as it is.
    Raises what httpx raises."""
    packed = response.headers.get("content-encoding", "").strip().lower() in _PACKED
    unpack = zlib.decompressobj(_EITHER) if packed else None
    async for chunk in response.aiter_raw():
        if unpack is None:
            yield chunk
            continue
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
