"""The HTTP client of one upstream, and JSON from it with typed errors."""

import ssl
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http.cookiejar import CookieJar, DefaultCookiePolicy
from urllib.parse import quote

import aiohttp
import httpx

from tessera.adapters.inflating import ACCEPTED, InflatingTransport
from tessera.renderer.core.errors import SourceError, SourceGarbled, SourceTimeout, SourceTooLarge, SourceUnavailable

MAX_REPLY_BYTES = 2_000_000


def make_client(*, max_connections: int = 100, connect_s: float = 5.0, read_s: float = 5.0) -> httpx.AsyncClient:
    """Make a client with connections of its own: whoever waits for one upstream takes none from another.

    ``connect_s`` is how long to wait for a connection, be it a free or a new one, and ``read_s`` for each part of a
    reply. It follows no redirect, since hosts are fixed by the settings; takes no proxy and no password from the
    environment; and trusts the certificates that the system trusts. Connections are aiohttp's: httpx's own cost several
    times as much processor time for each request.
    """

    def session() -> aiohttp.ClientSession:
        connector = aiohttp.TCPConnector(limit=max_connections, keepalive_timeout=30.0)
        return aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar())

    return httpx.AsyncClient(
        transport=InflatingTransport(session, MAX_REPLY_BYTES),
        follow_redirects=False,
        trust_env=False,
        timeout=httpx.Timeout(read_s, connect=connect_s, pool=connect_s),
        headers={"user-agent": "tessera", "accept": "application/json", "accept-encoding": ACCEPTED},
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),  # none: all visitors share the client
    )


def fill_url(template: str, values: Mapping[str, object]) -> str:
    """Fill the ``{name}`` placeholders of an address, percent-encoding every value whole (RFC 3986)."""
    return template.format_map({name: quote(str(value), safe="") for name, value in values.items()})


async def get_json(client: httpx.AsyncClient, source: str, url: str, token: str | None) -> object | None:
    """Fetch a JSON document, None where the service knows no such thing (404).

    Raises `SourceTimeout`, `SourceUnavailable` (no connection, 5xx, 429), or `SourceGarbled` (any other status, not
    JSON; too large: `SourceTooLarge`).
    """
    headers = {"authorization": f"Bearer {token}"} if token else {}
    try:
        async with client.stream("GET", url, headers=headers) as reply:
            if reply.status_code == httpx.codes.NOT_FOUND:
                return None
            _expect_success(source, reply.status_code, reply.headers.get("retry-after"))
            body = bytearray()
            async for chunk in reply.aiter_bytes():
                body += chunk
                if len(body) > MAX_REPLY_BYTES:
                    body.clear()  # many may be refused in one turn of the event loop
                    raise SourceTooLarge(source, f"the reply is larger than {MAX_REPLY_BYTES:,} bytes")
    except httpx.DecodingError as failure:
        raise SourceGarbled(source, "the reply cannot be decompressed") from failure
    except (httpx.HTTPError, aiohttp.ClientError) as failure:
        raise _unanswered(source, failure) from failure
    return _decode(source, bytes(body))


def at(document: object, path: str) -> object:
    """Follow a dotted path into decoded JSON; empty is the document itself, and what is not there is None."""
    for name in path.split(".") if path else ():
        document = document.get(name) if isinstance(document, dict) else None
    return document


def _unanswered(source: str, failure: Exception) -> SourceError:
    """Say why there is no answer; the transport takes for timeouts what are none."""
    cause = failure if isinstance(failure, aiohttp.ClientError) else failure.__cause__
    match cause:
        case aiohttp.ClientConnectorCertificateError(certificate_error=ssl.SSLCertVerificationError() as wrong):
            return SourceUnavailable(source, f"its certificate is not valid ({wrong.verify_message})")
        case aiohttp.ServerTimeoutError():
            return SourceTimeout(source, "no reply in time")
        case aiohttp.ClientConnectorError():
            return SourceUnavailable(source, f"cannot be reached ({type(cause.os_error).__name__})")
        case aiohttp.ClientConnectionError() | aiohttp.ClientPayloadError():
            return SourceUnavailable(source, "broke off the connection")
    if isinstance(failure, httpx.TimeoutException):
        return SourceTimeout(source, "no reply in time")
    return SourceUnavailable(source, f"cannot be reached ({type(failure).__name__})")


def _expect_success(source: str, status: int, retry_after: str | None = None) -> None:
    if status == httpx.codes.OK:
        return
    said = f"answered with status {status}"
    if status in (httpx.codes.TOO_MANY_REQUESTS, httpx.codes.SERVICE_UNAVAILABLE):
        raise SourceUnavailable(source, said, retry_after_s(retry_after, datetime.now(UTC)))
    raise (SourceUnavailable if status >= 500 else SourceGarbled)(source, said)


def retry_after_s(said: str | None, now: datetime) -> float | None:
    """Read `Retry-After` (RFC 9110, section 10.2.3), a number of seconds or a date; None where it says neither."""
    said = (said or "").strip()
    if said.isascii() and said.isdigit():
        return float(said)
    try:
        at = parsedate_to_datetime(said)
    except ValueError:
        return None
    return max(0.0, (at.replace(tzinfo=at.tzinfo or UTC) - now).total_seconds())


def _decode(source: str, body: bytes) -> object:
    try:
        return httpx.Response(200, content=body).json()
    except (ValueError, RecursionError) as failure:
        raise SourceGarbled(source, "the reply is not JSON") from failure
