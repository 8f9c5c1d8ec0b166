"""One client's connection: uvicorn's, which besides answers at once what is at hand, and lets go of whoever takes too
long or says too much.

uvicorn bounds how long a connection is idle between requests, but neither how long a request may be on its way nor how
long its head is, so that a few hundred clients who send a byte now and then could keep all others out ("slowloris").
"""

import asyncio
from collections.abc import Mapping
from typing import Any

from uvicorn._types import ASGI3Application
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, RequestResponseCycle

from tessera.draining import Draining
from tessera.joining import Joining
from tessera.renderer.front import NOT_AT_HAND, Front

MAX_PIPELINED = 64
"""Requests that may wait for the answers to those before them; proxies and browsers send none so."""

MAX_AT_ONCE = 16
"""Requests out of what arrives at once that are answered without giving others their turn."""

NOTHING: Mapping[str, object] = {}
CONTINUE = b"100-continue"
TOO_LONG = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\n"
    b"content-type: text/plain; charset=utf-8\r\n"
    b"cache-control: no-store\r\n"
    b"content-length: 26\r\n"
    b"connection: close\r\n\r\n"
    b"The headers are too long.\n"
)
"""RFC 6585, section 5."""


class Connection(Draining):
    """A connection that is looked at now and then: what costs nothing while requests come and go."""

    def __init__(self, *, request_s: float, max_head_bytes: int, **made: Any) -> None:
        """``request_s`` is how long a client may take for a request, in seconds; it is let go within twice that.

        So is one that takes nothing of its answer for as long. ``max_head_bytes`` bounds what is read of a request's
        line and headers, beyond what arrives at once.
        """
        super().__init__(**made)
        self._front = self.app if isinstance(self.app, Front) else None
        self._request_s = request_s
        self._max_head_bytes = max_head_bytes
        self._head_bytes = 0
        self._at_once = 0
        self._answering: RequestResponseCycle | None = None
        self._told: list[tuple[bytes, bytes]] | None = None
        self._looked_for: Mapping[str, object] = NOTHING
        self._stood: tuple[object, int] | None = None
        self._next_look: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's own
        """Begin to look after it."""
        super().connection_made(transport)
        self._next_look = self.loop.call_later(self._request_s, self._look)

    def connection_lost(self, exc: Exception | None) -> None:
        """Look no more, and have nothing written any more."""
        if self._next_look is not None:
            self._next_look.cancel()
        if self._answering is not None:  # uvicorn tells the request that came last, which may still wait its turn
            self._answering.disconnected = True
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        """Begin to read a request. What ASGI is to be told of it is put together only where it goes that way."""
        self.url = b""
        self.headers = []

    def on_header(self, name: bytes, value: bytes) -> None:
        """Note a header."""
        self.headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        """Answer at once where all is at hand: no task, no messages. Everything else goes the way of ASGI.

        `cycle` is then None, uvicorn's own word for a connection on which nothing is under way; that it is idle `_look`
        finds out.
        """
        answer = self._answer() if self._front is not None and self._is_plain() else None
        if answer is None:
            self._tell_asgi()
            super().on_headers_complete()
            return
        self._at_once += 1
        self.cycle = None  # type: ignore[assignment]  # as uvicorn itself begins
        self.server_state.total_requests += 1
        self.transport.write(answer)

    def _tell_asgi(self) -> None:
        """Begin the request anew as uvicorn does, with what was read of it."""
        url, headers = self.url, self.headers
        self._told = headers  # the scope may have others before long: whoever reads them there copies them
        super().on_message_begin()
        self.url, self.headers = url, headers
        self.scope["headers"] = headers
        self.scope.update(self._looked_for)  # type: ignore[typeddict-item]  # a key of our own
        self._looked_for = NOTHING
        self.expect_100_continue = any(name == b"expect" and value.lower() == CONTINUE for name, value in headers)

    def _is_plain(self) -> bool:
        """Tell whether this is a request whose answer would be the next thing to be written."""
        return (
            (self.cycle is None or self.cycle.response_complete)
            and not self.draining
            and self._at_once < MAX_AT_ONCE
            and not self.flow.write_paused
            and self.parser.get_method() == b"GET"
            and self.parser.get_http_version() == "1.1"
            and self.parser.should_keep_alive()
            and not self.parser.should_upgrade()
        )

    def _answer(self) -> bytes | None:
        """Return an answer as it goes on the wire, None where it takes the long way."""
        assert self._front is not None
        if b"%" in self.url or b"#" in self.url:
            return None
        path, _, query = self.url.partition(b"?")
        pipeline = self.app_state["pipeline"]
        timing = self._front.measuring.timing()
        found = self._front.at_hand(pipeline, path.decode("latin-1"), query, self.headers, timing)
        if found is None:
            self._looked_for = {NOT_AT_HAND: timing}
            return None
        headers, body = found
        lines = [*self.server_state.default_headers, *headers]
        head = b"\r\n".join(map(b": ".join, lines))
        if head.count(b"\r") + head.count(b"\n") > 2 * len(lines) - 2:  # no data may begin another header
            return None
        return b"%b%b\r\n\r\n%b" % (STATUS_LINE[200], head, body)

    def on_body(self, body: bytes) -> None:
        """Take a request's body, unless it has its answer."""
        if self.cycle is not None:
            super().on_body(body)

    def on_message_complete(self) -> None:
        """Take note of a request's end, unless it has its answer."""
        if self.cycle is not None:
            super().on_message_complete()

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        self._answering = cycle
        cycle.transport = Joining(cycle)
        super()._start_asgi_task(cycle, app)

    def data_received(self, data: bytes) -> None:
        """Read on, unless the head of a request has become too long, or too many requests wait."""
        begun = self.headers
        self._at_once = 0
        super().data_received(data)
        if len(self.pipeline) > MAX_PIPELINED:
            self.transport.abort()
        if self.headers is not begun or begun is None or self._told is begun:
            self._head_bytes = 0
            return
        self._head_bytes += len(data)
        if self._head_bytes > self._max_head_bytes and not self.transport.is_closing():
            self.transport.write(TOO_LONG)
            self.transport.close()

    def _look(self) -> None:
        """Let go of a client who has made no way since the last look: same request awaited, same answer not taken.

        Bytes of a request are no way made, for dripping them is the attack; bytes taken of an answer are.
        """
        self._next_look = self.loop.call_later(self._request_s, self._look)
        untaken = self.transport.get_write_buffer_size()
        cycle = self.cycle
        ours_to_answer = cycle is not None and not cycle.response_complete and not cycle.more_body
        stands = None if ours_to_answer and not untaken else (self.headers, untaken)
        if stands is not None and self._stood is not None and stands[0] is self._stood[0] and untaken == self._stood[1]:
            self.transport.abort()
        self._stood = stands
