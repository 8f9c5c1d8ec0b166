"""Vendors as respx has them, behind a socket, and what tests of their adapters send and read of what was sent."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import aiohttp
import httpx
import respx
from aiohttp import web
from aiohttp.test_utils import TestServer

from tessera.adapters.client import Client

WITHIN = "visitor-17"
MEANT = "x-meant"
PATIENCE_S = 60.0
"""For what ends by itself, however busy the machine."""

FRAMING = ("host", "connection", "content-length", "transfer-encoding", MEANT)


class _Rerouted(Client):
    def __init__(self, url: str, read_s: float) -> None:
        super().__init__(connect_s=PATIENCE_S, read_s=read_s)
        self._url = url

    def request(
        self, method: str, url: str, *, headers: Mapping[str, str], **more: Any
    ) -> AbstractAsyncContextManager[aiohttp.ClientResponse]:
        return super().request(method, self._url, headers={**headers, MEANT: url}, **more)


@asynccontextmanager
async def behind_a_socket(read_s: float = PATIENCE_S) -> AsyncIterator[Client]:
    """Open a client whose requests go to a socket that answers as respx says (`respx.mock(using="httpx")`).

    A timeout of httpx that respx raises lets it hang, any other exception breaks off the connection.
    """

    async def answer(asked: web.Request) -> web.Response:
        body = await asked.read()
        async with httpx.AsyncClient(verify=False, headers={}) as vendors:
            meant = vendors.build_request(asked.method, asked.headers[MEANT], content=body or None)
            meant.headers = httpx.Headers({"host": meant.url.host, **_own(asked.headers)})
            try:
                reply = await vendors.send(meant, stream=True)
                assert isinstance(reply.stream, httpx.AsyncByteStream)
                said = b"".join([part async for part in reply.stream])
            except httpx.TimeoutException:
                await asyncio.Event().wait()
            except httpx.TransportError:
                assert asked.transport is not None
                asked.transport.abort()
                await asyncio.Event().wait()
        return web.Response(status=reply.status_code, headers=_own(reply.headers), body=said)

    vendor = web.Application(handler_args={"handler_cancellation": True})
    vendor.router.add_route("*", "/", answer)
    async with TestServer(vendor) as server, _Rerouted(str(server.make_url("/")), read_s) as client:
        yield client


def body_of(route: respx.Route, call: int = -1) -> Any:
    """Return the JSON that was sent."""
    return json.loads(route.calls[call].request.content)


def _own(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items() if name.lower() not in FRAMING}
