"""One HTTP client for all upstreams, and JSON from them with typed errors."""

from collections.abc import Mapping
from http.cookiejar import CookieJar, DefaultCookiePolicy
from urllib.parse import quote

import aiohttp
import httpx
from httpx_aiohttp import AiohttpTransport

from tessera.renderer.core.errors import SourceError, SourceGarbled, SourceTimeout, SourceUnavailable

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


def fill_url(template: str, values: Mapping[str, object]) -> str:
    """Fill the ``{name}`` placeholders of an address, percent-encoding every value whole (RFC 3986).

    A value of one or two dots alone would climb up the path (section 5.2.4), encoded or not: it is encoded twice, which
    is the name of nobody.
    """
    return template.format_map({name: _encoded(str(value)) for name, value in values.items()})


async def get_json(client: httpx.AsyncClient, source: str, url: str, token: str | None) -> object | None:
    """Fetch a JSON document, None where the service knows no such thing (404).

    Raises `SourceTimeout`, `SourceUnavailable` (no connection, 5xx, 429), or `SourceGarbled` (any other status, not
    JSON, too large).
    """
    headers = {"authorization": f"Bearer {token}"} if token else {}
    try:
        async with client.stream("GET", url, headers=headers) as reply:
            if reply.status_code == httpx.codes.NOT_FOUND:
                return None
            _expect_success(source, reply.status_code)
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
    return _decode(source, bytes(body))


def at(document: object, path: str) -> object:
    """Follow a dotted path into decoded JSON; empty is the document itself, and what is not there is None."""
    for name in path.split(".") if path else ():
        document = document.get(name) if isinstance(document, dict) else None
    return document


def _encoded(value: str) -> str:
    return value.replace(".", "%252E") if value in (".", "..") else quote(value, safe="")


def _make_session() -> aiohttp.ClientSession:
    connector = aiohttp.TCPConnector(limit=200, keepalive_timeout=30.0)
    return aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar())


def _is_broken_off(cause: BaseException | None) -> bool:
    """Tell whether a failure that the transport takes for a timeout is a connection that upstream closed."""
    return isinstance(cause, aiohttp.ClientConnectionError) and not isinstance(cause, TimeoutError)


def _expect_success(source: str, status: int) -> None:
    if status == httpx.codes.OK:
        return
    failure: type[SourceError] = SourceGarbled
    if status >= 500 or status == httpx.codes.TOO_MANY_REQUESTS:
        failure = SourceUnavailable
    raise failure(source, f"answered with status {status}")


def _decode(source: str, body: bytes) -> object:
    try:
        return httpx.Response(200, content=body).json()
    except (ValueError, RecursionError) as failure:
        raise SourceGarbled(source, "the reply is not JSON") from failure
