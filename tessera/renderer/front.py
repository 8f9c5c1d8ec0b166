"""The two routes that visitors' pages are made of: `/fragments/{page}/{slot}` and `/pages/{page}`.

Plain ASGI, in front of everything else: every microsecond here is paid by each request. A locale of the site may
stand before either path, as in `/de/pages/home`.
"""

import json
from collections.abc import Awaitable, Callable, Mapping, MutableMapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlencode

from tessera.renderer.batch import (
    MAX_BODY_BYTES,
    BadBatch,
    Wanted,
    answer_batch,
    content_type_of_stream,
    read_batch,
    stream_batch,
)
from tessera.renderer.cache.base import Fragment
from tessera.renderer.cache_status import cache_status
from tessera.renderer.core.carried import REQUEST
from tessera.renderer.core.declared import coerced
from tessera.renderer.edge import CACHING, NO_STORE, PRIVATE
from tessera.renderer.explain import Explanation, explain
from tessera.renderer.gather import NOT_TOLD, Asked
from tessera.renderer.handshake import Handshake
from tessera.renderer.includer import ANY, Includer, Query, includer_of
from tessera.renderer.pipeline import OVERLOAD, Answer, Pipeline
from tessera.renderer.plans import PagePlan, SlotPlan
from tessera.renderer.previews import Preview, Previews, carries_token, token_in
from tessera.renderer.reload import LiveSite
from tessera.renderer.respond import HTML, Response, html, text
from tessera.renderer.site import Site
from tessera.renderer.storing import Storing
from tessera.renderer.tally import IN_FLIGHT, REQUEST_S, REQUESTS, REQUESTS_OTHERWISE, ROUTES, STAGE_S, Tally
from tessera.renderer.timing import Timing
from tessera.renderer.understand import Understanding

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

MAX_PARAMETERS = 50
TIMED_EVERY = 64
"""Of so many requests one is timed, stage by stage."""
TIMING = "tessera.timing"
"""The key in the scope of a request whose sender wants its stages timed; holds the `Timing`."""

NO_QUERY: Query = {}
EXPLAIN = "explain"
"""The query parameter with which whoever holds a token that grants it asks why, instead of what."""

NO_PAGE = text(404, "There is no such page.\n")
NO_LAYOUT = text(404, "This page has no layout; ask for its fragments.\n")
NO_SLOT = text(404, "There is no such slot.\n")
NOT_HERE = text(405, "Only GET and HEAD are answered here.\n")
NOT_HERE.headers.append((b"allow", b"GET, HEAD"))


class Visit(NamedTuple):
    """One request for a fragment or a page: the site that answers it, what was sent, and as of when it is answered."""

    site: Site
    query: bytes
    headers: Mapping[bytes, bytes]
    locale: str | None
    now: datetime
    preview: Preview | None = None
    timing: Timing | None = None


class Front:
    """Answers for fragments and pages, and hands every other request on.

    The pipeline is found in the lifespan state of the scope (ASGI specification, "Lifespan state").
    """

    def __init__(
        self,
        site: LiveSite,
        understanding: Understanding,
        previews: Previews,
        clock: Callable[[], datetime],
        otherwise: App,
        storing: Storing,
        handshake: Handshake,
        *,
        may_force: bool,
        tally: Tally | None = None,
        max_in_flight: int = 1000,
    ) -> None:
        """``may_force`` lets a query show an arm to whoever asks, and tells everybody how long its stages took.

        Beyond ``max_in_flight`` requests at a time load is shed.
        """
        self._site = site
        self._understanding = understanding
        self._previews = previews
        self._clock = clock
        self._storing = storing
        self._handshake = handshake
        self._may_force = may_force
        self.otherwise = otherwise
        self.tally = tally or Tally()
        self._cells = self.tally.cells
        self._max_in_flight = max_in_flight
        self._until_timed = TIMED_EVERY

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection scope (ASGI 3.0)."""
        if scope["type"] == "http":
            REQUEST.set(scope)
            parts = scope["path"].split("/")
            site = self._site.current()
            locale = parts.pop(1) if len(parts) > 2 and parts[1] in site.locales else None
            if (len(parts) == 4 and parts[1] == "fragments") or (len(parts) == 3 and parts[1] in ("pages", "context")):
                visit = Visit(site, scope["query_string"], dict(scope["headers"]), locale, self._clock())
                self._until_timed -= 1
                if not self._until_timed or self._may_force or TIMING in scope:
                    visit = self._timed(visit, scope)
                if scope["method"] not in ("GET", "HEAD"):
                    response = NOT_HERE
                elif parts[1] == "context":
                    response = await self._shake(scope["state"]["pipeline"], visit, parts[2])
                elif carries_token(visit.query, visit.headers):
                    response = await self._preview(scope["state"]["pipeline"], visit, parts[2:])
                else:
                    response = await self._answer(scope["state"]["pipeline"], visit, parts[2:])
                if visit.timing is not None and parts[1] != "context":
                    self._observe(parts[1], visit.timing)
                self._count(parts[1], response.status)
                await _send(response, scope["method"], send)
                return
            if scope["path"] == "/fragments" and scope["method"] == "POST":
                await self._batch(site, scope, receive, self._counting("batch", send))
                return
            send = self._counting(parts[1] if parts[1] in ROUTES else "other", send)
        await self.otherwise(scope, receive, send)

    async def _answer(self, pipeline: Pipeline, visit: Visit, place: Sequence[str]) -> Response:
        """Answer for a page, or for one of its slots, as one of those that are in flight."""
        self._cells[IN_FLIGHT] += 1
        try:
            return await self._answered(pipeline, visit, place)
        finally:
            self._cells[IN_FLIGHT] -= 1

    async def _answered(self, pipeline: Pipeline, visit: Visit, place: Sequence[str]) -> Response:
        page = visit.site.pages.get(place[0])
        if page is None:
            return NO_PAGE
        plan = page.layout if len(place) == 1 else page.slots.get(place[1])
        if plan is None:
            return NO_LAYOUT if len(place) == 1 else NO_SLOT
        query = query_of(visit.query) if visit.query else NO_QUERY
        asked = self._asked(visit, page, query)
        if visit.preview is not None and visit.preview.explain and EXPLAIN in query:
            return _explanation(await explain(pipeline, asked, visit.site, plan), visit.headers)
        if len(place) == 1:
            answer = await pipeline.page(asked, plan, page.slots)
            return self._response(visit, answer.fragment, page, {"layout": answer.layout, **answer.slots})
        shown = await pipeline.slot(asked, plan)
        includer = includer_of(query, place[1]) if query else ANY
        return self._response(visit, shown.fragment, plan, {place[1]: shown}, includer)

    async def _batch(self, site: Site, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer for many fragments at once; see `tessera.renderer.batch`."""
        body = await read_body(receive, MAX_BODY_BYTES)
        if body is None:
            await _send(text(413, f"A batch has at most {MAX_BODY_BYTES:,} bytes.\n"), "POST", send)
            return
        try:
            batch = read_batch(body)
        except BadBatch as wrong:
            await _send(text(400, f"{wrong}\n"), "POST", send)
            return
        headers, now = dict(scope["headers"]), self._clock()

        async def ask(wanted: Wanted) -> Response:
            sent = {name: value for name, value in headers.items() if name != b"if-none-match"}
            if wanted.visitor is not None:
                sent[b"x-tessera-visitor"] = wanted.visitor.encode("latin-1", "replace")
            if wanted.etag is not None:
                sent[b"if-none-match"] = wanted.etag.encode("latin-1", "replace")
            visit = Visit(site, urlencode(wanted.params).encode(), sent, None, now)
            return await self._answer(scope["state"]["pipeline"], visit, (wanted.page, wanted.slot))

        if not batch.stream:
            await _send(await answer_batch(batch, ask), "POST", send)
            return
        kind = (b"content-type", content_type_of_stream(batch.form))
        await send({"type": "http.response.start", "status": 200, "headers": [kind, *PRIVATE]})
        async for part in stream_batch(batch, ask):
            await send({"type": "http.response.body", "body": part, "more_body": True})
        await send({"type": "http.response.body", "body": b""})

    async def _preview(self, pipeline: Pipeline, visit: Visit, place: Sequence[str]) -> Response:
        """Answer whoever carries a preview's token: as it says, or, where it is no good, as anybody."""
        token = token_in(query_of(visit.query), visit.headers.get(b"cookie"))
        granted = self._previews.read(token, visit.now) if token else "invalid"
        if isinstance(granted, Preview):
            site = await self._previews.site(granted.version) if granted.version else visit.site
            if site is None:
                granted = "gone"
            else:
                visit = visit._replace(site=site, now=granted.at or visit.now, preview=granted)
        status, headers, body = await self._answer(pipeline, visit, place)
        told = granted if isinstance(granted, str) else visit.site.version
        kept = [(name, value) for name, value in headers if name not in CACHING]
        return Response(status, [*kept, *PRIVATE, (b"tessera-preview", told.encode())], body)

    def _timed(self, visit: Visit, scope: Scope) -> Visit:
        """Time a request's stages: of a sample of them, and of each whose sender wants that."""
        if not self._until_timed:
            self._until_timed = TIMED_EVERY
        return visit._replace(timing=scope.get(TIMING) or Timing())

    def _observe(self, route: str, timing: Timing) -> None:
        self.tally.observe(REQUEST_S, route, timing.elapsed_s)
        for stage, seconds in timing.seconds().items():
            self.tally.observe(STAGE_S, stage, seconds)

    def _count(self, route: str, status: int) -> None:
        self._cells[REQUESTS[route].get(status, REQUESTS_OTHERWISE[route])] += 1

    def _counting(self, route: str, send: Send) -> Send:
        """Count what is answered by others."""

        async def counted(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                self._count(route, message["status"])
            await send(message)

        return counted

    def _asked(self, visit: Visit, page: PagePlan, query: Query) -> Asked:
        """Understand the request; its query is read by the page's declared parameters."""
        site, _, headers, locale, now, preview, timing = visit
        declared = site.declared
        forced = query.get("force") if self._may_force else None
        if preview is not None:
            forced = preview.arm
        asked = Asked(
            self._understanding.context(headers, declared, locale),
            declared,
            now,
            coerced(page.parameters, query) if query else NOT_TOLD,
            self._understanding.cart(headers, declared),
            forced=forced,
            counted=forced is None and preview is None,
            shed=self._cells[IN_FLIGHT] > self._max_in_flight,
            timing=timing,
        )
        if timing is not None:
            timing.lap("understand")
        return asked

    async def _shake(self, pipeline: Pipeline, visit: Visit, name: str) -> Response:
        """Answer an edge that asks which copies are a visitor's."""
        page = visit.site.pages.get(name)
        if page is None:
            return NO_PAGE
        asked = self._asked(visit, page, query_of(visit.query))
        return await self._handshake.answer(pipeline, asked, visit.site, page)

    def _response(
        self,
        visit: Visit,
        fragment: Fragment,
        plan: SlotPlan | PagePlan,
        answers: Mapping[str, Answer],
        includer: Includer = ANY,
    ) -> Response:
        """Send what was answered, in the form that its includer asks for. Only what is public is shared by all."""
        fallen = fallbacks(answers)
        extra = [*cache_status(answers.values()), *fallen]
        if visit.timing is not None and (self._may_force or (visit.preview is not None and visit.preview.explain)):
            extra.append(visit.timing.header())
        if includer is not ANY:
            fragment = includer.framed(fragment)
            if includer.wants_failures and any(answer.rung in ("default", "empty") for answer in answers.values()):
                length = (b"content-length", b"%d" % len(fragment.body))
                return Response(503, [HTML, length, *NO_STORE, *extra], fragment.body)
        if fallen:
            shed = any(OVERLOAD in answer.problems for answer in answers.values())
            caching = NO_STORE if shed else self._storing.of_stand_in(plan)
        elif plan.scope == "private":
            caching = PRIVATE
        else:
            caching = self._storing.headers(
                visit.site.version,
                plan,
                answers,
                visit.headers,
                lambda: query_of(visit.query),
                visit.now.timestamp(),
            )
        return html(fragment, caching, visit.headers.get(b"if-none-match"), extra)


def query_of(query: bytes) -> Mapping[str, str]:
    """Read a query string: of a repeated parameter the first counts, and one with too many counts for none."""
    try:
        pairs = parse_qsl(query.decode("latin-1"), keep_blank_values=True, max_num_fields=MAX_PARAMETERS)
    except ValueError:
        return {}
    return dict(reversed(pairs))


def fallbacks(answers: Mapping[str, Answer]) -> list[tuple[bytes, bytes]]:
    """Say which slots got less than they should have, and why: `Tessera-Fallback` (a dictionary, RFC 9651)."""
    members = [
        f'{name}={answer.rung};cause="{", ".join(answer.problems)}"'
        for name, answer in answers.items()
        if answer.rung != "fresh"
    ]
    if not members:
        return []
    return [(b"tessera-fallback", ", ".join(members).encode("ascii", "replace"))]


def _explanation(explanation: Explanation, headers: Mapping[bytes, bytes]) -> Response:
    """Tell why, as JSON to whoever prefers that, else as text."""
    if b"application/json" in headers.get(b"accept", b""):
        body, kind = json.dumps(explanation.to_json(), indent=2), b"application/json"
    else:
        body, kind = explanation.to_text() + "\n", b"text/plain; charset=utf-8"
    encoded = body.encode()
    return Response(200, [(b"content-type", kind), (b"content-length", b"%d" % len(encoded))], encoded)


async def read_body(receive: Receive, limit: int) -> bytes | None:
    """Read a request's body, None if it is longer than the limit."""
    body, more = bytearray(), True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
        if len(body) > limit:
            return None
    return bytes(body)


async def _send(response: Response, method: str, send: Send) -> None:
    await send({"type": "http.response.start", "status": response.status, "headers": response.headers})
    await send({"type": "http.response.body", "body": b"" if method == "HEAD" else response.body})
