"""The small routes beside fragments and pages: identity, exposures, events, health."""

import secrets
from collections.abc import Callable, Sequence
from datetime import datetime

from pydantic import ValidationError
from starlette.requests import Request as HttpRequest
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from tessera.renderer.core.context import Context
from tessera.renderer.core.errors import SourceError
from tessera.renderer.core.visitor import Identity
from tessera.renderer.events import EventReport, event_of
from tessera.renderer.exposures import Report, exposure_of
from tessera.renderer.previews import NAME, Preview, Previews
from tessera.renderer.reload import LiveSite
from tessera.renderer.settings import Settings
from tessera.renderer.understand import Understanding

VISITOR_ID_BYTES = 16
NO_STORE = {"cache-control": "no-store"}
DAY_S = 86_400


class Routes:
    """Handlers that share the settings and the live site."""

    def __init__(
        self,
        settings: Settings,
        site: LiveSite,
        identity: Identity,
        understanding: Understanding,
        previews: Previews,
        clock: Callable[[], datetime],
    ) -> None:
        self._settings = settings
        self._site = site
        self._identity = identity
        self._understanding = understanding
        self._previews = previews
        self._clock = clock

    def routes(self) -> Sequence[Route]:
        """Return what is to be mounted."""
        return [
            Route("/visitor", self.mint_visitor, methods=["POST"]),
            Route("/exposures", self.record_exposure, methods=["POST"]),
            Route("/events", self.record_event, methods=["POST"]),
            Route("/preview", self.preview, methods=["GET"]),
            Route("/healthz", self.healthy, methods=["GET"]),
            Route("/readyz", self.ready, methods=["GET"]),
        ]

    async def mint_visitor(self, http: HttpRequest) -> Response:
        """Give a visitor who consents a random signed id, unless they have one: `POST /visitor`."""
        context = self._context(http)
        if context.visitor.consent != "granted" or context.visitor.crawler:
            return _problem(403, "consent is needed first")
        response = Response(status_code=204, headers=NO_STORE)
        if context.visitor.id is None:
            visitors = self._settings.visitors
            response.set_cookie(
                visitors.cookie,
                self._identity.sign(secrets.token_urlsafe(VISITOR_ID_BYTES)),
                max_age=visitors.cookie_days * DAY_S,
                httponly=True,
                secure=visitors.cookie_secure and self._settings.server.mode == "production",
                samesite="lax",
            )
        return response

    async def record_exposure(self, http: HttpRequest) -> Response:
        """Record that a visitor was shown an arm, and say so once it is durable: `POST /exposures`."""
        body = await _body(http, self._settings.http.max_body_bytes)
        if body is None:
            return _problem(413, f"a report has at most {self._settings.http.max_body_bytes} bytes")
        try:
            report = Report.model_validate_json(body)
        except ValidationError:
            return _problem(400, "a report is a JSON object with experiment, arm and version")
        context = self._context(http)
        exposure = exposure_of(report, context.visitor, self._site.current().ruleset, self._clock())
        if exposure is None:
            return Response(status_code=204, headers=NO_STORE)
        try:
            new = await http.state.exposures.record(exposure)
        except SourceError:
            return _problem(503, "the report could not be stored; send it again later")
        return Response(status_code=201 if new else 200, headers=NO_STORE)

    async def record_event(self, http: HttpRequest) -> Response:
        """Keep what a visitor saw or sent away, and say so once it is durable: `POST /events`."""
        if http.headers.get("sec-fetch-site", "same-origin") != "same-origin":
            return _problem(403, "events are told by the site's own pages")
        body = await _body(http, self._settings.http.max_body_bytes)
        if body is None:
            return _problem(413, f"a report has at most {self._settings.http.max_body_bytes} bytes")
        try:
            report = EventReport.model_validate_json(body)
        except ValidationError:
            return _problem(400, "a report is a JSON object with event and of")
        event = event_of(report, self._context(http).visitor, self._site.current().declared, self._clock())
        if event is None:
            return Response(status_code=204, headers=NO_STORE)
        try:
            await http.state.events.record(event)
        except SourceError:
            return _problem(503, "the report could not be stored; send it again later")
        return Response(status_code=201, headers=NO_STORE)

    async def preview(self, http: HttpRequest) -> Response:
        """Keep a preview's token in a cookie while the browser is open, and go to a page: `GET /preview`.

        Without a token, the cookie is taken away.
        """
        token, page = http.query_params.get("token", ""), http.query_params.get("to", "/")
        if token and not isinstance(granted := self._previews.read(token, self._clock()), Preview):
            return _problem(403, f"this token is {granted}")
        if not page.startswith("/") or page.startswith(("//", "/\\")):
            return _problem(400, "`to` is a path on this site")
        response = RedirectResponse(page, 303, NO_STORE)
        if token:
            secure = self._settings.visitors.cookie_secure and self._settings.server.mode == "production"
            response.set_cookie(NAME, token, httponly=True, secure=secure, samesite="lax")
        else:
            response.delete_cookie(NAME)
        return response

    def _context(self, http: HttpRequest) -> Context:
        return self._understanding.context(dict(http.scope["headers"]), self._site.current().declared)

    async def healthy(self, _http: HttpRequest) -> Response:
        """Say that the process runs: `GET /healthz`."""
        return PlainTextResponse("ok\n", headers=NO_STORE)

    async def ready(self, http: HttpRequest) -> Response:
        """Say that the process can answer, with the version of the site that is live: `GET /readyz`."""
        return JSONResponse({"ready": True, "site": self._site.current().version}, headers=NO_STORE)


async def _body(http: HttpRequest, limit: int) -> bytes | None:
    """Read a request's body, None if it is longer than the limit."""
    body = bytearray()
    async for chunk in http.stream():
        body += chunk
        if len(body) > limit:
            return None
    return bytes(body)


def _problem(status: int, detail: str) -> Response:
    return JSONResponse({"error": detail}, status, NO_STORE)
