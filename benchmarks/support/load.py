"""A HTTP/1.1 load generator: a few connections, each sending its next request when the last is answered, or at a rate.

It runs in a process of its own, so that the server under test has a core to itself.
"""

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import uvloop

from support.canaries import is_whole, strangers

CONNECTIONS = 16


@dataclass(frozen=True, slots=True)
class Load:
    """What came of a load: answers each second, how many were not a 200, and latencies in milliseconds.

    Of ``answers`` in all, ``hits`` came out of a Varnish; ``distinct`` of them had different bodies. An answer that was
    broken off counts, and is a failure. Where pages are looked at, so is one that is not whole, and ``leaks`` are those
    in which another visitor's data stood. ``fallbacks`` say that something is not as it should be (`Tessera-Fallback`).
    ``latencies_ms`` are all of them, in order of size.
    """

    per_second: float
    failures: int
    p50_ms: float
    p99_ms: float
    answers: int
    hits: int
    distinct: int
    leaks: int
    fallbacks: int
    latencies_ms: Sequence[float]


class _Connection(asyncio.Protocol):
    """One connection. Requests are taken from a shared iterator until it ends."""

    def __init__(self, run: "_Run") -> None:
        self._run = run
        self._received = b""
        self._request = b""
        self._began = 0.0
        self._to_send: asyncio.TimerHandle | None = None
        self.closed = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.WriteTransport, transport)
        self._next()

    def data_received(self, data: bytes) -> None:
        self._received += data
        head = self._received.find(b"\r\n\r\n")
        if head < 0:
            return
        told = self._received[:head].lower() + b"\r\n"
        if len(self._received) >= head + 4 + int(_header(told, b"content-length: ")):
            self._run.answered(self._request, self._received[9:12], self._received[head + 4 :], self._began)
            # A hit names two transactions: this one, and the one that brought in the copy.
            self._run.hits += b" " in _header(told, b"x-varnish: ")
            self._run.fallbacks += b"\r\ntessera-fallback: " in told
            self._received = b""
            self._next()

    def connection_lost(self, error: Exception | None) -> None:
        if self._to_send is not None:
            self._to_send.cancel()  # it was idle, as servers let connections be for some seconds only
        elif self._request:
            self._run.answered(self._request, b"", b"", self._began)
        if not self.closed.done():
            self.closed.set_result(None)

    def _next(self) -> None:
        self._request = self._run.next_request() or b""
        if not self._request:
            self._transport.close()
            return
        self._began = time.perf_counter()
        if self._run.rate is None:
            self._transport.write(self._request)
            return
        due = self._run.due()
        early_s = due - self._began
        self._began = due  # waiting for a free connection is part of how long it took
        self._to_send = asyncio.get_running_loop().call_later(max(0.0, early_s), self._send)

    def _send(self) -> None:
        self._to_send = None
        self._transport.write(self._request)


class _Run:
    def __init__(
        self, requests: Sequence[bytes], seconds: float | None, rate: float | None, *, are_pages: bool
    ) -> None:
        self.rate = rate
        self._are_pages = are_pages
        self._requests = requests
        self._seconds = seconds
        self._sent = 0
        self.ended = False
        self._began = time.perf_counter()
        self.latencies: list[float] = []
        self.failures = 0
        self.leaks = 0
        self.fallbacks = 0
        self.hits = 0
        self.bodies: set[int] = set()

    def due(self) -> float:
        """Return when the request that was taken last is to be sent."""
        assert self.rate is not None
        return self._began + (self._sent - 1) / self.rate

    def next_request(self) -> bytes | None:
        if self._seconds is None:
            ended = self._sent >= len(self._requests)
        else:
            ended = time.perf_counter() - self._began > self._seconds
        self._sent += 1
        self.ended = self.ended or ended
        return None if ended else self._requests[(self._sent - 1) % len(self._requests)]

    def answered(self, request: bytes, status: bytes, body: bytes, began: float) -> None:
        self.latencies.append(time.perf_counter() - began)
        self.failures += status != b"200" or (self._are_pages and not is_whole(body))
        self.leaks += self._are_pages and bool(strangers(request, body))
        self.bodies.add(hash(body))

    def load(self) -> Load:
        took = time.perf_counter() - self._began
        ordered = [round(latency * 1000, 3) for latency in sorted(self.latencies)]
        p50, p99 = quantile(ordered, 0.5), quantile(ordered, 0.99)
        counts = len(ordered), self.hits, len(self.bodies), self.leaks, self.fallbacks
        return Load(len(ordered) / took, self.failures, p50, p99, *counts, ordered)


def quantile(ordered: Sequence[float], share: float) -> float:
    """Return what a ``share`` below 1 of the numbers, which are in order, do not exceed."""
    return ordered[int(len(ordered) * share)]


def _header(head: bytes, name: bytes) -> bytes:
    at = head.find(name)
    return head[at + len(name) : head.find(b"\r\n", at)] if at >= 0 else b""


async def _drive(port: int, run: _Run, connections: int) -> Load:
    async def keep() -> None:
        """Have a connection until the requests end, a new one where it is broken off."""
        while not run.ended:
            _, connection = await loop.create_connection(lambda: _Connection(run), "127.0.0.1", port)
            await connection.closed

    loop = asyncio.get_running_loop()
    await asyncio.gather(*(keep() for _ in range(connections)))
    return run.load()


def send(
    port: int,
    requests: Sequence[bytes],
    seconds: float | None = None,
    rate: float | None = None,
    *,
    connections: int = CONNECTIONS,
    are_pages: bool = False,
) -> Load:
    """Send the requests, each once, or round and round for some seconds, from another process.

    With a ``rate`` that many are sent each second, by the clock; latencies count from when each was due. Answers that
    ``are_pages`` are looked at by `support.canaries`.
    """
    texts = [request.decode("latin-1") for request in requests]
    asked = {"port": port, "connections": connections, "requests": texts}
    job = json.dumps(asked | {"seconds": seconds, "rate": rate, "are_pages": are_pages})
    command = [sys.executable, "-m", __name__]
    found = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    within_s = 120 + (seconds or 0)
    done = subprocess.run(command, input=job, env=found, capture_output=True, text=True, check=True, timeout=within_s)
    return Load(**json.loads(done.stdout))


def get(path: str, headers: dict[str, str]) -> bytes:
    """Write a GET request."""
    lines = [f"GET {path} HTTP/1.1", "Host: bench.example", *(f"{name}: {value}" for name, value in headers.items())]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


if __name__ == "__main__":
    given = json.load(sys.stdin)
    texts = [request.encode("latin-1") for request in given["requests"]]
    asked = _Run(texts, given["seconds"], given["rate"], are_pages=given["are_pages"])
    found = uvloop.run(_drive(given["port"], asked, given["connections"]))
    with os.fdopen(1, "w") as told:  # stdout itself may be unbuffered, and then loses what a pipe does not take at once
        told.write(json.dumps({name: getattr(found, name) for name in Load.__slots__}))
