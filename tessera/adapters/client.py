"""The HTTP client of one upstream, and JSON from it with typed errors."""

import asyncio
import json
import ssl
from collections.abc import Collection, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache
from http import HTTPStatus
from typing import Literal, Self
from urllib.parse import quote

import aiohttp
from yarl import URL

from tessera.adapters.inflating import ACCEPTED, Spoilt, TooMuch, inflated
from tessera.renderer.core.carried import trace_headers
from tessera.renderer.core.errors import SourceError, SourceGarbled, SourceTimeout, SourceTooLarge, SourceUnavailable

MAX_REPLY_BYTES = 1_000_000
LARGE_BYTES = 131_072
LARGE_AT_ONCE = 4
"""How many replies of one upstream that are larger than `LARGE_BYTES` are read at the same time."""

DELETED = (202, 204, 404)
"""Statuses, beside 200, that say of a deletion: it will be, it is, there is nothing to delete."""

HEADERS = {"user-agent": "tessera", "accept": "application/json", "accept-encoding": ACCEPTED}


class Client:
    """HTTP with one upstream, over connections of its own: whoever waits for one upstream takes none from another.

    It follows no redirect, since hosts are fixed by the settings; takes no proxy and no password from the environment;
    keeps no cookie, since it asks for all visitors; and trusts the certificates that the system trusts.
    """

    def __init__(self, *, max_connections: int = 100, connect_s: float = 5.0, read_s: float = 5.0) -> None:
        """``connect_s`` is how long to wait for a connection, be it a free or a new one.

        ``read_s`` is how long to wait for each part of a reply.
        """
        self._max_connections = max_connections
        self._timeout = aiohttp.ClientTimeout(connect=connect_s, sock_connect=connect_s, sock_read=read_s)
        self._session: aiohttp.ClientSession | None = None
        self.turn_to_read = asyncio.Semaphore(LARGE_AT_ONCE)

    def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        body: bytes | None = None,
        timeout: aiohttp.ClientTimeout | None = None,
    ) -> AbstractAsyncContextManager[aiohttp.ClientResponse]:
        """Send a request; within the block there is the head of its reply, whose body is to be read by `inflated`.

        The address is sent as it stands: it may be signed. Raises `aiohttp.ClientError`.
        """
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=self._max_connections, keepalive_timeout=30.0),
                cookie_jar=aiohttp.DummyCookieJar(),
                headers=HEADERS,
                auto_decompress=False,
            )
        return self._session.request(
            method,
            URL(url, encoded=url.isascii()),
            headers=headers,
            data=body,
            allow_redirects=False,
            timeout=timeout or self._timeout,
        )

    async def close(self) -> None:
        """Close its connections."""
        if self._session is not None:
            await self._session.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_raised: object) -> None:
        await self.close()


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


async def get_json(client: Client, source: str, url: str, token: str | None) -> object | None:
    """Fetch a JSON document, None where the service knows no such thing (404).

    Raises `SourceTimeout`, `SourceUnavailable` (no connection, 5xx, 429), or `SourceGarbled` (any other status, not
    JSON; too large: `SourceTooLarge`).
    """
    reply = await ask_json(client, source, Call("GET", url, bearer(token) if token else {}), (HTTPStatus.NOT_FOUND,))
    return reply.document if reply.status == HTTPStatus.OK else None


async def ask_json(client: Client, source: str, call: Call, understood: Collection[int] = ()) -> Reply:
    """Make a call for JSON, as part of the request's trace.

    ``understood`` are the statuses beside 200 that mean something to the caller. A deletion's reply need not be JSON.

    Raises as `get_json` does; where the service says when it wants to be asked again, `SourceUnavailable` tells.
    """
    headers, sent = {**trace_headers(), **call.headers}, None
    if call.body is not None:
        headers, sent = {"content-type": "application/json", **headers}, encoded(call.body)
    try:
        async with client.request(call.method, call.url, headers=headers, body=sent) as reply:
            if reply.status not in understood:
                _expect_success(source, reply.status, reply.headers.get("retry-after"))
            body = await _whole(client, reply)
    except TooMuch as failure:
        raise SourceTooLarge(source, f"the reply is larger than {MAX_REPLY_BYTES:,} bytes") from failure
    except Spoilt as failure:
        raise SourceGarbled(source, "the reply cannot be decompressed") from failure
    except aiohttp.ClientError as failure:
        raise _unanswered(source, failure) from failure
    needed = reply.status == HTTPStatus.OK and call.method != "DELETE"
    return Reply(reply.status, _decode(source, body, needed=needed), reply.headers)


async def _whole(client: Client, reply: aiohttp.ClientResponse) -> bytearray:
    """Read a body. Many large ones at once would hold up all who wait for something else, and fill the memory."""
    body, parts = bytearray(), inflated(reply, MAX_REPLY_BYTES)
    try:
        async for part in parts:
            body += part
            if len(body) > LARGE_BYTES:
                break
        else:
            return body
        async with client.turn_to_read:
            async for part in parts:
                body += part
    except TooMuch:
        body.clear()  # many may be refused in one turn of the event loop
        raise
    return body


def encoded(body: object) -> bytes:
    """Return JSON as it is sent."""
    return json.dumps(body, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()


def bearer(token: str) -> dict[str, str]:
    """Return the header that carries a bearer token (RFC 6750)."""
    return {"authorization": f"Bearer {token}"}


def at(document: object, path: str) -> object:
    """Follow a dotted path into decoded JSON; empty is the document itself, and what is not there is None."""
    for name in _names(path):
        document = document.get(name) if isinstance(document, dict) else None
    return document


def picked(document: object, places: Mapping[str, str]) -> dict[str, object]:
    """Return what stands at several dotted paths of decoded JSON, by name; see `at`."""
    found: dict[str, object] = {}
    for name, path in places.items():
        value = document
        for step in _names(path):
            value = value.get(step) if isinstance(value, dict) else None
        found[name] = value
    return found


@lru_cache
def _names(path: str) -> list[str]:
    return path.split(".") if path else []


def _encoded(value: str) -> str:
    return value.replace(".", "%252E") if value in (".", "..") else quote(value, safe="")


def _unanswered(source: str, failure: aiohttp.ClientError) -> SourceError:
    match failure:
        case aiohttp.ClientConnectorCertificateError(certificate_error=ssl.SSLCertVerificationError() as wrong):
            return SourceUnavailable(source, f"its certificate is not valid ({wrong.verify_message})")
        case aiohttp.ServerTimeoutError():
            return SourceTimeout(source, "no reply in time")
        case aiohttp.ClientConnectorError():
            return SourceUnavailable(source, f"cannot be reached ({type(failure.os_error).__name__})")
        case aiohttp.ClientConnectionError() | aiohttp.ClientPayloadError():
            return SourceUnavailable(source, "broke off the connection")
    return SourceUnavailable(source, f"cannot be reached ({type(failure).__name__})")


def _expect_success(source: str, status: int, retry_after: str | None = None) -> None:
    if status == HTTPStatus.OK:
        return
    said = f"answered with status {status}"
    if status in (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE):
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


def _decode(source: str, body: bytearray, *, needed: bool) -> object:
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as failure:
        if not needed:
            return None
        raise SourceGarbled(source, "the reply is not JSON") from failure
