"""Replies that may be compressed, within a bound that holds for what comes out: no small reply fills the memory.

A part of some kilobytes can hold many megabytes of zeros.
"""

import zlib
from collections.abc import AsyncIterator

import aiohttp

ACCEPTED = "gzip, deflate"
"""What is asked for (RFC 9110, section 12.5.3); anything else in a reply is refused."""

PIECE_BYTES = 65_536
"""What is inflated at once: whoever refuses a reply lets go of it some turns of the event loop later."""

GZIP_OR_ZLIB = zlib.MAX_WBITS | 32
"""Both containers, told apart by their first bytes (zlib's manual, `inflateInit2`)."""


class TooMuch(Exception):
    """A body holds more than is read of it."""


class Spoilt(Exception):
    """A body is not what its encoding says, or is in one that was not asked for."""


async def inflated(reply: aiohttp.ClientResponse, max_bytes: int) -> AsyncIterator[bytes]:
    """Yield the parts of a body as they were before it was compressed.

    Raises `TooMuch` as soon as there are more than ``max_bytes`` in all, `Spoilt`, or `aiohttp.ClientError`.
    """
    pieces = _pieces(reply.content.iter_any(), reply.headers.get("content-encoding", "").strip().lower())
    left = max_bytes
    async for piece in pieces:
        left -= len(piece)
        if left < 0:
            raise TooMuch
        yield piece


def _pieces(chunks: AsyncIterator[bytes], encoding: str) -> AsyncIterator[bytes]:
    if encoding in ("", "identity"):
        return chunks
    if encoding in ("gzip", "x-gzip", "deflate"):
        return _decompressed(chunks)
    raise Spoilt


async def _decompressed(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    decompressor, begun, piece = zlib.decompressobj(GZIP_OR_ZLIB), False, b""
    try:
        async for chunk in chunks:
            begun = True
            while chunk or len(piece) == PIECE_BYTES:
                piece = decompressor.decompress(chunk, PIECE_BYTES)
                chunk = decompressor.unconsumed_tail
                yield piece
    except zlib.error as failure:
        raise Spoilt from failure
    if begun and not decompressor.eof:
        raise Spoilt
