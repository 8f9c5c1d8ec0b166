"""A stand-in for an upstream that speaks HTTP: a real socket, which answers as told and fails in every way there is."""

import asyncio
import gzip
import json
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import Any, Literal, NamedTuple, Self, get_args

import aiohttp
from yarl import URL

from tessera.adapters.client import Client

Fault = Literal[
    "slow", "cut off", "hung up", "garbled", "too large", "bomb", "rate limited", "failing", "refused", "redirected"
]
FAULTS: tuple[Fault, ...] = get_args(Fault)
ELSEWHERE = "https://elsewhere.example/"
PATIENCE_S = 20.0
"""How long connections are waited for that are to open or to end."""


class Asked(NamedTuple):
    """A request as the adapter meant it: its method, its address before the stand-in took its place, and its body."""

    method: str
    url: URL
    body: bytes

    def mentions(self, text: str) -> bool:
        """Tell whether a text stands anywhere in the address or the body, decoded."""
        return text in f"{self.url.path} {dict(self.url.query)} {self.body.decode(errors='replace')}"


@dataclass(frozen=True, slots=True)
class Reply:
    """What an upstream answers: JSON, or bytes as they are."""

    content: object = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)

    def encoded(self) -> bytes:
        """Return it as it goes over the wire, the connection to be kept."""
        body = self.content if isinstance(self.content, bytes) else json.dumps(self.content).encode()
        headers = {"content-type": "application/json", "content-length": str(len(body)), **self.headers}
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        return f"HTTP/1.1 {self.status} Said\r\n{lines}\r\n".encode() + body


class StandIn:
    """Listens on the loopback interface. Every request of its `client` goes to it, whatever host it names."""

    def __init__(self, answer: Callable[[Asked], Reply]) -> None:
        """``answer`` says what is answered while no ``fault`` is on, or ``instead`` if that is set.

        ``mangled`` numbers a way of spoiling it; ``hanging`` counts the requests that wait for an answer in vain.
        """
        self.fault: Fault | None = None
        self.instead: Reply | None = None
        self.mangled: int | None = None
        self.hanging = 0
        self.asked: list[Asked] = []
        self._answer = answer
        self._port = 0
        self._open: set[asyncio.Task[None]] = set()
        self._changed = asyncio.Condition()

    @classmethod
    @asynccontextmanager
    async def listening(cls, answer: Callable[[Asked], Reply]) -> AsyncIterator[Self]:
        """Listen until the end of the block."""
        stand_in = cls(answer)
        server = await asyncio.start_server(stand_in._serve, "127.0.0.1", 0)
        stand_in._port = server.sockets[0].getsockname()[1]
        try:
            yield stand_in
        finally:
            server.close()
            for task in stand_in._open:
                task.cancel()
            await asyncio.gather(*stand_in._open, return_exceptions=True)

    def client(self) -> Client:
        """Return a client that sends everything here. What is asked is noted as it was meant."""
        return _Rerouted(self)

    def note(self, method: str, url: str, body: bytes) -> tuple[str, dict[str, str]]:
        """Note what is asked of whomever. Returns the address to ask instead, and headers that name the request."""
        self.asked.append(Asked(method, URL(url, encoded=url.isascii()), body))
        return f"http://127.0.0.1:{self._port}/", {"x-stand-in": str(len(self.asked) - 1)}

    @property
    def connections(self) -> int:
        """How many connections are open."""
        return len(self._open)

    async def wait_until(self, condition: Callable[[], bool]) -> None:
        """Return once a condition on connections and hanging requests holds. Raises TimeoutError after `PATIENCE_S`."""
        async with asyncio.timeout(PATIENCE_S), self._changed:
            await self._changed.wait_for(condition)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._open.add(task)
        try:
            while await self._serve_one(reader, writer):
                pass
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # whoever asked is gone
        finally:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()
            self._open.discard(task)
            async with self._changed:
                self._changed.notify_all()

    async def _serve_one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Answer one request; False where the connection ends with it."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        fields = dict(line.split(": ", 1) for line in head.split("\r\n")[1:] if ": " in line)
        await reader.readexactly(int(fields.get("content-length", 0)))
        fault = self.fault
        if fault == "slow":
            await self._keep_waiting(reader)
            return False
        if fault == "hung up":
            return False
        asked = self.asked[int(fields["x-stand-in"])]
        reply = _FAULTY[fault] if fault in _FAULTY else self.instead or self._answer(asked)
        if self.mangled is not None and not isinstance(reply.content, bytes):
            ways = list(spoilt(reply.content))
            reply = replace(reply, content=ways[self.mangled % len(ways)])
        said = reply.encoded()
        if fault == "cut off":
            said = said[: max(said.find(b"\r\n\r\n") + 4, len(said) - 1)] if reply.content else said[:-1]
        writer.write(said)
        await writer.drain()
        return fault != "cut off"

    async def _keep_waiting(self, reader: asyncio.StreamReader) -> None:
        """Answer nothing, until whoever asked goes."""
        await self._count_hanging(1)
        try:
            await reader.read()
        finally:
            await self._count_hanging(-1)

    async def _count_hanging(self, more: int) -> None:
        self.hanging += more
        async with self._changed:
            self._changed.notify_all()


class _Rerouted(Client):
    def __init__(self, stand_in: StandIn) -> None:
        super().__init__()
        self._stand_in = stand_in

    def request(
        self, method: str, url: str, *, headers: Mapping[str, str], body: bytes | None = None, **more: Any
    ) -> AbstractAsyncContextManager[aiohttp.ClientResponse]:
        elsewhere, mark = self._stand_in.note(method, url, body or b"")
        return super().request(method, elsewhere, headers={**headers, **mark}, body=body, **more)


_FAULTY: Mapping[Fault | None, Reply] = {
    "garbled": Reply(b"<html>"),
    "too large": Reply(b'"' + b"x" * 20_000_000 + b'"'),
    "bomb": Reply(gzip.compress(b" " * 50_000_000, 9), headers={"content-encoding": "gzip"}),
    "rate limited": Reply({"error": "slow down"}, 429, {"retry-after": "3600"}),
    "failing": Reply({"error": "oh no"}, 503),
    "refused": Reply({"error": "who are you?"}, 401),
    "redirected": Reply(b"", 302, {"location": ELSEWHERE}),
}

ODDITIES: tuple[object, ...] = (None, 7, -1.5, True, "text", "", [], [None], {}, {"odd": [[]]})


def spoilt(document: object) -> Iterator[object]:
    """Yield a JSON document with one of its parts, from the whole to the smallest, replaced or gone, in every way."""
    yield from ODDITIES
    if isinstance(document, list):
        for index, part in enumerate(document):
            yield from ([*document[:index], other, *document[index + 1 :]] for other in spoilt(part))
    if isinstance(document, dict):
        for name, part in document.items():
            yield {key: value for key, value in document.items() if key != name}
            yield from ({**document, name: other} for other in spoilt(part))
