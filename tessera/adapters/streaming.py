"""Server-sent events of one address, listened to anew whenever they break off.

Source: html.spec.whatwg.org, "Server-sent events"; httpx-sse reads them. What an adapter's client bounds is a whole
reply: an event that is too large breaks the stream off, and so do many events together in the end. Either costs a
moment without a stream, in which nothing may be missed: whoever listens is told of each beginning.
"""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable

import aiohttp
import httpx
from httpx_sse import EventSource
from yarl import URL

from tessera.adapters.client import MAX_REPLY_BYTES, Client
from tessera.adapters.inflating import Spoilt, TooMuch, inflated

CONNECTING_S = 5.0
SILENCE_S = 300.0
"""For how long nothing at all may come, not even a comment that keeps the connection."""

FIRST_WAIT_S = 1.0
MAX_WAIT_S = 60.0
PATIENCE = aiohttp.ClientTimeout(sock_connect=CONNECTING_S, sock_read=SILENCE_S)
WANTED = {"accept": "text/event-stream", "cache-control": "no-store"}
log = logging.getLogger("tessera")


class EventStream:
    """One stream. It begins with `start`, and ends with `close` only."""

    def __init__(
        self,
        client: Client,
        url: str,
        begun: Callable[[], Awaitable[None]],
        heard: Callable[[str, str], Awaitable[None]],
    ) -> None:
        """``begun`` is awaited each time that the stream is there, then ``heard`` with each event's name and text.

        Neither is to raise.
        """
        self._client = client
        self._url = url
        self._begun = begun
        self._heard = heard
        self._listening: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Listen from now on; does nothing where that is so already."""
        if self._listening is None:
            self._listening = asyncio.create_task(self._listen())

    async def close(self) -> None:
        """Stop listening."""
        if self._listening is not None:
            self._listening.cancel()
            await asyncio.gather(self._listening, return_exceptions=True)

    async def _listen(self) -> None:
        clock, wait_s = asyncio.get_running_loop().time, 0.0
        while True:
            began_s, end = clock(), "ended"
            try:
                await self._hear()
            except (httpx.HTTPError, aiohttp.ClientError, Spoilt, TooMuch) as failure:
                end = f"broke off ({type(failure).__name__})"
            wait_s = next_wait_s(wait_s, clock() - began_s)
            log.info("the stream of %s %s; it is listened to again in %.0f s", URL(self._url).host, end, wait_s)
            await asyncio.sleep(random.uniform(wait_s / 2, wait_s))  # not all processes at once

    async def _hear(self) -> None:
        async with self._client.request("GET", self._url, headers=WANTED, timeout=PATIENCE) as reply:
            reply.raise_for_status()
            kind = {"content-type": reply.headers.get("content-type", "")}  # and not how it was compressed
            events = EventSource(httpx.Response(200, headers=kind, content=inflated(reply, MAX_REPLY_BYTES)))
            await self._begun()
            async for event in events.aiter_sse():
                await self._heard(event.event, event.data)


def next_wait_s(waited_s: float, stood_s: float) -> float:
    """Return for how long to leave a stream alone that stood so long, and was left alone so long before.

    Twice as long each time, up to a minute; one that stood for longer than that wait is back at the first.
    """
    return FIRST_WAIT_S if stood_s > waited_s else min(max(2 * waited_s, FIRST_WAIT_S), MAX_WAIT_S)
