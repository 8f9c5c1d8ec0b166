"""`GET /pages/{page}?compose=…`: who puts a page together. Tessera (`buffer`), a proxy (`esi`, `ssi`), or the browser.

A page for a proxy has orders where its slots go. They name the fragments; its own parameters and locale go along.
Sources: nginx, "ngx_http_ssi_module"; W3C Note "ESI Language Specification 1.0".
"""

from collections.abc import Callable, Collection, Mapping
from typing import Literal, get_args
from urllib.parse import urlencode

from tessera.renderer.core.layout import compose
from tessera.renderer.respond import HTML, Headers, Response

COMPOSE = "compose"
Composer = Literal["buffer", "stream", "esi", "ssi"]
_COMPOSERS: Collection[str] = get_args(Composer)

_ORDERS: Mapping[str, Callable[[str], str]] = {
    "esi": lambda source: f'<esi:include src="{source.replace("&", "&amp;")}"/>',
    "ssi": lambda source: f'<!--#include virtual="{source}" -->',
}


def composer_of(query: Mapping[str, str]) -> Composer:
    """Read who composes from a query; a word that is none of them counts as `buffer`."""
    told = query.get(COMPOSE, "buffer")
    return told if told in _COMPOSERS else "buffer"  # type: ignore[return-value]


class Sources:
    """Where the fragments of a page are: under a locale of the site, or none, with parameters of the page."""

    def __init__(self, page: str, locale: str | None, parameters: Mapping[str, str]) -> None:
        self._folder = f"{f'/{locale}' if locale else ''}/fragments/{page}/"
        self._query = f"?{urlencode(parameters)}" if parameters else ""

    def of(self, slot: str) -> str:
        """Return a path and query, of which nothing has a meaning in markup but `&`."""
        return f"{self._folder}{slot}{self._query}"


def for_proxy(layout: bytes, composer: str, slots: Collection[str], sources: Sources, caching: Headers) -> Response:
    """Answer with a layout that has orders in place of slots.

    It has no ETag: a proxy would say that the page is unchanged when only its parts are not.
    """
    order = _ORDERS[composer]
    body = compose(layout, {slot: order(sources.of(slot)).encode() for slot in slots})
    return Response(200, [HTML, (b"content-length", b"%d" % len(body)), *caching], body)
