"""An upstream that misbehaves on real sockets, in whichever way it is told to."""

import asyncio
import gzip
import ssl
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from copy import copy
from functools import cache
from random import Random
from types import TracebackType
from typing import Self

DRIP_S = 0.02
BOMB_BYTES = 64 * 1024 * 1024
Behave = Callable[["Faulty", asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Faulty:
    """One HTTP/1.1 server on the loopback interface.

    ``behaviour`` is one of `BEHAVIOURS`, and may be changed at any time; it holds for a ``share`` of the requests, and
    the others get a good answer. ``calls`` counts requests, and ``called`` is set by the first; ``connections`` are
    those that are open now.
    """

    def __init__(
        self,
        body: bytes = b"{}",
        *,
        tell: Callable[[str], bytes] | None = None,
        tls: ssl.SSLContext | None = None,
        seed: int = 0,
    ) -> None:
        """``body`` is the JSON of a good answer; with ``tell``, that of what a request's target names."""
        self.behaviour = "answer"
        self.share = 1.0
        self.delay_s = 0.05
        self.body = body
        self.calls = 0
        self.called = asyncio.Event()
        self.connections = 0
        self._random = Random(seed)
        self._tell = tell
        self._tls = tls
        self._port = 0
        self._server: asyncio.Server | None = None
        self._serving: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        """Its address, without a slash at the end."""
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self._port}"

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, raised: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def start(self) -> None:
        """Listen, on the same port as before if it did so before."""
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", self._port, ssl=self._tls)
        self._port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Refuse connections, and break off those that are open."""
        assert self._server is not None
        self._server.close()
        for serving in tuple(self._serving):
            serving.cancel()
        await asyncio.gather(*self._serving, return_exceptions=True)
        await self._server.wait_closed()

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        serving = asyncio.ensure_future(self._serve(reader, writer))
        self._serving.add(serving)
        serving.add_done_callback(self._serving.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError, ssl.SSLError):
                while not writer.is_closing():
                    head = await reader.readuntil(b"\r\n\r\n")
                    self.calls += 1
                    self.called.set()
                    await _skip_body(head, reader)
                    faulty = self.share >= 1 or self._random.random() < self.share
                    await BEHAVIOURS[self.behaviour if faulty else "answer"](self._asked(head), reader, writer)
        finally:
            self.connections -= 1
            writer.close()

    def _asked(self, head: bytes) -> "Faulty":
        """Return itself as it answers one request: with the body that is told there."""
        if self._tell is None:
            return self
        asked = copy(self)
        asked.body = self._tell(head.split(b" ", 2)[1].decode())
        return asked


async def _skip_body(head: bytes, reader: asyncio.StreamReader) -> None:
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            await reader.readexactly(int(line.partition(b":")[2]))


def _reply(body: bytes, status: str = "200 OK", length: int | None = None, **headers: str) -> bytes:
    told = {"content-type": "application/json", "content-length": str(len(body) if length is None else length)}
    told |= {name.replace("_", "-"): value for name, value in headers.items()}
    head = "".join(f"{name}: {value}\r\n" for name, value in told.items())
    return f"HTTP/1.1 {status}\r\n{head}\r\n".encode() + body


async def _send(writer: asyncio.StreamWriter, sent: bytes, *, close: bool = False) -> None:
    writer.write(sent)
    await writer.drain()
    if close:
        writer.close()


async def _answer(faulty: Faulty, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A good answer."""
    await _send(writer, _reply(faulty.body))


async def _slow(faulty: Faulty, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A good answer after ``delay_s``."""
    await asyncio.sleep(faulty.delay_s)
    await _send(writer, _reply(faulty.body))


async def _hang(faulty: Faulty, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Nothing, until the other side gives up."""
    await reader.read()
    writer.close()


async def _drip(faulty: Faulty, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """An answer without end, a byte at a time."""
    await _send(writer, _reply(b"", length=1_000_000))
    while True:
        await _send(writer, b" ")
        await asyncio.sleep(DRIP_S)


async def _drip_head(faulty: Faulty, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Headers without end, a byte at a time."""
    await _send(writer, b"HTTP/1.1 200 OK\r\nx-drip: ")
    while True:
        await _send(writer, b"x")
        await asyncio.sleep(DRIP_S)


async def _reset(faulty: Faulty, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """The connection is gone."""
    writer.transport.abort()


async def _cut(faulty: Faulty, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Half of an answer, then the end."""
    await _send(writer, _reply(faulty.body[: len(faulty.body) // 2], length=len(faulty.body)), close=True)


async def _garbage(faulty: Faulty, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """What is not HTTP."""
    await _send(writer, bytes(range(256)) + b"\r\n\r\n", close=True)


async def _nonsense(faulty: Faulty, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """What is not JSON."""
    await _send(writer, _reply(b"<html>sorry</html>"))


async def _too_short(faulty: Faulty, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """More than the length that was told: what is over stands where the next answer begins."""
    await _send(writer, _reply(faulty.body + b"HTTP/1.1 200 OK\r\n\r\n", length=len(faulty.body)))


async def _bomb(faulty: Faulty, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Some kilobytes that inflate to `BOMB_BYTES`."""
    await _send(writer, _reply(bomb(), content_encoding="gzip"))


async def _endless(faulty: Faulty, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """An answer without end, as fast as it is taken."""
    await _send(writer, b"HTTP/1.1 200 OK\r\n\r\n")
    while True:
        await _send(writer, b" " * 65_536)


async def _error(faulty: Faulty, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A failure of the service's own."""
    await _send(writer, _reply(b"", "500 Internal Server Error"))


async def _busy(faulty: Faulty, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Asked too often: leave it alone for a second."""
    await _send(writer, _reply(b"", "429 Too Many Requests", retry_after="1"))


async def _redirect(faulty: Faulty, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Elsewhere: to an address that would tell if anybody came."""
    await _send(writer, _reply(b"", "302 Found", location=f"{faulty.url}/elsewhere"))


BEHAVIOURS: Mapping[str, Behave] = {
    "answer": _answer,
    "slow": _slow,
    "hang": _hang,
    "drip": _drip,
    "drip_head": _drip_head,
    "reset": _reset,
    "cut": _cut,
    "garbage": _garbage,
    "nonsense": _nonsense,
    "too_short": _too_short,
    "bomb": _bomb,
    "endless": _endless,
    "error": _error,
    "busy": _busy,
    "redirect": _redirect,
}


@cache
def bomb() -> bytes:
    """Make the bomb, in a quarter of a second."""
    return gzip.compress(bytes(BOMB_BYTES), 9)
