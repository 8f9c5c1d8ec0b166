"""Slots as podlets, for layouts made with `@podium/layout` (podium-lib.io, "Podlets").

A layout reads a manifest, keeps it with the fallback that it names, and then asks for content. An answer whose
`podlet-version` is another than the manifest's makes it read both anew, so the version is the site's.
"""

from collections.abc import Iterable, Sequence

from starlette.requests import Request as HttpRequest
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tessera.renderer.core.assets import Asset
from tessera.renderer.includer import ON_ERROR
from tessera.renderer.reload import LiveSite

SLOT = "/podium/{page}/{slot}"
MANIFEST_CACHING = {"cache-control": "public, max-age=60"}
"""So a layout asks every minute for a fallback that is of its time."""


class Podlets:
    """Answers layouts: with manifests of its own, and with fragments that ``answer`` makes."""

    def __init__(self, site: LiveSite, answer: ASGIApp) -> None:
        self._site = site
        self._answer = answer

    def routes(self) -> Sequence[Route]:
        """Return what is to be mounted."""
        return [
            Route(f"{SLOT}/manifest.json", self.manifest, methods=["GET"]),
            Route(f"{SLOT}/content", Content(self._site, self._answer)),
            Route(f"{SLOT}/fallback", Fallback(self._answer)),
        ]

    async def manifest(self, http: HttpRequest) -> Response:
        """Describe a slot (podium-lib.io, "Podlet manifest"): `GET /podium/{page}/{slot}/manifest.json`."""
        site = self._site.current()
        page, slot = http.path_params["page"], http.path_params["slot"]
        if page not in site.pages or slot not in site.pages[page].slots:
            return PlainTextResponse("There is no such slot.\n", 404, {"cache-control": "no-store"})
        manifest = {"name": f"{page}-{slot}", "version": site.version, "content": "content", "fallback": "fallback"}
        assets = site.pages[page].slots[slot].assets
        return JSONResponse({**manifest, **_loaded(assets)}, headers=MANIFEST_CACHING)


class Content:
    """A visitor's fragment, or a failure, so that the layout uses the fallback that it holds; an ASGI application."""

    def __init__(self, site: LiveSite, answer: ASGIApp) -> None:
        self._site = site
        self._answer = answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        version = (b"podlet-version", self._site.current().version.encode())

        async def told(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message["headers"], version]}
            await send(message)

        query = b"&".join(filter(None, [scope["query_string"], ON_ERROR.encode() + b"=status"]))
        await self._answer({**_fragment(scope), "query_string": query}, receive, told)


class Fallback:
    """What somebody is shown of whom nothing is known; an ASGI application."""

    def __init__(self, answer: ASGIApp) -> None:
        self._answer = answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._answer({**_fragment(scope), "headers": []}, receive, send)


def _loaded(assets: Iterable[Asset]) -> dict[str, list[dict[str, object]]]:
    """Return what layouts load for a podlet (podium-lib.io, "Assets")."""
    styles: list[dict[str, object]] = [
        {"value": each.address, "type": "text/css", "rel": "stylesheet"} for each in assets if each.kind == "style"
    ]
    scripts: list[dict[str, object]] = [
        {"value": each.address, "type": "module" if each.kind == "module" else "default", "defer": True}
        for each in assets
        if each.kind in ("script", "module")
    ]
    return {name: each for name, each in (("css", styles), ("js", scripts)) if each}


def _fragment(scope: Scope) -> Scope:
    """Return the request for the fragment behind a podlet's."""
    page, slot = scope["path_params"]["page"], scope["path_params"]["slot"]
    return {**scope, "path": f"/fragments/{page}/{slot}"}
