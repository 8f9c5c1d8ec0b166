"""One HTTP client for all upstreams, and JSON from them with typed errors."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Literal
from urllib.parse import quote

import aiohttp
import httpx
from httpx_aiohttp import AiohttpTransport

from tessera.adapters.purging import retry_after_s
from tessera.renderer.core.errors import SourceGarbled, SourceTimeout, SourceUnavailable

MAX_REPLY_BYTES = 2_000_000


def make_client() -> httpx.AsyncClient:
    """Make the client that all adapters share. It follows no redirect: hosts are fixed by the settings.

    Connections are aiohttp's: httpx's own cost several times as much processor time for each request.
    """
    return httpx.AsyncClient(
        transport=AiohttpTransport(client=_make_session),
        follow_redirects=False,
        timeout=httpx.Timeout(5.0),
        headers={"user-agent": "tessera", "accept": "application/json"},
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),  # none: all visitors share the client
    )


@dataclass(frozen=True, slots=True)
class Call:
    """One request to a service: ``body`` is sent as JSON where there is one."""

    method: Literal["GET", "POST"]
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: object = None


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back: a status that the caller understands, and its JSON. Other than 200 it may have none."""

    status: int
    document: object


def fill_url(template: str, values: Mapping[str, object]) -> str:
    """Fill the ``{name}`` placeholders of an address, percent-encoding every value whole (RFC 3986)."""
    return template.format_map({name: quote(str(value), safe="") for name, value in values.items()})


async def get_json(client: httpx.AsyncClient, source: str, url: str, token: str | None) -> object | None:
    """Fetch a JSON document, None where the service knows no such thing (404).

    Raises `SourceTimeout`, `SourceUnavailable` (no connection, 5xx, 429), or `SourceGarbled` (any other status, not
    JSON, too large).
    """
    reply = await ask_json(client, source, Call("GET", url, bearer(token) if token else {}), (httpx.codes.NOT_FOUND,))
    return reply.document if reply.status == httpx.codes.OK else None


async def ask_json(client: httpx.AsyncClient, source: str, call: Call, understood: Collection[int] = ()) -> Reply:
    """Make a call for JSON. ``understood`` are the statuses beside 200 that mean something to the caller.

    Raises as `get_json` does; where the service says when it wants to be asked again, `SourceUnavailable` tells.
    """
    try:
        async with client.stream(call.method, call.url, headers=dict(call.headers), json=call.body) as reply:
            if reply.status_code not in understood:
                _expect_success(source, reply)
            body = bytearray()
            async for chunk in reply.aiter_bytes():
                body += chunk
                if len(body) > MAX_REPLY_BYTES:
                    raise SourceGarbled(source, f"the reply is larger than {MAX_REPLY_BYTES:,} bytes")
    except httpx.TimeoutException as failure:
        if _is_broken_off(failure.__cause__):
            raise SourceUnavailable(source, "broke off the connection") from failure
        raise SourceTimeout(source, "no reply in time") from failure
    except httpx.DecodingError as failure:
        raise SourceGarbled(source, "the reply cannot be decompressed") from failure
    except (httpx.HTTPError, aiohttp.ClientError) as failure:
        raise SourceUnavailable(source, f"cannot be reached ({type(failure).__name__})") from failure
    return Reply(reply.status_code, _decode(source, bytes(body), needed=reply.status_code == httpx.codes.OK))


def bearer(token: str) -> dict[str, str]:
    """Return the header that carries a bearer token (RFC 6750)."""
    return {"authorization": f"Bearer {token}"}


def at(document: object, path: str) -> object:
    """Follow a dotted path into decoded JSON; empty is the document itself, and what is not there is None."""
    for name in path.split(".") if path else ():
        document = document.get(name) if isinstance(document, dict) else None
    return document


def _make_session() -> aiohttp.ClientSession:
    connector = aiohttp.TCPConnector(limit=200, keepalive_timeout=30.0)
    return aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar())


def _is_broken_off(cause: BaseException | None) -> bool:
    """Tell whether a failure that the transport takes for a timeout is a connection that upstream closed."""
    return isinstance(cause, aiohttp.ClientConnectionError) and not isinstance(cause, TimeoutError)


def _expect_success(source: str, reply: httpx.Response) -> None:
    status = reply.status_code
    if status >= 500 or status == httpx.codes.TOO_MANY_REQUESTS:
        raise SourceUnavailable(source, f"answered with status {status}", retry_after_s(reply))
    if status != httpx.codes.OK:
        raise SourceGarbled(source, f"answered with status {status}")


def _decode(source: str, body: bytes, *, needed: bool) -> object:
    try:
        return httpx.Response(200, content=body).json()
    except (ValueError, RecursionError) as failure:
        if not needed:
            return None
        raise SourceGarbled(source, "the reply is not JSON") from failure
