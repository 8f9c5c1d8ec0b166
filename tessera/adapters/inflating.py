"""Replies that may be compressed, within a bound that holds for what comes out: no small reply fills the memory.

httpx inflates each part of a reply whole, and a part of some kilobytes can hold many megabytes of zeros.
"""

import ssl
import zlib
from collections.abc import AsyncIterator, Callable
from typing import Protocol

import aiohttp
import httpx
from httpx_aiohttp import AiohttpTransport

ACCEPTED = "gzip, deflate"
"""What is asked for (RFC 9110, section 12.5.3); anything else in a reply is refused."""

PIECE_BYTES = 65_536
"""What is inflated at once: whoever refuses a reply lets go of it some turns of the event loop later."""

GZIP_OR_ZLIB = zlib.MAX_WBITS | 32
"""Both containers, told apart by their first bytes (zlib's manual, `inflateInit2`)."""


class InflatingTransport(AiohttpTransport):
    """aiohttp's connections, with bodies inflated and bounded before anybody sees them."""

    def __init__(self, session: Callable[[], aiohttp.ClientSession], max_bytes: int) -> None:
        """``session`` makes what connects; of a reply, ``max_bytes`` and one more are handed on at most."""
        unused = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # else one is loaded, in a tenth of a second, and not used
        super().__init__(verify=unused, client=session)
        self._max_bytes = max_bytes

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request. Reading the reply raises `httpx.DecodingError` where it is more, or not what it says."""
        reply = await super().handle_async_request(request)
        assert isinstance(reply.stream, httpx.AsyncByteStream)
        stream = Inflated(reply.stream, reply.headers.get("content-encoding", ""), self._max_bytes)
        headers = [(name, value) for name, value in reply.headers.raw if name.lower() != b"content-encoding"]
        return httpx.Response(reply.status_code, headers=headers, stream=stream, extensions=reply.extensions)


class Inflated(httpx.AsyncByteStream):
    """A body as it was before it was compressed, up to ``max_bytes`` and one more."""

    def __init__(self, stream: httpx.AsyncByteStream, encoding: str, max_bytes: int) -> None:
        self._stream = stream
        self._encoding = encoding
        self._max_bytes = max_bytes

    async def __aiter__(self) -> AsyncIterator[bytes]:
        decompressor = _decompressor(self._encoding)
        left, begun, part = self._max_bytes + 1, False, b""
        try:
            async for chunk in self._stream:
                begun = True
                while chunk or len(part) == PIECE_BYTES:
                    part = decompressor.decompress(chunk, min(left, PIECE_BYTES))
                    chunk = decompressor.unconsumed_tail
                    left -= len(part)
                    yield part
                    if left <= 0:
                        raise httpx.DecodingError(f"a reply of more than {self._max_bytes:,} bytes")
        except zlib.error as failure:
            raise httpx.DecodingError("a reply that cannot be decompressed") from failure
        if begun and not decompressor.eof:
            raise httpx.DecodingError("a compressed reply that ends too early")

    async def aclose(self) -> None:
        """Let go of the connection."""
        await self._stream.aclose()


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
            raise httpx.DecodingError("a reply in an encoding that was not asked for")
