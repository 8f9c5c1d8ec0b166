"""Replies that may be compressed, within a bound that holds for what comes out: no small reply fills the memory.

A part of some kilobytes can hold many megabytes of zeros.
"""

import zlib
from collections.abc import AsyncIterator
from typing import Protocol

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
    decompressor = _decompressor(reply.headers.get("content-encoding", ""))
    left, begun, part = max_bytes, False, b""
    try:
        async for chunk in reply.content.iter_any():
            begun = True
            while chunk or len(part) == PIECE_BYTES:
                part = decompressor.decompress(chunk, PIECE_BYTES)
                chunk = decompressor.unconsumed_tail
                left -= len(part)
                if left < 0:
                    raise TooMuch
                yield part
    except zlib.error as failure:
        raise Spoilt from failure
    if begun and not decompressor.eof:
        raise Spoilt


class _Decompressor(Protocol):
    @property
    def eof(self) -> bool: ...

    @property
    def unconsumed_tail(self) -> bytes: ...

    def decompress(self, data: bytes, max_length: int, /) -> bytes: ...


class _AsItIs:
    """What is not compressed."""

    eof = True
    unconsumed_tail = b""

    def decompress(self, data: bytes, max_length: int, /) -> bytes:
        self.unconsumed_tail = data[max_length:]
        return data[:max_length]


def _decompressor(encoding: str) -> _Decompressor:
    match encoding.strip().lower():
        case "" | "identity":
            return _AsItIs()
        case "gzip" | "x-gzip" | "deflate":
            return zlib.decompressobj(GZIP_OR_ZLIB)
        case _:
            raise Spoilt
