"""The two routes that visitors' pages are made of: `/fragments/{page}/{slot}` and `/pages/{page}`.

Plain ASGI, in front of everything else: every microsecond here is paid by each request. A locale of the site may
stand before either path, as in `/de/pages/home`.
"""

import json
from collections.abc import Awaitable, Callable, Mapping, MutableMapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlencode

from tessera.renderer.batch import (
    MAX_BODY_BYTES,
    BadBatch,
    Wanted,
    answer_batch,
    read_batch,
    stream_batch,
)
from tessera.renderer.cache.base import Fragment
from tessera.renderer.cache_status import HIT, cache_status
from tessera.renderer.composing import COMPOSE, Composer, Sources, composer_of, for_proxy
from tessera.renderer.core.carried import REQUEST
from tessera.renderer.core.declared import coerced
from tessera.renderer.core.layout import with_head
from tessera.renderer.edge import CACHING, DIGEST_PARAMETER, NO_STORE, PRIVATE
from tessera.renderer.explain import Explanation, explain
from tessera.renderer.gather import NOT_TOLD, Asked
from tessera.renderer.guards import Guards
from tessera.renderer.handshake import Handshake
from tessera.renderer.includer import ANY, ON_ERROR, TURBO_FRAME, Includer, Query, includer_of
from tessera.renderer.measuring import Measuring
from tessera.renderer.pipeline import DECIDED, OVERLOAD, Answer, Pipeline
from tessera.renderer.plans import PagePlan, SlotPlan
from tessera.renderer.previews import NAME, Preview, Previews, carries_token, token_in
from tessera.renderer.reload import LiveSite
from tessera.renderer.respond import HTML, NO_SNIFFING, Headers, Response, html, text
from tessera.renderer.site import Site
from tessera.renderer.storing import Storing
from tessera.renderer.streaming import send_page
from tessera.renderer.tally import REQUESTS
from tessera.renderer.timing import Timing
from tessera.renderer.understand import HEARD, Understanding, Unusual
from tessera.renderer.warm import at_hand, noted

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

MAX_PARAMETERS = 50
NO_QUERY: Query = {}
EXPLAIN = "explain"
"""The query parameter with which whoever holds a token that grants it asks why, instead of what."""
FORCE = "force"
"""The query parameter that shows an arm to whoever asks, in development."""
UNUSUAL = frozenset((EXPLAIN, FORCE, NAME, ON_ERROR, TURBO_FRAME, DIGEST_PARAMETER))
"""Query parameters that have a part in an answer beside those of its page."""
WARM = REQUESTS["fragments"][200]
"""The cell in which answers that were at hand are counted."""
NOT_AT_HAND = "tessera.not_at_hand"
"""The key in the scope of a request that was looked for in vain already; its value is its timing, if it is timed."""
REMEMBERED = 1024
"""Query strings that need not be read anew."""

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
        guards: Guards,
        measuring: Measuring,
        *,
        may_force: bool,
    ) -> None:
        """``guards`` makes headers that every page carries; ``may_force`` lets a query show an arm to whoever asks."""
        self._site = site
        self._understanding = understanding
        self._previews = previews
        self._clock = clock
        self._storing = storing
        self._handshake = handshake
        self._guards = guards
        self._may_force = may_force
        self.otherwise = otherwise
        self._query = lru_cache(REMEMBERED)(query_of)
        self.measuring = measuring
        self._cells = measuring.cells

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection scope (ASGI 3.0)."""
        if scope["type"] == "http":
            found = None
            if NOT_AT_HAND in scope:
                timing = scope[NOT_AT_HAND]
            else:
                timing = self.measuring.timing(scope)
                if scope["method"] == "GET" and b"%" not in scope.get("raw_path", b""):
                    place = scope["path"], scope["query_string"]
                    found = self.at_hand(scope["state"]["pipeline"], *place, scope["headers"], timing)
                else:
                    scope["state"]["pipeline"].look()
            if found is not None:
                headers, body = found
                await send({"type": "http.response.start", "status": 200, "headers": headers})
                await send({"type": "http.response.body", "body": body})
                return
            REQUEST.set(scope)
            parts = scope["path"].split("/")
            site = self._site.current()
            locale = parts.pop(1) if len(parts) > 2 and parts[1] in site.locales else None
            if (len(parts) == 4 and parts[1] == "fragments") or (len(parts) == 3 and parts[1] in ("pages", "context")):
                sent = dict(scope["headers"])
                visit = Visit(site, scope["query_string"], sent, locale, self._clock(), timing=timing)
                response = await self._respond(visit, parts, scope, receive, send)
                if response is not None:
                    if timing is not None and parts[1] != "context":
                        self.measuring.observe(parts[1], timing)
                    self.measuring.count(parts[1], response.status)
                    await _send(response, scope["method"], send)
                return
            if scope["path"] == "/fragments" and scope["method"] == "POST":
                await self._batch(site, scope, receive, self.measuring.counting("batch", send))
                return
            send = self.measuring.counting(parts[1], send)
        await self.otherwise(scope, receive, send)

    def at_hand(
        self, pipeline: Pipeline, path: str, query_string: bytes, headers: Headers, timing: Timing | None
    ) -> tuple[Headers, bytes] | None:
        """Answer a plain GET for a fragment without waiting, None where that takes the long way.

        ``path`` is as it was sent, without a percent sign. See `tessera.renderer.warm`.
        """
        pipeline.look()  # before it is understood who asks: they may be suppressed
        site = self._site.current()
        place = site.places.get(path)
        if place is None:
            return None
        plan, page, locale = place
        parameters = NOT_TOLD
        if query_string:
            query = self._query(query_string)
            if not UNUSUAL.isdisjoint(query):
                return None
            parameters = coerced(page.parameters, query)
        lines = [b":".join(header) for header in headers if header[0] in HEARD]
        heard = b"\n".join(lines)
        if heard.count(b"\n") >= max(1, len(lines)):  # no value may hold another header, whoever parsed them
            return None
        try:
            context = self._understanding.usual(heard, site.declared, locale)
            if timing is not None:
                timing.lap("understand")
            answer = at_hand(pipeline, plan, context, site.declared, parameters, self._clock())
            if answer is None:
                return None
            body = answer.fragment.body
            caching = self._storing.without_digest(plan, answer)
        except Unusual:
            return None
        except Exception:  # noqa: BLE001  # it fails again on the long way, where the slot's guard reports it
            return None
        cells = self._cells
        cells[WARM] += 1
        cells[DECIDED[answer.decision.reason]] += 1
        told = [
            HTML,
            (b"content-length", b"%d" % len(body)),
            (b"etag", answer.fragment.etag),
            HIT,
            *caching,
            *plan.links,
        ]
        if timing is not None:
            timing.lap("at_hand")
            self.measuring.observe("fragments", timing)
            ages, misfits = noted(pipeline, plan, context, site.declared, answer)
            self.measuring.observe_inputs(ages, misfits + len(parameters.misfits))
            if self.measuring.tells:
                told.append(timing.header())
        return told, body

    async def _respond(
        self, visit: Visit, parts: Sequence[str], scope: Scope, receive: Receive, send: Send
    ) -> Response | None:
        """Answer a request for a fragment, page or handshake the long way, None where the answer is already sent."""
        pipeline: Pipeline = scope["state"]["pipeline"]
        if scope["method"] not in ("GET", "HEAD"):
            return NOT_HERE
        if b"%2f" in scope.get("raw_path", b"").lower():
            return NO_PAGE  # caches and proxies take an encoded slash for a letter, and would disagree
        with self.measuring.in_flight():
            if parts[1] == "pages" and scope["method"] == "GET" and (page := self._streamed(visit, parts[2])):
                asked, send = self._asked(visit, page, query_of(visit.query)), self.measuring.counting("pages", send)
                await send_page(pipeline, asked, page, self._guards.of, receive, send)
                return None
            if parts[1] == "context":
                return await self._shake(pipeline, visit, parts[2])
            if carries_token(visit.query, visit.headers):
                return await self._preview(pipeline, visit, parts[2:])
            return await self._answer(pipeline, visit, parts[2:])

    async def _answer(self, pipeline: Pipeline, visit: Visit, place: Sequence[str]) -> Response:
        """Answer for a page, or for one of its slots."""
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
            composer = composer_of(query)
            if composer in ("esi", "ssi") and visit.preview is None:
                return await self._for_proxy(pipeline, visit, asked, page, composer, query)
            answer = await pipeline.page(asked, plan, page.slots)
            told = {"layout": answer.layout, **answer.slots}
            composed = self._response(visit, pipeline, answer.fragment, page, told)
            return composed._replace(
                headers=[*composed.headers, *self._guards.of(page, plan.outcome(answer.layout.decision))]
            )
        shown = await pipeline.slot(asked, plan)
        includer = includer_of(query, place[1]) if query else ANY
        return self._response(visit, pipeline, shown.fragment, plan, {place[1]: shown}, includer)

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
            with self.measuring.in_flight():
                return await self._answer(scope["state"]["pipeline"], visit, (wanted.page, wanted.slot))

        if not batch.stream:
            await _send(await answer_batch(batch, ask), "POST", send)
            return
        kind = (b"content-type", batch.content_type)
        await send({"type": "http.response.start", "status": 200, "headers": [kind, *PRIVATE, NO_SNIFFING]})
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
                timing = visit.timing or (Timing() if granted.explain else None)
                visit = visit._replace(site=site, now=granted.at or visit.now, preview=granted, timing=timing)
        status, headers, body = await self._answer(pipeline, visit, place)
        told = granted if isinstance(granted, str) else visit.site.version
        kept = [(name, value) for name, value in headers if name not in CACHING]
        return Response(status, [*kept, *PRIVATE, (b"tessera-preview", told.encode())], body)

    def _asked(self, visit: Visit, page: PagePlan, query: Query) -> Asked:
        """Understand the request; its query is read by the page's declared parameters."""
        site, _, headers, locale, now, preview, timing = visit
        declared = site.declared
        forced = query.get(FORCE) if self._may_force else None
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
            shed=self.measuring.overloaded,
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
        pipeline: Pipeline,
        fragment: Fragment,
        plan: SlotPlan | PagePlan,
        answers: Mapping[str, Answer],
        includer: Includer = ANY,
    ) -> Response:
        """Send what was answered, in the form that its includer asks for. Only what is public is shared by all."""
        fallen = fallbacks(answers)
        extra = [*cache_status(answers.values()), *fallen]
        explains = visit.preview is not None and visit.preview.explain
        if visit.timing is not None and (explains or self.measuring.tells):
            extra.append(visit.timing.header())
        links = plan.links if isinstance(plan, SlotPlan) else ()
        if includer is not ANY:
            fragment = includer.framed(fragment)
            if includer.wants_failures and any(answer.rung in ("default", "empty") for answer in answers.values()):
                length = (b"content-length", b"%d" % len(fragment.body))
                return Response(503, [HTML, length, *NO_STORE, *extra], fragment.body)
        if fallen:
            shed = any(OVERLOAD in answer.problems for answer in answers.values())
            caching = NO_STORE if shed else self._storing.of_stand_in(plan, answers)
        elif plan.scope == "private" or not pipeline.hold(answers.values()):
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
        return html(fragment, caching, visit.headers.get(b"if-none-match"), [*extra, *links])

    async def _for_proxy(
        self, pipeline: Pipeline, visit: Visit, asked: Asked, page: PagePlan, composer: Composer, query: Query
    ) -> Response:
        """Answer with a page's layout alone, in which a proxy is to include the fragments."""
        assert page.layout is not None
        layout = await pipeline.slot(asked, page.layout)
        extra = fallbacks({"layout": layout})
        stored = not extra and pipeline.hold([layout])
        caching = NO_STORE
        if stored:
            caching = self._storing.of_layout(
                visit.site.version, page.layout, layout, visit.headers, lambda: query, visit.now.timestamp()
            )
        told = {name: query[name] for name in page.parameters if name in query}
        sources = Sources(page.name, visit.locale, told)
        outcome = page.layout.outcome(layout.decision)
        body = with_head(layout.fragment.body, outcome.head.markup)
        guards = self._guards.of(page, outcome)
        return for_proxy(body, composer, outcome.slots, sources, [*caching, *extra, *guards])

    def _streamed(self, visit: Visit, name: str) -> PagePlan | None:
        """Return the page, if it has a layout and is to be streamed; previews are not."""
        page = visit.site.pages.get(name)
        if page is None or page.layout is None or COMPOSE.encode() not in visit.query:
            return None
        wanted = composer_of(query_of(visit.query)) == "stream" and not carries_token(visit.query, visit.headers)
        return page if wanted else None


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
