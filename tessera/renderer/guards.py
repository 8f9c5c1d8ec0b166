"""What keeps browsers and caches from using answers otherwise than they are meant: on pages, other sites, nowhere."""

from collections.abc import Sequence

from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request as HttpRequest
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from tessera.renderer.edge import DIGEST_HEADER
from tessera.renderer.respond import NO_SNIFFING, Headers, text
from tessera.renderer.settings import Http

PREFLIGHT_S = 600


def of_pages(http: Http) -> Headers:
    """Return the headers that every page carries (OWASP, "HTTP Security Response Headers Cheat Sheet")."""
    return [
        NO_SNIFFING,
        (b"referrer-policy", http.referrer_policy.encode()),
        (b"content-security-policy", b"frame-ancestors " + http.frame_ancestors.encode()),
    ]


class OtherSites:
    """Lets scripts of the sites that are listed ask for fragments (Fetch Standard, "CORS protocol"); ASGI 3.0.

    Cookies go along, so that visitors are recognised there too. Each fragment then varies on `Origin`, whoever asks.
    """

    def __init__(self, app: ASGIApp, origins: Sequence[str]) -> None:
        self._app = app
        self._shared = CORSMiddleware(
            app,
            allow_origins=origins,
            allow_methods=["GET", "HEAD", "POST"],
            allow_headers=["content-type", "if-none-match", DIGEST_HEADER.decode()],
            allow_credentials=True,
            expose_headers=["tessera-fallback"],
            max_age=PREFLIGHT_S,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection scope."""
        shared = scope["type"] == "http" and "fragments" in scope["path"].split("/")[1:3]
        await (self._shared if shared else self._app)(scope, receive, send)


async def nothing_there(_http: HttpRequest, _error: Exception) -> Response:
    """Say that a path leads nowhere, for nobody to store: what lies below a fragment's path is not a fragment."""
    status, headers, body = text(404, "There is nothing here.\n")
    return Response(body, status, {name.decode(): value.decode() for name, value in headers})
