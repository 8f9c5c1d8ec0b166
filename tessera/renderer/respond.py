"""An answer as HTTP: status, headers and body (RFC 9110, RFC 9111)."""

from typing import NamedTuple

from tessera.renderer.cache.base import Fragment

Headers = list[tuple[bytes, bytes]]

HTML = (b"content-type", b"text/html; charset=utf-8")
NO_SNIFFING = (b"x-content-type-options", b"nosniff")
"""So that no browser takes an answer for something else than it says (Fetch Standard, "nosniff")."""


class Response(NamedTuple):
    """What goes on the wire. ``body`` is what a GET would carry; a HEAD leaves it out."""

    status: int
    headers: Headers
    body: bytes = b""


def html(fragment: Fragment, caching: Headers, if_none_match: bytes | None, extra: Headers) -> Response:
    """Answer with a fragment, or with 304 where the client holds the same bytes (RFC 9110, section 13.1.2)."""
    if if_none_match is not None and matches(if_none_match, fragment.etag):
        return Response(304, [(b"etag", fragment.etag), *caching, *extra])
    length = b"%d" % len(fragment.body)
    headers = [HTML, (b"content-length", length), (b"etag", fragment.etag), *caching, *extra]
    return Response(200, headers, fragment.body)


def text(status: int, body: str) -> Response:
    """Answer with a short plain text, not to be stored."""
    encoded = body.encode()
    return Response(
        status,
        [
            (b"content-type", b"text/plain; charset=utf-8"),
            (b"content-length", b"%d" % len(encoded)),
            (b"cache-control", b"no-store"),
            NO_SNIFFING,
        ],
        encoded,
    )


def matches(if_none_match: bytes, etag: bytes) -> bool:
    """Compare weakly, as If-None-Match demands (RFC 9110, section 8.8.3.2)."""
    if if_none_match.strip() == b"*":
        return True
    return any(tag.strip().removeprefix(b"W/") == etag for tag in if_none_match.split(b","))
