"""What keeps browsers and caches from using answers otherwise than they are meant: on pages, other sites, nowhere."""

import logging
from collections.abc import Sequence
from dataclasses import replace

from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request as HttpRequest
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from tessera.renderer.core.policy import MAX_WORDS
from tessera.renderer.edge import DIGEST_HEADER
from tessera.renderer.plans import OutcomePlan, PagePlan
from tessera.renderer.respond import NO_SNIFFING, Headers, text
from tessera.renderer.settings_serving import Http
from tessera.renderer.streaming import FILL_IN_HASH

PREFLIGHT_S = 600

log = logging.getLogger("tessera")


class Guards:
    """Makes the headers that a page carries beside its caching, out of what was known of it when it was loaded."""

    def __init__(self, http: Http) -> None:
        self._with_policy = http.content_policy
        self._ancestors = f"frame-ancestors {http.frame_ancestors}"
        self._same: Headers = [NO_SNIFFING, (b"referrer-policy", http.referrer_policy.encode())]
        self._reported: set[tuple[str, ...]] = set()

    def of(self, page: PagePlan, layout: OutcomePlan) -> Headers:
        """Return them for a page in one of its layouts (OWASP, "HTTP Security Response Headers Cheat Sheet")."""
        words = self._words(page) if self._with_policy else None
        policy = f"{self._ancestors}; {words}" if words else self._ancestors
        link = [(b"link", layout.head.link)] if layout.head.link else []
        return [*self._same, (b"content-security-policy", policy.encode()), *link]

    def _words(self, page: PagePlan) -> str | None:
        """Return what the page may run and be styled by; where that cannot be told, say so once, and break nothing."""
        words = replace(page.policy, scripts=page.policy.scripts | {FILL_IN_HASH}).words()
        if words is None and page.policy.unknown not in self._reported:
            self._reported.add(page.policy.unknown)
            why = "; ".join(page.policy.unknown) or f"there are more than {MAX_WORDS} scripts and style sheets"
            log.warning("%s: no policy for scripts and styles can be told: %s", page.name, why)
        return words


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
