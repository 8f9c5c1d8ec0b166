"""The HTTP client of one upstream, and JSON from it with typed errors."""

import ssl
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Literal
from urllib.parse import quote

import aiohttp
import httpx

from tessera.adapters.inflating import ACCEPTED, InflatingTransport
from tessera.renderer.core.carried import trace_headers
from tessera.renderer.core.errors import SourceError, SourceGarbled, SourceTimeout, SourceTooLarge, SourceUnavailable

MAX_REPLY_BYTES = 2_000_000
DELETED = (202, 204, 404)
"""Statuses, beside 200, that say of a deletion: it will be, it is, there is nothing to delete."""


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


@dataclass(frozen=True, slots=True)
class Call:
    """One request to a service: ``body`` is sent as JSON where there is one."""

    method: Literal["GET", "POST", "DELETE"]
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: object = None


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back: a status that the caller understands, and its JSON. Other than 200 it may have none."""

    status: int
    document: object
    headers: Mapping[str, str]

    @property
    def retry_after_s(self) -> float | None:
        """For how many seconds the service wants to be left alone, None where it does not say."""
        return retry_after_s(self.headers.get("retry-after"), datetime.now(UTC))


def fill_url(template: str, values: Mapping[str, object]) -> str:
    """Fill the ``{name}`` placeholders of an address, percent-encoding every value whole (RFC 3986).

    A value of one or two dots alone would climb up the path (section 5.2.4), encoded or not: it is encoded twice, which
    is the name of nobody.
    """
    return template.format_map({name: _encoded(str(value)) for name, value in values.items()})


async def get_json(client: httpx.AsyncClient, source: str, url: str, token: str | None) -> object | None:
    """Fetch a JSON document, None where the service knows no such thing (404).

    Raises `SourceTimeout`, `SourceUnavailable` (no connection, 5xx, 429), or `SourceGarbled` (any other status, not
    JSON; too large: `SourceTooLarge`).
    """
    reply = await ask_json(client, source, Call("GET", url, bearer(token) if token else {}), (httpx.codes.NOT_FOUND,))
    return reply.document if reply.status == httpx.codes.OK else None


async def ask_json(client: httpx.AsyncClient, source: str, call: Call, understood: Collection[int] = ()) -> Reply:
    """Make a call for JSON, as part of the request's trace.

    ``understood`` are the statuses beside 200 that mean something to the caller. A deletion's reply need not be JSON.

    Raises as `get_json` does; where the service says when it wants to be asked again, `SourceUnavailable` tells.
    """
    headers = {**trace_headers(), **call.headers}
    try:
        async with client.stream(call.method, call.url, headers=headers, json=call.body) as reply:
            if reply.status_code not in understood:
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
    needed = reply.status_code == httpx.codes.OK and call.method != "DELETE"
    return Reply(reply.status_code, _decode(source, bytes(body), needed=needed), reply.headers)


def bearer(token: str) -> dict[str, str]:
    """Return the header that carries a bearer token (RFC 6750)."""
    return {"authorization": f"Bearer {token}"}


def at(document: object, path: str) -> object:
    """Follow a dotted path into decoded JSON; empty is the document itself, and what is not there is None."""
    for name in path.split(".") if path else ():
        document = document.get(name) if isinstance(document, dict) else None
    return document


def _encoded(value: str) -> str:
    return value.replace(".", "%252E") if value in (".", "..") else quote(value, safe="")


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


def _decode(source: str, body: bytes, *, needed: bool) -> object:
    try:
        return httpx.Response(200, content=body).json()
    except (ValueError, RecursionError) as failure:
        if not needed:
            return None
        raise SourceGarbled(source, "the reply is not JSON") from failure
