"""The element `<tessera-fragment>`: its script, as pages ask for it."""

from collections.abc import Sequence
from pathlib import Path

from starlette.requests import Request as HttpRequest
from starlette.responses import Response
from starlette.routing import Route

from tessera.renderer.cache.base import Fragment
from tessera.renderer.respond import matches

SCRIPT = Path(__file__).parent / "assets" / "tessera-fragment.js"
PATH = "/assets/tessera-fragment.js"
CACHING = "public, max-age=3600, stale-while-revalidate=86400"
"""An hour, for pages name no version of it; a day more while a newer one is fetched (RFC 5861)."""


class Element:
    """Answers for the script, which is read once."""

    def __init__(self) -> None:
        self._script = Fragment.of(SCRIPT.read_bytes())

    def routes(self) -> Sequence[Route]:
        """Return what is to be mounted."""
        return [Route(PATH, self.script, methods=["GET"])]

    async def script(self, http: HttpRequest) -> Response:
        """Send the script, or say that the browser has it: `GET /assets/tessera-fragment.js`."""
        headers = {"etag": self._script.etag.decode(), "cache-control": CACHING}
        held = http.headers.get("if-none-match")
        if held is not None and matches(held.encode(), self._script.etag):
            return Response(status_code=304, headers=headers)
        return Response(self._script.body, headers=headers, media_type="text/javascript")
